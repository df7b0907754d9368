/* SPDX-License-Identifier: Apache-2.0
 *
 * analyse.c -- see analyse.h. */
#include "cli/analyse.h"

#include "analysis/list.h"
#include "base/file.h"
#include "cli/open.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

int cli_keep_check(const struct ctx *c)
{
    if (c->g.history && c->g.no_cache) {
        ctx_error(c, "--history says where to keep histories, --no-cache that none is kept");
        return RC_USAGE;
    }
    if (c->g.history && !*c->g.history) {
        ctx_error(c, "--history takes a folder");
        return RC_USAGE;
    }
    return RC_OK;
}

struct keep *cli_keep(struct ctx *c)
{
    struct keep_opts o = { .folder = c->g.history,
                           .memory = c->g.no_cache,
                           .rebuild = c->g.rebuild,
                           .version = NEPH_VERSION "/" ANALYSIS_VERSION };

    return keep_new(&o, &c->notes);
}

static struct clocks_options cli_clocks(const struct ctx *c)
{
    const char *how = c->g.sync ? c->g.sync : "auto";

    return (struct clocks_options){ .mode = strcmp(how, "none") == 0   ? CLOCKS_NONE
                                            : strcmp(how, "auto") == 0 ? CLOCKS_AUTO
                                                                       : CLOCKS_FILE,
                                    .file = how,
                                    .reference = str_of(c->g.reference ? c->g.reference : ""),
                                    .wander_ppm = c->g.wander };
}

struct summary_facts cli_facts(const struct ctx *c)
{
    struct summary_facts f = { 0 };
    struct reader_totals t;

    experiment_totals(&c->x, NULL, &t);
    f.events = t.events;
    f.discarded = t.discarded;
    f.lost_packets = t.lost_packets;
    f.bad_packets = t.bad_packets;
    for (size_t i = 0; i < c->x.hosts.n; i++)
        f.traces += c->x.hosts.at[i].readers.n;
    return f;
}

struct between {
    struct ctx *c;
    struct analysed *a;
};

static int correct(void *ctx, struct store *const *hosts, uint32_t n, struct err *err)
{
    struct between *b = ctx;
    struct clocks_options o = cli_clocks(b->c);
    int rc = clocks_make(hosts, n, &o, &b->a->clocks, err);

    if (rc == 0) {
        clocks_show(&b->a->clocks, hosts);
        clocks_notes(&b->a->clocks, &b->c->notes);
    }
    return rc;
}

/* How clocks are corrected, for the key of what is joined: of a file, all that is in it. */
static struct str correct_key(const struct ctx *c, struct arena *mem)
{
    struct clocks_options o = cli_clocks(c);
    struct fmap map = { 0 };
    struct err err;
    uint64_t content = 0;

    if (o.mode == CLOCKS_FILE && fmap_open(o.file, &map, &err) == 0) {
        content = map.n ? hash_bytes(map.p, map.n, 1) : 0;
        fmap_close(&map);
    }
    return str_of(arena_printf(mem, "%d/%" PRIx64 "/" STR_FMT "/%g", (int)o.mode, content,
                               STR_ARG(o.reference), o.wander_ppm));
}

static int check_clocks(struct ctx *c)
{
    if (c->g.wander < 0 || c->g.wander > 1e5) {
        ctx_error(c, "--wander takes parts in a million, from 0 to 100000");
        return RC_USAGE;
    }
    if (cli_clocks(c).mode == CLOCKS_FILE && access(c->g.sync, R_OK) < 0) {
        ctx_error(c, "--sync takes auto, none, or a file that `neph sync -o json` wrote: %s: %s",
                  c->g.sync, strerror(errno));
        return RC_USAGE;
    }
    return RC_OK;
}

static int analyse_opened(struct ctx *c, const struct engine_watch *watch, struct analysed *ret);

int cli_analyse(struct ctx *c, size_t first, struct analysed *ret)
{
    return cli_analyse_watched(c, first, NULL, ret);
}

int cli_analyse_watched(struct ctx *c, size_t first, const struct engine_watch *watch,
                        struct analysed *ret)
{
    int rc;

    *ret = (struct analysed){ 0 };
    if ((rc = cli_keep_check(c)) != RC_OK || (rc = check_clocks(c)) != RC_OK ||
        (rc = cli_open(c, first)) != RC_OK)
        return rc;
    return analyse_opened(c, watch, ret);
}

int cli_analyse_opened(struct ctx *c, struct analysed *ret)
{
    return analyse_opened(c, NULL, ret);
}

static ns_t first_shown(const struct cloud *c)
{
    ns_t t = NS_MAX;

    for (uint32_t i = 0; i < c->nhosts; i++) {
        struct store_coverage cov;

        store_coverage(c->hosts[i], &cov);
        t = cov.t0 < t ? cov.t0 : t;
    }
    return t;
}

static int analyse_opened(struct ctx *c, const struct engine_watch *watch, struct analysed *ret)
{
    struct between b = { c, ret };
    struct engine_between between = { .fn = correct, .ctx = &b, .watch = watch };
    struct err err;
    int rc;

    *ret = (struct analysed){ 0 };
    if ((rc = cli_keep_check(c)) != RC_OK || (rc = check_clocks(c)) != RC_OK)
        return rc;
    between.key = correct_key(c, &ret->mem);
    ret->keep = cli_keep(c);
    if (engine_analyse(analyses, &c->x, ret->keep, &between, &c->notes, &ret->cloud, &err) < 0) {
        ctx_error(c, "%s", err.text);
        return RC_IO;
    }
    if (ret->cloud.nhosts > 1 && (rc = cli_shown_from(c, first_shown(&ret->cloud))) != RC_OK)
        return rc;
    ret->src = (struct report_src){ .hosts = ret->cloud.hosts,
                                    .nhosts = ret->cloud.nhosts,
                                    .global = ret->cloud.global,
                                    .clocks = &ret->clocks,
                                    .mem = &ret->mem,
                                    .notes = &c->notes,
                                    .show_secrets = c->g.show_secrets,
                                    .span = c->span,
                                    .vm = str_of(c->g.vm ? c->g.vm : ""),
                                    .request = str_of(c->g.request ? c->g.request : "") };
    src_index_make(&ret->src, TABLE_vm, true, C_vm_uuid, &ret->vms);
    ret->src.vms = &ret->vms;
    return cli_check_read(c, RC_OK);
}

const struct serve_totals *analysed_totals(struct analysed *a, const struct experiment *x)
{
    struct serve_totals *ret = arena_array(&a->mem, struct serve_totals, x->hosts.n + 1);

    for (size_t i = 0; i < x->hosts.n; i++) {
        struct reader_totals t;

        experiment_totals(x, &x->hosts.at[i], &t);
        ret[i] = (struct serve_totals){ t.events, t.discarded, t.lost_packets, t.bad_packets };
    }
    return ret;
}

void analysed_free(struct analysed *a)
{
    src_index_free(&a->vms);
    engine_cloud_check(&a->cloud);
    engine_cloud_free(&a->cloud);
    clocks_free(&a->clocks);
    keep_free(a->keep);
    arena_free(&a->mem);
}
