/* SPDX-License-Identifier: Apache-2.0
 *
 * oslog_priv.h -- shared by the parsers of log lines.
 *
 * A form is one kind of line.  oslog_decode() offers a line to every form
 * whose literals it holds; the first whose parser says true has it.  To teach
 * a new form: a parser and one row in the table of the fitting file. */
#ifndef MODEL_OSLOG_PRIV_H
#define MODEL_OSLOG_PRIV_H

#include "model/oslog.h"
#include "model/payload_tree.h"

struct oslog {
    struct arena *a;
    struct str logger;
    struct str msg;      /* as it came                                        */
    struct str line;     /* without leading [instance: ..] and [req-.. ..] tags */
    struct str instance; /* see oslog_line_instance() */
    bool instance_known;
    struct log_facts *out;
    size_t cap;
};

/* Parses 's', the line behind the literal 'starts'. */
typedef bool oslog_parser(struct oslog *o, struct str s, int arg);

struct oslog_form {
    const char *first;  /* the line starts with one of these bytes; NULL: 'starts' says it */
    struct str starts;  /* the line starts so                                 */
    struct str has;     /* and this occurs behind it; empty: needs nothing    */
    const char *logger; /* glob; NULL: any                                   */
    oslog_parser *parse;
    int arg; /* for the parser */
};

struct oslog_table {
    const struct oslog_form *forms;
    size_t n;
};

extern const struct oslog_table oslog_oslo_forms;    /* oslog_oslo.c    */
extern const struct oslog_table oslog_http_forms;    /* oslog_http.c    */
extern const struct oslog_table oslog_object_forms;  /* oslog_objects.c */
extern const struct oslog_table oslog_libvirt_forms; /* oslog_libvirt.c */
extern const struct oslog_table oslog_nova_forms;    /* oslog_nova.c    */
extern const struct oslog_table oslog_vm_forms;      /* oslog_vm.c      */
extern const struct oslog_table oslog_sched_forms;   /* oslog_sched.c   */
extern const struct oslog_table oslog_neutron_forms; /* oslog_neutron.c */

/* A new fact of 'kind', all members zero; NULL when the message has too many. */
struct log_fact *oslog_add(struct oslog *o, enum log_fact_kind kind);

/* oslog_instance() of the message, looked for once. */
struct str oslog_line_instance(struct oslog *o);

/* Adds the API objects in the JSON or Python literal at the start of 's'. */
void oslog_objects(struct oslog *o, struct str s, enum api_origin origin);

/* Scanners: true, and '*s' moved behind what was read, or false and all
 * untouched. */
bool take(struct str *s, const char *literal);
/* Text up to 'delimiter', which is skipped too. */
bool take_to(struct str *s, const char *delimiter, struct str *ret);
bool take_i64(struct str *s, int64_t *ret);
/* Decimal number; with an exponent as well. */
bool take_num(struct str *s, double *ret);
/* Decimal seconds such as "0.154", exactly, as nanoseconds. */
bool take_seconds(struct str *s, ns_t *ret);
bool take_uuid(struct str *s, struct str *ret);
/* 'x' or "x" or x up to a blank or one of ",;)]". */
bool take_word(struct str *s, struct str *ret);

/* Empty for None. */
static inline struct str unless_none(struct str s)
{
    return str_is(s, "None") ? STR("") : s;
}

#define FORMS(rows)            \
    {                          \
        rows, ARRAY_SIZE(rows) \
    }

#endif
