/* SPDX-License-Identifier: Apache-2.0
 *
 * experiment.c -- see experiment.h. */
#include "input/experiment.h"

#include "base/file.h"
#include "base/limits.h"
#include "ctf/trace.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* Parts of the folders that LTTng makes; what is left names the host. */
static bool is_layout_part(struct str part)
{
    static const char *const words[] = { "kernel", "ust", "uid",          "pid", "64-bit",
                                         "32-bit", "ctf", "lttng-traces", "." };

    for (size_t i = 0; i < ARRAY_SIZE(words); i++)
        if (str_is(part, words[i]))
            return true;
    for (size_t i = 0; i < part.n; i++)
        if (!isdigit((unsigned char)part.p[i]))
            return false;
    return true;
}

/* A host's name for a trace that does not tell: the last folder of its path
 * that is not part of LTTng's layout. */
static struct str host_of_path(const char *path)
{
    struct str rest = str_of(path);

    while (rest.n) {
        size_t slash = str_rchr(rest, '/');
        struct str part = slash == STR_NONE ? rest : str_from(rest, slash + 1);

        if (part.n && !is_layout_part(part))
            return part;
        rest = slash == STR_NONE ? STR("") : str_first(rest, slash);
    }
    return STR("unknown");
}

/* The host that the user says 'path' is of; empty: nothing was said. */
static struct str said_host(const struct experiment *x, const char *path)
{
    struct str best = STR("");
    size_t most = 0;
    char *real = x->nsaid ? realpath(path, NULL) : NULL;

    for (size_t i = 0; i < x->nsaid && real; i++) {
        char *folder = realpath(x->said[i].path, NULL);
        size_t n = folder ? strlen(folder) : 0;

        if (n > most && strncmp(real, folder, n) == 0 &&
            (real[n] == '/' || real[n] == '\0' || folder[n - 1] == '/')) {
            best = x->said[i].name;
            most = n;
        }
        free(folder);
    }
    free(real);
    return best;
}

static void add_reader(struct experiment *x, struct reader *r)
{
    struct str said = said_host(x, r->path);

    if (said.n)
        r->host = str_dup(&r->mem, said);
    if (r->host.n == 0)
        r->host = str_dup(&r->mem, host_of_path(r->path));
    for (size_t i = 0; i < x->hosts.n; i++)
        if (str_eq(x->hosts.at[i].name, r->host)) {
            *vec_push(&x->hosts.at[i].readers) = r;
            return;
        }
    struct host h = { .name = str_dup(&x->mem, r->host) };
    *vec_push(&h.readers) = r;
    *vec_push(&x->hosts) = h;
}

/* The folder of a file, without its '/'; empty: the current one. */
static struct str folder_of(const char *path)
{
    struct str p = str_of(path);
    size_t slash = str_rchr(p, '/');

    if (slash == STR_NONE)
        return STR("");
    return slash ? str_first(p, slash) : STR("/");
}

static bool is_below(const char *path, struct str folder)
{
    struct str p = str_of(path);

    if (folder.n == 0)
        return p.n && p.p[0] != '/' && !str_starts(p, STR("../"));
    return str_starts(p, folder) &&
           (str_is(folder, "/") || (p.n > folder.n && p.p[folder.n] == '/'));
}

/* The one host that traces below 'folder' are of; empty if there are several, or none. */
static struct str host_below(const struct experiment *x, struct str folder)
{
    struct str host = STR("");

    for (size_t i = 0; i < x->hosts.n; i++) {
        const struct host *h = &x->hosts.at[i];
        bool here = false;

        for (size_t k = 0; k < h->readers.n; k++)
            here |= is_below(h->readers.at[k]->path, folder);
        if (here && host.n)
            return STR("");
        if (here)
            host = h->name;
    }
    return host;
}

/* The host whose name a file's ends with: compute1 for qemu-compute1.log. */
static struct str host_in_name(const struct experiment *x, struct str file)
{
    struct str best = STR("");

    for (;;) {
        for (size_t i = 0; i < x->hosts.n; i++) {
            struct str name = x->hosts.at[i].name;

            if (name.n > best.n && str_ends(file, name) &&
                (file.n == name.n || ispunct((unsigned char)file.p[file.n - name.n - 1])))
                best = name;
        }
        size_t dot = str_rchr(file, '.');
        if (best.n || dot == STR_NONE)
            return best;
        file = str_first(file, dot);
    }
}

/* Where no other trace tells: X of qemu-X.log and qmp-X.jsonl; empty: the file is not called so. */
static struct str host_by_habit(struct str file)
{
    static const char *const heads[] = { "qemu-", "qmp-" };
    struct str x = STR("");

    for (size_t i = 0; i < ARRAY_SIZE(heads); i++)
        if (str_starts(file, str_of(heads[i])))
            x = str_from(file, strlen(heads[i]));
    size_t dot = str_rchr(x, '.');
    x = dot == STR_NONE ? x : str_first(x, dot);
    return is_layout_part(x) ? STR("") : x;
}

/* The host of a file that does not tell: the one that its name ends with, that of the traces
 * beside it, or what its own name or that of its folder says. */
static void name_host(struct experiment *x, struct reader *r)
{
    struct str file = str_of(path_base(r->path));
    struct str folder = folder_of(r->path);
    size_t slash = str_rchr(folder, '/');
    struct str last = slash == STR_NONE ? folder : str_from(folder, slash + 1);
    struct str host = host_in_name(x, file);
    bool named = host.n > 0;
    char *real = NULL;

    if (host.n == 0)
        host = host_below(x, folder);
    if (host.n == 0 && slash != STR_NONE && is_layout_part(last))
        host = host_below(x, str_first(folder, slash));
    if (host.n == 0 && (host = host_by_habit(file)).n)
        named = true;
    if (named) {
        note_add(x->notes, NOTE_INFO, r->path,
                 "does not tell its host: taken to be " STR_FMT ", by its name", STR_ARG(host));
    } else if (host.n) {
        note_add(x->notes, NOTE_INFO, r->path,
                 "does not tell its host: taken to be " STR_FMT ", as the traces beside it",
                 STR_ARG(host));
    } else {
        real = realpath(folder.n ? str_dup(&x->mem, folder).p : ".", NULL);
        host = host_of_path(real ? real : "");
        note_add(x->notes, NOTE_INFO, r->path,
                 "does not tell its host: called " STR_FMT ", by the name of its folder",
                 STR_ARG(host));
    }
    r->host = str_dup(&r->mem, host);
    free(real);
}

static void failed(struct experiment *x, const char *path, const struct err *err)
{
    x->failed++;
    note_add(x->notes, NOTE_LOST, path, "%s", err->text);
}

static void open_trace(struct experiment *x, const char *dir)
{
    struct reader *r;
    struct err err;

    x->found++;
    if (reader_open_ctf(dir, x->notes, &r, &err) < 0)
        failed(x, dir, &err);
    else
        add_reader(x, r);
}

static bool open_jsonl(struct experiment *x, const char *path)
{
    struct str *hosts;
    uint32_t n;

    if (!reader_is_jsonl(path, &x->mem, &hosts, &n))
        return false;
    for (uint32_t i = 0; i < n; i++) {
        struct reader *r;
        struct err err;

        x->found++;
        if (reader_open_jsonl(path, hosts[i], x->notes, &r, &err) < 0)
            failed(x, path, &err);
        else
            add_reader(x, r);
    }
    return true;
}

static bool open_ftrace(struct experiment *x, const char *path)
{
    struct reader *r;
    struct err err;

    if (!reader_is_ftrace(path))
        return false;
    x->found++;
    if (reader_open_ftrace(path, x->notes, &r, &err) < 0)
        failed(x, path, &err);
    else if (r->host.n)
        add_reader(x, r);
    else
        *vec_push(&x->unnamed) = r;
    return true;
}

static bool open_qemu(struct experiment *x, const char *path)
{
    struct reader *r;
    struct err err;

    if (!reader_is_qemu(path))
        return false;
    x->found++;
    if (reader_open_qemu(path, x->notes, &r, &err) < 0)
        failed(x, path, &err);
    else
        *vec_push(&x->unnamed) = r;
    return true;
}

static void walk(struct experiment *x, const char *dir, int depth)
{
    struct dir_entry *e;
    size_t n;
    struct err err;

    if (x->found >= LIMIT_TRACES || depth > LIMIT_DIR_DEPTH) {
        note_add(x->notes, NOTE_WARN, dir, "not looked into: over %d traces or %d folders deep",
                 LIMIT_TRACES, LIMIT_DIR_DEPTH);
        return;
    }
    if (ctf_is_trace(dir)) {
        open_trace(x, dir);
        return; /* folders in a trace hold its index */
    }
    if (dir_list(dir, &x->mem, &e, &n, &err) < 0) {
        x->failed++;
        note_add(x->notes, NOTE_LOST, dir, "cannot be listed: %s", err.text);
        return;
    }
    for (size_t i = 0; i < n; i++) {
        const char *path = path_join(&x->mem, dir, e[i].name);

        if (e[i].is_dir)
            walk(x, path, depth + 1);
        else if (!str_ends(str_of(path), STR(".jsonl")))
            (void)(open_ftrace(x, path) || open_qemu(x, path));
        else if (!open_jsonl(x, path) && !open_qemu(x, path))
            note_add(x->notes, NOTE_INFO, path, "is not a file of events in JSON lines: left out");
    }
}

static int open_file(struct experiment *x, const char *path, struct err *err)
{
    static const char *const archives[] = { ".tar", ".gz", ".xz", ".zst", ".bz2", ".zip", ".tgz" };

    for (size_t i = 0; i < ARRAY_SIZE(archives); i++)
        if (str_ends(str_of(path), str_of(archives[i])))
            return err_set(err, E_ARG, "%s: is an archive: unpack it and give the folder", path);
    if (access(path, R_OK) < 0)
        return err_set(err, E_IO, "%s: %s", path, strerror(errno));
    if (open_ftrace(x, path) || open_qemu(x, path) || open_jsonl(x, path))
        return 0;
    return err_set(
        err, E_ARG,
        "%s: is not a trace: give the folder that holds the file 'metadata' (or any "
        "folder above it), a trace.dat or text of ftrace, a log of QEMU's trace events or "
        "of QMP, or a file of events in JSON lines",
        path);
}

static int by_name(const void *a, const void *b)
{
    return str_cmp(((const struct host *)a)->name, ((const struct host *)b)->name);
}

/* The first reason why something was not read, for the error of the whole. */
static const char *first_loss(const struct notes *notes)
{
    for (size_t i = 0; i < notes->list.n; i++)
        if (notes->list.at[i].level == NOTE_LOST)
            return notes->list.at[i].text.p;
    return "";
}

static int open_path(struct experiment *x, const char *path, struct err *err)
{
    uint32_t before = x->found, failed_before = x->failed;

    if (access(path, F_OK) < 0)
        return err_set(err, E_IO, "%s: %s", path, strerror(errno));
    if (!path_is_dir(path))
        return open_file(x, path, err);
    walk(x, path, 0);
    if (x->found == before && x->failed > failed_before)
        return err_set(err, E_IO, "%s", first_loss(x->notes));
    if (x->found == before)
        return err_set(err, E_ARG,
                       "%s: no trace here or below: a trace is a folder with a file named "
                       "'metadata'",
                       path);
    return 0;
}

/* No packet is read twice, in however many folders it lies. */
static void drop_shared(const struct host *h)
{
    for (size_t later = 1; later < h->readers.n; later++)
        for (size_t earlier = 0; earlier < later; earlier++)
            reader_drop_shared(h->readers.at[later], h->readers.at[earlier]);
}

/* A tracer's trace.dat, its text and another tracer's trace may hold the same events; nothing
 * in them tells. */
static void check_sources(const struct experiment *x, const struct host *h)
{
    const struct reader *first = NULL, *other = NULL;

    for (size_t i = 0; i < h->readers.n; i++) {
        const struct reader *r = h->readers.at[i];

        if (!str_is(r->domain, "kernel"))
            continue;
        if (first && strcmp(r->ops->format, first->ops->format) != 0)
            other = r;
        first = first ? first : r;
    }
    if (other)
        note_add(x->notes, NOTE_WARN, h->name.p,
                 "has events of the kernel from %s and from %s: if both tell of the same time, "
                 "everything counts twice; give one of them",
                 first->path, other->path);
}

/* The same of QEMU's events: LTTng's have its name in front. */
static void check_qemu(const struct experiment *x, const struct host *h)
{
    const struct reader *lttng = NULL, *own = NULL;

    for (size_t i = 0; i < h->readers.n; i++) {
        const struct reader *r = h->readers.at[i];

        for (uint32_t k = 0; r->classes && k < r->nclasses && !lttng; k++)
            lttng = str_starts(r->classes[k].name, STR("qemu:")) ? r : NULL;
        if (str_is(r->domain, "qemu") && !str_is(str_of(r->ops->format), "QMP log"))
            own = r;
    }
    if (lttng && own)
        note_add(x->notes, NOTE_WARN, h->name.p,
                 "has events of QEMU from %s and from %s: if both are of the same process, "
                 "everything counts twice; give one of them",
                 lttng->path, own->path);
}

/* --- clocks of one host ---------------------------------------------------------------- */

/* Does a reader of another clock cover the same time? */
static bool is_another(const struct reader *a, const struct reader *b)
{
    struct span x, y;

    return a->clock_id.n && b->clock_id.n && !str_eq(a->clock_id, b->clock_id) && a->ops->reach &&
           b->ops->reach && a->ops->reach(a, &x) && b->ops->reach(b, &y) && x.t0 < y.t1 &&
           y.t0 < x.t1;
}

static bool has_host(const struct experiment *x, struct str name)
{
    for (size_t i = 0; i < x->hosts.n; i++)
        if (str_eq(x->hosts.at[i].name, name))
            return true;
    return false;
}

/* Takes those readers of host number 'at' out that are of the clock of 'other': a host of its
 * own. */
static void split_host(struct experiment *x, size_t at, const struct reader *other)
{
    struct host h = { 0 }, *old = &x->hosts.at[at];
    struct str name = old->name, id = other->clock_id;
    size_t kept = 0, no = 2;

    do
        h.name = str_of(arena_printf(&x->mem, STR_FMT "-%zu", STR_ARG(name), no++));
    while (has_host(x, h.name));
    note_add(x->notes, NOTE_WARN, other->path,
             "is of another machine that is called " STR_FMT " too (another clock at the same "
             "time): it is shown as " STR_FMT "; --host NAME=PATH names it",
             STR_ARG(name), STR_ARG(h.name));
    for (size_t i = 0; i < old->readers.n; i++) {
        struct reader *r = old->readers.at[i];

        if (str_eq(r->clock_id, id)) {
            r->host = h.name;
            *vec_push(&h.readers) = r;
        } else {
            old->readers.at[kept++] = r;
        }
    }
    old->readers.n = kept;
    *vec_push(&x->hosts) = h;
}

static void split_hosts(struct experiment *x)
{
    for (size_t i = 0; i < x->hosts.n; i++)
        for (size_t k = 1; k < x->hosts.at[i].readers.n; k++) {
            const struct host *h = &x->hosts.at[i];

            if (said_host(x, h->readers.at[k]->path).n == 0 &&
                is_another(h->readers.at[0], h->readers.at[k])) {
                split_host(x, i, h->readers.at[k]);
                k = 0;
            }
        }
}

static struct str property_of(const struct reader *r, const char *key)
{
    for (uint32_t i = 0; i < r->nproperties; i++)
        if (str_is(r->properties[i].key, key))
            return r->properties[i].value;
    return STR("");
}

/* What counts from the machine's start is placed by one who knows when that was. */
static void place_monotonic(const struct experiment *x, const struct host *h)
{
    const struct reader *knows = NULL;
    char t[TIME_TEXT];

    for (size_t i = 0; i < h->readers.n; i++)
        if (h->readers.at[i]->tells_zero && (!knows || !knows->clock_id.n))
            knows = h->readers.at[i];
    for (size_t i = 0; i < h->readers.n; i++) {
        struct reader *r = h->readers.at[i];

        if (!str_is(property_of(r, "clock"), "mono"))
            continue;
        if (knows) {
            r->shift = knows->clock_zero;
            note_add(x->notes, NOTE_INFO, r->path,
                     "counts from %s, when %s says the machine's clock began",
                     time_iso(knows->clock_zero, t), knows->path);
        } else {
            note_add(
                x->notes, h->readers.n > 1 ? NOTE_WARN : NOTE_INFO, r->path,
                "times count from the machine's start, which nothing here tells: they can't be "
                "compared with those of other files (an LTTng trace of the same host would tell)");
        }
    }
}

enum {
    SAME_NS = 1000
}; /* opinions that differ by less are not worth another time than others show */

/* One opinion of when a clock was 0 for all readers of it. */
static void share_clocks(const struct experiment *x, const struct host *h)
{
    if (x->own_clocks)
        return;
    for (size_t later = 1; later < h->readers.n; later++)
        for (size_t first = 0; first < later; first++) {
            struct reader *r = h->readers.at[later];
            const struct reader *f = h->readers.at[first];

            if (r->clock_id.n && str_eq(r->clock_id, f->clock_id)) {
                ns_t apart = f->clock_zero - r->clock_zero;

                r->shift = llabs(apart) > SAME_NS ? apart : 0;
                break;
            }
        }
}

/* The clock by which the kernel stamps files. */
static ns_t now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_REALTIME_COARSE, &t);
    return (ns_t)t.tv_sec * NS_PER_S + t.tv_nsec;
}

/* Is the path, or a folder that it is in, among 'paths'? */
static bool is_among(const char *path, const char *const *paths, size_t n)
{
    struct experiment_host all = { .name = STR("x") };
    struct experiment x = { .said = &all, .nsaid = 1 };
    bool found = false;

    for (size_t i = 0; i < n && !found; i++) {
        all.path = paths[i];
        found = said_host(&x, path).n > 0;
    }
    return found;
}

int experiment_open(const char *const *paths, size_t npaths, const struct experiment_says *says,
                    struct notes *notes, struct experiment *ret, struct err *err)
{
    static const struct experiment_says nothing;
    const struct experiment_host *hosts = says ? says->hosts : nothing.hosts;
    size_t nhosts = says ? says->nhosts : 0;
    struct experiment x = { .notes = notes,
                            .opened = now(),
                            .said = hosts,
                            .nsaid = nhosts,
                            .own_clocks = says && says->own_clocks };
    int rc = 0;

    for (size_t i = 0; i < npaths && rc == 0; i++)
        rc = open_path(&x, paths[i], err);
    for (size_t i = 0; i < nhosts && rc == 0; i++)
        if (!is_among(hosts[i].path, paths, npaths))
            rc = open_path(&x, hosts[i].path, err);
    if (rc == 0 && x.failed == x.found && x.found > 0)
        rc = err_set(err, E_CORRUPT, "%s", first_loss(notes));
    if (rc < 0) {
        experiment_close(&x);
        return rc;
    }
    for (size_t i = 0; i < x.unnamed.n; i++) /* none is beside another */
        if (said_host(&x, x.unnamed.at[i]->path).n == 0)
            name_host(&x, x.unnamed.at[i]);
    for (size_t i = 0; i < x.unnamed.n; i++)
        add_reader(&x, x.unnamed.at[i]);
    vec_free(&x.unnamed);
    split_hosts(&x);
    qsort(x.hosts.at, x.hosts.n, sizeof *x.hosts.at, by_name);
    for (size_t i = 0; i < x.hosts.n; i++) {
        drop_shared(&x.hosts.at[i]);
        check_sources(&x, &x.hosts.at[i]);
        check_qemu(&x, &x.hosts.at[i]);
        share_clocks(&x, &x.hosts.at[i]);
        place_monotonic(&x, &x.hosts.at[i]);
    }
    x.said = NULL;
    x.nsaid = 0;
    *ret = x;
    return 0;
}

static int reopen(struct experiment *x, struct host *h, struct err *err)
{
    for (size_t k = 0; k < h->readers.n; k++) {
        struct reader *old = h->readers.at[k], *r;
        const char *path = arena_strdup(&x->mem, old->path, strlen(old->path));
        int rc = path_is_dir(path)        ? reader_open_ctf(path, x->notes, &r, err)
                 : reader_is_ftrace(path) ? reader_open_ftrace(path, x->notes, &r, err)
                 : reader_is_qemu(path)
                     ? reader_open_qemu(path, x->notes, &r, err)
                     : reader_open_jsonl(path, old->host_there, x->notes, &r, err);

        if (rc < 0)
            return rc;
        r->host = h->name;
        old->ops->close(old);
        h->readers.at[k] = r;
    }
    drop_shared(h);
    share_clocks(x, h);
    place_monotonic(x, h);
    return 0;
}

int experiment_reopen(struct experiment *x, struct host *h, struct err *err)
{
    struct notes before = *x->notes; /* readers keep the address */

    *x->notes = (struct notes){ 0 };
    int rc = reopen(x, h, err);
    notes_free(x->notes);
    *x->notes = before;
    return rc;
}

void experiment_close(struct experiment *x)
{
    for (size_t i = 0; i < x->hosts.n; i++) {
        for (size_t k = 0; k < x->hosts.at[i].readers.n; k++)
            x->hosts.at[i].readers.at[k]->ops->close(x->hosts.at[i].readers.at[k]);
        vec_free(&x->hosts.at[i].readers);
    }
    for (size_t i = 0; i < x->unnamed.n; i++)
        x->unnamed.at[i]->ops->close(x->unnamed.at[i]);
    vec_free(&x->unnamed);
    vec_free(&x->hosts);
    arena_free(&x->mem);
}

void experiment_totals(const struct experiment *x, const struct host *host,
                       struct reader_totals *ret)
{
    *ret = (struct reader_totals){ 0 };
    for (size_t i = 0; i < x->hosts.n; i++) {
        const struct host *h = &x->hosts.at[i];

        for (size_t k = 0; k < h->readers.n && (!host || host == h); k++) {
            struct reader_totals t;

            if (h->is_told && k > 0)
                break;
            if (h->is_told)
                t = h->told;
            else
                h->readers.at[k]->ops->totals(h->readers.at[k], &t);
            ret->events += t.events;
            ret->discarded += t.discarded;
            ret->lost_packets += t.lost_packets;
            ret->bad_packets += t.bad_packets;
            ret->backwards += t.backwards;
            ret->bytes += t.bytes;
            ret->streams += t.streams;
            ret->packets += t.packets;
        }
    }
}

void merged_init(struct merged *m, const struct experiment *x, const struct host *only, ns_t from)
{
    VEC(struct stream_head) heads = { 0 };

    for (size_t i = 0; i < x->hosts.n; i++)
        for (size_t k = 0; k < x->hosts.at[i].readers.n; k++)
            if (!only || only == &x->hosts.at[i])
                *vec_push(&heads) = (struct stream_head){ .reader = x->hosts.at[i].readers.at[k],
                                                          .shown = x->hosts.at[i].shown };
    *m = (struct merged){ .heads = heads.at, .n = (uint32_t)heads.n, .from = from };
}

void merged_free(struct merged *m)
{
    free(m->heads);
    *m = (struct merged){ 0 };
}

/* Finds the earliest head and the one after it.  Readers are few (traces, not
 * streams), and bursts of one reader skip this. */
static struct stream_head *choose(struct merged *m)
{
    uint32_t best = UINT32_MAX, second = UINT32_MAX;

    for (uint32_t i = 0; i < m->n; i++) {
        if (!m->heads[i].live)
            continue;
        if (best == UINT32_MAX || m->heads[i].ev.t < m->heads[best].ev.t) {
            second = best;
            best = i;
        } else if (second == UINT32_MAX || m->heads[i].ev.t < m->heads[second].ev.t) {
            second = i;
        }
    }
    if (best == UINT32_MAX)
        return NULL;
    m->now = best;
    m->second = second;
    m->limit = second == UINT32_MAX ? NS_MAX : m->heads[second].ev.t;
    return &m->heads[best];
}

static inline void show_time(struct stream_head *h)
{
    h->ev.t = time_shown(h->shown, time_add(h->ev.t, h->reader->shift));
}

struct stream_head *merged_next(struct merged *m)
{
    if (!m->primed) {
        m->primed = true;
        for (uint32_t i = 0; i < m->n; i++) {
            struct stream_head *h = &m->heads[i];

            h->live = m->from == NS_MIN
                          ? h->reader->ops->next(h->reader, &h->ev)
                          : h->reader->ops->seek(
                                h->reader, time_add(time_own(h->shown, m->from), -h->reader->shift),
                                &h->ev);
            show_time(h);
        }
        return choose(m);
    }
    if (m->n == 0 || !m->heads[m->now].live)
        return NULL;
    struct stream_head *h = &m->heads[m->now];
    h->live = h->reader->ops->next(h->reader, &h->ev);
    show_time(h);
    if (h->live && (h->ev.t < m->limit || (h->ev.t == m->limit && m->now < m->second)))
        return h;
    return choose(m);
}
