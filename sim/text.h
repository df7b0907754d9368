/* SPDX-License-Identifier: Apache-2.0
 *
 * text.h -- fills the holes of log texts.
 *
 * "{vm}" is the VM's name, "{uuid}" its id, and so on: text.c has the list.
 * "{{" is a brace; an unknown hole is a mistake in a program and aborts. */
#ifndef SIM_TEXT_H
#define SIM_TEXT_H

#include "base/str.h"

struct thread;

/* Appends 'text' with its holes filled for thread 't'. */
void text_fill(struct sbuf *b, const struct thread *t, const char *text);
/* Appends 'z' as the inside of a JSON string, ASCII only, as Python does. */
void text_json(struct sbuf *b, const char *z);
/* Appends 'z' as XML text. */
void text_xml(struct sbuf *b, const char *z);

#endif
