/* SPDX-License-Identifier: Apache-2.0
 *
 * analyse.c -- see analyse.h. */
#include "cli/analyse.h"

#include "analysis/list.h"
#include "cli/open.h"

int cli_analyse(struct ctx *c, size_t first, struct analysed *ret)
{
    struct err err;
    int rc;

    *ret = (struct analysed){ 0 };
    rc = cli_open(c, first);
    if (rc != RC_OK)
        return rc;
    if (engine_analyse(analyses, &c->x, &c->notes, &ret->cloud, &err) < 0) {
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
    engine_cloud_free(&a->cloud);
    arena_free(&a->mem);
}
