/* SPDX-License-Identifier: Apache-2.0
 *
 * migration_sections.c -- one migration described, and its rounds; see migration_show.h. */
#include "report/migration_show.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

static const double UNKNOWN = (double)NAN;

/* Seconds and rates that were computed, as cells. */
static ns_t in_ns(double s)
{
    return isfinite(s) && s < 9e9 ? (ns_t)llround(s * (double)NS_PER_S) : STORE_NULL;
}

static void cell_bytes(struct table *t, double v)
{
    if (isfinite(v) && v >= 0 && v < 9e18)
        table_count(t, (uint64_t)llround(v));
    else
        table_null(t);
}

static void cell_count(struct table *t, int64_t v)
{
    if (v == STORE_NULL || v < 0)
        table_null(t);
    else
        table_count(t, (uint64_t)v);
}

/* --- stages -------------------------------------------------------------------------------- */

static const struct column stage_cols[] = {
    { "name", "STAGE", COL_STR, 0, 0, 0 },
    { "layer", "LAYER", COL_STR, 0, 0, 0 },
    { "host", "HOST", COL_STR, 0, 0, 0 },
    { "start_ns", "START", COL_INSTANT, 0, 0, 0 },
    { "after_ns", "AFTER", COL_DURATION, 0, 0, 0 },
    { "end_ns", "END", COL_INSTANT, 0, COL_WIDE, 0 },
    { "took_ns", "TOOK", COL_DURATION, 0, 0, 0 },
    { "share", "SHARE", COL_RATIO, 0, 0, 0 },
    { "status", "STATUS", COL_STR, 0, 0, 0 },
    { "evidence", "EVIDENCE", COL_STR, 0, COL_WIDE, 0 },
};

static ns_t took_of(const struct mig_stage *s)
{
    return s->t0 == STORE_NULL || s->t1 == STORE_NULL ? STORE_NULL : s->t1 - s->t0;
}

static void put_stages(const struct migration *m, struct table *t)
{
    ns_t total = m->end != STORE_NULL ? m->end - m->start : 0;

    for (size_t i = 0; i < m->stages.n; i++) {
        const struct mig_stage *s = &m->stages.at[i];
        ns_t took = took_of(s);

        table_row(t);
        table_str(t, s->name);
        cell_str(t, s->layer);
        cell_str(t, s->host);
        cell_ns(t, s->t0);
        cell_ns(t, s->t0 != STORE_NULL && m->start != STORE_NULL ? s->t0 - m->start : STORE_NULL);
        cell_ns(t, s->t1);
        cell_ns(t, took);
        table_ratio(t, took != STORE_NULL && total > 0 ? (double)took / (double)total : UNKNOWN);
        cell_str(t, s->status);
        cell_str(t, s->evidence);
    }
}

/* --- phases --------------------------------------------------------------------------------- */

/* One row, to put several migrations below each other. */
static const struct column phase_cols[] = {
    { "select_destination_ns", "SELECT DESTINATION", COL_DURATION, 0, 0, 0 },
    { "pre_migration_ns", "PRE-MIGRATION", COL_DURATION, 0, 0, 0 },
    { "post_migration_ns", "POST-MIGRATION", COL_DURATION, 0, 0, 0 },
    { "post_destination_ns", "POST AT DESTINATION", COL_DURATION, 0, 0, 0 },
    { "copy_ns", "COPY", COL_DURATION, 0, 0, 0 },
    { "total_ns", "TOTAL", COL_DURATION, 0, 0, 0 },
    { "downtime_ns", "DOWNTIME", COL_DURATION, 0, 0, 0 },
    { "end_state", "END STATE", COL_STR, 0, 0, 0 },
};

/* How long at least one of the stages with these names went on; STORE_NULL: none did, or one has
 * no end.  Stages are in order of time. */
static ns_t length_of(const struct migration *m, const char *const *names)
{
    ns_t sum = 0, covered = NS_MIN;
    bool found = false;

    for (size_t i = 0; i < m->stages.n; i++) {
        const struct mig_stage *s = &m->stages.at[i];
        const char *const *name = names;

        while (*name && !str_is(s->name, *name))
            name++;
        if (!*name)
            continue;
        if (took_of(s) == STORE_NULL)
            return STORE_NULL;
        ns_t from = s->t0 > covered ? s->t0 : covered;
        sum += s->t1 > from ? s->t1 - from : 0;
        covered = s->t1 > covered ? s->t1 : covered;
        found = true;
    }
    return found ? sum : STORE_NULL;
}

static void put_phases(const struct migration *m, struct table *t)
{
    static const char *const phases[][5] = {
        { "select destination" },
        { "pre-migration at destination" },
        { "post-migration at source" },
        { "post-migration at destination" },
        { "pre-copy", "iterations", "stop-and-copy", "switch to post-copy" },
    };

    table_row(t);
    for (size_t i = 0; i < ARRAY_SIZE(phases); i++)
        cell_ns(t, length_of(m, phases[i]));
    cell_ns(t, m->start == STORE_NULL || m->end == STORE_NULL ? STORE_NULL : m->end - m->start);
    cell_ns(t, m->downtimes.n ? m->downtimes.at[0].ns : STORE_NULL);
    table_str(t, str_of(mig_outcome_name(m->outcome)));
}

/* --- rounds --------------------------------------------------------------------------------- */

const struct column round_columns[] = {
    { "n", "ROUND", COL_COUNT, 0, 0, 0 },
    { "start_ns", "START", COL_INSTANT, 0, 0, 0 },
    { "end_ns", "END", COL_INSTANT, 0, COL_WIDE, 0 },
    { "took_ns", "TOOK", COL_DURATION, 0, 0, 0 },
    { "dirty_pages", "PAGES TO SEND", COL_COUNT, 0, 0, 0 },
    { "dirtied_pages", "WRITTEN MEANWHILE", COL_COUNT, 0, 0, 0 },
    { "sent_bytes", "SENT", COL_BYTES, 0, 0, 0 },
    { "dirty_rate_bytes", "WRITTEN/S", COL_BYTES, 0, 0, 0 },
    { "transfer_rate_bytes", "SENT/S", COL_BYTES, 0, 0, 0 },
    { "throttle", "THROTTLE %", COL_INT, 0, 0, 0 },
    { "stopped", "GUEST STOPPED", COL_BOOL, 0, COL_WIDE, 0 },
    { "ends", "ENDS", COL_STR, 0, 0, 0 },
    { "after_ns", "IN", COL_DURATION, 0, 0, 0 },
    { "rest_bytes", "COMES TO REST AT", COL_BYTES, 0, 0, 0 },
    { "limit_bytes", "MAY BE LEFT", COL_BYTES, 0, 0, 0 },
    { "working_set_bytes", "WORKING SET", COL_BYTES, 0, COL_WIDE, 0 },
    { "needed_bytes", "NEEDS/S", COL_BYTES, 0, COL_WIDE, 0 },
    { "needed_downtime_ns", "OR DOWNTIME", COL_DURATION, 0, COL_WIDE, 0 },
    { "needed_throttle", "OR THROTTLE", COL_RATIO, 0, COL_WIDE, 0 },
    { "dirty_rate", "WRITTEN/S", COL_NESTED, ALIGN_RIGHT, COL_JSON, 0 },
    { "transfer_rate", "SENT/S", COL_NESTED, ALIGN_RIGHT, COL_JSON, 0 },
    { "prediction", "PREDICTION", COL_NESTED, 0, COL_JSON, 0 },
};
const size_t nround_columns = ARRAY_SIZE(round_columns);

static void emit_rate(struct json *j, double v)
{
    if (isfinite(v) && v >= 0 && v < 9e18)
        json_i64(j, (int64_t)llround(v));
    else
        json_none(j);
}

static void emit_dirty_rate(struct json *j, const void *round)
{
    emit_rate(j, ((const struct mig_round *)round)->dirty_rate);
}

static void emit_transfer_rate(struct json *j, const void *round)
{
    emit_rate(j, ((const struct mig_round *)round)->transfer_rate);
}

/* What could be foreseen when it ended.  While the guest is stopped, nothing has to be. */
static void put_verdict(const struct mig_round *r, struct table *t)
{
    const struct conv_verdict *v = &r->verdict;
    bool known = !r->stopped && v->ends != CONV_UNKNOWN, never = known && v->ends == CONV_NEVER;

    cell_str(t, r->stopped ? STR("") : str_of(migration_ends_name(r->foreseen)));
    cell_ns(t, known && !never ? in_ns(v->after_s) : STORE_NULL);
    cell_bytes(t, known ? v->rest_bytes : UNKNOWN);
    cell_bytes(t, known ? v->limit_bytes : UNKNOWN);
    cell_bytes(t, known && v->working_set > 0 ? v->working_set : UNKNOWN);
    cell_bytes(t, never && v->need_bandwidth > 0 ? v->need_bandwidth : UNKNOWN);
    cell_ns(t, never && v->need_downtime_s > 0 ? in_ns(v->need_downtime_s) : STORE_NULL);
    table_ratio(t, never && v->need_throttle > 0 ? v->need_throttle : UNKNOWN);
}

void migration_rounds(const struct migration *m, struct table *t)
{
    for (size_t i = 0; i < m->rounds.n; i++) {
        const struct mig_round *r = &m->rounds.at[i];

        table_row(t);
        table_count(t, r->n);
        cell_ns(t, r->t0);
        cell_ns(t, r->t1);
        cell_ns(t, r->t0 == STORE_NULL || r->t1 == STORE_NULL ? STORE_NULL : r->t1 - r->t0);
        cell_count(t, r->dirty_pages);
        cell_count(t, r->dirtied_pages);
        cell_count(t, r->sent_bytes);
        cell_bytes(t, r->dirty_rate);
        cell_bytes(t, r->transfer_rate);
        cell_int(t, r->throttle, STORE_NULL);
        table_bool(t, r->stopped);
        put_verdict(r, t);
        table_nested(t, emit_dirty_rate, r);
        table_nested(t, emit_transfer_rate, r);
        table_nested(t, migration_emit_prediction, r->stopped ? NULL : r);
    }
}

/* --- the curve ------------------------------------------------------------------------------ */

enum { BAR = 50, ENDS_SHOWN = 20, CULPRITS_SHOWN = 12 };

static int64_t limit_pages(const struct migration *m, const struct mig_round *r)
{
    if (r->stopped || r->verdict.ends == CONV_UNKNOWN || m->page_bytes <= 0)
        return STORE_NULL;
    return (int64_t)(r->verdict.limit_bytes / (double)m->page_bytes);
}

/* What the longest bar stands for.  The first round sends all memory: when that is far more than
 * any other round sends, it is cut, so that the others, and what may be left, can be told apart. */
static int64_t longest_bar(const struct migration *m)
{
    int64_t most = 0, others = 0;

    for (size_t i = 0; i < m->rounds.n; i++) {
        int64_t pages = m->rounds.at[i].dirty_pages, limit = limit_pages(m, &m->rounds.at[i]);

        most = pages > most ? pages : most;
        others = i > 0 && pages > others ? pages : others;
        others = limit > others ? limit + limit / 8 : others;
    }
    return others > 0 && most / 4 > others ? others : most;
}

static void put_foreseen(const struct mig_round *r, struct sbuf *out)
{
    const struct conv_verdict *v = &r->verdict;
    char time[TIME_TEXT];

    if (r->stopped) {
        sbuf_z(out, "the guest is stopped");
    } else if (r->foreseen == CONV_NEVER) {
        sbuf_z(out, "never ends");
    } else if (r->foreseen == CONV_ENDS && v->ends == CONV_ENDS && v->rounds == 0) {
        sbuf_z(out, "ends at once: the rest may be left");
    } else if (r->foreseen == CONV_ENDS && v->ends == CONV_ENDS) {
        sbuf_fmt(out, "ends in %s, with round %" PRIu32, time_human(in_ns(v->after_s), time),
                 r->n + v->rounds + 1);
    } else {
        sbuf_z(out, r->foreseen == CONV_ENDS ? "ends" : "cannot be foreseen");
    }
}

static void put_bar(const struct migration *m, const struct mig_round *r, int64_t longest,
                    struct sbuf *out)
{
    int64_t pages = r->dirty_pages, limit = limit_pages(m, r);
    char bar[BAR + 1];

    memset(bar, ' ', BAR);
    bar[BAR] = '\0';
    if (pages != STORE_NULL && longest > 0) {
        double n = (double)pages / (double)longest * BAR;

        memset(bar, '#', (size_t)(n > BAR ? BAR : n < 1 && pages > 0 ? 1 : (int)n));
        if (n > BAR)
            bar[BAR - 1] = '>';
    }
    if (limit != STORE_NULL && limit < longest)
        bar[(int)((double)limit / (double)longest * BAR)] = '|';
    sbuf_fmt(out, "%5" PRIu32 "  %s ", r->n, bar);
    if (pages == STORE_NULL)
        sbuf_fmt(out, "%10s", "?");
    else
        sbuf_fmt(out, "%10" PRId64, pages);
    sbuf_z(out, "  ");
    put_foreseen(r, out);
    sbuf_chr(out, '\n');
}

void migration_chart(const struct migration *m, bool all, struct sbuf *out)
{
    int64_t longest = longest_bar(m);

    sbuf_fmt(out, "ROUND  %-*s %10s  FORESEEN AT ITS END\n", BAR,
             "# pages to send when it began, | pages that may be left", "PAGES");
    for (size_t i = 0; i < m->rounds.n; i++) {
        if (!all && m->rounds.n > 2 * ENDS_SHOWN + 1 && i == ENDS_SHOWN) {
            sbuf_fmt(out, "  ...  (%zu more: -o wide shows all)\n", m->rounds.n - 2 * ENDS_SHOWN);
            i = m->rounds.n - ENDS_SHOWN;
        }
        put_bar(m, &m->rounds.at[i], longest, out);
    }
}

/* --- downtime, culprits, what is not known ---------------------------------------------------- */

static const struct column downtime_cols[] = {
    { "source", "BY", COL_STR, 0, 0, 0 },
    { "start_ns", "START", COL_INSTANT, 0, 0, 0 },
    { "end_ns", "END", COL_INSTANT, 0, COL_WIDE, 0 },
    { "duration_ns", "DOWNTIME", COL_DURATION, 0, 0, 0 },
    { "bound_ns", "GIVE OR TAKE", COL_DURATION, 0, 0, 0 },
    { "difference_ns", "MORE THAN THE FIRST", COL_DURATION, 0, 0, 0 },
    { "remark", "REMARK", COL_STR, 0, 0, 0 },
    { "counts", "WHAT IT COUNTS", COL_STR, 0, 0, 0 },
};

/* Definitions differ because they count different things, or because the clocks are not known
 * better. */
static void put_downtimes(const struct migration *m, struct table *t)
{
    const struct mig_downtime *first = m->downtimes.at;

    for (size_t i = 0; i < m->downtimes.n; i++) {
        const struct mig_downtime *d = &m->downtimes.at[i];
        bool both = i > 0 && d->ns != STORE_NULL && first->ns != STORE_NULL;
        bool bounded = d->bound_ns != STORE_NULL && first->bound_ns != STORE_NULL;
        ns_t more = both ? d->ns - first->ns : STORE_NULL;

        table_row(t);
        table_str(t, d->source);
        cell_ns(t, d->t0);
        cell_ns(t, d->t1);
        cell_ns(t, d->ns);
        cell_ns(t, d->bound_ns);
        cell_ns(t, more);
        if (!both)
            table_null(t);
        else if (bounded)
            table_str(t, llabs(more) <= d->bound_ns + first->bound_ns
                             ? STR("the same, within the bounds")
                             : STR("counts something else"));
        else
            table_str(t, STR("may be the same: a bound is not known"));
        cell_str(t, d->why);
    }
}

static const struct column culprit_cols[] = {
    { "name", "WHO HAD THE CPU", COL_STR, 0, 0, 32 },
    { "kind", "KIND", COL_STR, 0, 0, 0 },
    { "wait_ns", "WAITED FOR IT", COL_DURATION, 0, 0, 0 },
    { "thread_ns", "QEMU'S THREADS", COL_DURATION, 0, 0, 0 },
    { "vcpu_ns", "VCPUS", COL_DURATION, 0, 0, 0 },
    { "share", "SHARE", COL_RATIO, 0, 0, 0 },
};

static void put_culprits(const struct migration *m, struct table *t)
{
    for (size_t i = 0; i < m->culprits.n; i++) {
        const struct mig_culprit *c = &m->culprits.at[i];

        table_row(t);
        cell_str(t, c->name);
        cell_str(t, c->kind);
        table_ns(t, c->wait_ns);
        table_ns(t, c->thread_ns);
        table_ns(t, c->wait_ns - c->thread_ns);
        table_ratio(t, c->share);
    }
}

static const struct column victim_cols[] = {
    { "name", "WHO WAITED", COL_STR, 0, 0, 32 },
    { "wait_ns", "WHILE IT HAD THE CPU", COL_DURATION, 0, 0, 0 },
    { "thread_ns", "QEMU'S THREADS", COL_DURATION, 0, 0, 0 },
    { "share", "SHARE OF THEIR WAIT", COL_RATIO, 0, 0, 0 },
};

static void put_victims(const struct migration *m, struct table *t)
{
    for (size_t i = 0; i < m->victims.n; i++) {
        const struct mig_culprit *v = &m->victims.at[i];

        table_row(t);
        cell_str(t, v->name);
        table_ns(t, v->wait_ns);
        table_ns(t, v->thread_ns);
        table_ratio(t, v->share);
    }
}

static const struct column sharer_cols[] = {
    { "resource", "RESOURCE", COL_STR, 0, 0, 0 }, { "device", "DEVICE", COL_STR, 0, 0, 0 },
    { "name", "WHO", COL_STR, 0, 0, 32 },         { "kind", "KIND", COL_STR, 0, 0, 0 },
    { "itself", "MIGRATION", COL_BOOL, 0, 0, 0 }, { "bytes", "MOVED", COL_BYTES, 0, 0, 0 },
    { "share", "SHARE", COL_RATIO, 0, 0, 0 },
};

static void put_sharers(const struct migration *m, struct table *t)
{
    for (size_t i = 0; i < m->sharers.n; i++) {
        const struct mig_sharer *s = &m->sharers.at[i];

        table_row(t);
        table_str(t, str_of(s->resource));
        cell_str(t, s->device);
        cell_str(t, s->name);
        cell_str(t, s->kind);
        table_bool(t, s->itself);
        table_count(t, (uint64_t)s->bytes);
        table_ratio(t, s->share);
    }
}

static const struct column part_cols[] = {
    { "name", "PART", COL_STR, 0, 0, 0 },          { "host", "HOST", COL_STR, 0, 0, 0 },
    { "start_ns", "START", COL_INSTANT, 0, 0, 0 }, { "took_ns", "TOOK", COL_DURATION, 0, 0, 0 },
    { "evidence", "FROM, TO", COL_STR, 0, 0, 0 },
};

static void put_parts(const struct migration *m, struct table *t)
{
    for (size_t i = 0; i < m->parts.n; i++) {
        const struct mig_stage *p = &m->parts.at[i];

        table_row(t);
        cell_str(t, p->name);
        cell_str(t, p->host);
        table_ns(t, p->t0);
        table_ns(t, p->t1 - p->t0);
        cell_str(t, p->evidence);
    }
}

static const struct column unknown_cols[] = {
    { "text", "WHAT, AND WHAT WOULD TELL", COL_STR, 0, 0, 0 },
};

static void put_unknown(const struct migration *m, struct table *t)
{
    struct str rest = sbuf_view(&m->unknown), one;

    while ((one = migration_next_unknown(&rest)).n) {
        table_row(t);
        table_str(t, one);
    }
}

/* --- all of it -------------------------------------------------------------------------------- */

static void put_sections(const struct report_src *src, const struct migration *m,
                         struct sections *ret)
{
    struct section *s = section_add(ret, "migration", "Migration", list_migrations.columns,
                                    list_migrations.ncolumns);

    migration_words(src, m, &ret->head);
    migration_row(src, m, &s->table);
    s = section_add(ret, "stages", "Stages (they overlap: the shares are no sum)", stage_cols,
                    ARRAY_SIZE(stage_cols));
    put_stages(m, &s->table);
    s = section_add(ret, "phases", "Phases", phase_cols, ARRAY_SIZE(phase_cols));
    put_phases(m, &s->table);
    s = section_add(ret, "rounds", "Rounds, and what could be foreseen after each", round_columns,
                    nround_columns);
    s->limit = 2 * ENDS_SHOWN;
    s->more = "neph rounds";
    migration_rounds(m, &s->table);
    s = section_add(ret, "downtime", "Downtime, by what is counted", downtime_cols,
                    ARRAY_SIZE(downtime_cols));
    put_downtimes(m, &s->table);
    s = section_add(ret, "downtime_parts", "Downtime, part by part (they overlap)", part_cols,
                    ARRAY_SIZE(part_cols));
    put_parts(m, &s->table);
    s = section_add(ret, "disturbed_by", "Disturbed by", culprit_cols, ARRAY_SIZE(culprit_cols));
    s->limit = CULPRITS_SHOWN;
    s->more = "-o wide shows all";
    put_culprits(m, &s->table);
    s = section_add(ret, "shared", "Who used its link and its disks at the source meanwhile",
                    sharer_cols, ARRAY_SIZE(sharer_cols));
    s->limit = CULPRITS_SHOWN;
    s->more = "-o wide shows all";
    put_sharers(m, &s->table);
    s = section_add(ret, "slows", "Slowed by it", victim_cols, ARRAY_SIZE(victim_cols));
    s->limit = CULPRITS_SHOWN;
    s->more = "-o wide shows all";
    put_victims(m, &s->table);
    s = section_add(ret, "unknown", "What is not known", unknown_cols, ARRAY_SIZE(unknown_cols));
    put_unknown(m, &s->table);
}

bool show_migration(const struct report_src *src, struct str id, struct sections *ret)
{
    const struct migration *m;

    if (!migrations_named(src, &id, 1, &m, &ret->head))
        return false;
    put_sections(src, m, ret);
    return true;
}
