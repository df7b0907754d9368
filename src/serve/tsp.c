/* SPDX-License-Identifier: Apache-2.0
 *
 * tsp.c -- see tsp.h. */
#include "serve/tsp.h"

#include <stdlib.h>

struct tsp {
    struct serve *s;
};

struct tsp *tsp_new(struct serve *s)
{
    struct tsp *t = xcalloc(1, sizeof *t);

    t->s = s;
    return t;
}

void tsp_free(struct tsp *t)
{
    free(t);
}

static void get_health(struct serve *s, const struct request *q, struct reply *r)
{
    struct json *j = reply_json(r);

    (void)s, (void)q;
    json_open(j, '{');
    json_kstr(j, "status", STR("UP"));
    json_close(j, '}');
}

static void get_metrics(struct serve *s, const struct request *q, struct reply *r)
{
    (void)s, (void)q;
    reply_fail(r, 404, "metrics come in a later version");
}

const struct route tsp_routes[] = {
    { METHOD_GET, "/tsp/api/health", ROUTE_EARLY | ROUTE_TSP, "", NULL, NULL, get_health },
    { METHOD_GET, "/metrics", ROUTE_EARLY | ROUTE_TSP, "", NULL, NULL, get_metrics },
    { 0 },
};
