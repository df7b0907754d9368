/* SPDX-License-Identifier: Apache-2.0
 *
 * rules.c -- see rules.h. */
#include "engine/rules.h"

#include <assert.h>

static const struct ev_field *member(enum ev_type type, struct str name)
{
    char z[64];

    assert(name.n < sizeof z);
    memcpy(z, name.p, name.n);
    z[name.n] = '\0';
    const struct ev_field *f = ev_field_of(type, z);
    assert(f && "a rule names a member that its event has not");
    return f;
}

void rule_compile(const struct rule *r, struct compiled_rule *ret)
{
    struct str path = str_of(schema_attrs[r->attr].path), hole;

    *ret = (struct compiled_rule){ .family = engine_family(r->attr),
                                   .value = -1,
                                   .constant = r->constant };
    while (str_between(path, STR("{"), STR("}"), &hole)) {
        const struct ev_field *f = member(r->type, hole);

        assert(f->kind == EV_STR && ret->nholes < RULE_HOLES);
        ret->holes[ret->nholes++] = f->offset;
        path = str_from(path, (size_t)(hole.p - path.p) + hole.n);
    }
    if (r->value) {
        const struct ev_field *f = member(r->type, str_of(r->value));

        assert((f->kind == EV_STR) == (schema_attrs[r->attr].type == SCHEMA_STR));
        ret->value = (int32_t)f->offset;
        ret->text = f->kind == EV_STR;
    }
}

/* The path with its holes filled. */
static attr_t make_attr(const struct compiled_rule *r, struct store *s, const struct str *fill)
{
    struct str path = str_of(r->family->pattern);
    struct sbuf out = { 0 };
    size_t open;

    for (uint32_t i = 0; (open = str_chr(path, '{', 0)) != STR_NONE; i++) {
        sbuf_str(&out, str_first(path, open));
        sbuf_str(&out, fill[i]);
        path = str_from(path, str_chr(path, '}', open) + 1);
    }
    sbuf_str(&out, path);
    attr_t a = store_attr(s, r->family, sbuf_view(&out));
    sbuf_free(&out);
    return a;
}

void rule_apply(struct compiled_rule *r, struct store *s, ns_t t, const void *ev)
{
    struct str fill[RULE_HOLES];
    cell_t value = r->constant;
    uint64_t key = 0;
    uint32_t attr;

    for (uint32_t i = 0; i < r->nholes; i++) {
        memcpy(&fill[i], (const char *)ev + r->holes[i], sizeof fill[i]);
        if (fill[i].n == 0)
            return;
        key = key << 32 | (uint64_t)store_intern(s, fill[i]);
    }
    if (r->value >= 0 && r->text) {
        struct str text;

        memcpy(&text, (const char *)ev + r->value, sizeof text);
        value = text.n ? store_intern(s, text) : STORE_NULL;
    } else if (r->value >= 0) {
        memcpy(&value, (const char *)ev + r->value, sizeof value);
    }
    if (value == STORE_NULL)
        return;
    if (!map64_get(&r->attrs, key, &attr)) {
        attr = make_attr(r, s, fill);
        map64_set(&r->attrs, key, attr);
    }
    store_set(s, attr, t, value);
}

void rule_free(struct compiled_rule *r)
{
    map64_free(&r->attrs);
}
