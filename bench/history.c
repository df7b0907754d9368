/* SPDX-License-Identifier: Apache-2.0
 *
 * history.c -- how fast does a history grow and answer, and how big is it?
 *
 * usage: history [--workload W1|W2] [--changes N] [--json] [--no-rival] [--runs N]
 *
 * N steps (10,000,000) of bench/history_work.h are told to a store, which is then opened
 * again and asked.  Building is one pass: the calls to the store alone, in CPU time
 * and by the clock.  A question's time is CPU time for one of its kind, the median of
 * the runs (5, fewer where they take long).  Building, asking, SQLite and the plain
 * arrays that know the right answers each have a process of their own, so that the
 * memory of one doesn't count for another.
 *
 * A strip is a picture of 50 rows with 1000 pixels: what filled most of each, for numbers
 * the least, greatest and mean.  'exact' asks for the intervals at 1000 instants.
 * SQLite tells what a general tool makes of the same: bench/history_sqlite.h. */
#define _GNU_SOURCE
#include "base/file.h"
#include "bench/history_sqlite.h"
#include "bench/timing.h"

#include <inttypes.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
    BATCH = 1 << 16,
    MAX_RUNS = 101,
    PARTS = 4,       /* of the history, as windows */
    FIRST_EXACT = 3, /* of work_questions, PARTS of them */
    FIRST_COLD = FIRST_EXACT + PARTS,
    RANGE = WORK_QUESTIONS - 1,
    RIVAL_MOST = 1000000,    /* attributes: seconds */
    ARRAYS_STEPS = 20000000, /* more would not fit into memory */
};

static const char *const part_names[PARTS] = { "1.0", "0.1", "0.01", "0.0001" };

struct options {
    const char *workload; /* NULL = both */
    uint64_t steps, runs;
    bool json, rival;
};

/* What one of the two was seen to do. */
struct measured {
    double build_cpu_s, build_wall_s;
    uint64_t changes, bytes;
    ns_t end;
    double open_s;
    double question_s[WORK_QUESTIONS]; /* for each time that it is asked */
    double strip_s[PARTS];
    uint64_t sums[WORK_QUESTIONS];
    bool asked_less[WORK_QUESTIONS]; /* than the sum is known for */
    double summary_share;
    int64_t build_rss, query_rss; /* bytes */
};

/* Shared between the processes. */
struct run {
    char dir[256], path[300], rival_path[300];
    uint32_t nattrs;
    struct options o;
    struct measured ours, rival;
    uint64_t right[WORK_QUESTIONS]; /* sums */
    bool known;                     /* 'right' is */
};

/* --- measuring ----------------------------------------------------------------- */

/* The median time of 'work', of up to 'runs' runs that take two seconds together. */
static double timed(uint64_t runs, void (*work)(void *ctx), void *ctx)
{
    double took[MAX_RUNS], all = 0;
    size_t n = 0;

    while (n < runs && (n == 0 || all < 2)) {
        double start = clock_seconds(CLOCK_PROCESS_CPUTIME_ID);

        work(ctx);
        took[n] = clock_seconds(CLOCK_PROCESS_CPUTIME_ID) - start;
        all += took[n++];
    }
    return median(took, n);
}

struct asking {
    const struct work_question *q;
    uint32_t times;
    const struct work_asker *asker;
    uint32_t nattrs;
    ns_t end;
    struct work_sum sum;
};

static void ask_once(void *ctx)
{
    struct asking *a = ctx;

    a->sum = work_ask(a->q, a->times, a->nattrs, a->end, a->asker);
}

/* 'most': how many attributes may be asked for altogether, for one question. */
static void ask_all(const struct run *r, const struct work_asker *asker, uint64_t most,
                    struct measured *ret)
{
    for (int i = 0; i < WORK_QUESTIONS; i++) {
        const struct work_question *q = &work_questions[i];
        struct asking a = { q, q->times, asker, r->nattrs, ret->end, { 0 } };

        if (q->kind == WORK_FULL && (uint64_t)q->times * r->nattrs > most) {
            a.times = (uint32_t)(most / r->nattrs);
            ret->asked_less[i] = true;
        }
        ret->question_s[i] = timed(r->o.runs, ask_once, &a) / a.times;
        ret->sums[i] = a.sum.sum;
    }
}

/* Runs 'work' in a process of its own; '*ret_rss' is the most memory that it had. */
static bool in_child(bool (*work)(struct run *r), struct run *r, int64_t *ret_rss)
{
    struct rusage u;
    int status = 1;
    pid_t pid;

    fflush(stdout);
    pid = fork();
    if (pid == 0)
        _exit(work(r) ? 0 : 1);
    if (pid < 0 || wait4(pid, &status, 0, &u) < 0)
        return perror("history: a process"), false;
    *ret_rss = u.ru_maxrss * INT64_C(1024);
    if (WIFSIGNALED(status))
        fprintf(stderr, "history: killed by signal %d\n", WTERMSIG(status));
    return status == 0;
}

static bool failed(const char *what, const struct err *err)
{
    fprintf(stderr, "history: %s: %s\n", what, err->text);
    return false;
}

static uint64_t file_bytes(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 ? (uint64_t)st.st_size : 0;
}

/* --- ours ---------------------------------------------------------------------- */

struct stopwatch {
    double cpu, wall;
};

static void start_watch(struct stopwatch *w)
{
    w->cpu = clock_seconds(CLOCK_PROCESS_CPUTIME_ID);
    w->wall = clock_seconds(CLOCK_MONOTONIC);
}

static void stop_watch(const struct stopwatch *w, struct measured *m)
{
    m->build_cpu_s += clock_seconds(CLOCK_PROCESS_CPUTIME_ID) - w->cpu;
    m->build_wall_s += clock_seconds(CLOCK_MONOTONIC) - w->wall;
}

/* The next steps, at most 'left'; outside of what is timed. */
static size_t next_batch(struct work_gen *g, uint64_t left, struct work_step *ret)
{
    size_t n = left < BATCH ? (size_t)left : BATCH;

    for (size_t i = 0; i < n; i++)
        ret[i] = work_next(g);
    return n;
}

/* How many of the steps changed something is counted apart. */
static void count_changes(cell_t *now, const struct work_step *steps, size_t n, uint64_t *count)
{
    for (size_t i = 0; i < n; i++) {
        *count += now[steps[i].attr] != steps[i].value;
        now[steps[i].attr] = steps[i].value;
    }
}

static bool build(struct run *r)
{
    static struct work_step steps[BATCH];
    attr_t *attrs = xcalloc(r->nattrs, sizeof *attrs);
    cell_t texts[WORK_TEXTS], *now = xcalloc(r->nattrs, sizeof *now);
    struct work_gen g = work_start(r->nattrs, texts);
    struct measured *m = &r->ours;
    struct stopwatch w;
    struct store *s;
    struct err err;

    for (uint32_t i = 0; i < r->nattrs; i++)
        now[i] = STORE_NULL;
    start_watch(&w);
    if (store_create(r->path, "bench", NULL, &s, &err) < 0)
        return failed("making a history", &err);
    work_attrs(s, r->nattrs, attrs, texts);
    stop_watch(&w, m);
    for (uint64_t done = 0; done < r->o.steps;) {
        size_t n = next_batch(&g, r->o.steps - done, steps);

        count_changes(now, steps, n, &m->changes);
        start_watch(&w);
        for (size_t i = 0; i < n; i++)
            store_set(s, attrs[steps[i].attr], steps[i].t, steps[i].value);
        stop_watch(&w, m);
        done += n;
    }
    m->end = g.t + 1;
    start_watch(&w);
    if (store_finish(s, 0, m->end + 1, &err) < 0)
        return failed("writing a history", &err);
    store_free(s);
    stop_watch(&w, m);
    m->bytes = file_bytes(r->path);
    return true;
}

static void open_once(void *ctx)
{
    struct run *r = ctx;
    struct store *s = NULL;
    struct err err;

    if (store_open(r->path, &s, &err) < 0)
        failed("opening a history", &err);
    store_free(s);
}

struct drawing {
    struct work_store *w;
    const struct work_question *q;
    ns_t end;
};

static void draw_once(void *ctx)
{
    static struct store_pixel pixels[WORK_PIXELS];
    static struct store_point points[WORK_PIXELS];
    struct drawing *d = ctx;
    uint64_t rng = d->q->seed;

    for (uint32_t i = 0; i < d->q->times; i++) {
        ns_t size, from = work_window(d->q, d->end, &rng, &size);
        struct span win = { from, from + size };

        for (uint32_t row = 0; row < WORK_ROWS; row++)
            if (work_type(row) == STORE_INT)
                store_series(d->w->s, d->w->attrs[row], win, points, WORK_PIXELS);
            else
                store_strip(d->w->s, d->w->attrs[row], win, pixels, WORK_PIXELS);
    }
}

/* The part of the file that only makes questions faster. */
static double summary_share(const struct store *s)
{
    struct store_file f;
    uint64_t bytes = 0;

    store_file(s, &f);
    for (int i = 0; i < STORE_KINDS; i++)
        if (f.kinds[i].name && !strcmp(f.kinds[i].name, "summaries"))
            bytes += f.kinds[i].bytes;
    return f.bytes ? (double)bytes / (double)f.bytes : 0;
}

static bool query(struct run *r)
{
    struct work_store w;
    struct store *s;
    struct err err;

    r->ours.open_s = timed(r->o.runs, open_once, r);
    if (store_open(r->path, &s, &err) < 0)
        return failed("opening a history", &err);
    r->ours.summary_share = summary_share(s);
    if (!work_store_open(&w, s, r->nattrs))
        return fprintf(stderr, "history: attributes are missing\n"), false;
    struct work_asker asker = work_store_asker(&w);
    ask_all(r, &asker, UINT64_MAX, &r->ours);
    for (int i = 0; i < PARTS; i++) {
        struct drawing d = { &w, &work_questions[FIRST_EXACT + i], r->ours.end };

        r->ours.strip_s[i] = timed(r->o.runs, draw_once, &d) / d.q->times;
    }
    if (w.lost)
        fprintf(stderr, "history: something can't be read\n");
    work_store_close(&w);
    store_free(s);
    return !w.lost;
}

/* --- SQLite -------------------------------------------------------------------- */

#if HAVE_SQLITE

static bool build_rival(struct run *r)
{
    static struct work_step steps[BATCH];
    struct work_gen g = work_start(r->nattrs, NULL);
    struct measured *m = &r->rival;
    struct work_sqlite db;
    struct stopwatch w;

    start_watch(&w);
    if (!work_sqlite_open(&db, r->rival_path, r->nattrs))
        return fprintf(stderr, "history: SQLite: %s\n", sqlite3_errmsg(db.db)), false;
    work_sqlite_begin(&db);
    stop_watch(&w, m);
    for (uint64_t done = 0; done < r->o.steps;) {
        size_t n = next_batch(&g, r->o.steps - done, steps);

        start_watch(&w);
        for (size_t i = 0; i < n; i++)
            work_sqlite_set(&db, &steps[i]);
        stop_watch(&w, m);
        done += n;
    }
    m->end = g.t + 1;
    m->changes = db.changes;
    start_watch(&w);
    work_sqlite_finish(&db, m->end + 1);
    work_sqlite_close(&db);
    stop_watch(&w, m);
    m->bytes = file_bytes(r->rival_path);
    return !db.failed || (fprintf(stderr, "history: SQLite can't write\n"), false);
}

static void open_rival_once(void *ctx)
{
    struct run *r = ctx;
    struct work_sqlite db;

    work_sqlite_open(&db, r->rival_path, r->nattrs);
    work_sqlite_close(&db);
}

static bool query_rival(struct run *r)
{
    struct work_sqlite db;

    r->rival.open_s = timed(r->o.runs, open_rival_once, r);
    if (!work_sqlite_open(&db, r->rival_path, r->nattrs))
        return fprintf(stderr, "history: SQLite: %s\n", sqlite3_errmsg(db.db)), false;
    struct work_asker asker = work_sqlite_asker(&db);
    work_sqlite_do(&db, "BEGIN"); /* it is locked once, not for each row */
    ask_all(r, &asker, RIVAL_MOST, &r->rival);
    work_sqlite_do(&db, "COMMIT");
    work_sqlite_close(&db);
    return true;
}

#else

static bool build_rival(struct run *r)
{
    (void)r;
    return false;
}

static bool query_rival(struct run *r)
{
    (void)r;
    return false;
}

#endif

/* --- the right answers --------------------------------------------------------- */

static bool answer_plainly(struct run *r)
{
    struct work_arrays w;

    work_arrays_make(&w, r->nattrs, r->o.steps);
    struct work_asker asker = work_arrays_asker(&w);
    for (int i = 0; i < WORK_QUESTIONS; i++)
        r->right[i] =
            work_ask(&work_questions[i], work_questions[i].times, r->nattrs, w.end, &asker).sum;
    work_arrays_free(&w);
    return true;
}

static void find_right(struct run *r)
{
    int64_t rss;

    if (r->o.steps == WORK_STEPS) {
        for (int i = 0; i < WORK_QUESTIONS; i++)
            r->right[i] = r->nattrs == 1000 ? work_questions[i].sum_w1 : work_questions[i].sum_w2;
        r->known = true;
    } else if (r->o.steps <= ARRAYS_STEPS) {
        r->known = in_child(answer_plainly, r, &rss);
    }
}

static bool all_right(const struct run *r, const struct measured *m)
{
    bool ok = r->known;

    for (int i = 0; r->known && i < WORK_QUESTIONS; i++)
        if (!m->asked_less[i] && m->sums[i] != r->right[i]) {
            fprintf(stderr, "history: %s answers '%s' wrongly: %" PRIu64 ", not %" PRIu64 "\n",
                    m == &r->ours ? "the store" : "SQLite", work_questions[i].name, m->sums[i],
                    r->right[i]);
            ok = false;
        }
    return ok;
}

/* --- telling ------------------------------------------------------------------- */

static double per_s(const struct measured *m, double took)
{
    return took > 0 ? (double)m->changes / took : 0;
}

static double per_change(const struct measured *m)
{
    return m->changes ? (double)m->bytes / (double)m->changes : 0;
}

static int64_t peak(const struct measured *m)
{
    return m->build_rss > m->query_rss ? m->build_rss : m->query_rss;
}

static void json_parts(const char *key, const double *took_s)
{
    printf(",\"%s\":{", key);
    for (int i = 0; i < PARTS; i++)
        printf("%s\"%s\":%.4f", i ? "," : "", part_names[i], took_s[i] * 1e3);
    printf("}");
}

static void json_common(const struct measured *m)
{
    printf("\"changes\":%" PRIu64 ",\"changes_per_s\":%.0f,\"changes_per_s_wall\":%.0f,"
           "\"bytes_per_change\":%.3f,\"peak_rss_bytes\":%" PRId64 ",\"build_rss\":%" PRId64
           ",\"query_rss\":%" PRId64 ",\"open_s\":%.6f,\"single_us\":%.3f,\"single_hot_us\":%.3f,"
           "\"full_us\":%.2f",
           m->changes, per_s(m, m->build_cpu_s), per_s(m, m->build_wall_s), per_change(m), peak(m),
           m->build_rss, m->query_rss, m->open_s, m->question_s[1] * 1e6, m->question_s[2] * 1e6,
           m->question_s[0] * 1e6);
    json_parts("exact2d_ms", &m->question_s[FIRST_EXACT]);
    json_parts("exact2d_cold_ms", &m->question_s[FIRST_COLD]);
    printf(",\"range_ms\":%.4f", m->question_s[RANGE] * 1e3);
}

static void print_json(const struct run *r, bool right, bool has_rival)
{
    printf("{\"workload\":\"%s\",", r->o.workload);
    json_common(&r->ours);
    json_parts("strip_ms", r->ours.strip_s);
    printf(",\"summary_share\":%.4f,\"checksums_ok\":%s", r->ours.summary_share,
           right      ? "true"
           : r->known ? "false"
                      : "null");
    if (has_rival) {
        printf(",\"sqlite\":{");
        json_common(&r->rival);
        printf("}}\n");
    } else {
        printf(",\"sqlite\":null}\n");
    }
}

/* A row: ours, SQLite's, and how many times better ours is; 'rival' < 0 = has none. */
static void print_row(const char *what, const char *unit, double ours, double rival, bool more)
{
    double ratio = more ? ours / rival : rival / ours;

    printf("  %-33s %12.*f", what, ours < 1000 ? 3 : 0, ours);
    if (rival > 0 && ours > 0)
        printf(" %12.*f %9.1f", rival < 1000 ? 3 : 0, rival, ratio);
    else
        printf(" %12s %9s", "-", "-");
    printf("  %s\n", unit);
}

static void print_table(const struct run *r, bool has_rival)
{
    static const double none = -1;
    const struct measured *a = &r->ours, *b = &r->rival;
    char name[64];

    printf("-- %s: %u attributes, %" PRIu64 " changes\n", r->o.workload, r->nattrs, a->changes);
    printf("  %-33s %12s %12s %9s\n", "", "ours", "SQLite", "ratio");
    print_row("written, CPU time", "changes/s", per_s(a, a->build_cpu_s),
              has_rival ? per_s(b, b->build_cpu_s) : none, true);
    print_row("written, by the clock", "changes/s", per_s(a, a->build_wall_s),
              has_rival ? per_s(b, b->build_wall_s) : none, true);
    print_row("size", "bytes/change", per_change(a), has_rival ? per_change(b) : none, false);
    print_row("of it summaries", "%", a->summary_share * 100, none, false);
    print_row("most memory, writing", "MB", (double)a->build_rss / 1e6,
              has_rival ? (double)b->build_rss / 1e6 : none, false);
    print_row("most memory, asking", "MB", (double)a->query_rss / 1e6,
              has_rival ? (double)b->query_rss / 1e6 : none, false);
    print_row("open", "ms", a->open_s * 1e3, has_rival ? b->open_s * 1e3 : none, false);
    for (int i = 0; i < PARTS; i++) {
        snprintf(name, sizeof name, "strip: %s", work_questions[FIRST_EXACT + i].name);
        print_row(name, "ms", a->strip_s[i] * 1e3, none, false);
    }
    for (int i = 0; i < WORK_QUESTIONS; i++) {
        bool small = i < FIRST_EXACT;
        double unit = small ? 1e6 : 1e3;

        snprintf(name, sizeof name, "%s%s", i > 2 && i != RANGE ? "exact: " : "",
                 work_questions[i].name);
        print_row(name, small ? "us" : "ms", a->question_s[i] * unit,
                  has_rival ? b->question_s[i] * unit : none, false);
    }
}

/* --- the program --------------------------------------------------------------- */

static void remove_folder(const char *dir)
{
    struct arena a = { 0 };
    struct dir_entry *e;
    struct err err;
    size_t n;

    if (dir_list(dir, &a, &e, &n, &err) == 0)
        for (size_t i = 0; i < n; i++)
            unlink(path_join(&a, dir, e[i].name));
    rmdir(dir);
    arena_free(&a);
}

static bool measure(struct run *r)
{
    bool has_rival = HAVE_SQLITE && r->o.rival;

    if (!in_child(build, r, &r->ours.build_rss) || !in_child(query, r, &r->ours.query_rss))
        return false;
    if (!HAVE_SQLITE && r->o.rival)
        fprintf(stderr, "history: built without libsqlite3: nothing to compare with\n");
    if (has_rival && (!in_child(build_rival, r, &r->rival.build_rss) ||
                      !in_child(query_rival, r, &r->rival.query_rss)))
        has_rival = false;
    find_right(r);
    bool right = all_right(r, &r->ours) && (!has_rival || all_right(r, &r->rival));
    if (r->o.json) {
        print_json(r, right, has_rival);
    } else {
        print_table(r, has_rival);
        printf("  answers: %s\n", right ? "all right" : r->known ? "WRONG" : "not compared");
    }
    return right || !r->known;
}

static bool measure_workload(const struct options *o, const char *workload)
{
    const char *tmp = getenv("TMPDIR");
    struct run *r =
        mmap(NULL, sizeof *r, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    if (r == MAP_FAILED)
        return perror("history: memory"), false;
    r->o = *o;
    r->o.workload = workload;
    r->nattrs = !strcmp(workload, "W1") ? 1000 : 50000;
    snprintf(r->dir, sizeof r->dir, "%s/neph-bench-XXXXXX", tmp && *tmp ? tmp : "/tmp");
    if (!mkdtemp(r->dir))
        return perror("history: a folder for a history"), false;
    snprintf(r->path, sizeof r->path, "%s/history", r->dir);
    snprintf(r->rival_path, sizeof r->rival_path, "%s/rival", r->dir);
    bool ok = measure(r);
    remove_folder(r->dir);
    munmap(r, sizeof *r);
    return ok;
}

int main(int argc, char **argv)
{
    struct options o = { NULL, WORK_STEPS, 5, false, true };

    for (int i = 1; i < argc; i++) {
        uint64_t *number = !strcmp(argv[i], "--changes") ? &o.steps
                           : !strcmp(argv[i], "--runs")  ? &o.runs
                                                         : NULL;

        if (!strcmp(argv[i], "--json"))
            o.json = true;
        else if (!strcmp(argv[i], "--no-rival"))
            o.rival = false;
        else if (!strcmp(argv[i], "--workload") && i + 1 < argc)
            o.workload = argv[++i];
        else if (!number)
            return fprintf(stderr, "history: what is '%s'?\n", argv[i]), 2;
        else if (++i >= argc || !str_u64(str_of(argv[i]), number))
            return fprintf(stderr, "history: %s needs a number\n", argv[i - 1]), 2;
    }
    o.runs = o.runs < 1 ? 1 : o.runs > MAX_RUNS ? MAX_RUNS : o.runs;
    o.steps = o.steps < 1000 ? 1000 : o.steps;
    if (o.workload && strcmp(o.workload, "W1") != 0 && strcmp(o.workload, "W2") != 0)
        return fprintf(stderr, "history: workloads are W1 and W2\n"), 2;
    if (o.workload)
        return measure_workload(&o, o.workload) ? 0 : 1;
    bool ok = measure_workload(&o, "W1");
    return measure_workload(&o, "W2") && ok ? 0 : 1;
}
