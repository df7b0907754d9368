/* SPDX-License-Identifier: Apache-2.0
 *
 * kernel_kvm.c -- vCPUs: in the guest, or out of it and why.
 *
 * kvm_exit to the next kvm_entry of the same thread is what an exit costs the guest: in KVM, in
 * QEMU if it has to help, and off the CPU.  Where the two are not recorded (lttng-modules
 * builds them only with the kernel's sources), kvm_userspace_exit to the next ioctl(KVM_RUN)
 * still says what QEMU was asked for and how long that took. */
#include "analysis/kernel.h"

#include <stdio.h>
#include <stdlib.h>
#if __has_include(<asm/vmx.h>) && __has_include(<asm/svm.h>)
/* What the headers' lists need and do not have: arch/x86/include/asm/trapnr.h. */
enum {
    DE_VECTOR = 0,
    DB_VECTOR = 1,
    BP_VECTOR = 3,
    OF_VECTOR = 4,
    BR_VECTOR = 5,
    UD_VECTOR = 6,
    NM_VECTOR = 7,
    DF_VECTOR = 8,
    TS_VECTOR = 10,
    NP_VECTOR = 11,
    SS_VECTOR = 12,
    GP_VECTOR = 13,
    PF_VECTOR = 14,
    MF_VECTOR = 16,
    AC_VECTOR = 17,
    MC_VECTOR = 18,
    XM_VECTOR = 19,
};
#include <asm/svm.h>
#include <asm/vmx.h>
#endif

struct reason {
    int64_t nr;
    const char *name;
};

/* isa of kvm_exit, arch/x86/kvm/trace.h */
enum { ISA_VMX = 1, ISA_SVM = 2 };

static const struct reason vmx[] = {
#ifdef VMX_EXIT_REASONS
    VMX_EXIT_REASONS,
#endif
    { -1, "" },
};
static const struct reason svm[] = {
#ifdef SVM_EXIT_REASONS
    SVM_EXIT_REASONS,
#endif
    { -1, "" },
};

/* KVM_EXIT_* of include/uapi/linux/kvm.h, Linux 6.1 */
static const struct reason to_user[] = {
    { 0, "UNKNOWN" },
    { 1, "EXCEPTION" },
    { 2, "IO" },
    { 3, "HYPERCALL" },
    { 4, "DEBUG" },
    { 5, "HLT" },
    { 6, "MMIO" },
    { 7, "IRQ_WINDOW_OPEN" },
    { 8, "SHUTDOWN" },
    { 9, "FAIL_ENTRY" },
    { 10, "INTR" },
    { 11, "SET_TPR" },
    { 12, "TPR_ACCESS" },
    { 17, "INTERNAL_ERROR" },
    { 24, "SYSTEM_EVENT" },
    { 26, "IOAPIC_EOI" },
    { 27, "HYPERV" },
    { 29, "X86_RDMSR" },
    { 30, "X86_WRMSR" },
    { 31, "DIRTY_RING_FULL" },
    { 32, "AP_RESET_HOLD" },
    { 33, "X86_BUS_LOCK" },
    { -1, "" },
};

static cell_t reason_text(struct kernel *k, const struct reason *list, const char *head, int64_t nr)
{
    char text[64];

    for (const struct reason *r = list; r->nr != -1 || r->name[0]; r++)
        if (r->nr == nr) {
            snprintf(text, sizeof text, "%s%s", head, r->name);
            return pass_text(k->p, str_of(text));
        }
    snprintf(text, sizeof text, "%s%lld", head, (long long)nr);
    return pass_text(k->p, str_of(text));
}

static struct guest *guest_of(struct kthread *th)
{
    if (!th->guest) {
        th->guest = xcalloc(1, sizeof *th->guest);
        th->guest->vcpu = -1;
        th->guest->exit_t0 = NS_MIN;
    }
    return th->guest;
}

static void record(struct kernel *k, const struct kthread *th, ns_t t, ns_t blocked, ns_t waited)
{
    const struct guest *g = th->guest;
    cell_t cells[vm_exit_columns] = { [C_vm_exit_t0] = g->exit_t0,
                                      [C_vm_exit_t1] = t,
                                      [C_vm_exit_tid] = th->tid,
                                      [C_vm_exit_vcpu] = g->vcpu,
                                      [C_vm_exit_reason] = g->reason,
                                      [C_vm_exit_blocked_ns] = g->blocked_ns + blocked,
                                      [C_vm_exit_waited_ns] = g->waited_ns + waited };

    pass_record(k->p, TABLE_vm_exit, cells);
}

/* The guest goes on: what it was left for is over. */
static void exit_over(struct kernel *k, const struct kthread *th, struct guest *g, ns_t t)
{
    if (g->exit_t0 > NS_MIN)
        record(k, th, t, 0, 0);
    g->exit_t0 = NS_MIN;
}

void kernel_guest_open(struct kernel *k, const struct kthread *th, ns_t blocked, ns_t waited)
{
    if (th->guest && th->guest->exit_t0 > NS_MIN && !kernel_lost_since(k, th->guest->exit_t0))
        record(k, th, STORE_NULL, blocked, waited);
}

static void left(struct guest *g, ns_t t, cell_t reason)
{
    g->exit_t0 = t;
    g->reason = reason;
    g->blocked_ns = g->waited_ns = 0;
}

void kernel_guest_entry(struct kernel *k, struct kcpu *c, const struct ev_head *h, const void *evp)
{
    const struct ev_kvm_entry *ev = evp;
    struct kthread *th = kernel_current(c);

    if (!th)
        return;
    struct guest *g = guest_of(th);
    if (g->told)
        exit_over(k, th, g, h->t);
    g->told = true;
    g->vcpu = ev->vcpu;
    g->exit_t0 = NS_MIN;
    th->mode = TS_GUEST;
    kernel_show(k, c, h->t);
}

void kernel_guest_exit(struct kernel *k, struct kcpu *c, const struct ev_head *h, const void *evp)
{
    const struct ev_kvm_exit *ev = evp;
    struct kthread *th = kernel_current(c);
    cell_t reason;

    if (!th)
        return;
    if (ev->reason_text.n)
        reason = pass_text(k->p, ev->reason_text);
    else /* the basic reason is in the low 16 bits with VMX */
        reason = ev->isa == ISA_SVM ? reason_text(k, svm, "", ev->reason)
                 : ev->isa == ISA_VMX
                     ? reason_text(k, vmx, "", ev->reason & 0xffff)
                     : reason_text(k, to_user + ARRAY_SIZE(to_user) - 1, "", ev->reason);
    struct guest *g = guest_of(th);
    g->told = true;
    left(g, h->t, reason);
    th->mode = TS_HYPERVISOR;
    kernel_show(k, c, h->t);
}

void kernel_guest_to_user(struct kernel *k, struct kcpu *c, const struct ev_head *h,
                          const void *evp)
{
    const struct ev_kvm_userspace_exit *ev = evp;
    struct kthread *th = kernel_current(c);

    if (!th)
        return;
    struct guest *g = guest_of(th);
    if (!g->told)
        left(g, h->t, reason_text(k, to_user, "user space: ", ev->reason));
}

void kernel_guest_run(struct kernel *k, struct kthread *th, ns_t t)
{
    struct guest *g = guest_of(th);

    if (!g->told)
        exit_over(k, th, g, t);
}

void kernel_guest_off(struct kthread *th, ns_t ns, bool blocked)
{
    if (th->guest && th->guest->exit_t0 > NS_MIN)
        *(blocked ? &th->guest->blocked_ns : &th->guest->waited_ns) += ns;
}
