/* SPDX-License-Identifier: Apache-2.0
 *
 * message.h -- what is seen of messages between hosts, for their clocks and for whoever follows a
 * message to the other side.
 *
 * An analysis of one host can't know the other end.  So each end is recorded with a key, a hash
 * of all by which the other end can know it again; ends of different hosts with one key are one
 * message, and what was sent was sent before it was received.  An end whose time is not certain
 * is recorded at the safe side: too early if sent, too late if received. */
#ifndef ANALYSIS_MESSAGE_H
#define ANALYSIS_MESSAGE_H

#include "engine/engine.h"

/* Records an end.  'key', 'n': the bytes that name it, without padding in them.  tid: of the thread
 * that sent it, or 0. */
static inline void message_end(struct pass *p, ns_t t, enum message_kind kind, enum message_dir dir,
                               const void *key, size_t n, int64_t tid)
{
    cell_t cells[message_columns] = {
        [C_message_t0] = t,
        [C_message_t1] = t,
        [C_message_key] =
            (cell_t)(hash_bytes(key, n, (uint64_t)kind + 1) >> 1), /* not STORE_NULL */
        [C_message_kind] = kind,
        [C_message_dir] = dir,
        [C_message_tid] = tid,
    };

    pass_record(p, TABLE_message, cells);
}

#endif
