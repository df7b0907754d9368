/* SPDX-License-Identifier: Apache-2.0
 *
 * events.c -- the table of events.h as data. */
#include "model/events.h"

#include <stddef.h>

#define F(S, type, m, trace_names, need)    \
    { .member = #m,                         \
      .names = (trace_names),               \
      .kind = EV_##type,                    \
      .offset = offsetof(struct ev_##S, m), \
      .needed = (need) },
#define E(id, n, trace_names) static const struct ev_field n##_fields[] = { EV_FIELDS_##n(F, n) };
EVENTS(E)
#undef E
#undef F

const struct ev_desc ev_descs[EV_TYPES] = {
#define E(id, n, trace_names)                   \
    [id] = { .name = #n,                        \
             .names = trace_names,              \
             .fields = n##_fields,              \
             .nfields = ARRAY_SIZE(n##_fields), \
             .size = sizeof(struct ev_##n) },
    EVENTS(E)
#undef E
};

#define E(id, n, trace_names) \
    _Static_assert(sizeof(struct ev_##n) <= EV_MAX_BYTES, "raise EV_MAX_BYTES");
EVENTS(E)
#undef E

bool ev_name_is(const char *names, struct str name)
{
    struct str rest = str_of(names);

    while (rest.n) {
        size_t bar = str_chr(rest, '|', 0);
        struct str one = bar == STR_NONE ? rest : str_first(rest, bar);

        if (str_eq(one, name))
            return true;
        rest = bar == STR_NONE ? STR("") : str_from(rest, bar + 1);
    }
    return false;
}

/* The longest pattern of 'names' that 'name' fits, without its '*'; empty: none. */
static struct str fitting(const char *names, struct str name)
{
    struct str rest = str_of(names), best = STR("");

    while (rest.n) {
        size_t bar = str_chr(rest, '|', 0);
        struct str one = bar == STR_NONE ? rest : str_first(rest, bar);

        if (one.p[one.n - 1] == '*' && one.n - 1 > best.n &&
            str_starts(name, str_first(one, one.n - 1)) && name.n >= one.n)
            best = str_first(one, one.n - 1);
        rest = bar == STR_NONE ? STR("") : str_from(rest, bar + 1);
    }
    return best;
}

struct str ev_name_rest(enum ev_type type, struct str name)
{
    struct str fits = fitting(ev_descs[type].names, name);

    return fits.n ? str_from(name, fits.n) : STR("");
}

enum ev_type ev_find(struct str name)
{
    enum ev_type best = EV_OTHER;
    size_t most = 0;

    for (int i = 0; i < EV_TYPES; i++)
        if (ev_descs[i].names[0] && ev_name_is(ev_descs[i].names, name))
            return (enum ev_type)i;
    for (int i = 0; i < EV_TYPES; i++) {
        size_t n = fitting(ev_descs[i].names, name).n;

        if (n > most) {
            most = n;
            best = (enum ev_type)i;
        }
    }
    return best;
}

const struct ev_field *ev_field_of(enum ev_type type, const char *member)
{
    for (uint32_t i = 0; i < ev_descs[type].nfields; i++)
        if (!strcmp(ev_descs[type].fields[i].member, member))
            return &ev_descs[type].fields[i];
    return NULL;
}
