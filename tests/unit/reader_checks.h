/* SPDX-License-Identifier: Apache-2.0
 *
 * reader_checks.h -- what tests of all readers check. */
#ifndef TESTS_UNIT_READER_CHECKS_H
#define TESTS_UNIT_READER_CHECKS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "input/reader.h"

#include <string.h>

static inline void close_file(struct reader *r, struct notes *notes)
{
    r->ops->close(r);
    notes_free(notes);
}

static inline bool has_note(const struct notes *notes, enum note_level level, const char *words)
{
    for (size_t i = 0; i < notes->list.n; i++)
        if (notes->list.at[i].level == level && strstr(notes->list.at[i].text.p, words))
            return true;
    return false;
}

static inline void assert_str(struct str s, const char *expected)
{
    if (!str_is(s, expected))
        fail_msg("'" STR_FMT "' is not '%s'", STR_ARG(s), expected);
}

#endif
