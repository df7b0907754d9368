/* SPDX-License-Identifier: Apache-2.0
 *
 * measure_sections.c -- see measure_sections.h. */
#include "report/measure_sections.h"

#include "report/measure_priv.h"

#include <stdlib.h>

/* Only the hosts whose kernel was traced. */
struct report_src src_with_kernel(const struct report_src *src)
{
    struct report_src ret = *src;
    struct store **hosts = arena_array(src->mem, struct store *, src->nhosts);

    ret.hosts = hosts;
    ret.nhosts = 0;
    for (uint32_t i = 0; i < src->nhosts; i++)
        if (store_fact(src->hosts[i], "kernel.end").n)
            hosts[ret.nhosts++] = src->hosts[i];
    return ret;
}

struct section *section_measure(struct sections *s, const struct report_src *src,
                                const struct measure *m, enum measure_by by, const char *title)
{
    const struct measure_opts o = { .view = VIEW_TOP, .by = by };
    size_t n;
    const struct column *cols = measure_columns(m, &o, src->mem, &n);
    struct section *added = section_add(s, m->name, title, cols, n);

    measure_fill(m, &o, src, &added->table);
    return added;
}

/* --- what is missing -------------------------------------------------------------------- */

static const struct column missing_cols[] = {
    { "hosts", "HOSTS", COL_LIST, 0, 0, 44 },
    { "measures", "MEASURES", COL_LIST, 0, 0, 0 },
    { "missing", "MISSING", COL_STR, 0, 0, 0 },
};

/* What is not recorded, the measures that want it, and where. */
struct missing {
    struct str text;
    uint32_t measures; /* a bit for each */
    VEC(struct str) hosts;
};
typedef VEC(struct missing) missing_vec;

static void add_missing_on(struct missing *m, struct str host)
{
    for (size_t i = 0; i < m->hosts.n; i++)
        if (str_eq(m->hosts.at[i], host))
            return;
    *vec_push(&m->hosts) = host;
}

/* What a measure notes, beside what those before it did. */
static void add_missing(const struct report_src *src, const struct measure *m, size_t no,
                        struct strtab *seen, missing_vec *v)
{
    struct notes notes = { 0 };

    measure_notes(m, src, &notes);
    for (size_t i = 0; i < notes.list.n; i++) {
        const struct note *x = &notes.list.at[i];

        if (x->level != NOTE_WARN || x->where.n == 0) /* or of no host */
            continue;
        uint32_t id = strtab_id(seen, x->text); /* 0 is the empty text */
        if (id > v->n)
            *vec_push(v) = (struct missing){ .text = str_dup(src->mem, x->text) };
        v->at[id - 1].measures |= 1u << no;
        add_missing_on(&v->at[id - 1], str_dup(src->mem, x->where));
    }
    notes_free(&notes);
}

static void put_missing(const struct report_src *src, const struct measure *const *of,
                        struct table *t)
{
    struct strtab seen = { 0 };
    missing_vec v = { 0 };
    struct str names[32];

    for (size_t m = 0; of[m]; m++)
        add_missing(src, of[m], m, &seen, &v);
    for (size_t i = 0; i < v.n; i++) {
        struct missing *x = &v.at[i];
        size_t n = 0;

        for (size_t m = 0; of[m]; m++)
            if (x->measures >> m & 1)
                names[n++] = str_of(of[m]->name);
        table_row(t);
        table_list(t, x->hosts.at, x->hosts.n);
        table_list(t, names, n);
        table_str(t, x->text);
        vec_free(&x->hosts);
    }
    vec_free(&v);
    strtab_free(&seen);
}

struct section *section_missing(struct sections *s, const struct report_src *src,
                                const struct measure *const *of)
{
    struct section *added = section_add(s, "missing", "What the kernels' traces do not tell",
                                        missing_cols, ARRAY_SIZE(missing_cols));

    put_missing(src, of, &added->table);
    return added;
}
