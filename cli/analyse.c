/* SPDX-License-Identifier: Apache-2.0
 *
 * analyse.c -- see analyse.h. */
#include "cli/analyse.h"

#include "analysis/list.h"
#include "cli/open.h"

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

int cli_analyse(struct ctx *c, size_t first, struct analysed *ret)
{
    struct err err;
    int rc;

    *ret = (struct analysed){ 0 };
    if ((rc = cli_keep_check(c)) != RC_OK || (rc = cli_open(c, first)) != RC_OK)
        return rc;
    ret->keep = cli_keep(c);
    if (engine_analyse(analyses, &c->x, ret->keep, &c->notes, &ret->cloud, &err) < 0) {
        ctx_error(c, "%s", err.text);
        return RC_IO;
    }
    ret->src = (struct report_src){ .hosts = ret->cloud.hosts,
                                    .nhosts = ret->cloud.nhosts,
                                    .global = ret->cloud.global,
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

void analysed_free(struct analysed *a)
{
    src_index_free(&a->vms);
    engine_cloud_check(&a->cloud);
    engine_cloud_free(&a->cloud);
    keep_free(a->keep);
    arena_free(&a->mem);
}
