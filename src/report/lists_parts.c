/* SPDX-License-Identifier: Apache-2.0
 *
 * lists_parts.c -- what tasks are made of and what was seen beside them: steps
 * (locks, commands, calls, waits), the scheduler's choices, the resources that
 * nodes reported, and other things seen at an instant.
 *
 * Their texts come from log lines and may hold secrets: all are masked. */
#include "report/lists.h"

/* --- steps --------------------------------------------------------------------- */

static const struct column step_cols[] = {
    { "host", "HOST", COL_STR, 0, 0, 0 },
    { "service", "SERVICE", COL_STR, 0, 0, 0 },
    { "kind", "KIND", COL_STR, 0, 0, 0 },
    { "name", "NAME", COL_STR, 0, 0, 60 },
    { "detail", "DETAIL", COL_STR, 0, COL_WIDE, 0 },
    { "status", "STATUS", COL_STR, 0, 0, 24 },
    { "code", "CODE", COL_INT, 0, 0, 0 },
    { "start_ns", "START", COL_INSTANT, 0, 0, 0 },
    { "end_ns", "END", COL_INSTANT, 0, COL_WIDE, 0 },
    { "duration_ns", "DURATION", COL_DURATION, 0, 0, 0 },
    { "reported_ns", "REPORTED", COL_DURATION, 0, COL_WIDE, 0 },
    { "request_id", "REQUEST", COL_STR, 0, COL_WIDE, 0 },
    { "child_request_id", "CHILD REQUEST", COL_STR, 0, COL_WIDE, 0 },
    { "entity", "ENTITY", COL_STR, 0, COL_WIDE, 0 },
    { "logger", "LOGGER", COL_STR, 0, COL_WIDE, 0 },
    { "pid", "PID", COL_INT, 0, COL_WIDE, 0 },
    { "thread", "THREAD", COL_INT, 0, COL_WIDE, 0 },
    { "peer", "PEER", COL_STR, 0, COL_WIDE, 0 },
    { "task", "DURING", COL_STR, 0, COL_WIDE, 0 },
};

static void step_row(const struct report_src *src, struct table *t, const struct src_row *r)
{
    table_row(t);
    table_str(t, str_of(r->host));
    cell_str(t, row_text(r, C_step_service));
    table_str(t, row_text(r, C_step_kind));
    cell_str(t, src_mask(src, row_text(r, C_step_name)));
    cell_str(t, src_mask(src, row_text(r, C_step_detail)));
    cell_str(t, src_mask(src, row_text(r, C_step_status)));
    cell_int(t, r->row[C_step_code], STORE_NULL);
    cell_ns(t, r->row[C_step_t0]);
    cell_ns(t, r->row[C_step_t1]);
    cell_ns(t, row_length(r->row));
    cell_ns(t, r->row[C_step_reported_ns]);
    cell_str(t, row_text(r, C_step_request));
    cell_str(t, row_text(r, C_step_child));
    cell_str(t, row_text(r, C_step_entity));
    cell_str(t, row_text(r, C_step_logger));
    cell_int(t, r->row[C_step_pid], -1);
    cell_int(t, r->row[C_step_thread], -1);
    cell_str(t, src_mask(src, row_text(r, C_step_peer)));
    cell_str(t, row_text(r, C_step_task));
}

static void fill_steps(const struct report_src *src, struct table *t)
{
    size_t n;
    struct src_row *rows = src_sorted(src, TABLE_step, &n);

    for (size_t i = 0; i < n; i++) {
        struct str request = row_text(&rows[i], C_step_request);
        struct str child = row_text(&rows[i], C_step_child);

        if ((report_request_fits(src, request) || report_request_fits(src, child)) &&
            report_vm_fits(src, row_text(&rows[i], C_step_entity), STR("")))
            step_row(src, t, &rows[i]);
    }
}

const struct report_list list_steps = { "steps", "Locks, commands, calls and waits", step_cols,
                                        ARRAY_SIZE(step_cols), fill_steps };

/* --- the scheduler's choices ------------------------------------------------------- */

static const struct column sched_cols[] = {
    { "start_ns", "AT", COL_INSTANT, 0, 0, 0 },
    { "host", "HOST", COL_STR, 0, COL_WIDE, 0 },
    { "service", "SERVICE", COL_STR, 0, 0, 0 },
    { "what", "WHAT", COL_STR, 0, 0, 0 },
    { "filter", "FILTER", COL_STR, 0, 0, 0 },
    { "hosts_left", "HOSTS LEFT", COL_INT, 0, 0, 0 },
    { "chosen_host", "CHOSEN", COL_STR, 0, 0, 0 },
    { "chosen_node", "NODE", COL_STR, 0, COL_WIDE, 0 },
    { "ram_mb", "RAM MB", COL_INT, 0, 0, 0 },
    { "disk_mb", "DISK MB", COL_INT, 0, 0, 0 },
    { "io_ops", "IO OPS", COL_INT, 0, COL_WIDE, 0 },
    { "instances", "INSTANCES", COL_INT, 0, 0, 0 },
    { "weight", "WEIGHT", COL_STR, 0, COL_WIDE, 0 },
    { "request_id", "REQUEST", COL_STR, 0, COL_WIDE, 0 },
    { "thread", "THREAD", COL_INT, 0, COL_WIDE, 0 },
    { "text", "TEXT", COL_STR, 0, COL_WIDE, 0 },
};

static void fill_schedule(const struct report_src *src, struct table *t)
{
    size_t n;
    struct src_row *rows = src_sorted(src, TABLE_sched, &n);

    for (size_t i = 0; i < n; i++) {
        const struct src_row *r = &rows[i];

        if (!report_request_fits(src, row_text(r, C_sched_request)))
            continue;
        table_row(t);
        table_ns(t, r->row[0]);
        table_str(t, str_of(r->host));
        cell_str(t, row_text(r, C_sched_service));
        table_str(t, row_text(r, C_sched_kind));
        cell_str(t, row_text(r, C_sched_filter));
        cell_int(t, r->row[C_sched_hosts], STORE_NULL);
        cell_str(t, row_text(r, C_sched_host));
        cell_str(t, row_text(r, C_sched_node));
        cell_int(t, r->row[C_sched_ram_mb], STORE_NULL);
        cell_int(t, r->row[C_sched_disk_mb], STORE_NULL);
        cell_int(t, r->row[C_sched_io_ops], STORE_NULL);
        cell_int(t, r->row[C_sched_instances], STORE_NULL);
        cell_str(t, row_text(r, C_sched_weight));
        cell_str(t, row_text(r, C_sched_request));
        cell_int(t, r->row[C_sched_thread], -1);
        cell_str(t, src_mask(src, row_text(r, C_sched_text)));
    }
}

const struct report_list list_schedule = { "schedule", "The schedulers' filters and choices",
                                           sched_cols, ARRAY_SIZE(sched_cols), fill_schedule };

/* --- resources ----------------------------------------------------------------------- */

static const struct column resource_cols[] = {
    { "start_ns", "AT", COL_INSTANT, 0, 0, 0 },
    { "node", "NODE", COL_STR, 0, 0, 0 },
    { "view", "VIEW", COL_STR, 0, 0, 0 },
    { "ram_used_mb", "RAM USED MB", COL_INT, 0, 0, 0 },
    { "ram_total_mb", "RAM MB", COL_INT, 0, 0, 0 },
    { "ram_free_mb", "RAM FREE MB", COL_INT, 0, 0, 0 },
    { "vcpus_used", "VCPUS USED", COL_INT, 0, 0, 0 },
    { "vcpus_total", "VCPUS", COL_INT, 0, 0, 0 },
    { "vcpus_free", "VCPUS FREE", COL_INT, 0, 0, 0 },
    { "disk_used_gb", "DISK USED GB", COL_INT, 0, 0, 0 },
    { "disk_total_gb", "DISK GB", COL_INT, 0, 0, 0 },
    { "host", "TOLD ON", COL_STR, 0, COL_WIDE, 0 },
};

static void fill_resources(const struct report_src *src, struct table *t)
{
    size_t n;
    struct src_row *rows = src_sorted(src, TABLE_resource, &n);

    for (size_t i = 0; i < n; i++) {
        const struct src_row *r = &rows[i];

        table_row(t);
        table_ns(t, r->row[0]);
        cell_str(t, row_text(r, C_resource_node));
        table_str(t, row_text(r, C_resource_kind));
        cell_int(t, r->row[C_resource_ram_used_mb], STORE_NULL);
        cell_int(t, r->row[C_resource_ram_total_mb], STORE_NULL);
        cell_int(t, r->row[C_resource_ram_free_mb], STORE_NULL);
        cell_int(t, r->row[C_resource_vcpus_used], STORE_NULL);
        cell_int(t, r->row[C_resource_vcpus_total], STORE_NULL);
        cell_int(t, r->row[C_resource_vcpus_free], STORE_NULL);
        cell_int(t, r->row[C_resource_disk_used_gb], STORE_NULL);
        cell_int(t, r->row[C_resource_disk_total_gb], STORE_NULL);
        table_str(t, str_of(r->host));
    }
}

const struct report_list list_resources = { "resources", "Resources that nodes reported",
                                            resource_cols, ARRAY_SIZE(resource_cols),
                                            fill_resources };

/* --- marks ---------------------------------------------------------------------------- */

/* What the three numbers of a mark are; by kind. */
static const struct {
    const char *kind, *numbers[3];
} mark_numbers[] = {
    { "claim", { "memory_mb", "disk_gb", "vcpus" } },
    { "migration", { "memory_left_percent", "memory_left_bytes", "downtime_ms" } },
    { "volume-space", { "requested_gb", "available_mb", NULL } },
    { "amqp", { "stage", "port", NULL } },
    { "port", { "step", NULL, NULL } },
    { "balloon", { "guest_bytes", "balloon_bytes", "balloon_before_bytes" } },
};

static const struct column mark_cols[] = {
    { "start_ns", "AT", COL_INSTANT, 0, 0, 0 },
    { "host", "HOST", COL_STR, 0, 0, 0 },
    { "kind", "KIND", COL_STR, 0, 0, 0 },
    { "subject", "SUBJECT", COL_STR, 0, 0, 48 },
    { "name", "NAME", COL_STR, 0, 0, 40 },
    { "text", "TEXT", COL_STR, 0, 0, 40 },
    { "numbers", "NUMBERS", COL_NESTED, 0, 0, 0 },
    { "request_id", "REQUEST", COL_STR, 0, COL_WIDE, 0 },
    { "logger", "LOGGER", COL_STR, 0, COL_WIDE, 0 },
    { "pid", "PID", COL_INT, 0, COL_WIDE, 0 },
    { "thread", "THREAD", COL_INT, 0, COL_WIDE, 0 },
};

static void emit_numbers(struct json *j, const void *arg)
{
    const struct src_row *r = arg;
    static const int columns[] = { C_mark_n1, C_mark_n2, C_mark_n3 };
    struct str kind = row_text(r, C_mark_kind);

    json_open(j, '{');
    for (size_t i = 0; i < ARRAY_SIZE(mark_numbers); i++)
        for (size_t k = 0; str_is(kind, mark_numbers[i].kind) && k < ARRAY_SIZE(columns); k++)
            if (mark_numbers[i].numbers[k] && r->row[columns[k]] != STORE_NULL)
                json_ki64(j, mark_numbers[i].numbers[k], r->row[columns[k]]);
    json_close(j, '}');
}

static void fill_marks(const struct report_src *src, struct table *t)
{
    size_t n;
    struct src_row *rows = src_sorted(src, TABLE_mark, &n);

    for (size_t i = 0; i < n; i++) {
        const struct src_row *r = &rows[i];

        if (!report_request_fits(src, row_text(r, C_mark_request)) ||
            !report_vm_fits(src, row_text(r, C_mark_subject), STR("")))
            continue;
        table_row(t);
        table_ns(t, r->row[0]);
        table_str(t, str_of(r->host));
        table_str(t, row_text(r, C_mark_kind));
        cell_str(t, src_mask(src, row_text(r, C_mark_subject)));
        cell_str(t, row_text(r, C_mark_name));
        cell_str(t, src_mask(src, row_text(r, C_mark_text)));
        table_nested(t, emit_numbers, r);
        cell_str(t, row_text(r, C_mark_request));
        cell_str(t, row_text(r, C_mark_logger));
        cell_int(t, r->row[C_mark_pid], -1);
        cell_int(t, r->row[C_mark_thread], -1);
    }
}

const struct report_list list_marks = {
    "marks",
    "Claims, life-cycle events, migrations' progress, and other "
    "things seen at an instant",
    mark_cols, ARRAY_SIZE(mark_cols), fill_marks
};
