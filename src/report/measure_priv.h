/* SPDX-License-Identifier: Apache-2.0
 *
 * measure_priv.h -- between measure.c (samples to groups to tables) and measures.c (what
 * the samples are). */
#ifndef REPORT_MEASURE_PRIV_H
#define REPORT_MEASURE_PRIV_H

#include "model/events.h"
#include "report/measure.h"

struct sample {
    uint32_t host;
    ns_t t0, t1;                  /* t1 is STORE_NULL: it has no end in the trace */
    ns_t ns;                      /* its cost; of what has no end, up to the end of the trace */
    const struct who_thread *who; /* whom it happened to, NULL = nobody's or not known */
    const struct who_thread *by;  /* who did that */
    int64_t by_tid;               /* of 'by'; 0 = nobody, -1 = not known */
    struct str what, kind;        /* call, exit reason, device, interrupt ... */
    int64_t number, cpu, bytes;   /* STORE_NULL = none */
    struct str detail;
    ns_t blocked, waited, extra; /* parts of 'ns', or of what came before; STORE_NULL = none */
    bool error, flag;
};

struct measuring;
/* Hands a sample over, if the user's filters let it pass. */
void measure_sample(struct measuring *m, const struct sample *s);

/* Columns of groups and of samples. */
enum measure_col {
    MC_END, /* ends a list */
    MC_HOST,
    MC_NAME,
    MC_KIND,
    MC_UUID,
    MC_PID,
    MC_TID,
    MC_COMM,
    MC_VICTIM,
    MC_VICTIM_TID,
    MC_CULPRIT,
    MC_CULPRIT_TID,
    MC_DEVICE,
    MC_VM,
    MC_PROCESS,
    MC_OP,
    MC_INTERFACE,
    MC_DIRECTION,
    MC_IRQ_KIND,
    MC_NUMBER,
    MC_IRQ_NAME,
    MC_CALL,
    MC_REASON,
    MC_VCPU,
    MC_CPU,
    MC_COUNT,
    MC_PACKETS,
    MC_TOTAL,
    MC_MIN,
    MC_MEAN,
    MC_P50,
    MC_P99,
    MC_LONGEST,
    MC_MAX,
    MC_AT,
    MC_OPEN,
    MC_ERRORS,
    MC_BYTES,
    MC_RATE,
    MC_BANDWIDTH,
    MC_PEAK,
    MC_DRIVER,
    MC_SEQUENTIAL,
    MC_DEPTH,
    MC_BLOCKED,
    MC_WAITED,
    MC_VCPU_TIME,
    MC_RAISED,
    MC_START,
    MC_DURATION,
    MC_DETAIL,
    MC_COLS
};

/* By what samples are grouped, beside host and owner (or process, or thread). */
enum group_by {
    GROUP_WHO = 1,  /* the owner, process or thread     */
    GROUP_BY = 2,   /* and that of 'by'                 */
    GROUP_WHAT = 4, /* what, kind and number            */
    GROUP_DETAIL = 8,
};

struct need {
    enum ev_type type;
    const char *or_type; /* one of these is enough: name of another type, or NULL */
    const char *enable;  /* how, for lttng */
    const char *without; /* what can't be known */
};

struct measure {
    const char *name, *title;
    /* NULL: there are none, only 'fill_top'. */
    void (*samples)(struct measuring *m, const struct report_src *src, const struct whos *w);
    unsigned group; /* enum group_by */
    bool of_bytes;  /* freq is of bytes, not of time */
    const enum measure_col *top, *log;
    /* Instead of groups of samples; NULL: groups. */
    void (*fill_top)(const struct report_src *src, const struct whos *w,
                     const struct measure_opts *o, struct table *t);
    const struct column *top_columns;
    size_t ntop_columns;
    const struct need *needs; /* ends with .without == NULL */
    const char *says;         /* what to bear in mind; NULL = nothing */
};

extern const struct measure measure_cpu, measure_preempt, measure_wait, measure_sched, measure_io,
    measure_net, measure_irq, measure_syscall, measure_exits, measure_mem;

/* Does what the thread belongs to pass the user's filters? */
bool measure_passes(const struct report_src *src, const struct whos *w,
                    const struct measure_opts *o, const struct who_thread *th);
#endif
