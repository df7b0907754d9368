/* SPDX-License-Identifier: Apache-2.0
 *
 * labels.c -- see labels.h. */
#define _GNU_SOURCE
#include "sim/labels.h"

#include "sim/cloud.h"
#include "sim/scenario_priv.h"

#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char *const layers[] = { "kernel", "qemu", "openstack" };

/* --- reading --------------------------------------------------------------------------------- */

static int read_parties(struct reader *r, const char *path, const json_t *o, const char *key,
                        struct sc_parties *ret)
{
    static const struct key keys[] = {
        { "kind", KEY_TEXT, AT(sc_party, kind), 0, 0, true },
        { "name", KEY_TEXT, AT(sc_party, name), 0, 0, true },
    };
    const json_t *list = json_object_get(o, key);
    size_t i;
    json_t *v;

    if (list && !json_is_array(list))
        return sc_wrong(r, path, key, "must be a list");
    ret->at = arena_array(&r->s->mem, struct sc_party, json_array_size(list) + 1);
    json_array_foreach(list, i, v)
    {
        const char *inner = arena_printf(&r->s->mem, "%s.%s[%zu]", path, key, i);

        if (sc_read_object(r, inner, v, keys, ARRAY_SIZE(keys), &ret->at[ret->n++]) < 0)
            return -(int)r->err->code;
    }
    return 0;
}

/* A list of texts. */
static int read_texts(struct reader *r, const char *path, const json_t *o, const char *key,
                      const char ***ret, size_t *n)
{
    const json_t *list = json_object_get(o, key);
    size_t i;
    json_t *v;

    if (list && !json_is_array(list))
        return sc_wrong(r, path, key, "must be a list");
    *ret = arena_array(&r->s->mem, const char *, json_array_size(list) + 1);
    json_array_foreach(list, i, v)
    {
        if (!json_is_string(v))
            return sc_wrong(r, path, key, "must hold texts");
        (*ret)[(*n)++] = arena_strdup(&r->s->mem, json_string_value(v), json_string_length(v));
    }
    return 0;
}

static int read_finding(struct reader *r, const char *path, const json_t *v)
{
    static const struct key keys[] = {
        { "fault", KEY_TEXT, AT(sc_finding, fault), 0, 0, true },
        { "rule", KEY_TEXT, AT(sc_finding, rule), 0, 0, true },
        { "or", KEY_OTHER, 0, 0, 0, false },
        { "root", KEY_BOOL, AT(sc_finding, root), 0, 0, false },
        { "operation", KEY_TEXT, AT(sc_finding, operation), 0, 0, false },
        { "from_s", KEY_SECONDS, AT(sc_finding, from_ns), 0, SIM_LIMIT_SECONDS, false },
        { "to_s", KEY_SECONDS, AT(sc_finding, to_ns), 0, SIM_LIMIT_SECONDS, false },
        { "subjects", KEY_OTHER, 0, 0, 0, false },
        { "culprits", KEY_OTHER, 0, 0, 0, false },
        { "hosts", KEY_OTHER, 0, 0, 0, false },
    };
    struct sc_finding f = { .root = true };
    size_t i = 0;

    if (sc_read_object(r, path, v, keys, ARRAY_SIZE(keys), &f) < 0 ||
        read_parties(r, path, v, "subjects", &f.subjects) < 0 ||
        read_parties(r, path, v, "culprits", &f.culprits) < 0 ||
        read_texts(r, path, v, "hosts", &f.hosts, &f.n_hosts) < 0 ||
        read_texts(r, path, v, "or", &f.or_rules, &f.n_or) < 0)
        return -(int)r->err->code;
    while (f.operation && i < r->s->operations.n &&
           strcmp(r->s->operations.at[i].name, f.operation) != 0)
        i++;
    if (f.operation && i == r->s->operations.n)
        return sc_wrong(r, path, "operation", "no operation has this name");
    f.op = i;
    *vec_push(&r->s->findings) = f;
    return 0;
}

int sc_read_labels(struct reader *r, const json_t *root)
{
    const json_t *list = json_object_get(root, "findings"), *v;
    size_t i;

    if (list && !json_is_array(list))
        return sc_wrong(r, "", "findings", "must be a list");
    json_array_foreach(list, i, v)
    {
        const char *path = arena_printf(&r->s->mem, "findings[%zu]", i);

        if (read_finding(r, path, v) < 0)
            return -(int)r->err->code;
    }
    if (read_texts(r, "", root, "without", &r->s->without, &r->s->n_without) < 0)
        return -(int)r->err->code;
    for (i = 0; i < r->s->n_without; i++)
        if (sc_one_of(r->s->without[i], layers, ARRAY_SIZE(layers)) < 0)
            return sc_wrong(r, "", "without", "must hold kernel, qemu or openstack");
    return 0;
}

/* --- writing -----------------------------------------------------------------------------------
 */

static void put_party(struct json *j, const char *kind, const char *name)
{
    json_open(j, '{');
    json_kstr(j, "kind", str_of(kind));
    json_kstr(j, "name", str_of(name));
    json_close(j, '}');
}

static void put_parties(struct json *j, const char *key, const struct sc_parties *p)
{
    json_kopen(j, key, '[');
    for (size_t i = 0; i < p->n; i++)
        put_party(j, p->at[i].kind, p->at[i].name);
    json_close(j, ']');
}

/* With the request, its calls: one of them may be what is slow or fails. */
static void put_subjects(struct json *j, const struct sim *s, const struct sc_parties *p,
                         const struct req *r)
{
    json_kopen(j, "subjects", '[');
    for (size_t i = 0; i < p->n; i++)
        put_party(j, p->at[i].kind, p->at[i].name);
    if (r)
        put_party(j, "request", r->id);
    for (size_t i = 0; r && i < s->calls.n; i++)
        if (s->calls.at[i]->root == r)
            put_party(j, "request", s->calls.at[i]->id);
    json_close(j, ']');
}

static void put_texts(struct json *j, const char *key, const char *const *at, size_t n)
{
    json_kopen(j, key, '[');
    for (size_t i = 0; i < n; i++)
        json_str(j, str_of(at[i]));
    json_close(j, ']');
}

static void put_finding(struct json *j, const struct sim *s, const struct sc_finding *f)
{
    const struct req *r = f->operation && s->op_reqs ? s->op_reqs[f->op] : NULL;

    json_open(j, '{');
    json_kstr(j, "fault", str_of(f->fault));
    json_kstr(j, "rule", str_of(f->rule));
    put_texts(j, "or", f->or_rules, f->n_or);
    json_key(j, STR("root"));
    json_bool(j, f->root);
    put_subjects(j, s, &f->subjects, r);
    put_parties(j, "culprits", &f->culprits);
    put_texts(j, "hosts", f->hosts, f->n_hosts);
    json_ki64(j, "t0_ns", r ? r->start : s->begin + f->from_ns);
    json_ki64(j, "t1_ns", r ? r->end : s->begin + f->to_ns);
    json_close(j, '}');
}

void labels_truth(const struct sim *s, struct json *j)
{
    json_kopen(j, "findings", '[');
    for (size_t i = 0; i < s->sc->findings.n; i++)
        put_finding(j, s, &s->sc->findings.at[i]);
    json_close(j, ']');
    put_texts(j, "without", s->sc->without, s->sc->n_without);
}

/* --- layers that are not traced ------------------------------------------------------------------
 */

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *where)
{
    (void)st;
    (void)kind;
    (void)where;
    return remove(path);
}

static int take_away(const struct sim *s, const char *dir)
{
    char path[4096];

    if (!dir)
        return 0;
    snprintf(path, sizeof path, "%s/%s", s->out_dir, dir);
    if (nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS) != 0 && errno != ENOENT)
        return err_set(s->err, E_IO, "%s: %s", path, strerror(errno));
    return 0;
}

int labels_take_away(const struct sim *s)
{
    for (size_t l = 0; l < s->sc->n_without; l++)
        for (size_t i = 0; i < s->hosts.n; i++) {
            const struct host *h = &s->hosts.at[i];
            const char *layer = s->sc->without[l];
            char kernel[512];

            snprintf(kernel, sizeof kernel, "%s/kernel", h->sc->name);
            if (take_away(s, strcmp(layer, "kernel") == 0 ? kernel
                             : strcmp(layer, "qemu") == 0 ? h->qemu_dir
                                                          : h->dir) < 0)
                return -(int)s->err->code;
        }
    return 0;
}
