/* SPDX-License-Identifier: Apache-2.0
 *
 * tasks.h -- the tasks that services announce with a start and an end, and
 * how: the old dialect writes one lttng_trace payload, Zed writes
 * notifications and spans as JSON. */
#ifndef SIM_TASKS_H
#define SIM_TASKS_H

#include <stddef.h>

struct thread;

enum task_id {
    T_NONE,
    T_BUILD,
    T_SELECT,
    T_FILTER,
    T_CREATE,
    T_RESOURCES,
    T_ALLOCATE,
    T_SPAWN,
    T_IMAGE,
    T_DELETE,
    T_SHUTDOWN,
    T_DEALLOCATE,
    T_POWER_OFF,
    T_POWER_ON,
    T_REBOOT,
    T_PAUSE,
    T_UNPAUSE,
    T_SUSPEND,
    T_RESUME,
    T_MIGRATE_SERVER,
    T_RESIZE_PREP,
    T_RESIZE,
    T_RESIZE_FINISH,
    T_RESIZE_CONFIRM,
    T_CAN_DEST,
    T_CAN_SOURCE,
    T_LIVE_DO,
    T_LIVE_PRE,
    T_LIVE_MONITOR,
    T_LIVE_OPERATION,
    T_MIN_DATA,
    T_LIVE_POST,
    T_LIVE_POST_DEST,
    T_LIVE_ROLLBACK,
    T_VOLUME_ATTACH_VM,
    T_VOLUME_DETACH_VM,
    T_NET_CREATE,
    T_NET_UPDATE,
    T_NET_DELETE,
    T_SUBNET_CREATE,
    T_SUBNET_UPDATE,
    T_SUBNET_DELETE,
    T_PORT_CREATE,
    T_PORT_UPDATE,
    T_PORT_DELETE,
    T_ROUTER_CREATE,
    T_ROUTER_UPDATE,
    T_ROUTER_DELETE,
    T_DHCP_NET_CREATE,
    T_DHCP_NET_UPDATE,
    T_DHCP_NET_DELETE,
    T_DHCP_SUBNET_UPDATE,
    T_DHCP_SUBNET_DELETE,
    T_DHCP_PORT_CREATE,
    T_DHCP_PORT_DELETE,
    T_L3_CREATE,
    T_L3_UPDATE,
    T_L3_DELETE,
    T_L3_REMOVE,
    T_OVS_PORTS,
    T_OVS_BOUND,
    T_VOL_SCHEDULE,
    T_VOL_CREATE,
    T_VOL_UPDATE,
    T_VOL_ATTACH,
    T_VOL_DETACH,
    T_VOL_EXTEND,
    T_VOL_DELETE,
    T_SNAP_CREATE,
    T_COUNT
};

/* Keys of the old payload, and what the task is about. */
enum about {
    ABOUT_NOTHING,
    ABOUT_VM,
    ABOUT_SCHEDULE, /* all keys empty but request_id, event_type not quoted */
    ABOUT_NETWORK,
    ABOUT_SUBNET,
    ABOUT_PORT,
    ABOUT_VM_PORT,
    ABOUT_ROUTER,
    ABOUT_VOLUME,
    ABOUT_ATTACHMENT,
    ABOUT_SNAPSHOT,
    ABOUT_BACKEND, /* volume.update: the entity is the word "volume" */
};

struct task_kind {
    const char *name; /* what the truth calls it */
    enum about about;
    const char *old; /* event type of the old dialect; NULL: silent there */
    const char *logger, *func;
    int line, end_line;
    const char *msg;       /* of the old payload */
    const char *notify;    /* Zed: plain notification */
    const char *versioned; /* Zed: versioned notification, with 'object' */
    const char *object;
    const char *span; /* Zed: span of a wrapped function */
};
extern const struct task_kind task_kinds[T_COUNT];

/* Announce a task on 't' and write down the truth. */
void task_start(struct thread *t, const struct task_kind *k);
/* Ends the innermost open task: "ok", "error" (announced if the service does
 * so) or "aborted" (silent). */
void task_end(struct thread *t, const char *outcome);
/* Zed: the VM's state changed from (state, task) to the current one. */
void task_update(struct thread *t, const char *old_state, const char *old_task);
/* Zed: the two lines of an update notification, on a conductor's thread. */
void task_update_lines(struct thread *t);
/* Zed: a line of logger ostrace.rpc. */
void task_rpc(struct thread *t, const char *event_type, const char *method, const char *topic,
              const char *server, int call, const char *fault);
/* Zed: a span point without an end: statistics of a live migration. */
void task_migration_stats(struct thread *t);
/* Zed: an error notification. */
void task_exception(struct thread *t);

#endif
