/* SPDX-License-Identifier: Apache-2.0
 *
 * engine.h -- what an analysis is, and the pass that runs analyses over a host.
 *
 * An analysis is a constant: the events it handles, the rules that turn events
 * into attribute states without code, and a function for what rules can't say.
 *
 *   reader ─▶ typed event ─▶ handlers ─▶ records, derived events ─▶ rules ─▶ states
 *
 * A pass sees one host and nothing else (so hosts can run in any order, or at
 * the same time) and fills that host's history.  When all hosts are done, the
 * 'global' functions join what the histories hold. */
#ifndef ENGINE_ENGINE_H
#define ENGINE_ENGINE_H

#include "engine/keep.h"
#include "input/experiment.h"
#include "model/events.h"
#include "model/schema.h"
#include "store/store.h"

struct kernel;

struct pass {
    const char *host;
    struct store *store;
    struct notes *notes;
    struct arena mem;     /* lives as long as the pass        */
    struct arena scratch; /* emptied after every trace event  */
    ns_t t0, t1;          /* first and last event so far      */
    ns_t kernel_t1; /* last event that a kernel's tracer wrote, once all were read; NS_MIN = none */
    table_t tables[SCHEMA_TABLES];
    struct kernel *kernel; /* the host's kernel at this instant: analysis/kernel.h */
    struct pass_priv *priv;
};

/* 'ev' points to the struct of the handler's event type. */
typedef void (*handler_fn)(void *state, struct pass *p, const struct ev_head *h, const void *ev);

struct handler {
    enum ev_type type;
    handler_fn fn;
};

/* "When this event comes, the attribute takes the value of that member." Holes of
 * the attribute's path are members of the event; an event with an empty hole or a
 * value of STORE_NULL sets nothing. */
struct rule {
    enum ev_type type;
    enum schema_attr attr;
    const char *value; /* name of a member; NULL: 'constant' */
    cell_t constant;
};

/* All histories of an experiment, for the joins between hosts. */
struct cloud {
    struct store **hosts;
    uint32_t nhosts;
    struct store *global; /* what no single host can know */
    char **paths;         /* of the files, the global one's last; NULL = in memory */
    struct notes *notes;
};

struct analysis {
    const char *name, *title, *layer; /* layer: "application", "kernel", ... */
    const char *doc;                  /* a paragraph for `neph help analyses` */
    const struct handler *handlers;   /* ends with .fn == NULL   */
    const struct rule *rules;         /* ends with .attr == SCHEMA_ATTRS */
    size_t state_size;                /* zeroed for each pass    */
    void (*start)(void *state, struct pass *p);
    void (*finish)(void *state, struct pass *p);
    void (*global)(struct cloud *c);
};

/* Runs the analyses of 'list' (ends with NULL) over one host. '*ret' is a finished
 * history in memory that the caller frees. */
int engine_run_host(const struct analysis *const *list, const struct experiment *x,
                    const struct host *host, struct notes *notes, struct store **ret,
                    struct err *err);
/* Who wants to know how far the passes are, and may end them. */
struct engine_watch {
    /* Now and then, from the thread that reads: host number 'at' of 'hosts' is being read, 'events'
     * of it were.  False: stop; engine_analyse() fails then. */
    bool (*step)(void *ctx, const char *host, uint32_t at, uint32_t hosts, uint64_t events);
    void *ctx;
};

/* What is done with the histories of all hosts before they are joined. */
struct engine_between {
    /* Returns 0 or -E_*.  NULL: nothing is done. */
    int (*fn)(void *ctx, struct store *const *hosts, uint32_t n, struct err *err);
    void *ctx;
    struct str key;                   /* of how it is done: part of the key of what is joined */
    const struct engine_watch *watch; /* may be NULL */
};

/* Runs them over all hosts and then joins, or takes the histories that are kept of
 * that; with 'keep' NULL, all in memory.  A host whose history is there is not read:
 * its totals and notes are what they were.  'between' may be NULL.  'notes' are those that 'x' was
 * opened with.
 * The caller frees with engine_cloud_free(). */
int engine_analyse(const struct analysis *const *list, struct experiment *x, struct keep *keep,
                   const struct engine_between *between, struct notes *notes, struct cloud *ret,
                   struct err *err);
/* When everything was asked: notes what could not be read of the histories, and
 * removes those files. */
void engine_cloud_check(struct cloud *c);
void engine_cloud_free(struct cloud *c);

/* Hands a derived event to its handlers and rules, at once. */
void pass_emit(struct pass *p, enum ev_type type, const struct ev_head *h, const void *ev);
/* Adds a record; 'cells' as many as the table's columns. */
static inline void pass_record(struct pass *p, enum schema_table t, const cell_t *cells)
{
    store_record(p->store, p->tables[t], cells);
}
static inline cell_t pass_text(struct pass *p, struct str s)
{
    return store_intern(p->store, s);
}

/* The schema's tables and families in the store's terms. */
const struct store_table *engine_table(enum schema_table t);
const struct store_family *engine_family(enum schema_attr a);

#endif
