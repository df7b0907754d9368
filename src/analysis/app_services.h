/* SPDX-License-Identifier: Apache-2.0
 *
 * app_services.h -- OpenStack's services as tables.
 *
 * Another service is a table more: how its loggers and processes are named, which
 * record types are tasks on which kind of thing, and under which other names
 * they come (old and versioned notifications, spans, the prefixed types of
 * instrumented agents).  The mechanism that turns them into tasks is one for
 * all (app_tasks.c). */
#ifndef ANALYSIS_APP_SERVICES_H
#define ANALYSIS_APP_SERVICES_H

#include "base/str.h"

/* A task: what begins with "<type>.start" and ends with "<type>.end". */
struct task_def {
    const char *name;    /* canonical: "compute.instance.create"            */
    const char *aliases; /* '|' between other record types that mean it     */
    const char *service; /* that does it; "" = the one that logs it         */
    const char *kind;    /* of the entity: instance, volume, network, ...   */
};

/* Loggers and processes of a service. */
struct service_name {
    const char *logger;  /* prefix of the logger: "nova.scheduler."          */
    const char *service; /* "nova-scheduler"                                 */
};

struct service_def {
    const char *family;               /* first word of its loggers: "nova"                */
    const struct service_name *names; /* the first that fits counts; ends with NULL */
    const struct task_def *tasks;     /* ends with .name == NULL            */
    const char *const *processes;     /* process names; ends with NULL      */
};

extern const struct service_def *const app_services[]; /* ends with NULL */

enum record_phase { PHASE_POINT, PHASE_START, PHASE_END, PHASE_ERROR };

/* A record type taken apart. */
struct record_type {
    struct str base; /* as written, without the phase          */
    struct str name; /* canonical                              */
    enum record_phase phase;
    const struct task_def *def; /* NULL: not in any table       */
};

/* Takes " dhcp-agent.subnet.delete.start" apart.  'name' may be a copy in 'mem'. */
void app_record_type(struct str type, struct arena *mem, struct record_type *ret);

/* The service a logger belongs to, or an empty string for shared libraries. */
struct str app_service_of_logger(struct str logger);
/* The service of a process by its (truncated) name, or an empty string when it
 * could be any, as "uwsgi" and "python3" can. */
struct str app_service_of_process(struct str procname);
/* The service that listens at this TCP port unless its configuration says otherwise, or an empty
 * string. */
struct str app_service_of_port(int64_t port);
/* "nova" of "nova.compute.manager" if it is a service's family, else "". */
struct str app_family_of_logger(struct str logger);

#endif
