/* SPDX-License-Identifier: Apache-2.0
 *
 * scopes_priv.h -- what those who fill scopes share. */
#ifndef SERVE_SCOPES_PRIV_H
#define SERVE_SCOPES_PRIV_H

#include "model/schema.h"
#include "serve/rows.h"

/* What is filled, and with what. */
struct filling {
    struct serve *s;
    struct scope *c;
    struct report_src src; /* memory is the scope's */
};

/* The shade by which a text differs from the next. */
int64_t shade_of(struct str text);
/* An item of that time; what is not known of it is as long as the traces. */
struct item item_of(const struct filling *f, ns_t t0, ns_t t1);
void set_legend(struct filling *f, struct row *like, const struct schema_values *v);

/* --- scopes_migration.c -------------------------------------------------------------------- */

/* Stages of the layer "nova", "qemu" or "": a row for each host; 'of' is the layer of the rows. */
void put_stages(struct filling *f, const struct migration *m, const char *layer, const char *title,
                const char *of, struct str parent);
/* Stages, rounds and curves, and what went from the source to the destination. */
void put_migration(struct filling *f, const struct migration *m, struct str parent);
void put_downtimes(struct filling *f, const struct migration *m, struct str parent);

#endif
