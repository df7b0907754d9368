/* SPDX-License-Identifier: Apache-2.0
 *
 * sent.c -- see sent.h. */
#include "report/sent.h"

#include <stdlib.h>

struct sent_end {
    ns_t t;
    int64_t tid;
    uint32_t host, next; /* of the same key; UINT32_MAX: no more */
};

struct sent {
    const struct report_src *src;
    struct map64 by_key;
    VEC(struct sent_end) ends;
};

static bool is_packet(cell_t kind)
{
    return kind == MESSAGE_TCP || kind == MESSAGE_TCP_END || kind == MESSAGE_UDP ||
           kind == MESSAGE_SOCKET;
}

/* The first time that a host sent it counts. */
static void add(struct sent *s, uint32_t host, const cell_t *row)
{
    uint32_t first = UINT32_MAX;
    bool known = map64_get(&s->by_key, (uint64_t)row[C_message_key], &first);

    for (uint32_t i = known ? first : UINT32_MAX; i != UINT32_MAX; i = s->ends.at[i].next)
        if (s->ends.at[i].host == host)
            return;
    map64_set(&s->by_key, (uint64_t)row[C_message_key], (uint32_t)s->ends.n);
    *vec_push(&s->ends) = (struct sent_end){ row[C_message_t0], row[C_message_tid], host,
                                             known ? first : UINT32_MAX };
}

struct sent *sent_make(const struct report_src *src)
{
    struct sent *s = xcalloc(1, sizeof *s);

    s->src = src;
    for (uint32_t h = 0; h < src->nhosts && src->nhosts > 1; h++) {
        const cell_t *row;
        table_t t;

        if (!store_table_find(src->hosts[h], schema_tables[TABLE_message].name, &t))
            continue;
        struct store_rows r = store_rows(src->hosts[h], t, SPAN_ALL);
        while ((row = store_rows_next(&r)))
            if (row[C_message_dir] == MESSAGE_SENT && is_packet(row[C_message_kind]))
                add(s, h, row);
    }
    if (s->ends.n == 0) {
        sent_free(s);
        return NULL;
    }
    return s;
}

void sent_free(struct sent *s)
{
    if (!s)
        return;
    map64_free(&s->by_key);
    vec_free(&s->ends);
    free(s);
}

/* Of those who sent it, the last one before 't': who forwarded it to here. */
static const struct sent_end *sender(const struct sent *s, uint32_t host, cell_t key, ns_t t)
{
    const struct sent_end *best = NULL;
    uint32_t i;

    if (!map64_get(&s->by_key, (uint64_t)key, &i))
        return NULL;
    for (; i != UINT32_MAX; i = s->ends.at[i].next) {
        const struct sent_end *e = &s->ends.at[i];

        if (e->host != host && e->t <= t && (!best || e->t > best->t))
            best = e;
    }
    return best;
}

bool sent_find(const struct sent *s, uint32_t host, ns_t from, ns_t t, struct sent_from *ret)
{
    const struct store *store = s->src->hosts[host];
    const cell_t *row;
    bool found = false;
    table_t table;

    if (!store_table_find(store, schema_tables[TABLE_message].name, &table))
        return false;
    struct store_rows r = store_rows(store, table, (struct span){ from, t + 1 });
    while ((row = store_rows_next(&r))) {
        const struct sent_end *e;

        if (row[C_message_dir] != MESSAGE_RECEIVED || !is_packet(row[C_message_kind]) ||
            !(e = sender(s, host, row[C_message_key], row[C_message_t0])))
            continue;
        *ret = (struct sent_from){ e->host, e->t, row[C_message_t0], e->tid,
                                   (enum message_kind)row[C_message_kind] };
        found = true;
    }
    return found;
}
