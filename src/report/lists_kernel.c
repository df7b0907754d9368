/* SPDX-License-Identifier: Apache-2.0
 *
 * lists_kernel.c -- whose processes are which, and the threads of the kernel layer. */
#include "report/lists.h"
#include "report/who.h"

static const struct column mapping_cols[] = {
    { "vm", "INSTANCE", COL_STR, 0, 0, 32 },
    { "service", "SERVICE", COL_STR, 0, 0, 0 },
    { "host", "HOST", COL_STR, 0, 0, 0 },
    { "pid", "PID", COL_INT, 0, 0, 0 },
    { "comm", "PROCESS", COL_STR, 0, 0, 0 },
    { "uuid", "UUID", COL_STR, 0, COL_WIDE, 0 },
    { "libvirt_name", "LIBVIRT NAME", COL_STR, 0, COL_WIDE, 0 },
    { "vcpus", "VCPUS", COL_INT, 0, 0, 0 },
    { "threads", "THREADS", COL_INT, 0, COL_WIDE, 0 },
    { "confidence", "CONFIDENCE", COL_RATIO, 0, 0, 0 },
    { "evidence", "EVIDENCE", COL_LIST, 0, 0, 90 },
    { "doubt", "DOUBT", COL_STR, 0, 0, 90 },
    { "start_ns", "FIRST SEEN", COL_INSTANT, 0, COL_WIDE, 0 },
    { "end_ns", "ENDED", COL_INSTANT, 0, COL_WIDE, 0 },
};

static void fill_mappings(const struct report_src *src, struct table *t)
{
    struct src_rows r = src_rows_global(src, TABLE_mapping);
    const cell_t *row;

    while ((row = src_next(&r))) {
        bool vm = str_is(src_text(&r, row, C_mapping_kind), "vm");
        struct str name = src_text(&r, row, C_mapping_name);
        struct str uuid = src_text(&r, row, C_mapping_uuid);

        if (src->vm.n && (!vm || !report_vm_fits(src, uuid, name)))
            continue;
        table_row(t);
        cell_str(t, vm ? name : STR(""));
        cell_str(t, vm ? STR("") : name);
        table_str(t, src_text(&r, row, C_mapping_host));
        table_int(t, row[C_mapping_pid]);
        cell_str(t, src_text(&r, row, C_mapping_comm));
        cell_str(t, uuid);
        cell_str(t, src_text(&r, row, C_mapping_libvirt_name));
        cell_int(t, vm ? row[C_mapping_vcpus] : STORE_NULL, STORE_NULL);
        table_int(t, row[C_mapping_threads]);
        table_ratio(t, (double)row[C_mapping_percent] / 100);
        cell_list(src, t, src_text(&r, row, C_mapping_evidence));
        cell_str(t, src_text(&r, row, C_mapping_doubt));
        cell_ns(t, row[C_mapping_t0]);
        cell_ns(t, row[C_mapping_t1]);
    }
}

const struct report_list list_mappings = { "mappings", "Processes of instances and services",
                                           mapping_cols, ARRAY_SIZE(mapping_cols), fill_mappings };

static const struct column thread_cols[] = {
    { "host", "HOST", COL_STR, 0, 0, 0 },
    { "tid", "TID", COL_INT, 0, 0, 0 },
    { "pid", "PID", COL_INT, 0, 0, 0 },
    { "ppid", "PARENT", COL_INT, 0, 0, 0 },
    { "comm", "THREAD", COL_STR, 0, 0, 0 },
    { "owner", "OWNER", COL_STR, 0, 0, 32 },
    { "kind", "KIND", COL_STR, 0, 0, 0 },
    { "kernel", "KERNEL", COL_BOOL, 0, COL_WIDE, 0 },
    { "start_ns", "FROM", COL_INSTANT, 0, 0, 0 },
    { "end_ns", "TO", COL_INSTANT, 0, 0, 0 },
    { "names", "EARLIER NAMES", COL_LIST, 0, COL_WIDE, 0 },
    { "program", "PROGRAM", COL_STR, 0, COL_WIDE, 0 },
    { "vtid", "TID INSIDE", COL_INT, 0, COL_WIDE, 0 },
    { "vpid", "PID INSIDE", COL_INT, 0, COL_WIDE, 0 },
    { "pid_namespace", "PID NAMESPACE", COL_INT, 0, COL_WIDE, 0 },
    { "cgroup", "CGROUP", COL_STR, 0, COL_WIDE, 0 },
    { "seen", "KNOWN BY", COL_STR, 0, COL_WIDE, 0 },
};

static void fill_threads(const struct report_src *src, struct table *t)
{
    struct src_rows r = src_rows(src, TABLE_thread);
    struct whos w;
    const cell_t *row;

    whos_make(src, &w);
    while ((row = src_next(&r))) {
        const struct who_thread *th =
            whos_at(&w, src_host_no(src, r.store), row[C_thread_tid], row[0]);
        const struct who_owner *o = th ? who_owner(&w, th) : NULL;
        bool vm = o && o->kind == WHO_VM;

        if (src->vm.n && (!vm || !report_vm_fits(src, o->uuid, o->name)))
            continue;
        table_row(t);
        table_str(t, str_of(r.host));
        table_int(t, row[C_thread_tid]);
        cell_int(t, row[C_thread_pid], -1);
        cell_int(t, row[C_thread_ppid], -1);
        cell_str(t, src_text(&r, row, C_thread_comm));
        cell_str(t, o ? o->name : STR(""));
        cell_str(t, o ? str_of(who_kind_name(o->kind)) : STR(""));
        if (row[C_thread_kernel] < 0)
            table_null(t);
        else
            table_bool(t, row[C_thread_kernel] == 1);
        cell_ns(t, row[C_thread_t0]);
        cell_ns(t, row[C_thread_t1]);
        cell_list(src, t, src_text(&r, row, C_thread_names));
        cell_str(t, src_text(&r, row, C_thread_exe));
        cell_int(t, row[C_thread_vtid], -1);
        cell_int(t, row[C_thread_vpid], -1);
        cell_int(t, row[C_thread_ns], 0);
        cell_str(t, src_text(&r, row, C_thread_cgroup));
        cell_str(t, src_text(&r, row, C_thread_how));
    }
    whos_free(&w);
}

const struct report_list list_threads = { "threads", "Threads of the kernel layer", thread_cols,
                                          ARRAY_SIZE(thread_cols), fill_threads };
