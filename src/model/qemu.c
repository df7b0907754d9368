/* SPDX-License-Identifier: Apache-2.0
 *
 * qemu.c -- see qemu.h. */
#include "model/qemu.h"

bool qemu_is_vcpu(struct str comm)
{
    return str_starts(comm, STR("CPU ")) &&
           (str_ends(comm, STR("/KVM")) || str_ends(comm, STR("/TCG")));
}

int64_t qemu_worker_of(struct str comm)
{
    static const char *const heads[] = { "vhost-", "kvm-pit/" };
    int64_t pid;

    for (size_t i = 0; i < ARRAY_SIZE(heads); i++)
        if (str_starts(comm, str_of(heads[i])) && str_i64(str_from(comm, strlen(heads[i])), &pid) &&
            pid > 0)
            return pid;
    return -1;
}

bool qemu_is_program(struct str path)
{
    size_t slash = str_rchr(path, '/');
    struct str base = slash == STR_NONE ? path : str_from(path, slash + 1);

    return str_starts(base, STR("qemu-system-")) || str_is(base, "qemu-kvm") || str_is(base, "kvm");
}
