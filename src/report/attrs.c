/* SPDX-License-Identifier: Apache-2.0
 *
 * attrs.c -- see attrs.h. */
#include "report/attrs.h"

#include <inttypes.h>
#include <stdlib.h>

static int by_place(const void *a, const void *b)
{
    const struct attr_ref *x = a, *y = b;
    int host = strcmp(x->host, y->host);

    return host ? host : str_cmp(x->path, y->path);
}

struct attr_list attrs_find(const struct report_src *src, struct str pattern)
{
    VEC(struct attr_ref) v = { 0 };
    struct sbuf anywhere = { 0 };

    if (str_chr(pattern, '/', 0) == STR_NONE && str_chr(pattern, '*', 0) == STR_NONE &&
        str_chr(pattern, '?', 0) == STR_NONE) {
        sbuf_fmt(&anywhere, "*" STR_FMT "*", STR_ARG(pattern));
        pattern = sbuf_view(&anywhere);
    }
    for (uint32_t i = 0; i <= src->nhosts; i++) {
        const struct store *s = i < src->nhosts ? src->hosts[i] : src->global;
        attr_t it = 0, a;

        while (s && store_attr_match(s, pattern, &it, &a))
            *vec_push(&v) = (struct attr_ref){ s, store_host(s), a, store_attr_path(s, a),
                                               store_attr_family(s, a) };
    }
    struct attr_list ret = { arena_array(src->mem, struct attr_ref, v.n), v.n };
    if (v.n) {
        qsort(v.at, v.n, sizeof *v.at, by_place);
        memcpy(ret.at, v.at, v.n * sizeof *v.at);
    }
    vec_free(&v);
    sbuf_free(&anywhere);
    return ret;
}

struct str attr_value(const struct report_src *src, const struct attr_ref *a, cell_t value)
{
    const struct store_family *f = a->family;

    if (f->type == STORE_STR)
        return src_mask(src, store_text(a->store, value));
    if (f->type == STORE_STATE && value >= 0 && value < f->nvalues)
        return str_of(f->values[value].label);
    return str_of(arena_printf(src->mem, "%" PRId64, value));
}

struct str attr_type(const struct store_family *f)
{
    switch (f->type) {
    case STORE_STATE: return STR("state");
    case STORE_INT: return STR("int");
    case STORE_STR: return STR("text");
    }
    return STR("");
}

/* --- all at an instant ------------------------------------------------------------ */

const struct column state_columns[] = {
    { "host", "HOST", COL_STR, 0, 0, 0 },
    { "attribute", "ATTRIBUTE", COL_STR, 0, 0, 0 },
    { "value", "VALUE", COL_STR, 0, 0, 60 },
    { "unit", "UNIT", COL_STR, 0, COL_WIDE, 0 },
    { "type", "TYPE", COL_STR, 0, COL_WIDE, 0 },
    { "number", "NUMBER", COL_INT, 0, COL_JSON, 0 },
    { "since_ns", "SINCE", COL_INSTANT, 0, 0, 0 },
    { "until_ns", "UNTIL", COL_INSTANT, 0, 0, 0 },
    { "duration_ns", "FOR", COL_DURATION, 0, 0, 0 },
    { "open", "OPEN", COL_BOOL, 0, COL_WIDE, 0 },
    { "bad", "BAD", COL_BOOL, 0, COL_WIDE, 0 },
    { "lost", "LOST", COL_BOOL, 0, COL_WIDE, 0 },
    { "title", "WHAT IT IS", COL_STR, 0, COL_WIDE, 0 },
    { "complete_until_ns", "COMPLETE UNTIL", COL_INSTANT, 0, COL_WIDE, 0 },
};
const size_t nstate_columns = ARRAY_SIZE(state_columns);

static void instant(struct table *t, ns_t v)
{
    if (v == NS_MIN || v == NS_MAX)
        table_null(t);
    else
        table_ns(t, v);
}

/* An open value has no end; how long it lasts is how long it was seen. */
static void state_row(const struct report_src *src, const struct attr_ref *a,
                      const struct interval *v, struct table *t)
{
    const struct store_family *f = a->family;
    bool known = v->value != STORE_NULL, ends = v->t0 != NS_MIN && v->t1 != NS_MAX;
    struct store_coverage cov;

    store_coverage(a->store, &cov);
    table_row(t);
    cell_str(t, str_of(a->host));
    table_str(t, a->path);
    if (known)
        table_str(t, attr_value(src, a, v->value));
    else
        table_null(t);
    cell_str(t, str_of(f->unit));
    table_str(t, attr_type(f));
    cell_int(t, f->type == STORE_INT ? v->value : STORE_NULL, STORE_NULL);
    instant(t, v->t0);
    if (v->open)
        table_null_word(t, "open");
    else
        instant(t, v->t1);
    cell_ns(t, ends ? v->t1 - v->t0 : STORE_NULL);
    table_bool(t, v->open);
    table_bool(t, known && f->type == STORE_STATE && v->value >= 0 && v->value < f->nvalues &&
                      f->values[v->value].bad);
    table_bool(t, v->lost);
    table_str(t, str_of(f->title));
    instant(t, cov.complete_until);
}

size_t state_fill(const struct report_src *src, const struct attr_list *list, ns_t t, bool all,
                  struct table *table)
{
    attr_t *attrs = xcalloc(list->n + 1, sizeof *attrs);
    struct interval *v = xcalloc(list->n + 1, sizeof *v);
    size_t without = 0;

    for (size_t i = 0, k; i < list->n; i = k) { /* those of one history together */
        for (k = i; k < list->n && list->at[k].store == list->at[i].store; k++)
            attrs[k - i] = list->at[k].attr;
        store_at_all(list->at[i].store, attrs, k - i, t, v);
        for (size_t m = i; m < k; m++) {
            bool none = v[m - i].value == STORE_NULL && !v[m - i].lost;

            without += none;
            if (all || !none)
                state_row(src, &list->at[m], &v[m - i], table);
        }
    }
    free(attrs);
    free(v);
    return without;
}

void state_notes(const struct report_src *src, ns_t t, struct notes *notes)
{
    for (uint32_t i = 0; i < src->nhosts; i++) {
        const char *host = store_host(src->hosts[i]);
        char from[TIME_TEXT], to[TIME_TEXT];
        struct store_coverage cov;

        store_coverage(src->hosts[i], &cov);
        if (!cov.finished)
            note_add(notes, NOTE_WARN, host, "its history is not finished: it is complete until %s",
                     time_iso(cov.complete_until, to));
        if (t < cov.t0 || t >= cov.t1)
            note_add(notes, NOTE_WARN, host,
                     "nothing is known of this time: its traces are from %s to %s UTC",
                     time_iso(cov.t0, from), time_iso(cov.t1, to));
        if (cov.late)
            note_add(notes, NOTE_INFO, host,
                     "%" PRIu64 " changes came out of order and count from the one before",
                     cov.late);
    }
}
