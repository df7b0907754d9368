/* SPDX-License-Identifier: Apache-2.0
 *
 * meta.c -- what a commit tells: schema, names, index, open states.  commit.c has
 * how it is written.
 *
 * What is read is added to the reader's lists, and can be taken back as long as
 * nobody has been told of it: so that a commit that can't be read leaves the
 * reader as it was. */
#include "store/meta_priv.h"

/* --- schema and names -------------------------------------------------------------- */

/* A text of a stream, NUL-terminated, for the caller to free; NULL: none, or no memory. */
static char *take_text(struct in *in, size_t *ret_n)
{
    uint64_t n = get_varint(in);

    if (in->bad || n > (size_t)(in->end - in->p)) {
        in->bad = true;
        return NULL;
    }
    char *z = io_alloc((size_t)n + 1);
    if (z) {
        memcpy(z, in->p, (size_t)n);
        z[n] = '\0';
    }
    in->p += n;
    if (ret_n)
        *ret_n = (size_t)n;
    return z;
}

static void free_family(struct store_family *f)
{
    for (uint32_t i = 0; f->values && i < f->nvalues; i++) {
        free((void *)(uintptr_t)f->values[i].label);
        free((void *)(uintptr_t)f->values[i].colour);
    }
    free((void *)(uintptr_t)f->values);
    free((void *)(uintptr_t)f->pattern);
    free((void *)(uintptr_t)f->title);
    free((void *)(uintptr_t)f->unit);
    free(f);
}

static void free_table(struct store_table *t)
{
    for (uint32_t i = 0; t->columns && i < t->ncolumns; i++)
        free((void *)(uintptr_t)t->columns[i].name);
    free((void *)(uintptr_t)t->columns);
    free((void *)(uintptr_t)t->name);
    free(t);
}

static bool take_values(struct in *in, struct store_family *f)
{
    struct store_value *v = io_calloc(f->nvalues, sizeof *v);
    bool ok = v != NULL;

    f->values = v;
    for (uint32_t i = 0; i < f->nvalues && ok; i++) {
        v[i].label = take_text(in, NULL);
        v[i].colour = take_text(in, NULL);
        v[i].bad = get_varint(in) != 0;
        ok = v[i].label && v[i].colour && !in->bad;
    }
    return ok;
}

static struct store_family *take_family(struct in *in)
{
    struct store_family *f = io_calloc(1, sizeof *f);

    if (!f)
        return NULL;
    f->pattern = take_text(in, NULL);
    f->title = take_text(in, NULL);
    f->unit = take_text(in, NULL);
    uint64_t type = get_varint(in), n = get_varint(in);
    bool ok =
        f->pattern && f->title && f->unit && !in->bad && type <= STORE_STR && n <= STORE_MAX_VALUES;
    if (ok) {
        f->type = (enum store_type)type;
        f->nvalues = (uint32_t)n;
        ok = take_values(in, f);
    }
    if (ok)
        return f;
    free_family(f);
    return NULL;
}

static struct store_table *take_table(struct in *in)
{
    struct store_table *t = io_calloc(1, sizeof *t);

    if (!t)
        return NULL;
    t->name = take_text(in, NULL);
    uint64_t n = get_varint(in);
    struct store_column *c = n >= 2 && n <= 4096 ? io_calloc((size_t)n, sizeof *c) : NULL;
    bool ok = t->name && c && !in->bad;
    t->columns = c;
    t->ncolumns = ok ? (uint32_t)n : 0;
    for (uint32_t i = 0; i < t->ncolumns && ok; i++) {
        c[i].name = take_text(in, NULL);
        uint64_t type = get_varint(in);
        ok = c[i].name && !in->bad && type <= CELL_TEXT;
        c[i].type = ok ? (enum store_col)type : CELL_INT;
    }
    if (ok)
        return t;
    free_table(t);
    return NULL;
}

static bool take_fact(struct reader *r, struct in *in)
{
    struct fact f = { .key = take_text(in, NULL) };

    f.value = take_text(in, &f.n);
    for (size_t i = 0; f.key && f.value && i < r->facts.n; i++)
        if (!strcmp(r->facts.at[i].key, f.key)) {
            free(r->facts.at[i].key);
            free(r->facts.at[i].value);
            r->facts.at[i] = f;
            return true;
        }
    if (f.key && f.value && io_reserve(&r->facts, r->facts.n + 1)) {
        r->facts.at[r->facts.n++] = f;
        return true;
    }
    free(f.key);
    free(f.value);
    return false;
}

/* 'all': it tells again what is known already. */
int meta_schema(struct reader *r, const struct out *o, bool all, struct err *err)
{
    struct in in = in_stream(o);
    size_t families = all ? 0 : r->families.n, tables = all ? 0 : r->tables.n;
    bool ok = true;

    while (in.p < in.end && ok) {
        char what = (char)*in.p++;
        struct store_family *f = what == 'F' ? take_family(&in) : NULL;
        struct store_table *t = what == 'T' ? take_table(&in) : NULL;

        ok = f || t || (what == 'K' && take_fact(r, &in));
        if (f && families++ >= r->families.n) {
            ok = io_reserve(&r->families, r->families.n + 1);
            if (ok)
                r->families.at[r->families.n++] = f;
            f = ok ? NULL : f;
        }
        if (t && tables++ >= r->tables.n) {
            ok = io_reserve(&r->tables, r->tables.n + 1);
            if (ok)
                r->tables.at[r->tables.n++] = t;
            t = ok ? NULL : t;
        }
        if (f)
            free_family(f);
        if (t)
            free_table(t);
    }
    return ok ? 0 : err_set(err, E_CORRUPT, "its schema makes no sense");
}

int meta_names(struct reader *r, const struct out *o, bool all, struct err *err)
{
    struct in in = in_stream(o);

    for (size_t n = all ? 0 : r->path_ends.n; in.p < in.end; n++) {
        uint64_t family = get_varint(&in), same = get_varint(&in), rest = get_varint(&in);
        uint64_t from = n > 1 ? r->path_ends.at[n - 2] : 0;
        uint64_t before = n ? r->path_ends.at[n - 1] - from : 0;

        if (in.bad || family >= r->families.n || same > before || rest > (size_t)(in.end - in.p) ||
            same + rest == 0)
            return err_set(err, E_CORRUPT, "its list of names makes no sense");
        in.p += rest;
        if (n < r->path_ends.n) /* known already */
            continue;
        if (r->path_text.n + same > meta_limit(r))
            return err_set(err, E_LIMIT, "its names are longer than they can be");
        if (!io_reserve(&r->path_text, r->path_text.n + same + rest) ||
            !io_reserve(&r->path_ends, n + 1) || !io_reserve(&r->attr_family, n + 1))
            return io_no_memory(err);
        memcpy(r->path_text.at + r->path_text.n, r->path_text.at + from, same);
        memcpy(r->path_text.at + r->path_text.n + same, in.p - rest, rest);
        r->path_text.n += same + rest;
        r->path_ends.at[r->path_ends.n++] = r->path_text.n;
        r->attr_family.at[r->attr_family.n++] = (uint32_t)family;
    }
    return 0;
}

/* --- index ------------------------------------------------------------------------- */

static bool block_ok(const struct reader *r, const struct block_ref *b)
{
    uint64_t owners = b->kind == KIND_ROWS ? r->tables.n : r->families.n;

    return b->kind >= KIND_INTERVALS && b->kind <= KIND_TEXTS && b->raw <= BLOCK_MAX &&
           b->stored <= BLOCK_MAX && b->at >= FORMAT_PAGE && b->at <= r->bytes &&
           block_bytes(b->stored) <= r->bytes - b->at &&
           (b->kind == KIND_TEXTS || b->owner < owners);
}

static int add_text_block(struct reader *r, uint32_t block, struct err *err)
{
    const struct block_ref *b = &r->blocks.at[block];
    uint64_t behind = r->texts.n ? r->texts.at[r->texts.n - 1].behind : 0;
    bool more = b->klass > 1 && b->owner > 0; /* a long text goes on */

    if ((uint64_t)b->t0 != (more ? behind - 1 : behind) || b->t1 <= b->t0 ||
        (more && (r->texts.n == 0 || b->owner >= b->klass)))
        return err_set(err, E_CORRUPT, "its list of texts makes no sense");
    if (!io_reserve(&r->texts, r->texts.n + 1))
        return io_no_memory(err);
    struct text_block *t = &r->texts.at[r->texts.n++];
    t->block = block;
    t->first = (uint64_t)b->t0;
    t->behind = (uint64_t)b->t1;
    atomic_init(&t->text, NULL);
    return 0;
}

static int load_blocks(struct reader *r, struct in *in, bool all, struct err *err)
{
    uint64_t n = in->end - in->p >= 8 ? get64(in->p) : UINT64_MAX, skip = all ? r->blocks.n : 0;
    int rc = 0;

    if (n > (uint64_t)(in->end - in->p - 8) / sizeof(struct block_ref) || n < skip ||
        r->blocks.n + n > UINT32_MAX)
        return err_set(err, E_CORRUPT, "its index makes no sense");
    in->p += 8 + skip * sizeof(struct block_ref);
    if (!io_reserve(&r->blocks, r->blocks.n + n - skip))
        return io_no_memory(err);
    for (uint64_t i = skip; i < n && rc == 0; i++, in->p += sizeof(struct block_ref)) {
        struct block_ref *b = &r->blocks.at[r->blocks.n];

        memcpy(b, in->p, sizeof *b);
        if (!block_ok(r, b))
            return err_set(err, E_CORRUPT, "its index makes no sense");
        r->blocks.n++;
        if (b->kind == KIND_TEXTS)
            rc = add_text_block(r, (uint32_t)r->blocks.n - 1, err);
    }
    return rc;
}

static int load_runs(struct reader *r, struct in *in, struct run_heap *runs, struct err *err)
{
    uint64_t groups = in->end - in->p >= 8 ? get64(in->p) : UINT64_MAX;
    const uint8_t *g = in->p + 8, *p;

    if (groups > (uint64_t)(in->end - in->p - 8) / 8)
        return err_set(err, E_CORRUPT, "its index makes no sense");
    p = g + groups * 8;
    if (!io_reserve(runs, runs->n + (size_t)(in->end - p) / sizeof(struct run_ref)))
        return io_no_memory(err);
    for (; groups; groups--, g += 8) {
        uint32_t attr = get32(g), n = get32(g + 4);

        if (attr >= r->path_ends.n || n > (size_t)(in->end - p) / sizeof(struct run_ref))
            return err_set(err, E_CORRUPT, "its index makes no sense");
        for (; n; n--, p += sizeof(struct run_ref)) {
            struct new_run *run = &runs->at[runs->n++];

            memcpy(&run->ref, p, sizeof run->ref);
            run->attr = attr;
            if (run->ref.block >= r->blocks.n || run->ref.level > LEVEL_MAX ||
                r->blocks.at[run->ref.block].kind !=
                    (run->ref.level ? KIND_SUMMARIES : KIND_INTERVALS) ||
                r->blocks.at[run->ref.block].owner != r->attr_family.at[attr])
                return err_set(err, E_CORRUPT, "its index makes no sense");
        }
    }
    in->p = p;
    return in->p == in->end ? 0 : err_set(err, E_CORRUPT, "its index makes no sense");
}

int meta_index(struct reader *r, const struct out *o, bool all, struct run_heap *runs,
               struct err *err)
{
    struct in in = in_stream(o);
    int rc = load_blocks(r, &in, all, err);

    if (all)
        runs->n = 0;
    return rc < 0 ? rc : load_runs(r, &in, runs, err);
}

int meta_sort(const struct reader *r, struct run_heap *runs, bool all, struct sorted_runs *ret,
              struct err *err)
{
    size_t nattrs = r->path_ends.n;
    bool sorted = true;

    *ret = (struct sorted_runs){ .n = runs->n };
    if (!io_reserve(runs, runs->n + r->nruns))
        return io_no_memory(err);
    for (size_t a = 0; !all && a < r->nattrs; a++)
        for (uint32_t i = r->first_run[a]; i < r->first_run[a + 1]; i++)
            runs->at[runs->n++] = (struct new_run){ r->runs[i], (uint32_t)a };
    for (size_t i = 1; i < runs->n && sorted; i++)
        sorted = run_order(&runs->at[i - 1], &runs->at[i]) <= 0;
    if (!sorted)
        qsort(runs->at, runs->n, sizeof *runs->at, run_order);
    ret->n = runs->n;
    ret->first = io_calloc(nattrs + 1, sizeof *ret->first);
    ret->leaves = io_calloc(nattrs, sizeof *ret->leaves);
    ret->at = io_alloc(runs->n * sizeof *ret->at);
    if (!ret->first || !ret->leaves || !ret->at)
        return io_no_memory(err);
    for (size_t i = 0; i < runs->n; i++) {
        ret->at[i] = runs->at[i].ref;
        ret->first[runs->at[i].attr + 1]++;
        ret->leaves[runs->at[i].attr] += runs->at[i].ref.level == 0;
    }
    for (size_t a = 0; a < nattrs; a++)
        ret->first[a + 1] += ret->first[a];
    return 0;
}

int meta_open(const struct reader *r, const struct out *o, ns_t until, struct tail *tails,
              struct err *err)
{
    struct in in = in_stream(o);

    while (in.p < in.end) {
        uint64_t attr = get_varint(&in), n = get_varint(&in);

        if (in.bad || attr >= r->path_ends.n || n > 2)
            return err_set(err, E_CORRUPT, "its list of open states makes no sense");
        struct tail *t = &tails[attr];
        t->n = (uint32_t)n;
        for (uint32_t i = 0; i < n; i++) {
            t->t[i] = (ns_t)((uint64_t)unzigzag(get_varint(&in)) + (uint64_t)until);
            t->v[i] = unzigzag(get_varint(&in));
        }
        if (in.bad || (n == 2 && t->t[0] >= t->t[1]))
            return err_set(err, E_CORRUPT, "its list of open states makes no sense");
    }
    return 0;
}

void meta_undo(struct reader *r, const struct reader_marks *m)
{
    while (r->families.n > m->families)
        free_family(r->families.at[--r->families.n]);
    while (r->tables.n > m->tables)
        free_table(r->tables.at[--r->tables.n]);
    r->path_text.n = m->path_text;
    r->path_ends.n = r->attr_family.n = m->paths;
    r->blocks.n = m->blocks;
    r->texts.n = m->texts;
}

void meta_free(struct reader *r)
{
    meta_undo(r, &(struct reader_marks){ 0 });
    for (size_t i = 0; i < r->facts.n; i++) {
        free(r->facts.at[i].key);
        free(r->facts.at[i].value);
    }
    io_free(&r->families);
    io_free(&r->tables);
    io_free(&r->facts);
    io_free(&r->path_text);
    io_free(&r->path_ends);
    io_free(&r->attr_family);
    io_free(&r->blocks);
    io_free(&r->texts);
}
