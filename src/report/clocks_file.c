/* SPDX-License-Identifier: Apache-2.0
 *
 * clocks_file.c -- clocks as a JSON document, and back.
 *
 *   { "reference": NAME,
 *     "hosts": [ { "host", "quality", "slope", "offset_ns", "bound_ns": {min, median, max},
 *                  "drift_ppm", "knots": [[local, corrected, lo, hi], ...] } ],
 *     "pairs": [ { "a", "b", "matched", "used", "rejected", ... } ] }
 *
 * corrected = slope * local + offset_ns, in ns since 1970, where the clock is one line; knots are
 * exact, in ns, straight between, and 'lo' or 'hi' null where a bound is open; outside of them
 * bounds open by drift_ppm.  Whoever writes such a file by hand needs "host", "slope" and
 * "offset_ns" only. */
#include "report/clocks_priv.h"

#include "base/file.h"

#include <inttypes.h>
#include <jansson.h>
#include <math.h>

/* --- writing --------------------------------------------------------------------------- */

static void put_bound(struct json *j, ns_t v)
{
    if (v == NS_MAX || v == NS_MIN)
        json_none(j);
    else
        json_i64(j, v);
}

static void put_bounds(struct json *j, const char *key, ns_t least, ns_t median, ns_t most)
{
    json_kopen(j, key, '{');
    json_key(j, STR("min"));
    put_bound(j, least);
    json_key(j, STR("median"));
    put_bound(j, median);
    json_key(j, STR("max"));
    put_bound(j, most);
    json_close(j, '}');
}

/* With all digits that there are: times a double has not enough of them for. */
static void put_long(struct json *j, const char *key, int digits, long double v)
{
    json_key(j, str_of(key));
    if (isfinite((double)v))
        fprintf(json_raw(j), "%.*Lg", digits, v);
    else
        json_none(j);
}

static void put_kinds(struct json *j, const char *key, const uint64_t *n)
{
    static const char *const names[MESSAGE_KINDS] = {
        [MESSAGE_TCP] = "tcp",       [MESSAGE_TCP_END] = "tcp-end", [MESSAGE_UDP] = "udp",
        [MESSAGE_SOCKET] = "socket", [MESSAGE_RPC] = "rpc",         [MESSAGE_REQUEST] = "request",
        [MESSAGE_CALL] = "call",     [MESSAGE_VMSYNC] = "vmsync",
    };

    json_kopen(j, key, '{');
    for (int i = 0; i < MESSAGE_KINDS; i++)
        if (n[i])
            json_ku64(j, names[i], n[i]);
    json_close(j, '}');
}

static void put_host(struct json *j, const struct host_clock *h)
{
    json_open(j, '{');
    json_kstr(j, "host", str_of(h->host));
    json_kstr(j, "quality", str_of(clocks_quality(h)));
    put_long(j, "slope", 21, 1 + (long double)h->c.skew);
    put_long(j, "offset_ns", 20, (long double)h->c.offset);
    put_bounds(j, "bound_ns", h->least, h->median, h->most);
    json_key(j, STR("kept"));
    json_bool(j, h->kept);
    put_kinds(j, "sent", h->sent);
    put_kinds(j, "received", h->received);
    json_key(j, STR("drift_ppm"));
    json_f64(j, h->c.drift_ppm);
    json_kopen(j, "knots", '[');
    for (uint32_t i = 0; i < h->c.nknots; i++) {
        const struct sync_knot *k = &h->c.knots[i];

        json_open(j, '[');
        json_i64(j, k->local);
        json_i64(j, k->corrected);
        put_bound(j, k->lo);
        put_bound(j, k->hi);
        json_close(j, ']');
    }
    json_close(j, ']');
    json_close(j, '}');
}

static void put_pair(struct json *j, const struct clocks *c, const struct sync_pair *p)
{
    json_open(j, '{');
    json_kstr(j, "a", str_of(c->at[p->a].host));
    json_kstr(j, "b", str_of(c->at[p->b].host));
    json_ku64(j, "matched", p->matched);
    json_ku64(j, "used", p->used);
    json_ku64(j, "rejected", p->rejected);
    json_kstr(j, "quality",
              str_of(p->quality == SYNC_EXACT     ? "exact"
                     : p->quality == SYNC_ONE_WAY ? "one-way"
                                                  : "none"));
    json_key(j, STR("slope_ppm"));
    json_f64(j, p->slope_ppm);
    json_key(j, STR("offset_ns"));
    json_f64(j, p->offset);
    put_bounds(j, "bound_ns", p->bound_min, p->bound_median, p->bound_max);
    put_bounds(j, "linear_bound_ns", p->linear_min, p->linear_median, p->linear_max);
    json_ku64(j, "pieces", p->pieces);
    json_key(j, STR("dropped"));
    json_bool(j, p->dropped);
    json_close(j, '}');
}

void clocks_json(const struct clocks *c, struct json *j)
{
    json_key(j, STR("reference"));
    if (c->nhosts)
        json_str(j, str_of(c->at[c->reference].host));
    else
        json_none(j);
    json_kopen(j, "hosts", '[');
    for (uint32_t i = 0; i < c->nhosts; i++)
        put_host(j, &c->at[i]);
    json_close(j, ']');
    json_kopen(j, "pairs", '[');
    for (size_t i = 0; i < c->npairs; i++)
        put_pair(j, c, &c->pairs[i]);
    json_close(j, ']');
}

/* --- reading --------------------------------------------------------------------------- */

static bool take_time(const json_t *v, ns_t open, ns_t *ret)
{
    *ret = json_is_null(v) ? open : (ns_t)json_integer_value(v);
    return json_is_integer(v) || (json_is_null(v) && open != 0);
}

static int take_knots(struct clocks *c, struct sync_clock *to, const json_t *list, const char *host,
                      struct err *err)
{
    size_t n = json_array_size(list), i;
    json_t *v;

    to->knots = arena_array(&c->mem, struct sync_knot, n + 1);
    json_array_foreach(list, i, v)
    {
        struct sync_knot *k = &to->knots[i];

        if (!take_time(json_array_get(v, 0), 0, &k->local) ||
            !take_time(json_array_get(v, 1), 0, &k->corrected) ||
            !take_time(json_array_get(v, 2), NS_MIN, &k->lo) ||
            !take_time(json_array_get(v, 3), NS_MAX, &k->hi) || k->lo > k->corrected ||
            k->hi < k->corrected ||
            (i > 0 && (k->local <= k[-1].local || k->corrected < k[-1].corrected ||
                       k->lo < k[-1].lo || k->hi < k[-1].hi)))
            return err_set(err, E_CORRUPT,
                           "knot %zu of host %s makes no sense: four times are needed, each later "
                           "than those of the knot before, the second between the last two",
                           i, host);
    }
    to->nknots = (uint32_t)n;
    return 0;
}

/* A line that is known by its slope and offset alone: two knots, and nobody knows the bounds. */
static int take_line(struct clocks *c, struct sync_clock *to, const char *host, struct err *err)
{
    const ns_t day = 86400 * NS_PER_S;
    ns_t around = 0;

    if (to->slope < 0.5 || to->slope > 2)
        return err_set(err, E_CORRUPT, "the slope of host %s is %g: no clock runs like that", host,
                       to->slope);
    to->knots = arena_array(&c->mem, struct sync_knot, 2);
    for (int i = 0; i < 2; i++) {
        /* Around 2020, where traces are; beyond, the line goes on. */
        around = 1577836800 * NS_PER_S + (i ? day * 365 * 20 : 0);
        long double at = (long double)around + (long double)to->skew * (long double)around +
                         (long double)to->offset;

        if (at < -9.2e18L || at > 9.2e18L)
            return err_set(err, E_CORRUPT, "the clock of host %s leaves the years 1678 to 2261",
                           host);
        to->knots[i] = (struct sync_knot){ around, (ns_t)llrintl(at), NS_MIN, NS_MAX };
    }
    to->nknots = 2;
    return 0;
}

/* A number of a host, if it is there. */
static int take_number(const json_t *o, const char *host, const char *key, double *ret,
                       struct err *err)
{
    const json_t *v = json_object_get(o, key);

    if (v && !json_is_number(v))
        return err_set(err, E_CORRUPT, "\"%s\" of host %s is no number", key, host);
    if (v)
        *ret = json_number_value(v);
    return 0;
}

static int take_quality(const json_t *o, const char *host, enum sync_quality *ret, struct err *err)
{
    static const char *const names[] = { [SYNC_REFERENCE] = "reference",
                                         [SYNC_EXACT] = "exact",
                                         [SYNC_ONE_WAY] = "one-way",
                                         [SYNC_NONE] = "none" };
    const json_t *v = json_object_get(o, "quality");

    *ret = SYNC_EXACT;
    for (size_t i = 0; v && i < ARRAY_SIZE(names); i++)
        if (json_is_string(v) && strcmp(names[i], json_string_value(v)) == 0) {
            *ret = (enum sync_quality)i;
            return 0;
        }
    if (v)
        return err_set(err, E_CORRUPT,
                       "\"quality\" of host %s is '%s', not reference, exact, one-way or none",
                       host, json_is_string(v) ? json_string_value(v) : "no text");
    return 0;
}

static int take_host(struct clocks *c, const json_t *o, bool *seen, struct err *err)
{
    const char *name = json_string_value(json_object_get(o, "host"));
    const json_t *knots = json_object_get(o, "knots");
    struct host_clock *h = NULL;

    if (!name)
        return err_set(err, E_CORRUPT, "an entry of \"hosts\" has no \"host\"");
    for (uint32_t i = 0; i < c->nhosts; i++)
        h = strcmp(c->at[i].host, name) == 0 ? &c->at[i] : h;
    if (!h)
        return 0; /* not among these traces */
    if (seen[h - c->at])
        return err_set(err, E_CORRUPT, "host %s is there twice", name);
    seen[h - c->at] = true;
    struct sync_clock *to = &h->c;
    *to = (struct sync_clock){ .slope = 1, .drift_ppm = 1000 };
    int rc = take_quality(o, name, &to->quality, err);
    rc = rc ? rc : take_number(o, name, "slope", &to->slope, err);
    rc = rc ? rc : take_number(o, name, "offset_ns", &to->offset, err);
    rc = rc ? rc : take_number(o, name, "drift_ppm", &to->drift_ppm, err);
    if (rc)
        return rc;
    to->skew = to->slope - 1;
    if (!(to->drift_ppm >= 0 && to->drift_ppm <= 1e6))
        return err_set(err, E_CORRUPT, "\"drift_ppm\" of host %s is %g", name, to->drift_ppm);
    h->kept = json_is_true(json_object_get(o, "kept"));
    if (to->quality == SYNC_REFERENCE || to->quality == SYNC_NONE)
        return 0;
    if (knots && !json_is_array(knots))
        return err_set(err, E_CORRUPT, "\"knots\" of host %s are no list", name);
    if (json_array_size(knots) > 0)
        return take_knots(c, to, knots, name, err);
    return take_line(c, to, name, err);
}

static int take_document(struct clocks *c, const json_t *o, struct err *err)
{
    const char *reference = json_string_value(json_object_get(o, "reference"));
    const json_t *hosts = json_object_get(o, "hosts");
    size_t i;
    json_t *v;
    int rc = 0;

    if (!json_is_array(hosts))
        return err_set(err, E_CORRUPT, "is no document of `neph sync -o json`: no array \"hosts\"");
    if (c->nhosts)
        c->at[c->reference].c.quality = SYNC_NONE;
    bool *seen = arena_array(&c->mem, bool, c->nhosts + 1);
    json_array_foreach(hosts, i, v) if (rc == 0) rc = take_host(c, v, seen, err);
    for (uint32_t k = 0; k < c->nhosts; k++)
        if (reference && strcmp(c->at[k].host, reference) == 0)
            c->reference = k;
    return rc;
}

int clocks_read(struct clocks *c, const char *path, struct err *err)
{
    struct fmap map;
    json_error_t why;
    int rc = fmap_open(path, &map, err);

    if (rc < 0)
        return rc;
    json_t *o = json_loadb(map.p ? (const char *)map.p : "", map.n, JSON_REJECT_DUPLICATES, &why);
    fmap_close(&map);
    if (!o)
        return err_set(err, E_CORRUPT, "%s: line %d, column %d: %s", path, why.line, why.column,
                       why.text);
    rc = take_document(c, o, err);
    json_decref(o);
    if (rc < 0)
        err_in(err, "%s", path);
    return rc;
}
