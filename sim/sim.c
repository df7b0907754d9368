/* SPDX-License-Identifier: Apache-2.0
 *
 * sim.c -- one simulation from its scenario to its traces, see sim.h. */
#include "sim/sim.h"

#include "base/file.h"
#include "sim/engine.h"
#include "sim/kern.h"
#include "sim/labels.h"
#include "sim/migrate.h"
#include "sim/truth.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

/* The output folder must be new or empty. */
static int prepare_folder(const char *path, struct err *err)
{
    struct arena mem = { 0 };
    struct dir_entry *entries;
    struct stat st;
    size_t n = 0;
    int rc = 0;

    if (stat(path, &st) != 0) {
        if (errno != ENOENT)
            return err_set(err, E_IO, "%s: %s", path, strerror(errno));
        return ctfw_mkdirs(path, err);
    }
    if (!S_ISDIR(st.st_mode))
        return err_set(err, E_ARG, "%s: is not a folder", path);
    rc = dir_list(path, &mem, &entries, &n, err);
    if (rc == 0 && n > 0)
        rc = err_set(err, E_ARG, "%s: the folder is not empty; name a new one, or empty it first",
                     path);
    arena_free(&mem);
    return rc;
}

static void sum_up(const struct sim *s, struct sim_result *ret)
{
    struct sim_result r = { .hosts = s->hosts.n,
                            .requests = s->reqs.n,
                            .tasks = s->tasks.n,
                            .vms = s->vms.n,
                            .faults = s->sc->faults.n,
                            .length_ns = s->end - s->begin };

    for (size_t i = 0; i < s->reqs.n; i++) {
        r.requests_failed += s->reqs.at[i]->error != NULL;
        r.faults += s->reqs.at[i]->fault.kind != FAULT_NONE;
    }
    for (size_t i = 0; i < s->hosts.n; i++) {
        const struct host *h = &s->hosts.at[i];

        for (unsigned cpu = 0; h->channel && cpu < h->sc->cpus; cpu++) {
            struct ctfw_counts n = ctfw_counts(h->channel, cpu);

            r.events += n.written;
            r.lost += n.discarded + n.dropped;
            r.bytes += n.bytes;
        }
        struct ctfw_counts q = migrate_counts(h);

        r.events += q.written;
        r.lost += q.discarded + q.dropped;
        r.bytes += q.bytes;
        if (h->kern) {
            struct kern_totals n = kern_totals(h->kern);

            r.events += n.events;
            r.lost += n.lost;
            r.bytes += n.bytes;
            r.length_ns = n.length_ns > r.length_ns ? n.length_ns : r.length_ns;
        }
    }
    *ret = r;
}

/* A slow step that the operation does not have is a mistake in the file. */
static int check_slow_steps(const struct sim *s)
{
    for (size_t i = 0; i < s->sc->operations.n; i++) {
        const struct req *r = s->op_reqs[i];

        if (r && (r->fault.kind == FAULT_SLOW || r->fault.kind == FAULT_HANG) &&
            !r->fault_applied && !r->error)
            return err_set(s->err, E_ARG,
                           "operations[%zu].fault.step: \"%s\" never ran in this operation", i,
                           r->fault.step);
    }
    return 0;
}

static int simulate(struct sim *s, struct sim_result *ret)
{
    struct arena mem = { 0 };
    int rc = cloud_build(s);

    if (rc < 0)
        return rc;
    rc = migrate_play(s);
    if (rc == 0)
        rc = migrate_write(s);
    if (rc < 0)
        return rc;
    if (!s->sc->kernel || !s->sc->kernel->only) {
        cloud_background(s);
        cloud_plan(s);
        engine_run(s);
        if (s->failed)
            return -(int)s->err->code;
        rc = cloud_close(s);
    }
    if (rc == 0)
        rc = kern_simulate_all(s);
    if (rc == 0)
        rc = truth_write(s, path_join(&mem, s->out_dir, "truth.json"));
    arena_free(&mem);
    if (rc == 0)
        rc = check_slow_steps(s);
    if (rc == 0)
        rc = labels_take_away(s);
    if (rc == 0)
        sum_up(s, ret);
    return rc;
}

/* Simulates 'sc' and frees it. */
static int run(struct scenario *sc, const char *out_dir, struct sim_result *ret, struct err *err)
{
    int rc = prepare_folder(out_dir, err);

    if (rc == 0) {
        struct sim s = { .sc = sc,
                         .out_dir = out_dir,
                         .err = err,
                         .now = sc->start,
                         .begin = sc->start,
                         .end = sc->start + sc->duration_ns,
                         .engine = engine_new() };

        rng_seed(&s.rng, sc->seed);
        rc = simulate(&s, ret);
        cloud_free(&s);
    }
    scenario_free(sc);
    return rc;
}

int sim_run(const char *scenario_path, const char *out_dir, const struct sim_options *opt,
            struct sim_result *ret, struct err *err)
{
    struct scenario sc;
    int rc = scenario_load(scenario_path, opt ? opt->scale : 0, &sc, err);

    if (rc < 0)
        return rc;
    if (opt && opt->has_seed)
        sc.seed = opt->seed;
    return run(&sc, out_dir, ret, err);
}

int sim_run_faults(const struct faults_wanted *w, const char *out_dir, struct sim_result *ret,
                   struct err *err)
{
    json_t *drawn = faults_draw(w);
    struct arena mem = { 0 };
    struct scenario sc;
    int rc = scenario_read(drawn, "faults", 0, &sc, err);

    if (rc == 0)
        rc = run(&sc, out_dir, ret, err);
    if (rc == 0 && json_dump_file(drawn, path_join(&mem, out_dir, "scenario.json"),
                                  JSON_INDENT(1) | JSON_REAL_PRECISION(6)) < 0)
        rc = err_set(err, E_IO, "%s/scenario.json: cannot write", out_dir);
    arena_free(&mem);
    json_decref(drawn);
    return rc;
}
