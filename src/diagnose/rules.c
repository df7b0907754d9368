/* SPDX-License-Identifier: Apache-2.0
 *
 * rules.c -- which rules there are, and on which numbers their word depends. */
#include "diagnose/rule.h"

#include "base/file.h"

#include <math.h>
#include <stdlib.h>

#define R(id) &rule_##id,
const struct rule *const rules[] = { RULES(R) NULL };
#undef R

static const struct rule *find(struct str name)
{
    for (size_t i = 0; rules[i]; i++)
        if (str_eq(str_of(rules[i]->name), name))
            return rules[i];
    return NULL;
}

const struct rule *rule_find(const char *name)
{
    return find(str_of(name));
}

double rule_limit(const struct diagnosis *d, const struct rule *r, size_t i)
{
    double v = r->limits[i].value;

    for (size_t k = 0; d->limits && k < d->limits->at.n; k++)
        if (d->limits->at.at[k].rule == r && d->limits->at.at[k].limit == i)
            v = d->limits->at.at[k].value;
    return v;
}

ns_t rule_limit_ns(const struct diagnosis *d, const struct rule *r, size_t i)
{
    double ns = rule_limit(d, r, i) * (double)NS_PER_S;

    return ns >= (double)NS_MAX ? NS_MAX : (ns_t)ns;
}

/* "RULE.LIMIT=VALUE" in its three parts. */
static bool split(struct str s, struct str *ret_rule, struct str *ret_limit, struct str *ret_value)
{
    const char *dot = memchr(s.p, '.', s.n);
    const char *is = dot ? memchr(dot, '=', s.n - (size_t)(dot - s.p)) : NULL;

    if (!is)
        return false;
    *ret_rule = (struct str){ s.p, (size_t)(dot - s.p) };
    *ret_limit = (struct str){ dot + 1, (size_t)(is - dot - 1) };
    *ret_value = (struct str){ is + 1, s.n - (size_t)(is + 1 - s.p) };
    return true;
}

int limits_take(struct limits_set *to, const char *setting, struct err *err)
{
    struct str name, limit, value;
    char *end;

    if (!split(str_of(setting), &name, &limit, &value))
        return err_set(err, E_ARG, "'%s' is not RULE.LIMIT=VALUE", setting);
    const struct rule *r = find(name);
    if (!r)
        return err_set(err, E_ARG, "there is no rule '" STR_FMT "'; `neph explain` lists them",
                       STR_ARG(name));
    size_t i = 0;
    while (i < r->nlimits && !str_eq(str_of(r->limits[i].name), limit))
        i++;
    if (i == r->nlimits)
        return err_set(err, E_ARG,
                       "rule %s has no limit '" STR_FMT "'; `neph explain %s` lists them", r->name,
                       STR_ARG(limit), r->name);
    double v = strtod(value.p, &end);
    if (value.n == 0 || *end || !isfinite(v) || v < 0)
        return err_set(err, E_ARG, "'" STR_FMT "' is not a number of at least 0", STR_ARG(value));
    *vec_push(&to->at) = (struct limit_set){ r, i, v };
    return 0;
}

/* A line of a file of limits; empty ones and comments are none. */
static int take_line(struct limits_set *to, struct str line, struct err *err)
{
    struct sbuf setting = { 0 };
    size_t hash = str_chr(line, '#', 0);
    int rc;

    line = str_trim(hash == STR_NONE ? line : str_first(line, hash));
    if (line.n == 0)
        return 0;
    size_t is = str_chr(line, '=', 0);
    if (is == STR_NONE || memchr(line.p, '\0', line.n))
        return err_set(err, E_ARG, "'" STR_FMT "' is not RULE.LIMIT = VALUE",
                       STR_ARG(str_first(line, 80)));
    struct str name = str_trim(str_first(line, is)), value = str_trim(str_from(line, is + 1));
    sbuf_fmt(&setting, STR_FMT "=" STR_FMT, STR_ARG(name), STR_ARG(value));
    rc = limits_take(to, setting.p, err);
    sbuf_free(&setting);
    return rc;
}

int limits_read(struct limits_set *to, const char *path, struct err *err)
{
    struct fmap map;
    int rc = fmap_open(path, &map, err);
    size_t no = 1;

    if (rc < 0)
        return rc;
    struct str rest = { (const char *)map.p, map.n };
    while (rest.n && rc == 0) {
        size_t end = str_chr(rest, '\n', 0);

        rc = take_line(to, str_first(rest, end), err);
        if (rc < 0)
            err_in(err, "%s: line %zu", path, no);
        rest = end == STR_NONE ? STR("") : str_from(rest, end + 1);
        no++;
    }
    fmap_close(&map);
    return rc;
}
