/* SPDX-License-Identifier: Apache-2.0
 *
 * filter.c -- see filter.h.
 *
 * The expression becomes a tree; the names in it become a list.  Before the
 * tree is walked, one visit of the event's values fills in the list, and only
 * if the tree has names of fields at all. */
#include "cli/filter.h"

#include "base/limits.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

enum { MAX_NAMES = 64, MAX_PARTS = 16, MAX_DEPTH = 100, MAX_NODES = 1000 };

enum fkind { F_ABSENT, F_INT, F_FLOAT, F_TEXT };

struct fval {
    enum fkind kind;
    __int128 i;
    double f;
    struct str s; /* F_TEXT; of an enum (F_INT): the label */
};

enum name_of { OF_ANY, OF_FIELDS, OF_CONTEXT, OF_NAME, OF_HOST, OF_CPU, OF_TIME };

struct name {
    enum name_of of;
    struct str part[MAX_PARTS];
    unsigned nparts;
    struct fval v;
};

enum op { OP_OR, OP_AND, OP_NOT, OP_TRUE, OP_EQ, OP_NE, OP_LT, OP_LE, OP_GT, OP_GE, OP_LIKE };

struct operand {
    int name; /* index, or -1: a literal */
    struct fval lit;
};

struct node {
    enum op op;
    struct node *a, *b;  /* of OP_OR, OP_AND, OP_NOT */
    struct operand l, r; /* of the rest */
};

struct filter {
    struct arena mem;
    struct node *root;
    struct name names[MAX_NAMES];
    int nnames;
    bool wants_fields, wants_context;

    /* while visiting: names whose first parts match the path, by depth */
    uint64_t open[MAX_PARTS + 1];
    uint64_t index[MAX_PARTS + 1];
    bool in_array[MAX_PARTS + 1];
    int depth;
    bool in_context;
};

/* --- parsing ------------------------------------------------------------------- */

struct parser {
    struct filter *f;
    const char *text, *p;
    int depth, nodes;
    struct err *err;
};

static int bad(struct parser *ps, const char *at, const char *what)
{
    return err_set(ps->err, E_ARG, "column %d: %s\n  %s\n  %*s^", (int)(at - ps->text) + 1, what,
                   ps->text, (int)(at - ps->text), "");
}

static void skip_blanks(struct parser *ps)
{
    while (isspace((unsigned char)*ps->p))
        ps->p++;
}

static bool take(struct parser *ps, const char *token)
{
    skip_blanks(ps);
    if (strncmp(ps->p, token, strlen(token)) != 0)
        return false;
    ps->p += strlen(token);
    return true;
}

static bool is_word(char c, bool first)
{
    return c == '_' || isalpha((unsigned char)c) || (!first && isdigit((unsigned char)c));
}

static int parse_text(struct parser *ps, struct operand *ret)
{
    const char *start = ps->p;
    char quote = *ps->p++;
    struct sbuf b = { 0 };

    while (*ps->p && *ps->p != quote) {
        if (*ps->p == '\\' && (ps->p[1] == quote || ps->p[1] == '\\'))
            ps->p++;
        sbuf_chr(&b, *ps->p++);
    }
    if (!*ps->p) {
        sbuf_free(&b);
        return bad(ps, start, "this text has no closing quote");
    }
    ps->p++;
    ret->lit.kind = F_TEXT;
    ret->lit.s = str_dup(&ps->f->mem, sbuf_view(&b));
    sbuf_free(&b);
    return 0;
}

static int parse_number(struct parser *ps, struct operand *ret)
{
    const char *start = ps->p;
    char *end_i, *end_f;
    bool negative = *ps->p == '-';

    errno = 0;
    uint64_t u = strtoull(ps->p + negative, &end_i, 0);
    bool too_big = errno == ERANGE;
    double d = strtod(ps->p, &end_f);

    if (end_f > end_i) {
        ret->lit.kind = F_FLOAT;
        ret->lit.f = d;
        ps->p = end_f;
    } else {
        if (too_big)
            return bad(ps, start, "this number does not fit into 64 bits");
        ret->lit.kind = F_INT;
        ret->lit.i = negative ? -(__int128)u : (__int128)u;
        ps->p = end_i;
    }
    if (is_word(*ps->p, false) || *ps->p == '.')
        return bad(ps, start, "this is not a number");
    return 0;
}

static int take_part(struct parser *ps, struct name *n, bool number)
{
    const char *start = ps->p;

    while (number ? isdigit((unsigned char)*ps->p) != 0 : is_word(*ps->p, false))
        ps->p++;
    if (ps->p == start)
        return bad(ps, start, number ? "expected the number of an element" : "expected a name");
    if (n->nparts == MAX_PARTS)
        return bad(ps, start, "a name of over 16 parts");
    n->part[n->nparts++] = str_dup(&ps->f->mem, (struct str){ start, (size_t)(ps->p - start) });
    return 0;
}

/* "t_ns", "context.vtid", "a.b[3]" */
static int parse_name(struct parser *ps, struct operand *ret)
{
    static const char *const fixed[] = { "name", "host", "cpu", "t_ns" };
    struct filter *f = ps->f;
    const char *start = ps->p;
    struct name n = { .of = OF_ANY };
    int rc = take_part(ps, &n, false);

    while (rc == 0 && (*ps->p == '.' || *ps->p == '[')) {
        bool element = *ps->p++ == '[';

        rc = take_part(ps, &n, element);
        if (rc == 0 && element && *ps->p++ != ']')
            return bad(ps, ps->p - 1, "expected ']'");
    }
    if (rc < 0)
        return rc;
    for (size_t i = 0; i < ARRAY_SIZE(fixed) && n.nparts == 1; i++)
        if (str_is(n.part[0], fixed[i]))
            n.of = (enum name_of)(OF_NAME + (int)i);
    if (n.nparts > 1 && (str_is(n.part[0], "fields") || str_is(n.part[0], "context"))) {
        n.of = str_is(n.part[0], "fields") ? OF_FIELDS : OF_CONTEXT;
        n.nparts--;
        memmove(&n.part[0], &n.part[1], n.nparts * sizeof n.part[0]);
    }
    f->wants_fields |= n.of == OF_ANY || n.of == OF_FIELDS;
    f->wants_context |= n.of == OF_ANY || n.of == OF_CONTEXT;
    if (f->nnames == MAX_NAMES)
        return bad(ps, start, "over 64 names");
    ret->name = f->nnames;
    f->names[f->nnames++] = n;
    return 0;
}

static int parse_operand(struct parser *ps, struct operand *ret)
{
    *ret = (struct operand){ .name = -1 };
    skip_blanks(ps);
    if (*ps->p == '"' || *ps->p == '\'')
        return parse_text(ps, ret);
    if (isdigit((unsigned char)*ps->p) || (*ps->p == '-' && isdigit((unsigned char)ps->p[1])))
        return parse_number(ps, ret);
    if (is_word(*ps->p, true))
        return parse_name(ps, ret);
    return bad(ps, ps->p,
               *ps->p ? "expected a name, a number or a text"
                      : "expected a name, a number or a text, but it ends here");
}

static struct node *new_node(struct parser *ps, enum op op)
{
    struct node *n = arena_new(&ps->f->mem, struct node);

    n->op = op;
    return n;
}

static int parse_comparison(struct parser *ps, struct node **ret)
{
    static const struct {
        const char *token;
        enum op op;
    } ops[] = { { "==", OP_EQ },   { "!=", OP_NE }, { "<=", OP_LE }, { ">=", OP_GE },
                { "=~", OP_LIKE }, { "<", OP_LT },  { ">", OP_GT } };
    struct node *n = new_node(ps, OP_TRUE);
    int rc = parse_operand(ps, &n->l);

    *ret = n;
    for (size_t i = 0; rc == 0 && i < ARRAY_SIZE(ops); i++)
        if (take(ps, ops[i].token)) {
            n->op = ops[i].op;
            rc = parse_operand(ps, &n->r);
            if (rc == 0 && n->op == OP_LIKE && n->r.name < 0 && n->r.lit.kind != F_TEXT)
                rc = bad(ps, ps->p - 1, "=~ takes a text in quotes");
            return rc;
        }
    if (rc == 0 && *ps->p == '=')
        return bad(ps, ps->p, "write == to compare");
    return rc;
}

static int parse_or(struct parser *ps, struct node **ret);

static int parse_not(struct parser *ps, struct node **ret)
{
    const char *start = ps->p;
    int rc;

    if (++ps->depth > MAX_DEPTH || ++ps->nodes > MAX_NODES)
        return bad(ps, start, "nested over 100 deep, or over 1000 conditions");
    skip_blanks(ps);
    if (*ps->p == '!' && ps->p[1] != '=') {
        ps->p++;
        *ret = new_node(ps, OP_NOT);
        rc = parse_not(ps, &(*ret)->a);
    } else if (take(ps, "(")) {
        rc = parse_or(ps, ret);
        if (rc == 0 && !take(ps, ")"))
            rc = bad(ps, ps->p, "expected ')'");
    } else {
        rc = parse_comparison(ps, ret);
    }
    ps->depth--;
    return rc;
}

/* a TOKEN b TOKEN c */
static int parse_chain(struct parser *ps, const char *token, enum op op,
                       int (*next)(struct parser *, struct node **), struct node **ret)
{
    int rc = next(ps, ret);

    while (rc == 0 && take(ps, token)) {
        struct node *n = new_node(ps, op);

        n->a = *ret;
        rc = next(ps, &n->b);
        *ret = n;
    }
    return rc;
}

static int parse_and(struct parser *ps, struct node **ret)
{
    return parse_chain(ps, "&&", OP_AND, parse_not, ret);
}

static int parse_or(struct parser *ps, struct node **ret)
{
    return parse_chain(ps, "||", OP_OR, parse_and, ret);
}

int filter_parse(const char *text, struct filter **ret, struct err *err)
{
    struct filter *f = xcalloc(1, sizeof *f);
    struct parser ps = { .f = f, .text = text, .p = text, .err = err };
    int rc = parse_or(&ps, &f->root);

    skip_blanks(&ps);
    if (rc == 0 && *ps.p)
        rc = bad(&ps, ps.p, "expected &&, || or the end");
    if (rc < 0) {
        filter_free(f);
        return rc;
    }
    *ret = f;
    return 0;
}

void filter_free(struct filter *f)
{
    if (!f)
        return;
    arena_free(&f->mem);
    free(f);
}

/* --- values of the event --------------------------------------------------------- */

static bool part_is(struct filter *f, struct str part, struct str name)
{
    uint64_t at;

    if (f->in_array[f->depth])
        return str_u64(part, &at) && at == f->index[f->depth];
    return str_eq(part, name);
}

/* Names that go on with 'name' at this depth; with 'last', those that end there. */
static uint64_t matching(struct filter *f, struct str name, bool last)
{
    uint64_t found = 0, left = f->depth < MAX_PARTS ? f->open[f->depth] : 0;

    for (; left; left &= left - 1) {
        const struct name *n = &f->names[__builtin_ctzll(left)];

        if ((n->nparts == (unsigned)f->depth + 1) == last && part_is(f, n->part[f->depth], name))
            found |= left & (0 - left);
    }
    return found;
}

static void on_open(void *ctx, struct str name, bool is_struct)
{
    struct filter *f = ctx;
    uint64_t found = matching(f, name, false);

    if (f->depth <= MAX_PARTS)
        f->index[f->depth]++;
    f->depth++;
    if (f->depth <= MAX_PARTS) {
        f->open[f->depth] = found;
        f->index[f->depth] = 0;
        f->in_array[f->depth] = !is_struct;
    }
}

static void on_close(void *ctx, bool is_struct)
{
    struct filter *f = ctx;

    (void)is_struct;
    f->depth--;
}

static void set(struct filter *f, struct str name, struct fval v)
{
    for (uint64_t left = matching(f, name, true); left; left &= left - 1) {
        struct name *n = &f->names[__builtin_ctzll(left)];

        if (n->v.kind == F_ABSENT || !f->in_context)
            n->v = v;
    }
    if (f->depth <= MAX_PARTS)
        f->index[f->depth]++;
}

static void on_scalar(void *ctx, struct str name, const struct value *v)
{
    struct fval out = { .kind = F_INT, .s = v->is_enum ? v->label : STR("") };

    if (v->kind == VALUE_F64) {
        out.kind = F_FLOAT;
        out.f = v->f64;
    } else if (v->kind == VALUE_NULL) {
        out.kind = F_ABSENT;
    } else {
        out.i = v->kind == VALUE_I64 ? (__int128)v->i64 : (__int128)v->u64;
    }
    set(ctx, name, out);
}

static void on_text(void *ctx, struct str name, struct str s)
{
    set(ctx, name, (struct fval){ .kind = F_TEXT, .s = s });
}

static void visit(struct filter *f, struct reader *r, enum reader_scope scope)
{
    const struct value_sink sink = { f, on_open, on_close, on_scalar, on_text };

    f->depth = 0;
    f->in_array[0] = false;
    f->in_context = scope == READER_CONTEXT;
    f->open[0] = 0;
    for (int i = 0; i < f->nnames; i++)
        if (f->names[i].of == OF_ANY ||
            f->names[i].of == (scope == READER_FIELDS ? OF_FIELDS : OF_CONTEXT))
            f->open[0] |= UINT64_C(1) << i;
    r->ops->visit(r, scope, &sink);
}

static void collect(struct filter *f, struct reader *r, const struct reader_event *ev)
{
    for (int i = 0; i < f->nnames; i++) {
        struct name *n = &f->names[i];

        n->v = (struct fval){ .kind = F_ABSENT };
        switch (n->of) {
        case OF_NAME: n->v = (struct fval){ .kind = F_TEXT, .s = ev->name }; break;
        case OF_HOST: n->v = (struct fval){ .kind = F_TEXT, .s = r->host }; break;
        case OF_TIME: n->v = (struct fval){ .kind = F_INT, .i = ev->t }; break;
        case OF_CPU:
            if (ev->cpu != UINT32_MAX)
                n->v = (struct fval){ .kind = F_INT, .i = ev->cpu };
            break;
        case OF_ANY:
        case OF_FIELDS:
        case OF_CONTEXT: break;
        }
    }
    if (f->wants_fields)
        visit(f, r, READER_FIELDS);
    if (f->wants_context)
        visit(f, r, READER_CONTEXT);
}

/* --- truth ------------------------------------------------------------------------ */

static bool like(struct str s, struct str pattern)
{
    if (str_chr(pattern, '*', 0) == STR_NONE && str_chr(pattern, '?', 0) == STR_NONE)
        return str_find(s, pattern, 0) != STR_NONE;
    return str_glob(pattern, s);
}

/* -1, 0, 1, or 2 if they can't be compared */
static int order(const struct fval *a, const struct fval *b)
{
    bool text_a = a->kind == F_TEXT, text_b = b->kind == F_TEXT;

    if (a->kind == F_ABSENT || b->kind == F_ABSENT)
        return 2;
    if (text_a || text_b) {
        /* an enum's label, if it has one */
        if ((!text_a && a->s.n == 0) || (!text_b && b->s.n == 0))
            return 2;
        int d = str_cmp(a->s, b->s);
        return d < 0 ? -1 : d > 0;
    }
    if (a->kind == F_INT && b->kind == F_INT)
        return a->i < b->i ? -1 : a->i > b->i;
    double x = a->kind == F_INT ? (double)a->i : a->f, y = b->kind == F_INT ? (double)b->i : b->f;
    return x < y ? -1 : x > y ? 1 : x == y ? 0 : 2;
}

static bool compare(enum op op, const struct fval *l, const struct fval *r)
{
    int d = order(l, r);

    if (d == 2)
        return false;
    return (d < 0 && (op == OP_LT || op == OP_LE || op == OP_NE)) ||
           (d == 0 && (op == OP_EQ || op == OP_LE || op == OP_GE)) ||
           (d > 0 && (op == OP_GT || op == OP_GE || op == OP_NE));
}

static bool is_true(const struct filter *f, const struct node *n)
{
    if (n->op == OP_OR)
        return is_true(f, n->a) || is_true(f, n->b);
    if (n->op == OP_AND)
        return is_true(f, n->a) && is_true(f, n->b);
    if (n->op == OP_NOT)
        return !is_true(f, n->a);
    const struct fval *l = n->l.name < 0 ? &n->l.lit : &f->names[n->l.name].v;
    const struct fval *r = n->r.name < 0 ? &n->r.lit : &f->names[n->r.name].v;
    if (n->op == OP_TRUE)
        return l->kind == F_INT ? l->i != 0 : l->kind == F_FLOAT ? l->f != 0 : l->s.n != 0;
    if (n->op == OP_LIKE)
        return l->kind != F_ABSENT && r->kind == F_TEXT && (l->kind == F_TEXT || l->s.n) &&
               like(l->s, r->s);
    return compare(n->op, l, r);
}

bool filter_match(struct filter *f, struct reader *r, const struct reader_event *ev)
{
    collect(f, r, ev);
    return is_true(f, f->root);
}
