/* SPDX-License-Identifier: Apache-2.0
 *
 * cloud.c -- see cloud.h. */
#include "analysis/cloud.h"

#include <stdlib.h>

struct cloud_rows cloud_rows(const struct cloud *c, enum schema_table t)
{
    return (struct cloud_rows){ .c = c, .table = t };
}

const cell_t *cloud_rows_next(struct cloud_rows *r, const struct store **ret)
{
    while (r->host < r->c->nhosts) {
        const struct store *s = r->c->hosts[r->host];
        table_t t;

        if (!r->open && store_table_find(s, schema_tables[r->table].name, &t)) {
            r->rows = store_rows(s, t, SPAN_ALL);
            r->open = true;
        }
        const cell_t *row = r->open ? store_rows_next(&r->rows) : NULL;
        if (row) {
            *ret = s;
            return row;
        }
        r->open = false;
        r->host++;
    }
    return NULL;
}

void cloud_record(struct cloud *c, enum schema_table t, const cell_t *cells)
{
    table_t table;

    if (store_table_find(c->global, schema_tables[t].name, &table))
        store_record(c->global, table, cells);
}

void text_set_add(struct text_set *s, struct str text)
{
    if (text.n == 0)
        return;
    for (size_t i = 0; i < s->at.n; i++)
        if (str_eq(s->at.at[i], text))
            return;
    *vec_push(&s->at) = text;
}

cell_t text_set_cell(struct cloud *c, const struct text_set *s)
{
    struct sbuf b = { 0 };

    for (size_t i = 0; i < s->at.n; i++) {
        if (i)
            sbuf_z(&b, ",");
        sbuf_str(&b, s->at.at[i]);
    }
    cell_t cell = cloud_text(c, sbuf_view(&b));
    sbuf_free(&b);
    return cell;
}

void text_set_free(struct text_set *s)
{
    vec_free(&s->at);
}
