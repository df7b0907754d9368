/* SPDX-License-Identifier: Apache-2.0
 *
 * ftrace.h -- the two formats of ftrace, behind reader_open_ftrace(). */
#ifndef INPUT_FTRACE_H
#define INPUT_FTRACE_H

#include "input/reader.h"

int ftrace_dat_open(const char *path, struct notes *notes, struct reader **ret, struct err *err);
/* Do these first bytes of a file belong to ftrace's text? */
bool ftrace_text_is(struct str head);
int ftrace_text_open(const char *path, struct notes *notes, struct reader **ret, struct err *err);

#endif
