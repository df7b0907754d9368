/* SPDX-License-Identifier: Apache-2.0
 *
 * cmd_sim.c -- a simulated cloud, traced. */
#include "cli/cmd.h"

#include "sim/sim.h"

#include <inttypes.h>

struct sim_opts {
    const char *out, *seed;
    double scale;
};

static int run(struct ctx *c)
{
    const struct sim_opts *o = c->opts;
    struct sim_options opt = { .scale = o->scale };
    struct sim_result res;
    struct err err;
    char length[TIME_TEXT];

    if (!o->out) {
        ctx_error(c, "what is missing: -o DIR, the folder to write to");
        return RC_USAGE;
    }
    if (o->seed) {
        opt.has_seed = true;
        if (!str_u64(str_of(o->seed), &opt.seed)) {
            ctx_error(c, "--seed takes a whole number, not '%s'", o->seed);
            return RC_USAGE;
        }
    }
    if (o->scale < 0) {
        ctx_error(c, "--scale takes a number above 0");
        return RC_USAGE;
    }
    int rc = sim_run(c->args[0], o->out, &opt, &res, &err);
    if (rc < 0) {
        ctx_error(c, "%s", err.text);
        return RC_IO;
    }
    if (!c->g.quiet)
        printf("%s: %" PRIu64 " hosts, %" PRIu64 " requests (%" PRIu64 " failed), %" PRIu64
               " VMs, %" PRIu64 " faults; %" PRIu64 " events of %s, %" PRIu64 " lost\n",
               o->out, res.hosts, res.requests, res.requests_failed, res.vms, res.faults,
               res.events, time_human(res.length_ns, length), res.lost);
    return RC_OK;
}

static const struct opt options[] = {
    { "output", 'o', "DIR", "The folder to write to: new, or empty", OPT_TEXT,
      offsetof(struct sim_opts, out), NULL, 0 },
    { "seed", 0, "N", "Other chances than the scenario's; the same seed gives the same bytes",
      OPT_TEXT, offsetof(struct sim_opts, seed), NULL, 0 },
    { "scale", 0, "X", "So many times the scenario's load", OPT_NUMBER,
      offsetof(struct sim_opts, scale), NULL, 0 },
};

const struct cmd cmd_sim = {
    .name = "sim",
    .summary = "a simulated cloud that writes real traces",
    .args = "SCENARIO",
    .about = "Simulates the cloud that a scenario file describes, and writes what its hosts would "
             "have traced, in LTTng's layout, with DIR/truth.json, which tells what really "
             "happened.",
    .options = options,
    .noptions = ARRAY_SIZE(options),
    .opts_size = sizeof(struct sim_opts),
    .min_args = 1,
    .max_args = 1,
    .run = run,
};
