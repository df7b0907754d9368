/* SPDX-License-Identifier: Apache-2.0
 *
 * ftrace_kvm.c -- the numbers of the reasons that kvm_exit writes as words.
 *
 * VMX_EXIT_REASONS and SVM_EXIT_REASONS of the kernel's arch/x86/include/uapi/asm/vmx.h
 * and svm.h. */
#include "input/ftrace_line.h"

struct reason {
    int64_t number;
    const char *name;
};

/* clang-format off */
static const struct reason vmx[] = {
    { 0, "EXCEPTION_NMI" }, { 1, "EXTERNAL_INTERRUPT" }, { 2, "TRIPLE_FAULT" },
    { 3, "INIT_SIGNAL" }, { 4, "SIPI_SIGNAL" }, { 7, "INTERRUPT_WINDOW" }, { 8, "NMI_WINDOW" },
    { 9, "TASK_SWITCH" }, { 10, "CPUID" }, { 12, "HLT" }, { 13, "INVD" }, { 14, "INVLPG" },
    { 15, "RDPMC" }, { 16, "RDTSC" }, { 18, "VMCALL" }, { 19, "VMCLEAR" }, { 20, "VMLAUNCH" },
    { 21, "VMPTRLD" }, { 22, "VMPTRST" }, { 23, "VMREAD" }, { 24, "VMRESUME" }, { 25, "VMWRITE" },
    { 26, "VMOFF" }, { 27, "VMON" }, { 28, "CR_ACCESS" }, { 29, "DR_ACCESS" },
    { 30, "IO_INSTRUCTION" }, { 31, "MSR_READ" }, { 32, "MSR_WRITE" }, { 33, "INVALID_STATE" },
    { 34, "MSR_LOAD_FAIL" }, { 36, "MWAIT_INSTRUCTION" }, { 37, "MONITOR_TRAP_FLAG" },
    { 39, "MONITOR_INSTRUCTION" }, { 40, "PAUSE_INSTRUCTION" }, { 41, "MCE_DURING_VMENTRY" },
    { 43, "TPR_BELOW_THRESHOLD" }, { 44, "APIC_ACCESS" }, { 45, "EOI_INDUCED" },
    { 46, "GDTR_IDTR" }, { 47, "LDTR_TR" }, { 48, "EPT_VIOLATION" }, { 49, "EPT_MISCONFIG" },
    { 50, "INVEPT" }, { 51, "RDTSCP" }, { 52, "PREEMPTION_TIMER" }, { 53, "INVVPID" },
    { 54, "WBINVD" }, { 55, "XSETBV" }, { 56, "APIC_WRITE" }, { 57, "RDRAND" }, { 58, "INVPCID" },
    { 59, "VMFUNC" }, { 60, "ENCLS" }, { 61, "RDSEED" }, { 62, "PML_FULL" }, { 63, "XSAVES" },
    { 64, "XRSTORS" }, { 67, "UMWAIT" }, { 68, "TPAUSE" }, { 74, "BUS_LOCK" }, { 75, "NOTIFY" },
};
static const struct reason svm[] = {
    { 0, "read_cr0" }, { 2, "read_cr2" }, { 3, "read_cr3" }, { 4, "read_cr4" }, { 8, "read_cr8" },
    { 16, "write_cr0" }, { 18, "write_cr2" }, { 19, "write_cr3" }, { 20, "write_cr4" },
    { 24, "write_cr8" }, { 32, "read_dr0" }, { 33, "read_dr1" }, { 34, "read_dr2" },
    { 35, "read_dr3" }, { 36, "read_dr4" }, { 37, "read_dr5" }, { 38, "read_dr6" },
    { 39, "read_dr7" }, { 48, "write_dr0" }, { 49, "write_dr1" }, { 50, "write_dr2" },
    { 51, "write_dr3" }, { 52, "write_dr4" }, { 53, "write_dr5" }, { 54, "write_dr6" },
    { 55, "write_dr7" }, { 64, "DE" }, { 65, "DB" }, { 67, "BP" }, { 68, "OF" }, { 69, "BR" },
    { 70, "UD" }, { 71, "NM" }, { 72, "DF" }, { 74, "TS" }, { 75, "NP" }, { 76, "SS" },
    { 77, "GP" }, { 78, "PF" }, { 80, "MF" }, { 81, "AC" }, { 82, "MC" }, { 83, "XF" },
    { 96, "interrupt" }, { 97, "nmi" }, { 98, "smi" }, { 99, "init" }, { 100, "vintr" },
    { 101, "cr0_sel_write" }, { 102, "read_idtr" }, { 103, "read_gdtr" }, { 104, "read_ldtr" },
    { 105, "read_rt" }, { 106, "write_idtr" }, { 107, "write_gdtr" }, { 108, "write_ldtr" },
    { 109, "write_rt" }, { 110, "rdtsc" }, { 111, "rdpmc" }, { 112, "pushf" }, { 113, "popf" },
    { 114, "cpuid" }, { 115, "rsm" }, { 116, "iret" }, { 117, "swint" }, { 118, "invd" },
    { 119, "pause" }, { 120, "hlt" }, { 121, "invlpg" }, { 122, "invlpga" }, { 123, "io" },
    { 124, "msr" }, { 125, "task_switch" }, { 126, "ferr_freeze" }, { 127, "shutdown" },
    { 128, "vmrun" }, { 129, "hypercall" }, { 130, "vmload" }, { 131, "vmsave" }, { 132, "stgi" },
    { 133, "clgi" }, { 134, "skinit" }, { 135, "rdtscp" }, { 136, "icebp" }, { 137, "wbinvd" },
    { 138, "monitor" }, { 139, "mwait" }, { 141, "xsetbv" }, { 143, "write_efer_trap" },
    { 144, "write_cr0_trap" }, { 148, "write_cr4_trap" }, { 152, "write_cr8_trap" },
    { 162, "invpcid" }, { 1024, "npf" }, { 1025, "avic_incomplete_ipi" },
    { 1026, "avic_unaccelerated_access" }, { 1027, "vmgexit" },
    { -2147483647, "vmgexit_mmio_read" }, { -2147483646, "vmgexit_mmio_write" },
    { -2147483645, "vmgexit_nmi_complete" }, { -2147483644, "vmgexit_ap_hlt_loop" },
    { -2147483643, "vmgexit_ap_jump_table" }, { -2147483632, "vmgexit_page_state_change" },
    { -2147483631, "vmgexit_guest_request" }, { -2147483630, "vmgexit_ext_guest_request" },
    { -2147483629, "vmgexit_ap_creation" }, { -2147418115, "vmgexit_hypervisor_feature" },
    { -1, "invalid_guest_state" },
};
/* clang-format on */

static bool find(const struct reason *list, size_t n, struct str name, int64_t *ret)
{
    for (size_t i = 0; i < n; i++)
        if (str_is(name, list[i].name)) {
            *ret = list[i].number;
            return true;
        }
    return false;
}

bool ftrace_kvm_reason(struct str name, int64_t *ret_reason, int64_t *ret_isa)
{
    enum { ISA_VMX = 1, ISA_SVM = 2 }; /* KVM_ISA_* of arch/x86/kvm/trace.h */

    if (find(vmx, ARRAY_SIZE(vmx), name, ret_reason))
        *ret_isa = ISA_VMX;
    else if (find(svm, ARRAY_SIZE(svm), name, ret_reason))
        *ret_isa = ISA_SVM;
    else
        return false;
    return true;
}
