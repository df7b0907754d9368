/* SPDX-License-Identifier: Apache-2.0
 *
 * migration_show.c -- the list of migrations, and one of them described; see
 * migration_show.h. */
#include "report/migration_show.h"

#include "report/cell_text.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

const char *migration_ends_name(enum conv_ends e)
{
    static const char *const names[] = {
        [CONV_UNKNOWN] = "unknown", [CONV_ENDS] = "yes", [CONV_NEVER] = "never"
    };

    return names[e];
}

const struct mig_round *migration_foresight(const struct migration *m)
{
    const struct mig_round *last = NULL;

    for (size_t i = m->rounds.n; i > 0; i--) {
        const struct mig_round *r = &m->rounds.at[i - 1];

        if (r->stopped || r->foreseen == CONV_UNKNOWN)
            continue;
        if (r->verdict.ends == r->foreseen) /* with numbers: a round that was cut has none */
            return r;
        last = last ? last : r;
    }
    return last;
}

double migration_working_set(const struct migration *m, const struct conv_verdict *v)
{
    bool all = m->memory_bytes > 0 && v->working_set >= 0.99 * (double)m->memory_bytes;

    return all ? 0 : v->working_set;
}

static ns_t total_of(const struct migration *m)
{
    return m->start == STORE_NULL || m->end == STORE_NULL ? STORE_NULL : m->end - m->start;
}

/* The name that a reader knows it by. */
static struct str name_of(const struct migration *m)
{
    return m->vm.n ? m->vm : m->uuid.n ? m->uuid : m->id;
}

/* --- the list ------------------------------------------------------------------------------ */

static const struct column cols[] = {
    { "id", "ID", COL_STR, 0, 0, 0 },
    { "vm", "INSTANCE", COL_STR, 0, 0, 32 },
    { "source", "FROM", COL_STR, 0, 0, 0 },
    { "destination", "TO", COL_STR, 0, 0, 0 },
    { "kind", "KIND", COL_STR, 0, 0, 0 },
    { "outcome", "OUTCOME", COL_STR, 0, 0, 0 },
    { "start_ns", "START", COL_INSTANT, 0, 0, 0 },
    { "end_ns", "END", COL_INSTANT, 0, COL_WIDE, 0 },
    { "total_ns", "TOTAL", COL_DURATION, 0, 0, 0 },
    { "downtime_ns", "DOWNTIME", COL_DURATION, 0, 0, 0 },
    { "downtime_bound_ns", "GIVE OR TAKE", COL_DURATION, 0, COL_WIDE, 0 },
    { "round_count", "ROUNDS", COL_COUNT, 0, 0, 0 },
    { "ends", "ENDS", COL_STR, 0, 0, 0 },
    { "first_disturber", "DISTURBED BY", COL_STR, 0, 0, 40 },
    { "cpu_wait_ns", "WAITED FOR CPU", COL_DURATION, 0, COL_WIDE, 0 },
    { "cpu_run_ns", "RAN", COL_DURATION, 0, COL_WIDE, 0 },
    { "uuid", "UUID", COL_STR, 0, COL_WIDE, 0 },
    { "request_id", "REQUEST", COL_STR, 0, COL_WIDE, 0 },
    { "error", "ERROR", COL_STR, 0, COL_WIDE, 200 },
    { "stages", "STAGES", COL_NESTED, 0, COL_JSON, 0 },
    { "rounds", "ROUNDS", COL_NESTED, 0, COL_JSON, 0 },
    { "prediction", "PREDICTION", COL_NESTED, 0, COL_JSON, 0 },
    { "disturbed_by", "DISTURBED BY", COL_NESTED, 0, COL_JSON, 0 },
    { "shared", "SHARED", COL_NESTED, 0, COL_JSON, 0 },
    { "downtimes", "DOWNTIMES", COL_NESTED, 0, COL_JSON, 0 },
    { "qemu", "QEMU", COL_NESTED, 0, COL_JSON, 0 },
    { "unknown", "NOT KNOWN", COL_LIST, 0, COL_JSON, 0 },
};

struct str migration_next_unknown(struct str *rest)
{
    struct str s = str_trim(*rest);
    size_t end = 0;

    while (end + 2 < s.n &&
           !(s.p[end] == '.' && s.p[end + 1] == ' ' && s.p[end + 2] >= 'A' && s.p[end + 2] <= 'Z'))
        end++;
    end = end + 2 < s.n ? end + 1 : s.n;
    *rest = str_from(s, end);
    return str_first(s, end);
}

static void put_unknown(const struct report_src *src, const struct migration *m, struct table *t)
{
    struct str rest = sbuf_view(&m->unknown), one;
    VEC(struct str) list = { 0 };

    while ((one = migration_next_unknown(&rest)).n)
        *vec_push(&list) = str_dup(src->mem, one);
    table_list(t, list.at, list.n);
    vec_free(&list);
}

static struct str first_culprit(const struct report_src *src, const struct migration *m)
{
    if (m->culprits.n == 0)
        return STR("");
    const struct mig_culprit *c = &m->culprits.at[0];
    return str_of(arena_printf(src->mem, STR_FMT " (%.0f %%)", STR_ARG(c->name), 100 * c->share));
}

void migration_row(const struct report_src *src, const struct migration *m, struct table *t)
{
    const struct mig_downtime *d = m->downtimes.n ? &m->downtimes.at[0] : NULL;
    const struct mig_round *last = migration_foresight(m);

    table_row(t);
    table_str(t, m->id);
    cell_str(t, m->vm);
    cell_str(t, m->source);
    cell_str(t, m->destination);
    table_str(t, str_of(mig_kind_name(m->kind)));
    table_str(t, str_of(mig_outcome_name(m->outcome)));
    cell_ns(t, m->start);
    cell_ns(t, m->end);
    cell_ns(t, total_of(m));
    cell_ns(t, d ? d->ns : STORE_NULL);
    cell_ns(t, d ? d->bound_ns : STORE_NULL);
    table_count(t, m->rounds.n);
    table_str(t, str_of(migration_ends_name(last ? last->foreseen : CONV_UNKNOWN)));
    cell_str(t, first_culprit(src, m));
    cell_ns(t, m->cpu_wait_ns);
    cell_ns(t, m->cpu_run_ns);
    cell_str(t, m->uuid);
    cell_str(t, m->request);
    cell_str(t, src_mask(src, m->error));
    table_nested(t, migration_emit_stages, m);
    table_nested(t, migration_emit_rounds, m);
    table_nested(t, migration_emit_prediction, last);
    table_nested(t, migration_emit_culprits, m);
    table_nested(t, migration_emit_sharers, m);
    table_nested(t, migration_emit_downtimes, m);
    table_nested(t, migration_emit_qemu, m);
    put_unknown(src, m, t);
}

#define KEEP(src, v)                                                       \
    do {                                                                   \
        void *at_ = arena_alloc((src)->mem, ((v).n + 1) * sizeof *(v).at); \
        if ((v).n)                                                         \
            (v).at = memcpy(at_, (v).at, (v).n * sizeof *(v).at);          \
    } while (0)

/* A copy that lives as long as the report: a table is printed when its list has been made. */
static const struct migration *keep(const struct report_src *src, const struct migration *m)
{
    struct migration *c = arena_new(src->mem, struct migration);

    *c = *m;
    KEEP(src, c->stages);
    KEEP(src, c->rounds);
    KEEP(src, c->downtimes);
    KEEP(src, c->culprits);
    KEEP(src, c->victims);
    KEEP(src, c->sharers);
    KEEP(src, c->parts);
    c->unknown.p = arena_strdup(src->mem, sbuf_view(&m->unknown).p, m->unknown.n);
    return c;
}

static bool is_shown(const struct report_src *src, const struct migration *m)
{
    ns_t end = m->end != STORE_NULL ? m->end : NS_MAX;

    return report_vm_fits(src, m->uuid, m->vm) && report_request_fits(src, m->request) &&
           (m->start == STORE_NULL || (m->start < src->span.t1 && end >= src->span.t0));
}

static void fill(const struct report_src *src, struct table *t)
{
    struct migrations ms;
    struct whos w;

    whos_make(src, &w);
    migrations_make(src, &w, &ms);
    for (size_t i = 0; i < ms.list.n; i++)
        if (is_shown(src, &ms.list.at[i]))
            migration_row(src, keep(src, &ms.list.at[i]), t);
    migrations_free(&ms);
    whos_free(&w);
}

const struct report_list list_migrations = { "migrations", "Migrations of instances", cols,
                                             ARRAY_SIZE(cols), fill };

/* --- finding ------------------------------------------------------------------------------- */

static bool is_of(const struct migration *m, struct str id)
{
    return str_eq(m->vm, id) || str_eq(m->uuid, id);
}

/* The one that 'id' names; NULL: 'why' says that there is none, or which fit. */
static const struct migration *find(const struct migrations *ms, struct str id,
                                    struct sbuf *ret_why)
{
    enum { NAMED = 12 };
    size_t n = 0, said = 0;
    const struct migration *m = migrations_find(ms, id, &n);

    if (m)
        return m;
    if (n > 1)
        sbuf_fmt(ret_why, "%zu migrations fit '" STR_FMT "', give one's id:", n, STR_ARG(id));
    else if (ms->list.n == 0)
        sbuf_z(ret_why, "these traces tell of no migration");
    else
        sbuf_fmt(ret_why, "no migration '" STR_FMT "' in these traces; there are:", STR_ARG(id));
    for (size_t i = 0; i < ms->list.n; i++) {
        const struct migration *x = &ms->list.at[i];

        if ((n > 1 && !is_of(x, id)) || said++ >= NAMED)
            continue;
        sbuf_fmt(ret_why, "%s " STR_FMT " (%s)", said > 1 ? "," : "", STR_ARG(x->id),
                 mig_outcome_name(x->outcome));
    }
    if (said > NAMED)
        sbuf_z(ret_why, ", ...");
    return NULL;
}

bool migrations_named(const struct report_src *src, const struct str *ids, size_t n,
                      const struct migration **ret, struct sbuf *ret_why)
{
    struct migrations ms;
    struct whos w;
    size_t found = 0;

    whos_make(src, &w);
    migrations_make(src, &w, &ms);
    while (found < n) {
        const struct migration *m = find(&ms, ids[found], ret_why);

        if (!m)
            break;
        ret[found++] = keep(src, m);
    }
    migrations_free(&ms);
    whos_free(&w);
    return found == n;
}

/* --- in words ------------------------------------------------------------------------------ */

static void put_bytes(struct sbuf *out, double v)
{
    static const char *const units[] = { "B", "KiB", "MiB", "GiB", "TiB", "PiB" };
    size_t i = 0;

    for (; v >= 1024 && i + 1 < ARRAY_SIZE(units); i++)
        v /= 1024;
    sbuf_fmt(out, i ? "%.1f %s" : "%.0f %s", v, units[i]);
}

static void put_rate(struct sbuf *out, double v)
{
    put_bytes(out, v);
    sbuf_z(out, "/s");
}

static void put_seconds(struct sbuf *out, double s)
{
    char text[TIME_TEXT];

    sbuf_z(out, time_human(s < 9e9 ? (ns_t)llround(s * (double)NS_PER_S) : NS_MAX, text));
}

static void put_way(struct sbuf *out, const struct migration *m)
{
    sbuf_fmt(out, " from " STR_FMT, STR_ARG(m->source.n ? m->source : STR("an unknown host")));
    if (!str_eq(m->source, m->destination) || m->source.n == 0)
        sbuf_fmt(out, " to " STR_FMT,
                 STR_ARG(m->destination.n ? m->destination : STR("an unknown host")));
    else
        sbuf_z(out, " to another QEMU there");
    sbuf_fmt(out, " (%s)", mig_kind_name(m->kind));
}

static void put_outcome(const struct report_src *src, struct sbuf *out, const struct migration *m)
{
    static const char *const did[] = { [MIG_UNKNOWN] = "was to move",
                                       [MIG_COMPLETED] = "moved",
                                       [MIG_FAILED] = "was to move",
                                       [MIG_CANCELLED] = "was to move",
                                       [MIG_RUNNING] = "was moving" };
    static const char *const how[] = { [MIG_UNKNOWN] = ". How it ended is not known",
                                       [MIG_COMPLETED] = "",
                                       [MIG_FAILED] = ". It failed",
                                       [MIG_CANCELLED] = ". It was cancelled",
                                       [MIG_RUNNING] = " when the trace ended" };
    struct str name = name_of(m), error = src_mask(src, m->error);
    ns_t total = total_of(m);
    char time[TIME_TEXT];

    sbuf_fmt(out, STR_FMT " %s", STR_ARG(name), did[m->outcome]);
    put_way(out, m);
    sbuf_z(out, how[m->outcome]);
    if (total != STORE_NULL && m->outcome != MIG_UNKNOWN)
        sbuf_fmt(out,
                 m->outcome == MIG_COMPLETED ? " in %s"
                 : m->outcome == MIG_RUNNING ? ", %s after it began"
                                             : " after %s",
                 time_human(total, time));
    if (error.n)
        sbuf_fmt(out, ": " STR_FMT, STR_ARG(error));
    sbuf_z(out, error.n && str_ends(error, STR(".")) ? "" : ".");
}

/* Definitions count different things: whoever compares with another tool has to know. */
static void put_other_downtimes(struct sbuf *out, const struct migration *m)
{
    ns_t least = NS_MAX, most = NS_MIN;
    char from[TIME_TEXT], to[TIME_TEXT];

    for (size_t i = 1; i < m->downtimes.n; i++) {
        ns_t ns = m->downtimes.at[i].ns;

        if (ns == STORE_NULL)
            continue;
        least = ns < least ? ns : least;
        most = ns > most ? ns : most;
    }
    if (least == NS_MAX)
        return;
    sbuf_fmt(out, " (%s", time_human(least, from));
    if (most > least)
        sbuf_fmt(out, " to %s", time_human(most, to));
    sbuf_z(out, " by other ways to count)");
}

static void put_downtime(struct sbuf *out, const struct migration *m)
{
    char ns[TIME_TEXT], bound[TIME_TEXT];

    if (m->downtimes.n == 0 || m->downtimes.at[0].ns == STORE_NULL)
        return;
    const struct mig_downtime *d = &m->downtimes.at[0];
    sbuf_fmt(out, " Its guest stood still for %s", time_human(d->ns, ns));
    if (d->bound_ns == STORE_NULL)
        sbuf_z(out, ", but by how much that may be wrong is not known");
    else if (d->bound_ns > 0)
        sbuf_fmt(out, ", give or take %s", time_human(d->bound_ns, bound));
    put_other_downtimes(out, m);
    sbuf_chr(out, '.');
}

static void put_sent(struct sbuf *out, const struct migration *m)
{
    int64_t sent = 0;
    bool all = true;

    if (m->rounds.n == 0)
        return;
    for (size_t i = 0; i < m->rounds.n; i++) {
        int64_t bytes = m->rounds.at[i].sent_bytes;

        all = all && bytes != STORE_NULL;
        sent += bytes != STORE_NULL ? bytes : 0;
    }
    sbuf_z(out, " It sent ");
    if (sent > 0) {
        sbuf_z(out, all ? "" : "at least ");
        put_bytes(out, (double)sent);
        sbuf_z(out, " in ");
    }
    sbuf_fmt(out, "%zu %s.", m->rounds.n, m->rounds.n == 1 ? "round" : "rounds");
}

/* Each alone lets it end. */
static void put_needed(struct sbuf *out, const struct conv_verdict *v)
{
    const char *sep = "";

    if (v->need_bandwidth <= 0 && v->need_downtime_s <= 0 && v->need_throttle <= 0) {
        sbuf_z(out, " No bandwidth, downtime limit or throttling alone would let it end.");
        return;
    }
    sbuf_z(out, " Each of these alone would let it end: ");
    if (v->need_bandwidth > 0) {
        sbuf_z(out, "a bandwidth of ");
        put_rate(out, v->need_bandwidth);
        if (v->bandwidth > 0)
            sbuf_fmt(out, " (%.1f times as much)", v->need_bandwidth / v->bandwidth);
        sep = "; ";
    }
    if (v->need_downtime_s > 0) {
        sbuf_fmt(out, "%sa downtime limit of ", sep);
        put_seconds(out, v->need_downtime_s);
        sep = "; ";
    }
    if (v->need_throttle > 0)
        sbuf_fmt(out, "%sa guest that is not let run for %.0f %% of its time", sep,
                 100 * v->need_throttle);
    sbuf_chr(out, '.');
}

static void put_balance(struct sbuf *out, const struct migration *m, const struct conv_verdict *v)
{
    double set = migration_working_set(m, v);

    if (v->dirty_rate >= 1) {
        sbuf_z(out, " Its guest dirtied memory at ");
        put_rate(out, v->dirty_rate);
    } else {
        sbuf_z(out, " In the end its guest dirtied no memory");
    }
    if (set > 0) {
        sbuf_z(out, " within a working set of ");
        put_bytes(out, set);
    }
    sbuf_z(out, ", and ");
    put_rate(out, v->bandwidth);
    sbuf_z(out, " were sent");
    if (m->bandwidth_cap > 0) {
        sbuf_z(out, v->bandwidth >= 0.9 * (double)m->bandwidth_cap
                        ? ", as much as it was allowed to (max-bandwidth is "
                        : ", less than it was allowed to (max-bandwidth is ");
        put_rate(out, (double)m->bandwidth_cap);
        sbuf_chr(out, ')');
    }
    sbuf_chr(out, '.');
}

/* The first round since when it was always foreseen as in 'last'. */
static const struct mig_round *since_when(const struct migration *m, const struct mig_round *last)
{
    const struct mig_round *first = last;

    while (first > m->rounds.at && first[-1].foreseen == last->foreseen)
        first--;
    return first;
}

static void put_foresight(struct sbuf *out, const struct migration *m)
{
    const struct mig_round *last = migration_foresight(m);
    const struct conv_verdict *v = last ? &last->verdict : NULL;
    char time[TIME_TEXT];

    if (m->rounds.n == 0)
        return;
    if (!last) {
        sbuf_z(out, " Whether it would ever end could not be foreseen.");
        return;
    }
    const struct mig_round *first = since_when(m, last);
    put_balance(out, m, v);
    sbuf_fmt(out, " After round %" PRIu32, first->n);
    if (first->t1 != STORE_NULL && m->start != STORE_NULL)
        sbuf_fmt(out, ", %s after it began,", time_human(first->t1 - m->start, time));
    sbuf_z(out, last->foreseen == CONV_NEVER ? " it could be foreseen that it never ends so"
                                             : " it could be foreseen that it ends");
    if (v->ends == CONV_NEVER && last->foreseen == CONV_NEVER) {
        sbuf_z(out, ": what is left comes to rest at ");
        put_bytes(out, v->rest_bytes);
        sbuf_z(out, ", and no more than ");
        put_bytes(out, v->limit_bytes);
        sbuf_z(out, " can be sent while the guest stands still.");
        put_needed(out, v);
        return;
    }
    sbuf_chr(out, '.');
}

static void put_culprits(struct sbuf *out, const struct migration *m)
{
    enum { SAID = 3 };
    char wait[TIME_TEXT];

    if (m->cpu_wait_ns == STORE_NULL || m->cpu_wait_ns <= 0)
        return;
    sbuf_fmt(out, " QEMU's threads and the guest's vCPUs waited %s for a CPU",
             time_human(m->cpu_wait_ns, wait));
    if (m->cpu_run_ns > 0)
        sbuf_fmt(out, ", %.0f %% of the time that they could have run",
                 100.0 * (double)m->cpu_wait_ns / (double)(m->cpu_wait_ns + m->cpu_run_ns));
    for (size_t i = 0; i < m->culprits.n && i < SAID; i++)
        sbuf_fmt(out, "%s " STR_FMT " %s %.0f %%%s", i ? "," : ":", STR_ARG(m->culprits.at[i].name),
                 i ? "for" : "had it for", 100 * m->culprits.at[i].share, i ? "" : " of that");
    sbuf_chr(out, '.');
}

void migration_words(const struct report_src *src, const struct migration *m, struct sbuf *out)
{
    struct sbuf raw = { 0 };

    put_outcome(src, &raw, m);
    put_downtime(&raw, m);
    put_sent(&raw, m);
    put_foresight(&raw, m);
    put_culprits(&raw, m);
    cell_escape(out, sbuf_view(&raw), "");
    sbuf_free(&raw);
}
