/* SPDX-License-Identifier: Apache-2.0
 *
 * rules_list.c -- what the rules say of themselves, as a table. */
#include "diagnose/rule.h"

const struct column rules_columns[] = {
    { "rule", "RULE", COL_STR, 0, 0, 0 },
    { "layer", "LAYER", COL_STR, 0, 0, 0 },
    { "title", "SAYS THAT", COL_STR, 0, 0, 0 },
    { "doc", "WHEN", COL_STR, 0, COL_WIDE, 0 },
    { "remedy", "REMEDY", COL_STR, 0, COL_WIDE, 0 },
    { "needs", "NEEDS", COL_STR, 0, COL_WIDE, 0 },
};
const size_t nrules_columns = ARRAY_SIZE(rules_columns);

static void add(struct table *t, const struct rule *r)
{
    table_row(t);
    table_str(t, str_of(r->name));
    table_str(t, str_of(layer_name(r->layer)));
    table_str(t, str_of(r->title));
    table_str(t, str_of(r->doc));
    table_str(t, str_of(r->remedy));
    table_str(t, str_of(r->needs));
}

void rules_fill(const struct rule *only, struct table *t)
{
    for (size_t i = 0; rules[i]; i++)
        if (!only || rules[i] == only)
            add(t, rules[i]);
}
