/* SPDX-License-Identifier: Apache-2.0
 *
 * tsp_priv.h -- the parts of the Trace Server Protocol.
 *
 *   tsp.c         traces, experiments, health; the table of routes
 *   tsp_output.c  which outputs there are, and their trees
 *   tsp_window.c  what all questions about an output have
 *   tsp_graph.c   states, arrows, styles
 *   tsp_curve.c   curves, the histogram, densities
 *   tsp_notes.c   tooltips; findings as annotations
 *   tsp_table.c   findings and events as tables
 *
 * What clients trip over, found by running them: the type of the content is exactly
 * application/json; instants are bare integers; a double never has more than 15 characters, since
 * a client's parser takes longer ones for integers and loses the whole answer; absent members are
 * left out, not null. */
#ifndef SERVE_TSP_PRIV_H
#define SERVE_TSP_PRIV_H

#include "serve/rows.h"
#include "serve/tsp.h"

typedef void tsp_answer(struct serve *s, const struct request *q, struct reply *r);

enum tsp_type { TSP_XY, TSP_GRAPH, TSP_TABLE, TSP_TREE, TSP_GENERIC_XY };

struct tsp_output {
    const char *id, *name, *about;
    enum tsp_type type;
    const char *scope; /* whose rows its entries are; NULL: it has its own */
    const char *alias; /* another id that Trace Compass gives to the same; or NULL */
};
extern const struct tsp_output tsp_outputs[]; /* ends with id NULL */

/* An output that the client made. */
struct tsp_derived {
    char *id, *name, *scope;
    const struct tsp_output *parent;
};

/* The output that the request names, of the experiment that it names.  If a client made it, what it
 * was made of is returned in 'ret', whose scope is NULL otherwise; 'ret' may be NULL.  NULL:
 * answered with 404. */
const struct tsp_output *tsp_output_asked(struct serve *s, const struct request *q, struct reply *r,
                                          struct tsp_derived *ret);

/* "parameters" of the body, or NULL. */
const json_t *tsp_parameters(const struct request *q);
/* A member of it that is an integer. */
bool tsp_int(const json_t *from, const char *name, int64_t *ret);
/* {"model":...: 'end' closes it with the status: of the histories. */
struct json *tsp_model(struct reply *r);
void tsp_model_end(struct json *j, struct serve *s);
/* The same with another message. */
void tsp_model_say(struct json *j, struct serve *s, const char *message);
/* Is there something to answer from? */
bool tsp_is_ready(struct serve *s);
/* The same; if not, answers that it is running, or was cancelled, with no model. */
bool tsp_ready(struct serve *s, struct reply *r);
/* At most 15 characters. */
void tsp_double(struct json *j, double v);
/* Answers 404 and returns false if there is no such experiment. */
bool tsp_has_experiment(struct serve *s, struct str uuid, struct reply *r);

/* The window that was asked for: 'n' samples. */
struct tsp_window {
    struct span span;
    size_t n;
};
/* False: answered with 400. */
bool tsp_window(struct serve *s, const struct request *q, struct tsp_window *ret, struct reply *r);
/* Where sample 'i' begins. */
ns_t tsp_edge(const struct tsp_window *w, size_t i);
/* Fewer samples, if so many rows would make an answer that no client wants to take. */
void tsp_thin_out(struct tsp_window *w, size_t rows);
/* The output of the request with its scope, which is to be released; NULL: the output has none.
 * False: answered. */
bool tsp_begin(struct serve *s, const struct request *q, struct reply *r,
               const struct tsp_output **ret, struct scope **ret_scope);
/* Numbers of 'requested_items', as positions of rows. */
size_t tsp_items(const struct request *q, const struct scope *c, size_t **ret);

tsp_answer tsp_list_outputs, tsp_get_output, tsp_post_tree, tsp_post_derived, tsp_delete_derived,
    tsp_config_types, tsp_config_type, tsp_output_config_types, tsp_output_config_type, tsp_configs,
    tsp_post_config, tsp_get_config, tsp_put_config, tsp_delete_config;
tsp_answer tsp_post_states, tsp_post_arrows, tsp_post_tooltip, tsp_post_xy, tsp_post_style,
    tsp_marker_sets, tsp_get_annotations, tsp_post_annotations, tsp_get_xy_tooltip;
tsp_answer tsp_post_columns, tsp_post_lines;

/* What was made by clients, in tsp.c under a lock. */
bool tsp_derived_at(struct serve *s, size_t i, struct arena *mem, struct tsp_derived *ret);
/* Instead of the one with this id, if there is one.  False: there are too many. */
bool tsp_derived_put(struct serve *s, const struct tsp_derived *d);
bool tsp_derived_delete(struct serve *s, struct str id, struct arena *mem, struct tsp_derived *ret);

#endif
