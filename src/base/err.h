/* SPDX-License-Identifier: Apache-2.0
 *
 * err.h -- how a function says that the outside world failed it.
 *
 * A function that can fail for outside reasons returns 0 or a negative E_*
 * and fills the caller's 'struct err' with a sentence.  Every layer that knows
 * more about the place adds it in front with err_in(), so that the user reads
 * "kernel/ch_3: packet 1 (byte 4096): content 200 > packet 100 bits".
 * Programmer errors are assertions; running out of memory aborts. */
#ifndef BASE_ERR_H
#define BASE_ERR_H

enum err_code {
    E_IO = 1,  /* the system refused: no file, no permission, disk full  */
    E_CORRUPT, /* the data contradicts itself or its format              */
    E_UNSUP,   /* well formed, but of a kind or version we do not read   */
    E_ARG,     /* the user asked for something that has no meaning       */
    E_LIMIT,   /* over one of the bounds in base/limits.h                */
};

struct err {
    enum err_code code;
    char text[1024]; /* one sentence, no final newline */
};

/* Sets 'err' to 'code' and the formatted sentence.  Returns -code. */
int err_set(struct err *err, enum err_code code, const char *fmt, ...)
    __attribute__((format(printf, 3, 4), nonnull(1, 3), cold));

/* Puts "<formatted>: " before the sentence of 'err'.  Returns -err->code. */
int err_in(struct err *err, const char *fmt, ...)
    __attribute__((format(printf, 2, 3), nonnull(1, 2), cold));

#ifdef __clang_analyzer__
/* It sees one file at a time and would follow paths on which these succeed. */
#define err_set(...) (err_set(__VA_ARGS__), -1)
#define err_in(...) (err_in(__VA_ARGS__), -1)
#endif

#endif
