/* SPDX-License-Identifier: Apache-2.0
 *
 * ctfw_priv.h -- what the two halves of the CTF writer share: ctfw.c writes
 * packets, ctfw_meta.c writes the text that describes them. */
#ifndef SIM_CTFW_PRIV_H
#define SIM_CTFW_PRIV_H

#include "sim/ctfw.h"

enum {
    CTFW_PAGE = 4096,
    CTFW_PACKET_HEADER = 84, /* packet header and context, see ctfw.c */
    CTFW_META_HEADER = 37,
    CTFW_TSC_BITS = 27, /* a longer pause than this many bits of cycles needs 64 bits */
};
#define CTFW_MAGIC 0xC1FC1FC1u
#define CTFW_META_MAGIC 0x75D11D57u
#define CTFW_INDEX_MAGIC 0xC1F1DCC1u

struct ctfw_event {
    const char *name;
    const struct ctfw_field *fields;
    size_t n_fields;
    size_t fixed_bytes; /* everything but strings and sequences' elements */
    bool is_fixed;
    uint32_t id;
    int loglevel;
};

struct ctfw_stream {
    uint8_t *packet; /* 'packet_bytes' of the channel */
    size_t used;
    uint64_t begin, last; /* raw clock */
    bool any;             /* an event was written, so 'last' counts */
    uint64_t in_packet;   /* events in the open packet */
    uint64_t seq, discarded, drop_first, drop_n;
    uint64_t offset; /* of the next packet in the file */
    int fd, index_fd;
    struct ctfw_counts counts;
};

struct ctfw_channel {
    struct ctfw_trace *trace;
    const char *name;
    uint32_t id;
    enum ctfw_header header;
    const struct ctfw_field *context;
    size_t n_context, context_bytes;
    unsigned cpus;
    size_t packet_bytes;
    struct ctfw_stream *streams;
    VEC(struct ctfw_event *) events;
};

struct ctfw_trace {
    struct arena mem;
    const char *dir;
    struct ctfw_trace_config config;
    VEC(struct ctfw_channel *) channels;
};

/* Bytes of 'f' that do not depend on the value; '*fixed' is cleared when there
 * are others. */
size_t ctfw_field_bytes(const struct ctfw_field *f, bool *fixed);
/* Writes all of 'n' bytes.  Returns 0 or -E_IO with a sentence about 'what'. */
int ctfw_write(int fd, const void *p, size_t n, const char *what, struct err *err);
/* Writes the metadata file.  Returns 0 or -E_*. */
int ctfw_metadata(struct ctfw_trace *t, struct err *err);

#endif
