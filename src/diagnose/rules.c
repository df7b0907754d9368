/* SPDX-License-Identifier: Apache-2.0
 *
 * rules.c -- which rules there are, and on which numbers their word depends. */
#include "diagnose/rule.h"

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
