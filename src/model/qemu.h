/* SPDX-License-Identifier: Apache-2.0
 *
 * qemu.h -- what the kernel's names of threads say of QEMU.
 *
 * QEMU 7.2 names its threads in util/qemu-thread-posix.c and accel/; vhost's are named in
 * drivers/vhost/vhost.c, those of the emulated timer in arch/x86/kvm/i8254.c. */
#ifndef MODEL_QEMU_H
#define MODEL_QEMU_H

#include "base/str.h"

/* "CPU 0/KVM", "CPU 1/TCG" */
bool qemu_is_vcpu(struct str comm);
/* The process that a thread of the kernel works for: 1234 of "vhost-1234" and "kvm-pit/1234"; -1:
 * none in particular. */
int64_t qemu_worker_of(struct str comm);
/* Is that the path of a QEMU that emulates a machine? */
bool qemu_is_program(struct str path);

#endif
