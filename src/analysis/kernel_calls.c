/* SPDX-License-Identifier: Apache-2.0
 *
 * kernel_calls.c -- system calls: which, how long, what they returned, on which file.
 *
 * LTTng has an event for each call, whose name holds the call's; before lttng-modules 2.3 all
 * share one for the exit.  ftrace and perf have the number (raw_syscalls) or, like LTTng, an
 * event for each.  A call is known from its entry on, and has no end if the trace ends first;
 * a thread that was forked leaves clone() without having entered it. */
#include "analysis/kernel.h"

#include <seccomp.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    FILES_LIMIT = 1 << 20, /* open files whose names are remembered           */
    KVM_RUN = 0xae80,      /* the ioctl's number, include/uapi/linux/kvm.h    */
};

static enum call_kind kind_of(struct str name)
{
    static const struct {
        const char *name;
        enum call_kind kind;
    } kinds[] = {
        { "futex", CALL_FUTEX },
        { "futex_wait", CALL_FUTEX },
        { "futex_waitv", CALL_FUTEX },
        { "nanosleep", CALL_SLEEP },
        { "clock_nanosleep", CALL_SLEEP },
        { "open", CALL_OPEN },
        { "openat", CALL_OPEN },
        { "openat2", CALL_OPEN },
        { "creat", CALL_OPEN },
        { "close", CALL_CLOSE },
        { "mmap", CALL_MMAP },
        { "mmap2", CALL_MMAP },
        { "munmap", CALL_MUNMAP },
        { "ioctl", CALL_IOCTL },
    };

    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
        if (str_is(name, kinds[i].name))
            return kinds[i].kind;
    return CALL_OTHER;
}

static const struct call *add_call(struct kernel *k, uint64_t key, struct str name)
{
    *vec_push(&k->calls) = (struct call){ pass_text(k->p, name), (uint8_t)kind_of(name) };
    map64_set(&k->call_of, key, (uint32_t)k->calls.n - 1);
    return &k->calls.at[k->calls.n - 1];
}

/* By the address of the event's name, which is the same for all events of a class. */
static const struct call *call_of_event(struct kernel *k, struct str event)
{
    uint64_t key = (uint64_t)(uintptr_t)event.p;
    uint32_t at;

    if (map64_get(&k->call_of, key, &at))
        return &k->calls.at[at];
    return add_call(k, key, ev_name_rest(EV_SYSCALL_ENTRY, event));
}

/* By its number on x86-64: no tracer says which table it is from. */
static const struct call *call_of_number(struct kernel *k, int64_t nr)
{
    uint64_t key = (uint64_t)nr | 1ull << 63; /* no address of a text */
    char name[24];
    uint32_t at;

    if (map64_get(&k->call_of, key, &at))
        return &k->calls.at[at];
    char *known =
        nr >= 0 && nr < 4096 ? seccomp_syscall_resolve_num_arch(SCMP_ARCH_X86_64, (int)nr) : NULL;
    snprintf(name, sizeof name, "call %d", (int)nr);
    const struct call *c = add_call(k, key, str_of(known ? known : name));
    free(known);
    return c;
}

/* Files are those of the process. */
static uint64_t file_key(const struct kthread *th, int64_t fd)
{
    return (uint64_t)(th->pid > 0 ? th->pid : th->tid) << 32 | (uint32_t)fd;
}

static void enter(struct kernel *k, struct kcpu *c, ns_t t, const struct call *call,
                  const struct ev_syscall_entry *ev)
{
    struct kthread *th = kernel_current(c);
    uint32_t file = 0;

    if (!th)
        return;
    k->odd.call_entries += th->call != 0;
    th->fresh = false;
    th->call = call->name;
    th->call_kind = call->kind;
    th->call_t0 = t;
    th->call_fd = ev ? ev->fd : -1;
    th->call_len = ev ? ev->len : 0;
    th->call_file = 0;
    th->call_blocked = th->call_waited = 0;
    if (ev && ev->filename.n)
        th->call_file = pass_text(k->p, ev->filename);
    else if (ev && ev->fd > 0 && map64_get(&k->files, file_key(th, ev->fd), &file))
        th->call_file = file;
    th->mode = TS_SYSCALL;
    if (call->kind == CALL_IOCTL && ev && ev->cmd == KVM_RUN)
        kernel_guest_run(k, th, t);
    kernel_show(k, c, t);
}

static void address_space(struct kernel *k, const struct kthread *th, const struct ev_head *h,
                          int64_t ret)
{
    struct ev_address_space ev = { .pid = th->pid > 0 ? th->pid : th->tid };

    if (th->call_kind == CALL_MMAP && (uint64_t)ret < (uint64_t)-4096)
        ev.bytes = th->call_len;
    else if (th->call_kind == CALL_MUNMAP && ret == 0)
        ev.bytes = -th->call_len;
    if (ev.bytes)
        pass_emit(k->p, EV_ADDRESS_SPACE, h, &ev);
}

static void record(struct kernel *k, const struct kthread *th, ns_t t, int64_t ret, ns_t blocked,
                   ns_t waited)
{
    cell_t cells[syscall_columns] = {
        [C_syscall_t0] = th->call_t0,
        [C_syscall_t1] = t,
        [C_syscall_tid] = th->tid,
        [C_syscall_name] = th->call,
        [C_syscall_ret] = ret,
        [C_syscall_fd] = th->call_fd,
        [C_syscall_file] = th->call_file,
        [C_syscall_blocked_ns] = th->call_blocked + blocked,
        [C_syscall_waited_ns] = th->call_waited + waited,
    };

    pass_record(k->p, TABLE_syscall, cells);
}

void kernel_call_open(struct kernel *k, const struct kthread *th, ns_t blocked, ns_t waited)
{
    if (th->call && !kernel_lost_since(k, th->call_t0))
        record(k, th, STORE_NULL, STORE_NULL, blocked, waited);
}

/* What a call that was seen from its entry on has done. */
static void call_done(struct kernel *k, struct kthread *th, const struct ev_head *h, int64_t ret)
{
    record(k, th, h->t, ret, 0, 0);
    if (th->call_kind == CALL_OPEN && ret >= 0 && th->call_file && k->files.n < FILES_LIMIT)
        map64_set(&k->files, file_key(th, ret), (uint32_t)th->call_file);
    else if (th->call_kind == CALL_CLOSE && ret == 0)
        map64_del(&k->files, file_key(th, th->call_fd));
    else if (th->call_kind == CALL_MMAP || th->call_kind == CALL_MUNMAP)
        address_space(k, th, h, ret);
}

static void leave(struct kernel *k, struct kcpu *c, const struct ev_head *h, int64_t ret)
{
    struct kthread *th = kernel_current(c);

    if (!th)
        return;
    if (th->call)
        call_done(k, th, h, ret);
    else
        k->odd.call_exits += !th->fresh;
    th->fresh = false;
    th->call = 0;
    th->mode = TS_USER;
    kernel_show(k, c, h->t);
}

void kernel_call_entry(struct kernel *k, struct kcpu *c, const struct ev_head *h, const void *ev)
{
    enter(k, c, h->t, call_of_event(k, h->name), ev);
}

void kernel_call_exit(struct kernel *k, struct kcpu *c, const struct ev_head *h, const void *evp)
{
    const struct ev_syscall_exit *ev = evp;

    leave(k, c, h, ev->ret);
}

void kernel_nr_entry(struct kernel *k, struct kcpu *c, const struct ev_head *h, const void *evp)
{
    const struct ev_syscall_nr_entry *ev = evp;

    enter(k, c, h->t, call_of_number(k, ev->nr), NULL);
}

void kernel_nr_exit(struct kernel *k, struct kcpu *c, const struct ev_head *h, const void *evp)
{
    const struct ev_syscall_nr_exit *ev = evp;

    leave(k, c, h, ev->ret);
}

void kernel_dump_fd(struct kernel *k, struct kcpu *c, const struct ev_head *h, const void *evp)
{
    const struct ev_dump_fd *ev = evp;
    uint32_t pid = (uint32_t)ev->pid;

    (void)c;
    (void)h;
    if (ev->pid <= 0 && !map64_get(&k->tables, (uint64_t)ev->table, &pid))
        return;
    if (ev->filename.n && k->files.n < FILES_LIMIT)
        map64_set(&k->files, (uint64_t)pid << 32 | (uint32_t)ev->fd,
                  (uint32_t)pass_text(k->p, ev->filename));
}
