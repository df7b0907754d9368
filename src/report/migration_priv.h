/* SPDX-License-Identifier: Apache-2.0
 *
 * migration_priv.h -- what the files that put migrations together share. */
#ifndef REPORT_MIGRATION_PRIV_H
#define REPORT_MIGRATION_PRIV_H

#include "report/migration.h"

/* A row of TABLE_qemu, in the time that is shown. */
struct qemu_row {
    ns_t t0, t1;
    uint32_t host, source;
    int64_t pid, tid, what, a, b, c, d;
    struct str text;
    bool qmp; /* from a log of QMP */
};

/* An answer of query-migrate. */
struct qemu_info {
    ns_t t;
    struct str status, error;
    int64_t total_ms, downtime_ms, setup_ms, transferred, remaining, total, zero_pages, syncs;
    int64_t page_bytes, throttle;
};

/* What one process of QEMU did about one migration, at one end. */
struct qemu_end {
    uint32_t host;
    int64_t pid; /* below 0: not known, but different */
    bool source;
    struct str vm; /* whose process it is, as mappings know; or empty */
    ns_t t0, t1;   /* t1: STORE_NULL while it goes on */
    enum mig_outcome outcome;
    bool begun_before; /* its beginning is not in the trace */
    bool taken;
    VEC(struct qemu_row) rows;   /* by time */
    VEC(struct qemu_info) infos; /* by time */
};
typedef VEC(struct qemu_end) qemu_end_vec;

/* migration_qemu.c */
void qemu_ends_read(const struct report_src *src, const struct whos *w, qemu_end_vec *ret);
void qemu_ends_free(qemu_end_vec *v);
/* The first row of that kind at or after 't'; NULL. */
const struct qemu_row *qemu_row_of(const struct qemu_end *e, enum qemu_what what, ns_t from);
/* The rounds, and QEMU's stages, of a migration with that source (and destination, or NULL). */
void qemu_rounds(const struct qemu_end *s, struct migration *m);
void qemu_stages(const struct report_src *src, const struct qemu_end *s, const struct qemu_end *d,
                 struct migration *m);

/* migration_nova.c: one migration for each request of Nova's that migrates something. */
void nova_migrations(const struct report_src *src, struct migrations *ret);

/* migration_cpu.c */
/* Who had the CPUs; when the vCPUs ran last and first. */
void migration_cpu(const struct report_src *src, const struct whos *w, struct migration *m);

/* migration_io.c: who shared its link and its disks; how long its guest was silent. */
void migration_io(const struct report_src *src, const struct whos *w, struct migration *m);

/* The downtime by that definition, if it is known; else NULL. */
const struct mig_downtime *migration_downtime(const struct migration *m, const char *source);

/* A sentence more of what can't be known. */
void migration_unknown(struct migration *m, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

#endif
