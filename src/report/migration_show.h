/* SPDX-License-Identifier: Apache-2.0
 *
 * migration_show.h -- what is told of migrations: the list, one of them, its rounds, two side by
 * side.
 *
 * The JSON of a migration is the row of `neph list migrations`, everywhere. */
#ifndef REPORT_MIGRATION_SHOW_H
#define REPORT_MIGRATION_SHOW_H

#include "report/migration.h"
#include "report/sections.h"

extern const struct report_list list_migrations;

/* A row of that list.  Here and below, 'm' must live until what is filled was printed. */
void migration_row(const struct report_src *src, const struct migration *m, struct table *t);

/* Finds the 'n' migrations that a user names by id or by instance; what is returned lives as long
 * as the report.  False: 'why' says that there is none, or which fit. */
bool migrations_named(const struct report_src *src, const struct str *ids, size_t n,
                      const struct migration **ret, struct sbuf *ret_why);
/* What happened, in plain words. */
void migration_words(const struct report_src *src, const struct migration *m, struct sbuf *out);
/* The last round after which something could be foreseen; NULL: it never could. */
const struct mig_round *migration_foresight(const struct migration *m);
/* In bytes; 0: the rounds don't tell, and all memory was taken for it. */
double migration_working_set(const struct migration *m, const struct conv_verdict *v);
/* Takes the first sentence of what is not known off 'rest'; empty: there is none. */
struct str migration_next_unknown(struct str *rest);
/* "yes", "never" or "unknown". */
const char *migration_ends_name(enum conv_ends e);

/* `neph show migration`.  False: the head of 'ret' says why. */
bool show_migration(const struct report_src *src, struct str id, struct sections *ret);

/* `neph rounds`: a row for each round, and how much each had to send, drawn. */
extern const struct column round_columns[];
extern const size_t nround_columns;
void migration_rounds(const struct migration *m, struct table *t);
void migration_chart(const struct migration *m, bool all, struct sbuf *out);

/* `neph compare`: what took how long in each, and what was how much. */
void migration_compare(const struct report_src *src, const struct migration *a,
                       const struct migration *b, struct sections *ret);

/* Parts of the JSON. */
void migration_emit_stages(struct json *j, const void *migration);
void migration_emit_rounds(struct json *j, const void *migration);
void migration_emit_prediction(struct json *j, const void *round_or_null);
void migration_emit_culprits(struct json *j, const void *migration);
void migration_emit_sharers(struct json *j, const void *migration);
void migration_emit_downtimes(struct json *j, const void *migration);
void migration_emit_qemu(struct json *j, const void *migration);

#endif
