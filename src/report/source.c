/* SPDX-License-Identifier: Apache-2.0
 *
 * source.c -- see source.h. */
#include "report/source.h"

#include "model/secret.h"

#include <stdlib.h>

struct src_rows src_rows(const struct report_src *src, enum schema_table t)
{
    return (struct src_rows){ .src = src, .table = t };
}

struct src_rows src_rows_global(const struct report_src *src, enum schema_table t)
{
    return (struct src_rows){ .src = src, .table = t, .global = true };
}

/* Opens the next history; false when there is none. */
static bool next_store(struct src_rows *r)
{
    uint32_t n = r->global ? 1 : r->src->nhosts;

    while (r->next_host < n) {
        const struct store *s = r->global ? r->src->global : r->src->hosts[r->next_host];
        table_t t;

        r->next_host++;
        if (store_table_find(s, schema_tables[r->table].name, &t)) {
            r->store = s;
            r->host = store_host(s);
            /* Names hold before and after the window in which they were told. */
            bool name = r->table == TABLE_vm || r->table == TABLE_ident;
            r->rows = store_rows(s, t, name ? SPAN_ALL : r->src->span);
            if (r->ended)
                store_rows_skip_open(&r->rows);
            return true;
        }
    }
    return false;
}

const cell_t *src_next(struct src_rows *r)
{
    const cell_t *row;

    if (!r->store && !next_store(r))
        return NULL;
    while (!(row = store_rows_next(&r->rows)))
        if (!next_store(r))
            return NULL;
    return row;
}

void src_end(struct src_rows *r)
{
    if (r->store)
        store_rows_end(&r->rows);
    r->next_host = UINT32_MAX;
    r->store = NULL;
}

const cell_t *src_keep(const struct report_src *src, enum schema_table t, const cell_t *row)
{
    size_t n = schema_tables[t].ncolumns;

    return memcpy(arena_array(src->mem, cell_t, n), row, n * sizeof *row);
}

struct str src_text(const struct src_rows *r, const cell_t *row, int column)
{
    return store_text(r->store, row[column]);
}

struct str src_mask(const struct report_src *src, struct str text)
{
    struct sbuf out = { 0 };

    if (src->show_secrets || !secret_mask(text, &out))
        return text;
    struct str masked = str_dup(src->mem, sbuf_view(&out));
    sbuf_free(&out);
    return masked;
}

struct str src_safe(const struct src_rows *r, const cell_t *row, int column)
{
    return src_mask(r->src, src_text(r, row, column));
}

static int by_time(const void *a, const void *b)
{
    const struct src_row *x = a, *y = b;
    ns_t tx = row_begin(x->row), ty = row_begin(y->row);

    if (tx != ty)
        return tx < ty ? -1 : 1;
    int host = strcmp(x->host, y->host);
    return host ? host : (x->no > y->no) - (x->no < y->no);
}

struct src_row *src_sorted(const struct report_src *src, enum schema_table t, size_t *ret_n)
{
    struct src_rows r = src_rows(src, t);
    VEC(struct src_row) v = { 0 };
    const cell_t *row;

    while ((row = src_next(&r)))
        *vec_push(&v) = (struct src_row){ src_keep(src, t, row), r.store, r.host, v.n };
    struct src_row *sorted = arena_array(src->mem, struct src_row, v.n);
    if (v.n) {
        qsort(v.at, v.n, sizeof *v.at, by_time);
        memcpy(sorted, v.at, v.n * sizeof *v.at);
    }
    *ret_n = v.n;
    vec_free(&v);
    return sorted;
}

struct str *src_split(const struct report_src *src, struct str text, size_t *ret_n)
{
    size_t n = text.n > 0;

    for (size_t i = 0; i < text.n; i++)
        n += text.p[i] == ',';
    struct str *parts = arena_array(src->mem, struct str, n);
    for (size_t i = 0; i < n; i++) {
        size_t comma = str_chr(text, ',', 0);

        parts[i] = comma == STR_NONE ? text : str_first(text, comma);
        text = comma == STR_NONE ? STR("") : str_from(text, comma + 1);
    }
    *ret_n = n;
    return parts;
}

void src_index_make(const struct report_src *src, enum schema_table t, bool global, int column,
                    struct src_index *ret)
{
    struct src_rows r = global ? src_rows_global(src, t) : src_rows(src, t);
    const cell_t *row;
    size_t no = 0;

    *ret = (struct src_index){ 0 };
    while ((row = src_next(&r))) {
        uint32_t id = strtab_id(&ret->keys, src_text(&r, row, column));

        while (ret->groups.n <= id)
            *vec_push(&ret->groups) = (struct src_group){ 0 };
        *vec_push(&ret->groups.at[id].rows) =
            (struct src_row){ src_keep(src, t, row), r.store, r.host, no++ };
    }
}

const struct src_group *src_index_find(const struct src_index *x, struct str key)
{
    static const struct src_group none = { 0 };
    uint32_t id;

    if (!strtab_find(&x->keys, key, &id) || id >= x->groups.n)
        return &none;
    return &x->groups.at[id];
}

void src_index_free(struct src_index *x)
{
    for (size_t i = 0; i < x->groups.n; i++)
        vec_free(&x->groups.at[i].rows);
    vec_free(&x->groups);
    strtab_free(&x->keys);
}

struct str src_vm_name(const struct report_src *src, struct str uuid, struct str otherwise)
{
    if (!src->vms || uuid.n == 0)
        return otherwise;
    const struct src_group *g = src_index_find(src->vms, uuid);
    struct str name = g->rows.n ? row_text(&g->rows.at[0], C_vm_vm) : STR("");

    return name.n ? name : otherwise;
}

uint32_t src_host_named(const struct report_src *src, const char *host)
{
    for (uint32_t i = 0; i < src->nhosts; i++)
        if (strcmp(store_host(src->hosts[i]), host) == 0)
            return i;
    return UINT32_MAX;
}

ns_t src_kernel_end(const struct report_src *src, uint32_t host)
{
    struct store_coverage cov;
    int64_t end;

    if (str_i64(store_fact(src->hosts[host], "kernel.end"), &end))
        return store_shown(src->hosts[host], end);

    store_coverage(src->hosts[host], &cov);
    return cov.t1;
}
