/* SPDX-License-Identifier: Apache-2.0
 *
 * sections.c -- see sections.h. */
#include "report/sections.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct section *section_add(struct sections *s, const char *name, const char *title,
                            const struct column *cols, size_t ncols)
{
    struct section *sec = vec_push(&s->list);

    *sec = (struct section){ .name = name, .title = title };
    table_init(&sec->table, cols, ncols);
    return sec;
}

/* Sections of one name are numbered, so that no key comes twice. */
static void put_key(const struct sections *s, size_t i, struct json *j)
{
    struct sbuf key = { 0 };
    size_t before = 0;

    for (size_t k = 0; k < i; k++)
        before += !strcmp(s->list.at[k].name, s->list.at[i].name);
    sbuf_z(&key, s->list.at[i].name);
    if (before)
        sbuf_fmt(&key, "_%zu", before + 1);
    json_key(j, sbuf_view(&key));
    sbuf_free(&key);
}

int sections_json(const struct sections *s, struct json *j, struct err *err)
{
    const struct table_opts all = { .format = TABLE_JSON };

    json_open(j, '{');
    for (size_t i = 0; i < s->list.n; i++) {
        put_key(s, i, j);
        int rc = table_json(&s->list.at[i].table, &all, j, err);
        if (rc < 0)
            return rc;
    }
    json_close(j, '}');
    return 0;
}

static int print_json(const struct sections *s, FILE *f, struct err *err)
{
    struct json j = { .f = f, .pretty = true };
    int rc = sections_json(s, &j, err);

    if (rc < 0)
        return rc;
    putc('\n', f);
    if (fflush(f) != 0 || ferror(f))
        return err_set(err, E_IO, "cannot write the output: %s", strerror(errno));
    return 0;
}

int sections_print(const struct sections *s, const struct table_opts *o, FILE *f, struct err *err)
{
    if (o->format == TABLE_JSON || o->format == TABLE_JSONL)
        return print_json(s, f, err);
    if (s->head.n)
        fprintf(f, "%s\n", s->head.p);
    for (size_t i = 0; i < s->list.n; i++) {
        const struct section *sec = &s->list.at[i];
        struct table_opts mine = { .format = o->format, .no_headers = o->no_headers };

        if (sec->table.nrows == 0)
            continue;
        mine.limit = o->format == TABLE_TABLE ? sec->limit : 0;
        fprintf(f, "\n%s\n", sec->title);
        int rc = table_print(&sec->table, &mine, f, err);
        if (rc < 0)
            return rc;
        if (mine.limit && sec->table.nrows > mine.limit)
            fprintf(f, "... %zu more%s%s\n", sec->table.nrows - mine.limit, sec->more ? ": " : "",
                    sec->more ? sec->more : "");
    }
    return 0;
}

void sections_free(struct sections *s)
{
    for (size_t i = 0; i < s->list.n; i++)
        table_free(&s->list.at[i].table);
    vec_free(&s->list);
    sbuf_free(&s->head);
}
