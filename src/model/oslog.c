/* SPDX-License-Identifier: Apache-2.0
 *
 * oslog.c -- see oslog.h: the dispatcher and the scanners.
 *
 * Most lines match nothing, so a form is refused by its first byte; only a
 * few forms have to look for text in the middle of a line. */
#include "model/oslog_priv.h"

#include "base/limits.h"

#include <assert.h>
#include <ctype.h>
#include <threads.h>

static const struct oslog_table *const tables[] = {
    &oslog_oslo_forms, &oslog_object_forms, &oslog_http_forms,    &oslog_sched_forms,
    &oslog_nova_forms, &oslog_vm_forms,     &oslog_neutron_forms, &oslog_libvirt_forms,
};

struct log_fact *oslog_add(struct oslog *o, enum log_fact_kind kind)
{
    struct log_facts *f = o->out;

    if (f->n >= OSLOG_MAX_FACTS) {
        f->truncated = true;
        return NULL;
    }
    if (f->n == o->cap) {
        size_t cap = o->cap ? o->cap * 4 : 1;
        struct log_fact *at = arena_array(o->a, struct log_fact, cap);

        if (f->n)
            memcpy(at, f->at, f->n * sizeof *at);
        f->at = at;
        o->cap = cap;
    }
    struct log_fact *fact = &f->at[f->n++];
    memset(fact, 0, sizeof *fact);
    fact->kind = kind;
    return fact;
}

struct str oslog_line_instance(struct oslog *o)
{
    if (!o->instance_known)
        o->instance = oslog_instance(o->msg);
    o->instance_known = true;
    return o->instance;
}

/* The line without tags in front: "[instance: uuid] ", "[req-uuid user - -] ". */
static struct str without_tags(struct str s)
{
    for (int i = 0; i < 4 && s.n && s.p[0] == '['; i++) {
        size_t end = str_chr(str_first(s, 300), ']', 0);

        if (end == STR_NONE)
            break;
        s = str_from(s, end + 1);
        while (s.n && s.p[0] == ' ')
            s = str_from(s, 1);
    }
    return s;
}

/* True if 'line' can be of this form; '*ret_rest' is what is behind 'starts'. */
static bool may_be(const struct oslog_form *f, const struct oslog *o, struct str *ret_rest)
{
    struct str rest = str_from(o->line, f->starts.n);

    if (!str_starts(o->line, f->starts))
        return false;
    if (f->has.n) {
        size_t at = str_chr(rest, f->has.p[0], 0);

        if (at == STR_NONE || str_find(rest, f->has, at) == STR_NONE)
            return false;
    }
    if (f->logger && o->logger.n && !str_glob(str_of(f->logger), o->logger))
        return false;
    *ret_rest = rest;
    return true;
}

/* Forms by the first byte of the line, in the order of the tables; made once. */
static struct {
    const struct oslog_form *at[8192];
    uint16_t start[257]; /* forms of byte b: at[start[b]] to at[start[b + 1]] */
} by_byte;

static void sort_forms(void)
{
    size_t n = 0;

    for (size_t b = 0; b < 256; b++) {
        by_byte.start[b] = (uint16_t)n;
        for (size_t t = 0; t < ARRAY_SIZE(tables); t++) {
            for (size_t i = 0; i < tables[t]->n; i++) {
                const struct oslog_form *f = &tables[t]->forms[i];

                if (f->starts.n ? (unsigned char)f->starts.p[0] != b
                                : f->first && (!b || !strchr(f->first, (int)b)))
                    continue;
                assert(n < ARRAY_SIZE(by_byte.at));
                by_byte.at[n++] = f;
            }
        }
    }
    by_byte.start[256] = (uint16_t)n;
}

bool oslog_decode(struct str logger, struct str msg, struct arena *scratch, struct log_facts *ret)
{
    static once_flag once = ONCE_FLAG_INIT;
    struct oslog o = { .a = scratch, .logger = logger, .msg = msg, .out = ret };

    assert(scratch && ret);
    *ret = (struct log_facts){ 0 };
    if (msg.n == 0 || msg.n > LIMIT_LOG_FACT_BYTES)
        return false;
    o.line = without_tags(msg);
    if (o.line.n == 0)
        return false;
    call_once(&once, sort_forms);
    size_t b = (unsigned char)o.line.p[0];
    for (size_t i = by_byte.start[b]; i < by_byte.start[b + 1]; i++) {
        const struct oslog_form *f = by_byte.at[i];
        struct str rest;

        if (may_be(f, &o, &rest) && f->parse(&o, rest, f->arg))
            break;
    }
    return ret->n > 0;
}

const char *log_fact_name(enum log_fact_kind kind)
{
    static const char *const names[] = {
#define X(kind, name, member) name,
        LOG_FACTS(X)
#undef X
    };

    assert(kind < FACT_KINDS);
    return names[kind];
}

struct str oslog_request_id(struct str msg)
{
    for (size_t i = str_find(msg, STR("req-"), 0); i != STR_NONE;
         i = str_find(msg, STR("req-"), i + 4)) {
        if (str_is_uuid(str_from(msg, i + 4)))
            return (struct str){ msg.p + i, 40 };
    }
    return STR("");
}

/* The uuid behind a mention of an instance that ends before byte 'i'. */
static struct str mentioned(struct str msg, size_t i)
{
    static const char between[] = "_uid :=\"'[(u";

    for (size_t k = i; k < msg.n && k < i + 12; k++) {
        if (str_is_uuid(str_from(msg, k)))
            return (struct str){ msg.p + k, 36 };
        if (!msg.p[k] || !strchr(between, msg.p[k]))
            break;
    }
    return STR("");
}

struct str oslog_instance(struct str msg)
{
    static const struct str tag = STR("[instance: "), word = STR("nstance");
    size_t i = str_find(msg, tag, 0);
    bool repr = false; /* only the first is looked into: each look may be long */

    if (i != STR_NONE && str_is_uuid(str_from(msg, i + tag.n)))
        return (struct str){ msg.p + i + tag.n, 36 };
    for (i = str_find(msg, word, 0); i != STR_NONE; i = str_find(msg, word, i + word.n)) {
        struct str uuid = mentioned(msg, i + word.n);

        if (uuid.n)
            return uuid;
        if (!repr && i + 8 < msg.n && msg.p[i + 7] == '(') { /* Instance(...,uuid=X,...) */
            repr = true;
            size_t k = str_find(msg, STR(",uuid="), i);

            if (k != STR_NONE && str_is_uuid(str_from(msg, k + 6)))
                return (struct str){ msg.p + k + 6, 36 };
        }
    }
    return STR("");
}

bool take(struct str *s, const char *literal)
{
    struct str l = str_of(literal);

    if (!str_starts(*s, l))
        return false;
    *s = str_from(*s, l.n);
    return true;
}

bool take_to(struct str *s, const char *delimiter, struct str *ret)
{
    struct str d = str_of(delimiter);
    size_t i = str_find(*s, d, 0);

    if (i == STR_NONE)
        return false;
    *ret = str_first(*s, i);
    *s = str_from(*s, i + d.n);
    return true;
}

bool take_i64(struct str *s, int64_t *ret)
{
    size_t n = s->n && s->p[0] == '-' ? 1 : 0;

    while (n < s->n && isdigit((unsigned char)s->p[n]))
        n++;
    if (!str_i64(str_first(*s, n), ret))
        return false;
    *s = str_from(*s, n);
    return true;
}

/* The digits of a decimal number: its integer without the point in '*ret', at
 * most 18 of them, and the number of digits behind the point. */
static size_t digits(struct str s, int64_t *ret, int *ret_behind)
{
    size_t n = 0, seen = 0;
    bool point = false;

    *ret = 0;
    *ret_behind = 0;
    for (; n < s.n; n++) {
        if (s.p[n] == '.' && !point) {
            if (n + 1 >= s.n || !isdigit((unsigned char)s.p[n + 1]))
                break;
            point = true;
        } else if (!isdigit((unsigned char)s.p[n])) {
            break;
        } else if (++seen <= 18) {
            *ret = *ret * 10 + (s.p[n] - '0');
            *ret_behind += point ? 1 : 0;
        } else if (!point) {
            return 0; /* too big to be meant */
        }
    }
    return seen ? n : 0;
}

bool take_num(struct str *s, double *ret)
{
    struct str rest = *s;
    bool neg = take(&rest, "-");
    int64_t v, exp = 0;
    int behind;
    size_t n = digits(rest, &v, &behind);

    if (n == 0)
        return false;
    rest = str_from(rest, n);
    if (rest.n > 1 && rest.p[0] == 'e') {
        struct str e = str_from(rest, rest.p[1] == '+' ? 2 : 1);

        if (take_i64(&e, &exp) && exp >= -300 && exp <= 300)
            rest = e;
        else
            exp = 0;
    }
    double d = (double)v, scale = 1;
    for (int64_t k = exp - behind; k != 0; k += k < 0 ? 1 : -1)
        scale *= 10;
    d = exp - behind < 0 ? d / scale : d * scale;
    *ret = neg ? -d : d;
    *s = rest;
    return true;
}

bool take_seconds(struct str *s, ns_t *ret)
{
    int64_t v;
    int behind;
    size_t n = digits(*s, &v, &behind);

    if (n == 0)
        return false;
    for (; behind < 9; behind++) {
        if (__builtin_mul_overflow(v, 10, &v))
            return false;
    }
    for (; behind > 9; behind--)
        v /= 10;
    *ret = v;
    *s = str_from(*s, n);
    return true;
}

bool take_uuid(struct str *s, struct str *ret)
{
    if (!str_is_uuid(*s))
        return false;
    *ret = str_first(*s, 36);
    *s = str_from(*s, 36);
    return true;
}

bool take_word(struct str *s, struct str *ret)
{
    struct str rest = *s;
    size_t n = 0;

    if (take(&rest, "'"))
        return take_to(&rest, "'", ret) ? (*s = rest, true) : false;
    if (take(&rest, "\""))
        return take_to(&rest, "\"", ret) ? (*s = rest, true) : false;
    while (n < s->n && !isspace((unsigned char)s->p[n]) && !strchr(",;)]", s->p[n]))
        n++;
    if (n == 0)
        return false;
    *ret = str_first(*s, n);
    *s = str_from(*s, n);
    return true;
}
