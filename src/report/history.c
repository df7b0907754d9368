/* SPDX-License-Identifier: Apache-2.0
 *
 * history.c -- see history.h. */
#include "report/history.h"

#include "report/attrs.h"
#include "report/cell_text.h"

#include <inttypes.h>
#include <stdlib.h>

/* --- what it consists of ------------------------------------------------------------ */

static const struct column file_cols[] = {
    { "host", "HOST", COL_STR, 0, 0, 0 },
    { "start_ns", "FROM", COL_INSTANT, 0, 0, 0 },
    { "end_ns", "TO", COL_INSTANT, 0, 0, 0 },
    { "complete_until_ns", "COMPLETE UNTIL", COL_INSTANT, 0, 0, 0 },
    { "finished", "FINISHED", COL_BOOL, 0, 0, 0 },
    { "format", "FORMAT", COL_COUNT, 0, 0, 0 },
    { "size_bytes", "SIZE", COL_BYTES, 0, 0, 0 },
};

static const struct column contents_cols[] = {
    { "attributes", "ATTRIBUTES", COL_COUNT, 0, 0, 0 },
    { "intervals", "INTERVALS", COL_COUNT, 0, 0, 0 },
    { "records", "RECORDS", COL_COUNT, 0, 0, 0 },
    { "late", "LATE", COL_COUNT, 0, 0, 0 },
    { "revised", "REVISED", COL_COUNT, 0, 0, 0 },
    { "commits", "COMMITS", COL_COUNT, 0, 0, 0 },
    { "runs", "RUNS", COL_COUNT, 0, 0, 0 },
    { "bad_blocks", "BAD BLOCKS", COL_COUNT, 0, 0, 0 },
    { "uncommitted_bytes", "UNCOMMITTED", COL_BYTES, 0, 0, 0 },
};

static const struct column block_cols[] = {
    { "kind", "KIND", COL_STR, 0, 0, 0 },           { "blocks", "BLOCKS", COL_COUNT, 0, 0, 0 },
    { "size_bytes", "SIZE", COL_BYTES, 0, 0, 0 },   { "raw_bytes", "UNPACKED", COL_BYTES, 0, 0, 0 },
    { "share", "OF THE FILE", COL_RATIO, 0, 0, 0 },
};

static const struct column family_cols[] = {
    { "family", "FAMILY", COL_STR, 0, 0, 0 },
    { "title", "TITLE", COL_STR, 0, 0, 0 },
    { "type", "TYPE", COL_STR, 0, 0, 0 },
    { "unit", "UNIT", COL_STR, 0, 0, 0 },
    { "attributes", "ATTRIBUTES", COL_COUNT, 0, 0, 0 },
};

static const struct column fact_cols[] = {
    { "fact", "FACT", COL_STR, 0, 0, 0 },
    { "value", "VALUE", COL_STR, 0, 0, 100 },
};

static void add_instant(struct table *t, ns_t v)
{
    if (v == NS_MIN || v == NS_MAX)
        table_null(t);
    else
        table_ns(t, v);
}

static void add_file(const struct store *s, const struct store_coverage *cov,
                     const struct store_file *file, struct sections *ret)
{
    struct table *t =
        &section_add(ret, "history", "History", file_cols, ARRAY_SIZE(file_cols))->table;

    table_row(t);
    cell_str(t, str_of(store_host(s)));
    add_instant(t, cov->t0);
    add_instant(t, cov->t1);
    add_instant(t, cov->complete_until);
    table_bool(t, cov->finished);
    table_count(t, file->version);
    table_count(t, file->bytes);
    t = &section_add(ret, "contents", "What is in it", contents_cols, ARRAY_SIZE(contents_cols))
             ->table;
    table_row(t);
    table_count(t, store_attr_count(s));
    table_count(t, cov->changes);
    table_count(t, cov->records);
    table_count(t, cov->late);
    table_count(t, cov->revised);
    table_count(t, file->commits);
    table_count(t, file->runs);
    table_count(t, cov->bad_blocks);
    table_count(t, file->tail_bytes);
}

static void add_blocks(const struct store_file *file, struct sections *ret)
{
    struct table *t =
        &section_add(ret, "blocks", "What it is made of", block_cols, ARRAY_SIZE(block_cols))
             ->table;

    for (size_t i = 0; i < STORE_KINDS; i++) {
        const struct store_kind *k = &file->kinds[i];

        if (!k->name || k->bytes == 0)
            continue;
        table_row(t);
        table_str(t, str_of(k->name));
        table_count(t, k->blocks);
        table_count(t, k->bytes);
        table_count(t, k->raw_bytes);
        table_ratio(t, file->bytes ? (double)k->bytes / (double)file->bytes : 0.0);
    }
}

static void add_families(const struct store *s, struct sections *ret)
{
    struct table *t =
        &section_add(ret, "families", "Attributes", family_cols, ARRAY_SIZE(family_cols))->table;
    uint32_t n = store_attr_count(s);
    struct strtab patterns = { 0 };
    VEC(uint64_t) counts = { 0 };
    VEC(const struct store_family *) families = { 0 };

    strtab_id(&patterns, STR(""));
    for (attr_t a = 0; a < n; a++) {
        const struct store_family *f = store_attr_family(s, a);
        uint32_t id = strtab_id(&patterns, str_of(f->pattern));

        if (id > counts.n) {
            *vec_push(&counts) = 0;
            *vec_push(&families) = f;
        }
        if (id > 0)
            counts.at[id - 1]++;
    }
    for (size_t i = 0; i < counts.n; i++) {
        table_row(t);
        table_str(t, str_of(families.at[i]->pattern));
        table_str(t, str_of(families.at[i]->title));
        table_str(t, attr_type(families.at[i]));
        cell_str(t, str_of(families.at[i]->unit));
        table_count(t, counts.at[i]);
    }
    vec_free(&counts);
    vec_free(&families);
    strtab_free(&patterns);
}

static void add_facts(const struct store *s, struct sections *ret)
{
    struct table *t = &section_add(ret, "facts", "Facts", fact_cols, ARRAY_SIZE(fact_cols))->table;
    struct str key, value;

    for (size_t i = 0; store_fact_at(s, i, &key, &value); i++) {
        table_row(t);
        table_str(t, key);
        table_str(t, value);
    }
}

void history_info(const struct store *s, struct sections *ret)
{
    struct store_coverage cov;
    struct store_file file;

    store_coverage(s, &cov);
    store_file(s, &file);
    add_file(s, &cov, &file, ret);
    add_blocks(&file, ret);
    add_families(s, ret);
    add_facts(s, ret);
}

/* --- all that is in it ---------------------------------------------------------------- */

struct dump {
    const struct report_src *src;
    const struct store *s;
    bool json;
    FILE *f;
};

static void put_instant(FILE *f, ns_t t)
{
    char text[TIME_TEXT];

    fprintf(f, " %s", t == NS_MIN || t == NS_MAX ? "-" : time_iso(t, text));
}

static void put_text(FILE *f, const char *before, struct str s)
{
    struct sbuf b = { 0 };

    cell_escape(&b, s, "");
    fprintf(f, "%s" STR_FMT, before, STR_ARG(sbuf_view(&b)));
    sbuf_free(&b);
}

static void json_instant(struct json *j, const char *key, ns_t t)
{
    json_key(j, str_of(key));
    if (t == NS_MIN || t == NS_MAX)
        json_none(j);
    else
        json_i64(j, t);
}

static void interval_json(const struct dump *d, const struct attr_ref *a, const struct interval *v)
{
    struct json j = { .f = d->f };

    json_open(&j, '{');
    json_kstr(&j, "attribute", a->path);
    json_instant(&j, "begin_ns", v->t0);
    json_instant(&j, "end_ns", v->open ? NS_MAX : v->t1);
    json_key(&j, STR("value"));
    if (v->value == STORE_NULL)
        json_none(&j);
    else if (a->family->type == STORE_INT)
        json_i64(&j, v->value);
    else
        json_str(&j, attr_value(d->src, a, v->value));
    json_key(&j, STR("lost"));
    json_bool(&j, v->lost);
    json_close(&j, '}');
    putc('\n', d->f);
}

static void interval_text(const struct dump *d, const struct attr_ref *a, const struct interval *v)
{
    put_text(d->f, "", a->path);
    put_instant(d->f, v->t0);
    put_instant(d->f, v->open ? NS_MAX : v->t1);
    if (v->lost)
        fputs(" (cannot be read)", d->f);
    else
        put_text(d->f, " ", attr_value(d->src, a, v->value));
    putc('\n', d->f);
}

static void dump_intervals(const struct dump *d, struct str pattern)
{
    attr_t it = 0, attr;

    while (store_attr_match(d->s, pattern, &it, &attr) && !ferror(d->f)) {
        struct attr_ref a = { d->s, store_host(d->s), attr, store_attr_path(d->s, attr),
                              store_attr_family(d->s, attr) };
        struct store_ranges r = store_ranges(d->s, attr, SPAN_ALL);
        struct interval v;

        while (store_ranges_next(&r, &v)) {
            if (v.value == STORE_NULL && !v.lost)
                continue;
            if (d->json)
                interval_json(d, &a, &v);
            else
                interval_text(d, &a, &v);
            arena_reset(d->src->mem);
        }
    }
}

static void cell_json(const struct dump *d, struct json *j, const struct store_column *c, cell_t v)
{
    char key[64];

    snprintf(key, sizeof key, "%s%s", c->name, c->type == CELL_TIME ? "_ns" : "");
    json_key(j, str_of(key));
    if (v == STORE_NULL)
        json_none(j);
    else if (c->type == CELL_TEXT)
        json_str(j, src_mask(d->src, store_text(d->s, v)));
    else
        json_i64(j, v);
}

static void record_json(const struct dump *d, const struct store_table *def, const cell_t *row)
{
    struct json j = { .f = d->f };

    json_open(&j, '{');
    json_kstr(&j, "table", str_of(def->name));
    for (uint32_t i = 0; i < def->ncolumns; i++)
        cell_json(d, &j, &def->columns[i], row[i]);
    json_close(&j, '}');
    putc('\n', d->f);
}

static void record_text(const struct dump *d, const struct store_table *def, const cell_t *row)
{
    put_text(d->f, "", str_of(def->name));
    put_instant(d->f, row[0] == STORE_NULL ? NS_MIN : row[0]);
    put_instant(d->f, row[1] == STORE_NULL ? NS_MAX : row[1]);
    for (uint32_t i = 2; i < def->ncolumns; i++) {
        const struct store_column *c = &def->columns[i];

        if (row[i] == STORE_NULL || (c->type == CELL_TEXT && row[i] == 0))
            continue;
        fprintf(d->f, " %s=", c->name);
        if (c->type == CELL_TEXT)
            put_text(d->f, "", src_mask(d->src, store_text(d->s, row[i])));
        else
            fprintf(d->f, "%" PRId64, row[i]);
    }
    putc('\n', d->f);
}

static void dump_records(const struct dump *d)
{
    for (table_t t = 0; t < store_table_count(d->s); t++) {
        const struct store_table *def = store_table_def(d->s, t);
        struct store_rows r = store_rows(d->s, t, SPAN_ALL);
        const cell_t *row;

        while ((row = store_rows_next(&r))) {
            if (d->json)
                record_json(d, def, row);
            else
                record_text(d, def, row);
            arena_reset(d->src->mem);
            if (ferror(d->f)) {
                store_rows_end(&r);
                return;
            }
        }
    }
}

void history_dump(const struct report_src *src, const struct store *s, struct str pattern,
                  bool json, FILE *f)
{
    struct dump d = { src, s, json, f };

    dump_intervals(&d, pattern.n ? pattern : STR("*"));
    if (pattern.n == 0)
        dump_records(&d);
}
