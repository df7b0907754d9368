/* SPDX-License-Identifier: Apache-2.0
 *
 * behind.h -- writing on a thread of its own.
 *
 * The calling side encodes what is to be written into buffers; the other thread applies
 * them in order, with the functions that the calling side would have used: the file is the
 * same either way.  Numbers of attributes and texts are given by the calling side, which
 * alone touches the dictionaries (writer.names, writer.texts); everything else of the
 * writer is the other thread's until behind_drain() returns. */
#ifndef STORE_BEHIND_H
#define STORE_BEHIND_H

#include "store/store_priv.h"

struct behind;

/* For functions that use the writer directly. */
void store_drain(struct store *s);

/* Starts the thread; NULL: there can be none. */
struct behind *behind_start(struct writer *w);
/* Waits until all is applied: the calling side may use the writer then, until it pushes
 * again. */
void behind_drain(struct behind *b);
/* The same, and ends the thread. */
void behind_end(struct behind *b);

void behind_set(struct behind *b, attr_t attr, ns_t t, cell_t value);
void behind_revise(struct behind *b, attr_t attr, cell_t value);
void behind_record(struct behind *b, table_t table, const cell_t *cells, uint32_t n);
/* False: the path or text is too long for a buffer; drain and write it directly. */
bool behind_attr(struct behind *b, const struct store_family *f, struct str path);
bool behind_text(struct behind *b, struct str text);

#endif
