/* SPDX-License-Identifier: Apache-2.0
 *
 * cell_text.h -- text of a trace, made fit for a screen.
 *
 * Names and messages come from traced systems and may hold anything: bytes
 * that are no UTF-8, escape sequences that would drive the terminal, marks
 * that turn the reading direction.  What is shown of them is harmless, and its
 * width on the screen is known. */
#ifndef REPORT_CELL_TEXT_H
#define REPORT_CELL_TEXT_H

#include "base/str.h"

/* Adds 's' to 'b' as valid UTF-8: bad bytes become U+FFFD; control characters,
 * line separators and direction marks are written as \n, \t, \x1b or \u202e.
 * Characters in 'keep' (ASCII) are copied as they are. */
void cell_escape(struct sbuf *b, struct str s, const char *keep);

/* Columns that 's', valid UTF-8 without control characters, takes on a
 * terminal: 0 for combining marks, 2 for East Asian wide characters and emoji. */
size_t cell_width(struct str s);

/* The longest start of 's' that takes no more than 'width' columns. */
struct str cell_cut(struct str s, size_t width);

#endif
