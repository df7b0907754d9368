/* SPDX-License-Identifier: Apache-2.0
 *
 * things.c -- see things.h. */
#include "report/things.h"

#include "report/migration_show.h"

const struct report_thing report_things[] = {
    { "vm", "vms", show_vm },       { "request", "requests", show_request },
    { "task", "tasks", show_task }, { "migration", "migrations", show_migration },
    { NULL, NULL, NULL },
};

const struct report_thing *report_thing_find(struct str kind)
{
    for (const struct report_thing *t = report_things; t->kind; t++)
        if (str_is(kind, t->kind))
            return t;
    return NULL;
}
