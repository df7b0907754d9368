/* SPDX-License-Identifier: Apache-2.0
 *
 * ftrace.c -- which of the two formats of ftrace a file has: see reader.h. */
#include "input/ftrace.h"

#include "input/ftrace_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

enum kind { KIND_NONE, KIND_DAT, KIND_TEXT };

static enum kind kind_of(const char *path)
{
    char buf[16 << 10]; /* the header of a text has under 2 KB */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct stat st;
    ssize_t n = 0;

    if (fd < 0)
        return KIND_NONE;
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode)) /* a pipe would be emptied */
        n = read(fd, buf, sizeof buf);
    close(fd);
    struct str head = { buf, n > 0 ? (size_t)n : 0 };
    return ftrace_file_is(head) ? KIND_DAT : ftrace_text_is(head) ? KIND_TEXT : KIND_NONE;
}

bool reader_is_ftrace(const char *path)
{
    return kind_of(path) != KIND_NONE;
}

int reader_open_ftrace(const char *path, struct notes *notes, struct reader **ret, struct err *err)
{
    return kind_of(path) == KIND_DAT ? ftrace_dat_open(path, notes, ret, err)
                                     : ftrace_text_open(path, notes, ret, err);
}
