/* SPDX-License-Identifier: Apache-2.0
 *
 * packet.h -- finding the packets of a stream file. */
#ifndef CTF_PACKET_H
#define CTF_PACKET_H

#include "ctf/trace.h"

/* Where the events of a packet start, and what its header says. */
struct ctf_packet_head {
    const struct ctf_stream_class *cls;
    uint64_t instance;
    bool has_instance;
    const uint8_t *uuid;           /* in the packet, or NULL */
    uint64_t events_at;            /* bits */
    unsigned begin_bits, end_bits; /* of the samples of the clock */
};

/* Reads the header of the packet at 'offset' of 'file'.  'run' needs room for the
 * trace's segments and slots.  On failure '*ret_skip' is the number of bytes to
 * the next packet, or 0 when unknown. */
int ctf_packet_read(const struct ctf_trace *t, const struct ctf_file *file, struct ctf_run *run,
                    uint64_t offset, struct ctf_packet *ret, struct ctf_packet_head *ret_head,
                    uint64_t *ret_skip, struct err *err);

/* Adds all packets of file 'index' to the streams of 't'. */
void ctf_packet_scan(struct ctf_trace *t, uint32_t index, struct notes *notes);
/* Sorts the packets of every stream, and counts what is missing. */
void ctf_packet_finish(struct ctf_trace *t, struct notes *notes);

/* What stays mapped of a file is decided in ctf/cursor.c: a reading of it begins ... */
void ctf_file_begin(struct ctf_file *f);
/* ... the bytes [from, to), whole pages, have been read ... */
void ctf_file_release(const struct ctf_file *f, uint64_t from, uint64_t to);
/* ... the file is about to be closed: others may keep as many pages. */
void ctf_file_end(struct ctf_file *f);

/* Room for segments and slots of 't'. */
void ctf_run_init(struct ctf_run *run, const struct ctf_meta *meta);
void ctf_run_free(struct ctf_run *run);

#endif
