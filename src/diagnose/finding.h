/* SPDX-License-Identifier: Apache-2.0
 *
 * finding.h -- what is wrong, who did it, how one knows, and what to do.
 *
 * A rule (rule.h) adds findings to a diagnosis; diagnosis.c links those that explain others and
 * ranks them; findings.c writes them.  A finding is data: everything that is shown of it is in
 * it. */
#ifndef DIAGNOSE_FINDING_H
#define DIAGNOSE_FINDING_H

#include "model/layer.h"
#include "report/migration.h"
#include "report/lists.h"

enum severity { SEVERITY_INFO, SEVERITY_WARNING, SEVERITY_CRITICAL };

struct party {
    const char *kind; /* "vm", "service", "process", "host", "request", "migration", "disk",
                       * "interface", "interrupt", ... */
    struct str name;
    ns_t lost_ns; /* a subject: how long it waited in vain; STORE_NULL: not known */
};

/* What explains a finding, and how much of its cost. */
struct explanation {
    size_t by; /* its rank           */
    ns_t ns;   /* STORE_NULL: not known */
};

/* A measured value and where it is to be seen. */
struct evidence {
    const char *what;
    struct str value;
    const char *unit; /* "ns", "bytes", "ratio"; empty: it is text */
    struct str where; /* a command of neph */
};

struct rule;

struct finding {
    const struct rule *rule;
    enum severity severity;
    enum layer layer; /* that its cause is in, whatever the layers of its evidence */
    bool minor;       /* info that is told after all other: it is often so, and rarely matters */
    struct str title;
    VEC(struct party) subjects;
    VEC(struct party) culprits; /* who did most of it first */
    VEC(struct str) hosts;
    ns_t t0, t1, cost_ns; /* STORE_NULL: not known */
    VEC(struct evidence) evidence;
    VEC(struct str) unknown;        /* sentences */
    size_t rank;                    /* from 1 */
    VEC(struct explanation) causes; /* the one that explains most first */
};

/* Limits of rules that are not as the rules have them. */
struct limits_set {
    VEC(struct limit_set {
        const struct rule *rule;
        size_t limit;
        double value;
    }) at;
};
/* Takes "RULE.LIMIT=VALUE"; what is taken later counts.  Returns 0, or -E_ARG and says why not. */
int limits_take(struct limits_set *to, const char *setting, struct err *err);
/* The same of the lines "RULE.LIMIT = VALUE" of a file; '#' begins a comment.  Returns 0, or
 * -E_* and says in which line. */
int limits_read(struct limits_set *to, const char *path, struct err *err);

struct baseline;

struct demand;

struct diagnosis {
    const struct report_src *src;
    const struct limits_set *limits; /* or NULL */
    const struct baseline *baseline; /* or NULL */
    struct whos *w;
    struct migrations *migrations;
    struct demand *demands;   /* of owners, once asked for: demand.h */
    VEC(struct finding) list; /* ranked: roots, the worst first, each with what it explains below */
    VEC(struct str) blind_spots;
};

/* Applies all rules.  Texts live as long as the report.  Free with diagnosis_free(). */
void diagnosis_make(const struct report_src *src, const struct limits_set *limits,
                    const struct baseline *baseline, struct diagnosis *ret);
void diagnosis_free(struct diagnosis *d);
/* How many findings are at least that bad. */
size_t diagnosis_count(const struct diagnosis *d, enum severity least);

void diagnosis_json(const struct diagnosis *d, struct json *j);
/* A finding a line, as in the array of diagnosis_json(). */
void diagnosis_jsonl(const struct diagnosis *d, FILE *f);
/* A row a finding, with what fits in cells. */
extern const struct column finding_columns[];
extern const size_t nfinding_columns;
void diagnosis_rows(const struct diagnosis *d, struct table *t);
/* An array of alerts as Alertmanager's POST /api/v2/alerts takes it. */
void diagnosis_alerts(const struct diagnosis *d, struct json *j);
/* The line of a Nagios plugin, with figures.  Returns the plugin's exit code. */
int diagnosis_nagios(const struct diagnosis *d, struct sbuf *out);
enum { NAGIOS_EXIT_UNKNOWN = 3 };
/* The same when there is no diagnosis, and why. */
void nagios_unknown(struct str why, struct sbuf *out);
void diagnosis_text(const struct diagnosis *d, struct sbuf *out);
const char *severity_name(enum severity s);

void finding_free(struct finding *f);
/* Says which findings explain others, and puts the list in order: explain.c. */
void diagnosis_rank(struct diagnosis *d);

/* --- for rules ---------------------------------------------------------------------------- */

/* The address is valid until the next finding is added. */
struct finding *finding_add(struct diagnosis *d, const struct rule *r, enum severity severity);
/* Text that lives as long as the report. */
#define finding_text(d, ...) str_of(arena_printf((d)->src->mem, __VA_ARGS__))
/* An instance in a title, also when nothing tells its name. */
struct str finding_vm(struct str name);
/* The first line of an error, for a title. */
struct str finding_first_line(struct str error);
struct str finding_duration(const struct diagnosis *d, ns_t ns);
/* Without a name: nothing is added. */
void finding_subject_lost(struct finding *f, const char *kind, struct str name, ns_t lost_ns);
void finding_subject(struct finding *f, const char *kind, struct str name);
void finding_culprit(struct finding *f, const char *kind, struct str name);
void finding_host(struct finding *f, struct str host);
void finding_evidence(struct finding *f, const char *what, struct str value, const char *unit,
                      struct str where);
void finding_evidence_ns(const struct diagnosis *d, struct finding *f, const char *what, ns_t ns,
                         struct str where);
void finding_unknown(struct finding *f, struct str sentence);
/* What no rule could see, and what would show it; the same sentence counts once. */
void finding_blind(struct diagnosis *d, struct str sentence);

#endif
