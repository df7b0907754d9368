/* SPDX-License-Identifier: Apache-2.0
 *
 * rule_interrupt_storm.c -- interrupts take most of a CPU, or one comes absurdly often.
 *
 * Interrupts nest, and what is in the inner ones is in the outer ones too: the time of a CPU is
 * that of the union, while each line has its own.  A second pass over those CPUs and times in
 * which there is a storm tells whose threads were interrupted. */
#include "diagnose/rule.h"
#include "diagnose/slices.h"
#include "report/measure.h"

#include <stdlib.h>

enum {
    MIN_OF_CPU,
    MIN_OF_LINE,
    MIN_RATE,
    MIN_OF_TRACE,
    MIN_SECONDS,
    MIN_STOLEN,
    MIN_ALL,
    MIN_LINE
};
static const struct limit limits[] = {
    [MIN_OF_CPU] = { "min-of-cpu", 0.5, "of a CPU",
                     "in interrupts; the kernel hands long work to ksoftirqd to stay below" },
    [MIN_OF_LINE] = { "min-of-line", 0.2, "of a CPU",
                      "in the handler of one device: handlers acknowledge and hand over to "
                      "softirqs, which is a matter of a few percent" },
    [MIN_RATE] = { "min-rate", 50000, "a second",
                   "of one line on one CPU; adapters that hold back interrupts stay far below" },
    [MIN_OF_TRACE] = { "min-of-trace", 0.02, "of the trace", "bursts of packets are normal" },
    [MIN_SECONDS] = { "min-seconds", 0.5, "s",
                      "at a stretch: a softirq may run for some ms, and one after the other" },
    [MIN_STOLEN] = { "min-stolen", 0.1, "of the stormy time",
                     "taken from threads; an idle CPU may spend its time as it likes" },
    [MIN_ALL] = { "min-all", 0.8, "of a CPU",
                  "that is lost for threads, also where the scheduler has put them elsewhere" },
    [MIN_LINE] = { "min-line", 0.2, "of the time in interrupts",
                   "that one must have to be called a reason" },
};

enum { OWNERS_SHOWN = 6, ALL_CPUS = -1 };
#define MUCH_OF_WAITING 0.25
static const ns_t slice_least = 50000000;

struct line {
    int64_t cpu, nr;
    enum irq_kind kind;
    cell_t name;
    ns_t *ns;        /* by slice */
    uint64_t *count; /* by slice; both NULL: it is a timer, and only in the CPU's time */
    ns_t stormy;     /* of the CPU's stormy slices */
    uint64_t fired;
    bool told;
};
struct cpu {
    int64_t no;              /* or ALL_CPUS, for what one line takes of all */
    const struct line *line; /* that one */
    ns_t *ns;                /* in any interrupt, by slice */
    ns_t until;
    bool *holds;
    struct slices_found when;
    ns_t in_irqs; /* in stormy slices */
};
struct storms {
    const struct diagnosis *d;
    uint32_t host;
    struct slices slices;
    VEC(struct line) lines;
    VEC(struct cpu) cpus;
    struct map64 index; /* of lines */
};

/* --- the sweep ---------------------------------------------------------------------------- */

static struct cpu *cpu_of(struct storms *s, int64_t no)
{
    for (size_t i = 0; i < s->cpus.n; i++)
        if (s->cpus.at[i].no == no)
            return &s->cpus.at[i];
    struct cpu *c = vec_push(&s->cpus);
    *c = (struct cpu){ .no = no, .until = NS_MIN };
    c->ns = xcalloc(s->slices.n + 1, sizeof *c->ns);
    c->holds = xcalloc(s->slices.n + 1, sizeof *c->holds);
    return c;
}

static struct line *line_of(struct storms *s, const cell_t *row, int64_t cpu)
{
    uint64_t parts[] = { (uint64_t)cpu, (uint64_t)row[C_irq_kind], (uint64_t)row[C_irq_nr] };
    uint64_t key = hash_bytes(parts, sizeof parts, 5);
    uint32_t at;

    if (map64_get(&s->index, key, &at))
        return &s->lines.at[at];
    map64_set(&s->index, key, (uint32_t)s->lines.n);
    struct line *l = vec_push(&s->lines);
    *l = (struct line){ .cpu = cpu,
                        .nr = row[C_irq_nr],
                        .kind = (enum irq_kind)row[C_irq_kind],
                        .name = row[C_irq_name] };
    l->ns = xcalloc(s->slices.n + 1, sizeof *l->ns);
    l->count = xcalloc(s->slices.n + 1, sizeof *l->count);
    return l;
}

/* Softirqs that the kernel left to its thread take nothing from others but what the scheduler gives
 * that thread. */
static bool in_ksoftirqd(const struct storms *s, const cell_t *row)
{
    const struct who_thread *th = row[C_irq_kind] == IRQ_SOFT && row[C_irq_tid] > 0
                                      ? whos_at(s->d->w, s->host, row[C_irq_tid], row[0])
                                      : NULL;

    return th && str_starts(th->comm, STR("ksoftirqd/"));
}

static void add_to_line(const struct storms *s, struct line *l, const cell_t *row)
{
    slices_add(&s->slices, l->ns, row[0], row[1]);
    l->count[slice_at(&s->slices, row[0])]++;
}

static void sweep(struct storms *s)
{
    const struct store *st = s->d->src->hosts[s->host];
    const cell_t *row;
    table_t t;

    if (!store_table_find(st, schema_tables[TABLE_irq].name, &t))
        return;
    struct store_rows r = store_rows(st, t, s->d->src->span);
    while ((row = store_rows_next(&r))) { /* by their begins */
        if (row[0] == STORE_NULL || row[1] == STORE_NULL || in_ksoftirqd(s, row))
            continue;
        struct cpu *c = cpu_of(s, row[C_irq_cpu]);

        slices_add(&s->slices, c->ns, row[0] > c->until ? row[0] : c->until, row[1]);
        c->until = row[1] > c->until ? row[1] : c->until;
        if (row[C_irq_kind] == IRQ_TIMER) /* its number is its address */
            continue;
        add_to_line(s, line_of(s, row, row[C_irq_cpu]), row);
        if (row[C_irq_kind] == IRQ_HARD) /* spread over CPUs it may hide on each */
            add_to_line(s, line_of(s, row, ALL_CPUS), row);
    }
}

static bool is_within(const struct storms *s, const struct cpu *c, size_t i)
{
    ns_t t0 = s->slices.t0 + (ns_t)i * s->slices.len;

    return t0 >= c->when.t0 && t0 < c->when.t1;
}

static bool is_of(const struct cpu *c, const struct line *l)
{
    return c->line ? l == c->line : l->cpu == c->no;
}

/* Does the line come too often, or take too long, for any device that works? */
static bool is_absurd(const struct rule *r, const struct storms *s, const struct line *l, size_t i)
{
    double len = (double)slice_length(&s->slices, i);

    return (double)l->count[i] * (double)NS_PER_S >= rule_limit(s->d, r, MIN_RATE) * len ||
           (double)l->ns[i] >= rule_limit(s->d, r, MIN_OF_LINE) * len;
}

static bool is_absurd_in(const struct rule *r, const struct storms *s, const struct cpu *c)
{
    size_t n = 0;

    for (size_t k = 0; k < s->lines.n; k++)
        for (size_t i = 0;
             s->lines.at[k].kind == IRQ_HARD && is_of(c, &s->lines.at[k]) && i < s->slices.n; i++)
            n += c->holds[i] && is_absurd(r, s, &s->lines.at[k], i);
    return 2 * n >= c->when.n;
}

/* The run of slices in which interrupts take most of the CPU, or a line comes absurdly often. */
static void mark(const struct rule *r, struct storms *s, struct cpu *c)
{
    double share = rule_limit(s->d, r, MIN_OF_CPU);

    for (size_t i = 0; i < s->slices.n; i++)
        c->holds[i] = (double)c->ns[i] >= share * (double)slice_length(&s->slices, i);
    for (size_t k = 0; k < s->lines.n; k++) {
        const struct line *l = &s->lines.at[k];

        for (size_t i = 0; l->kind == IRQ_HARD && is_of(c, l) && i < s->slices.n; i++)
            c->holds[i] |= is_absurd(r, s, l, i);
    }
    c->when = slices_run(&s->slices, c->holds, NULL);
    for (size_t i = 0; i < s->slices.n; i++) {
        c->holds[i] &= is_within(s, c, i);
        c->in_irqs += c->holds[i] ? c->ns[i] : 0;
    }
    for (size_t k = 0; k < s->lines.n; k++) {
        struct line *l = &s->lines.at[k];

        for (size_t i = 0; is_of(c, l) && i < s->slices.n; i++) {
            l->stormy += c->holds[i] ? l->ns[i] : 0;
            l->fired += c->holds[i] ? l->count[i] : 0;
        }
    }
}

/* --- whose threads ------------------------------------------------------------------------ */

/* Time taken from each owner's threads on that CPU in stormy slices; the last is of threads of
 * which nothing is known. */
static ns_t *find_stolen(const struct storms *s, const struct cpu *c)
{
    const struct store *st = s->d->src->hosts[s->host];
    ns_t *stolen = xcalloc(s->d->w->owners.n + 1, sizeof *stolen), until = NS_MIN;
    const cell_t *row;
    table_t t;

    if (!store_table_find(st, schema_tables[TABLE_irq].name, &t))
        return stolen;
    struct store_rows r = store_rows(st, t, (struct span){ c->when.t0, c->when.t1 });
    while ((row = store_rows_next(&r))) {
        if (row[0] == STORE_NULL || row[1] == STORE_NULL || in_ksoftirqd(s, row) ||
            (c->line ? row[C_irq_kind] != c->line->kind || row[C_irq_nr] != c->line->nr
                     : row[C_irq_cpu] != c->no))
            continue;
        ns_t t0 = c->line || row[0] > until ? row[0] : until; /* of several CPUs: side by side */

        until = row[1] > until ? row[1] : until;
        if (row[1] <= t0 || row[C_irq_tid] == 0 || !c->holds[slice_at(&s->slices, row[0])])
            continue;
        const struct who_thread *th =
            row[C_irq_tid] > 0 ? whos_at(s->d->w, s->host, row[C_irq_tid], row[0]) : NULL;
        stolen[th ? who_process(s->d->w, th)->owner : s->d->w->owners.n] += row[1] - t0;
    }
    return stolen;
}

/* Adds the time that threads of the host waited for CPUs meanwhile, as far as the CPU time that
 * interrupts took can be the reason: each ns of it keeps one thread waiting, if any waits.  Where
 * that is little of the waiting, others are the reason.  Returns how much was added. */
static ns_t add_waiting(const struct storms *s, const struct cpu *c, ns_t *lost)
{
    const struct store *st = s->d->src->hosts[s->host];
    ns_t *waits = xcalloc(s->d->w->owners.n + 1, sizeof *waits);
    ns_t end = src_kernel_end(s->d->src, s->host), all = 0, sum = 0;
    const cell_t *row;
    table_t t;

    if (store_table_find(st, schema_tables[TABLE_cpu_wait].name, &t)) {
        struct store_rows r = store_rows(st, t, (struct span){ c->when.t0, c->when.t1 });

        while ((row = store_rows_next(&r))) {
            ns_t t0 = row[0] > c->when.t0 ? row[0] : c->when.t0;
            ns_t t1 = row[1] == STORE_NULL ? end : row[1];
            const struct who_thread *th =
                row[0] == STORE_NULL ? NULL
                                     : whos_at(s->d->w, s->host, row[C_cpu_wait_tid], row[0]);

            t1 = t1 < c->when.t1 ? t1 : c->when.t1;
            if (!th || t1 <= t0)
                continue;
            waits[who_process(s->d->w, th)->owner] += t1 - t0;
            all += t1 - t0;
        }
    }
    double part = all > 0 ? (double)c->in_irqs / (double)all : 0;
    for (size_t i = 0; part >= MUCH_OF_WAITING && i < s->d->w->owners.n; i++) {
        ns_t ns = (ns_t)((double)waits[i] * (part < 1 ? part : 1));

        lost[i] += ns;
        sum += ns;
    }
    free(waits);
    return sum;
}

/* --- the finding -------------------------------------------------------------------------- */

static struct str line_name(const struct storms *s, const struct line *l)
{
    static const char *const kinds[] = { "irq", "softirq", "vector", "timer" };
    struct str name = store_text(s->d->src->hosts[s->host], l->name);

    return finding_text(s->d, "%s %lld%s" STR_FMT, kinds[l->kind], (long long)l->nr,
                        name.n ? " " : "", STR_ARG(name));
}

static int by_stormy(const void *a, const void *b)
{
    const struct line *const *x = a, *const *y = b;

    if ((*x)->stormy != (*y)->stormy)
        return (*x)->stormy > (*y)->stormy ? -1 : 1;
    return (*x)->nr != (*y)->nr ? ((*x)->nr > (*y)->nr) - ((*x)->nr < (*y)->nr)
                                : ((*x)->kind > (*y)->kind) - ((*x)->kind < (*y)->kind);
}

static void add_lines(const struct rule *r, struct storms *s, const struct cpu *c,
                      struct finding *f, struct str where)
{
    struct line **of = xcalloc(s->lines.n + 1, sizeof(struct line *));
    size_t n = 0;

    for (size_t i = 0; i < s->lines.n; i++)
        if (is_of(c, &s->lines.at[i]))
            of[n++] = &s->lines.at[i];
    if (n)
        qsort(of, n, sizeof(struct line *), by_stormy);
    for (size_t i = 0; i < n; i++) {
        double rate = (double)of[i]->fired * (double)NS_PER_S / (double)c->when.ns;

        if ((double)of[i]->stormy < rule_limit(s->d, r, MIN_LINE) * (double)c->in_irqs &&
            (of[i]->kind != IRQ_HARD || rate < rule_limit(s->d, r, MIN_RATE) / 2))
            continue;
        struct str name = line_name(s, of[i]);
        for (size_t k = 0; k < s->lines.n; k++)
            s->lines.at[k].told |=
                s->lines.at[k].kind == of[i]->kind && s->lines.at[k].nr == of[i]->nr;
        finding_culprit(f, "interrupt", name);
        finding_evidence(f, "interrupts",
                         finding_text(s->d, STR_FMT ": %.0f a second, %.0f %% of the CPU",
                                      STR_ARG(name), rate,
                                      (double)of[i]->stormy / (double)c->when.ns * 100),
                         "", where);
    }
    free(of);
}

static void add_victims(const struct storms *s, struct finding *f, ns_t *stolen, struct str where)
{
    for (size_t n = 0; n < OWNERS_SHOWN && s->d->w->owners.n; n++) {
        size_t most = 0;

        for (size_t i = 1; i < s->d->w->owners.n; i++)
            most = stolen[i] > stolen[most] ? i : most;
        if (stolen[most] == 0)
            return;
        const struct who_owner *o = &s->d->w->owners.at[most];
        finding_subject_lost(f, who_kind_name(o->kind), o->name, stolen[most]);
        finding_evidence(f, "taken from",
                         finding_text(s->d, STR_FMT ": %s", STR_ARG(o->name),
                                      finding_duration(s->d, stolen[most]).p),
                         "", where);
        stolen[most] = 0;
    }
}

static void found(const struct rule *r, struct diagnosis *d, struct storms *s, const struct cpu *c)
{
    const char *host = whos_host(d->w, s->host);
    struct str where = finding_text(d, "neph top irq --host %s", host);
    ns_t *stolen = find_stolen(s, c), sum = 0;
    double of_cpu = (double)c->in_irqs / (double)c->when.ns * 100;

    for (size_t i = 0; i <= d->w->owners.n; i++)
        sum += stolen[i];
    ns_t waited = add_waiting(s, c, stolen);
    bool harm = (double)(sum + waited) >= rule_limit(d, r, MIN_STOLEN) * (double)c->when.ns ||
                of_cpu >= 100 * rule_limit(d, r, MIN_ALL) || is_absurd_in(r, s, c);
    struct finding *f = finding_add(d, r, harm ? SEVERITY_WARNING : SEVERITY_INFO);
    f->title =
        c->line ? finding_text(d, STR_FMT " on %s takes %.0f %% of a CPU, spread over them, for %s",
                               STR_ARG(line_name(s, c->line)), host, of_cpu,
                               finding_duration(d, c->when.ns).p)
                : finding_text(d, "interrupts take %.0f %% of CPU %lld on %s for %s", of_cpu,
                               (long long)c->no, host, finding_duration(d, c->when.ns).p);
    f->t0 = c->when.t0;
    f->t1 = c->when.t1;
    f->cost_ns = sum + waited;
    finding_host(f, str_of(host));
    finding_evidence_ns(d, f, "in interrupts", c->in_irqs, where);
    finding_evidence_ns(d, f, "of that, taken from threads", sum, where);
    if (waited)
        finding_evidence_ns(d, f, "threads waited for CPUs because of it", waited, where);
    add_lines(r, s, c, f, where);
    add_victims(s, f, stolen, where);
    finding_subject_lost(f, "host", str_of(host), f->cost_ns);
    if (!measure_had(d->src->hosts[s->host], EV_SOFTIRQ_ENTRY))
        finding_unknown(f, STR("what softirqs add: they were not traced (lttng enable-event -k "
                               "'irq_softirq_*')"));
    if (!measure_had(d->src->hosts[s->host], EV_SCHED_SWITCH))
        finding_unknown(f, STR("whose threads were interrupted: sched_switch was not traced"));
    free(stolen);
}

static bool lasts(const struct rule *r, const struct storms *s, const struct cpu *c)
{
    return c->when.ns > 0 && c->when.ns >= rule_limit_ns(s->d, r, MIN_SECONDS) &&
           (double)c->when.ns >=
               rule_limit(s->d, r, MIN_OF_TRACE) * (double)(s->slices.t1 - s->slices.t0);
}

/* Lines that are no reason for a storm of one CPU, but of all together. */
static void look_at_lines(const struct rule *r, struct diagnosis *d, struct storms *s)
{
    for (size_t i = 0; i < s->lines.n; i++) {
        const struct line *l = &s->lines.at[i];
        struct cpu c = { .no = ALL_CPUS, .line = l, .ns = l->ns };

        if (l->cpu != ALL_CPUS || l->told)
            continue;
        c.holds = xcalloc(s->slices.n + 1, sizeof *c.holds);
        mark(r, s, &c);
        if (lasts(r, s, &c))
            found(r, d, s, &c);
        free(c.holds);
    }
}

static void look(const struct rule *r, struct diagnosis *d, uint32_t host)
{
    struct storms s = { .d = d, .host = host, .slices = slices_of(d, host, slice_least) };

    if (s.slices.n)
        sweep(&s);
    for (size_t i = 0; i < s.cpus.n; i++)
        mark(r, &s, &s.cpus.at[i]);
    for (size_t i = 0; i < s.cpus.n; i++)
        if (lasts(r, &s, &s.cpus.at[i]))
            found(r, d, &s, &s.cpus.at[i]);
    look_at_lines(r, d, &s);
    for (size_t i = 0; i < s.cpus.n; i++) {
        free(s.cpus.at[i].ns);
        free(s.cpus.at[i].holds);
    }
    for (size_t i = 0; i < s.lines.n; i++) {
        free(s.lines.at[i].ns);
        free(s.lines.at[i].count);
    }
    vec_free(&s.cpus);
    vec_free(&s.lines);
    map64_free(&s.index);
}

static void find(const struct rule *r, struct diagnosis *d)
{
    for (uint32_t h = 0; h < d->src->nhosts; h++) {
        const struct store *s = d->src->hosts[h];

        if (measure_had(s, EV_SCHED_SWITCH) && !measure_had(s, EV_IRQ_ENTRY) &&
            !measure_had(s, EV_SOFTIRQ_ENTRY))
            finding_blind(d, finding_text(d,
                                          "%s: interrupts were not traced: what they take from "
                                          "threads and guests is not known (lttng enable-event -k "
                                          "'irq_*')",
                                          store_host(s)));
        look(r, d, h);
    }
}

const struct rule rule_interrupt_storm = {
    .name = "interrupt-storm",
    .title = "interrupts take most of a CPU",
    .doc = "In slices of the trace the handlers of interrupts and softirqs took most of a CPU, or "
           "one line came absurdly often, on one CPU or spread over all. Culprits are the lines "
           "that took much of that; subjects "
           "are those whose threads ran there and were interrupted, or who waited for CPUs "
           "meanwhile. It is a "
           "warning if much was "
           "taken from threads, and info if the CPU had nothing else to do.",
    .remedy = "look at the device of that line (a fault, or moderation of interrupts that is off: "
              "ethtool -C), spread its queues (irqbalance, RPS), keep them off CPUs that guests "
              "are pinned to",
    .needs = "the host's kernel: irq_handler_entry and _exit, irq_softirq_entry and _exit, "
             "sched_switch",
    .limits = limits,
    .nlimits = ARRAY_SIZE(limits),
    .layer = LAYER_KERNEL,
    .stage = STAGE_RESOURCE,
    .slows = true,
    .find = find,
};
