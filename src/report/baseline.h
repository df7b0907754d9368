/* SPDX-License-Identifier: Apache-2.0
 *
 * baseline.h -- what is normal for a cloud, from traces of good days, and what is unlike it.
 *
 * A figure is something of a cloud that has been measured often: how long an operation takes, the
 * latency of a disk, the share of its time that an instance waits for CPUs.  All values of it are
 * kept as counts in buckets whose bounds grow by 2 %: so several runs can be added up without loss,
 * and median, MAD and any percentile of all of them are known within 1 %.  docs/baselines.md has
 * the file's form and the statistics. */
#ifndef REPORT_BASELINE_H
#define REPORT_BASELINE_H

#include "report/migration.h"
#include "report/table.h"

struct bucket {
    int32_t at; /* values around 1.02^at */
    uint64_t n;
};

struct figure {
    struct str kind;            /* "operation", "host", "vm", "device", "interface", "migration" */
    struct str of;              /* its name */
    struct str what, unit;      /* "duration", "ns" */
    struct str host;            /* empty: of the cloud */
    bool more_is_worse;         /* else it is neither */
    uint32_t runs;              /* how many had it */
    uint64_t n;                 /* values */
    VEC(struct bucket) buckets; /* by 'at' */
};

struct baseline {
    struct arena mem;
    VEC(struct figure) figures; /* in no order */
    VEC(struct str) runs;       /* host and time of each trace that is in it */
    struct strtab keys;
};

/* Measures all figures of the traces.  Free with baseline_free(). */
void baseline_measure(const struct report_src *src, const struct whos *w,
                      const struct migrations *m, struct baseline *ret);
void baseline_free(struct baseline *b);
/* Adds what 'from' has.  Returns 0, or -E_ARG when one of its runs is in 'to' already. */
int baseline_add(struct baseline *to, const struct baseline *from, struct err *err);
/* Is that, by its first bytes, a baseline? */
bool baseline_is_file(const char *path);
/* Returns 0, or -E_*; 'ret' is empty then. */
int baseline_read(const char *path, struct baseline *ret, struct err *err);
/* Replaces the file as a whole.  Returns 0 or -E_IO. */
int baseline_write(const struct baseline *b, const char *path, struct err *err);

/* Nearest rank; 0 <= q <= 1. */
double figure_quantile(const struct figure *f, double q);
/* Median of the distances from the median. */
double figure_mad(const struct figure *f);
double figure_max(const struct figure *f);

/* How far a figure is from what it was. */
struct unlike {
    const struct figure *was, *now; /* one may be NULL */
    double times;                   /* now by was; NAN: not known */
    double z;                       /* the difference in robust standard deviations */
    bool noise, few;                /* few: 'was' has few values */
};
enum { BASELINE_FEW = 10 };
typedef VEC(struct unlike) unlike_vec;
/* All figures of both: what differs first, the most unlike first; then what is noise. */
void baseline_compare(const struct baseline *was, const struct baseline *now, unlike_vec *ret);

extern const struct column baseline_columns[], unlike_columns[];
extern const size_t nbaseline_columns, nunlike_columns;
void baseline_rows(const struct baseline *b, struct table *t);
void unlike_rows(const unlike_vec *all, struct table *t);
/* "2.3 s", "4.5 %", "1234 per s" */
void figure_value(const struct figure *f, double v, struct sbuf *out);

#endif
