/* SPDX-License-Identifier: Apache-2.0
 *
 * cmd_sim.c -- a simulated cloud, traced. */
#include "cli/cmd.h"

#include "sim/sim.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

struct sim_opts {
    const char *out, *seed, *faults;
    double scale, load, drift;
    bool list, noise, lost;
    struct opt_list without;
};

static int list_faults(void)
{
    for (const struct fault *f = faults; f->name; f++)
        printf("%-22s %-22s %s\n", f->name, f->rule ? f->rule : "-", f->about);
    return RC_OK;
}

/* "NAME,NAME" to faults. */
static int read_faults(struct ctx *c, const char *names, struct faults_wanted *w)
{
    enum { MOST = ARRAY_SIZE(w->list) };

    for (size_t n = 0; *names; n++) {
        size_t len = strcspn(names, ",");
        char name[64];

        snprintf(name, sizeof name, "%.*s", (int)len, names);
        if (n == MOST) {
            ctx_error(c, "--fault: at most %d faults at a time", MOST);
            return RC_USAGE;
        }
        w->list[n] = fault_find(name);
        if (!w->list[n]) {
            ctx_error(c, "--fault: there is no fault '%s'; neph sim --list-faults has them", name);
            return RC_USAGE;
        }
        names += len + (names[len] == ',');
    }
    return RC_OK;
}

static int check_layers(struct ctx *c, const struct opt_list *l)
{
    for (size_t i = 0; i < l->n; i++)
        if (strcmp(l->at[i], "kernel") != 0 && strcmp(l->at[i], "qemu") != 0 &&
            strcmp(l->at[i], "openstack") != 0) {
            ctx_error(c, "--without takes kernel, qemu or openstack, not '%s'", l->at[i]);
            return RC_USAGE;
        }
    return RC_OK;
}

/* A cloud that is drawn. */
static int run_faults(struct ctx *c, const struct sim_opts *o, uint64_t seed,
                      struct sim_result *res, struct err *err)
{
    struct faults_wanted w = { .seed = seed,
                               .load = o->load > 0 ? o->load : -1,
                               .noise = o->noise,
                               .lost_events = o->lost,
                               .drift_ppm = o->drift > 0 ? o->drift : -1,
                               .without = (const char *const *)o->without.at,
                               .n_without = o->without.n };
    int rc = read_faults(c, o->faults, &w);

    if (rc == RC_OK)
        rc = check_layers(c, &o->without);
    if (rc == RC_OK && (o->load < 0 || o->load > 1 || o->drift < 0 || o->drift > 1000)) {
        ctx_error(c, "--load takes a share of the CPUs above 0, --drift at most 1000");
        rc = RC_USAGE;
    }
    if (rc != RC_OK)
        return rc;
    rc = sim_run_faults(&w, o->out, res, err);
    if (rc < 0)
        ctx_error(c, "%s", err->text);
    return rc < 0 ? RC_IO : RC_OK;
}

static int run_file(struct ctx *c, const struct sim_opts *o, uint64_t seed, struct sim_result *res,
                    struct err *err)
{
    struct sim_options opt = { .scale = o->scale, .has_seed = o->seed != NULL, .seed = seed };
    int rc;

    if (c->nargs == 0) {
        ctx_error(c, "what is missing: SCENARIO, or --fault NAME");
        return RC_USAGE;
    }
    rc = sim_run(c->args[0], o->out, &opt, res, err);
    if (rc < 0)
        ctx_error(c, "%s", err->text);
    return rc < 0 ? RC_IO : RC_OK;
}

static int run(struct ctx *c)
{
    const struct sim_opts *o = c->opts;
    uint64_t seed = 1;
    struct sim_result res;
    struct err err;
    char length[TIME_TEXT];

    if (o->list)
        return list_faults();
    if (!o->out) {
        ctx_error(c, "what is missing: -o DIR, the folder to write to");
        return RC_USAGE;
    }
    if (o->seed && !str_u64(str_of(o->seed), &seed)) {
        ctx_error(c, "--seed takes a whole number, not '%s'", o->seed);
        return RC_USAGE;
    }
    if (o->faults && c->nargs) {
        ctx_error(c, "give either SCENARIO or --fault");
        return RC_USAGE;
    }
    if (o->scale < 0) {
        ctx_error(c, "--scale takes a number above 0");
        return RC_USAGE;
    }
    int rc = o->faults ? run_faults(c, o, seed, &res, &err) : run_file(c, o, seed, &res, &err);

    if (rc != RC_OK)
        return rc;
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
    { "fault", 0, "NAME[,NAME]", "A drawn cloud with these faults, instead of a scenario", OPT_TEXT,
      offsetof(struct sim_opts, faults), NULL, 0 },
    { "list-faults", 0, NULL, "Write each fault, the rule that should find it, and what happens",
      OPT_FLAG, offsetof(struct sim_opts, list), NULL, 0 },
    { "without", 0, "LAYER", "Leave out the traces of kernel, qemu or openstack; may be repeated",
      OPT_LIST, offsetof(struct sim_opts, without), NULL, 0 },
    { "load", 0, "SHARE", "Of the CPUs, that benign work takes (default: drawn)", OPT_NUMBER,
      offsetof(struct sim_opts, load), NULL, 0 },
    { "noise", 0, NULL, "More interrupts, and processes that come and go", OPT_FLAG,
      offsetof(struct sim_opts, noise), NULL, 0 },
    { "lost-events", 0, NULL, "A tracer's buffer is full for a moment", OPT_FLAG,
      offsetof(struct sim_opts, lost), NULL, 0 },
    { "drift", 0, "PPM", "Of the hosts' clocks, at most (default: drawn)", OPT_NUMBER,
      offsetof(struct sim_opts, drift), NULL, 0 },
};

const struct cmd cmd_sim = {
    .name = "sim",
    .summary = "a simulated cloud that writes real traces",
    .args = "[SCENARIO]",
    .about = "Simulates the cloud that a scenario file describes, and writes what its hosts would "
             "have traced, in LTTng's layout, with DIR/truth.json, which tells what really "
             "happened. With --fault, the cloud is drawn from the seed.",
    .options = options,
    .noptions = ARRAY_SIZE(options),
    .opts_size = sizeof(struct sim_opts),
    .min_args = 0,
    .max_args = 1,
    .run = run,
};
