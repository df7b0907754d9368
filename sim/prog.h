/* SPDX-License-Identifier: Apache-2.0
 *
 * prog.h -- the programs of the services: one table per thing that a service
 * does.  An operation starts with the program of the API that a user calls;
 * the rest is called from there. */
#ifndef SIM_PROG_H
#define SIM_PROG_H

#include "sim/engine.h"

struct user_call {
    enum service svc;       /* the API */
    const struct row *prog; /* what it does */
};
/* What a user's operation calls. */
extern const struct user_call user_calls[DO_COUNT];

struct periodic {
    enum service svc;
    unsigned in; /* dialects; 0: all */
    ns_t period;
    const struct row *prog;
};
extern const struct periodic periodic_tasks[];
extern const size_t n_periodic_tasks;
/* Takes the lock of a lock hog (name in exc_text) and keeps it. */
extern const struct row lock_hog_prog[];

/* Shared parts */
extern const struct row api_auth[];    /* asks Keystone for the token's owner */
extern const struct row api_refused[]; /* handler: 404 or 409 */
extern const struct row neutron_get[]; /* serves a query */
extern const struct row schedule[];    /* nova-scheduler: select_destinations */
extern const struct row claim_rows[];  /* reserve memory and CPUs */
extern const struct row plug_vif[], unplug_vif[];
extern const struct row guest_xml[];
extern const struct row lifecycle_started[], lifecycle_paused[], lifecycle_resumed[],
    lifecycle_stopped[], lifecycle_suspended[];
extern const struct row refresh_network[]; /* build the network info again */

/* The API programs, by file */
extern const struct row api_boot[], api_delete[];
extern const struct row api_stop[], api_start[], api_reboot[], api_pause[], api_unpause[],
    api_suspend[], api_resume[];
extern const struct row api_resize[], api_confirm_resize[], api_live_migrate[];
extern const struct row api_volume_create[], api_volume_attach[], api_volume_detach[],
    api_volume_snapshot[], api_volume_extend[], api_volume_delete[];
extern const struct row api_network_create[], api_network_update[], api_network_delete[],
    api_subnet_create[], api_subnet_update[], api_subnet_delete[], api_port_create[],
    api_port_update[], api_port_delete[], api_router_create[], api_router_update[],
    api_router_delete[];
/* neutron-server's work for Nova's ports */
extern const struct row neutron_port_create[], neutron_port_update[], neutron_port_delete[];

/* Functions of DO rows */
void do_check(struct thread *t);        /* raises Conflict or NotFound */
void do_fail_request(struct thread *t); /* the user's request failed with t->exc */
void do_pick_host(struct thread *t);
void do_claim(struct thread *t);
void do_unclaim(struct thread *t);
void do_started(struct thread *t), do_paused(struct thread *t), do_resumed(struct thread *t),
    do_stopped(struct thread *t), do_suspended(struct thread *t);
void do_tap_appears(struct thread *t);
void do_power_on(struct thread *t), do_power_off(struct thread *t);

/* Conditions of rows */
bool if_picked(const struct thread *t);
bool if_not_picked(const struct thread *t);
bool if_timed_out(const struct thread *t);
bool if_unexpected(const struct thread *t);
bool if_secrets(const struct thread *t);
bool if_hosted(const struct thread *t);
bool if_not_hosted(const struct thread *t);
bool if_plugged(const struct thread *t);
bool if_not_plugged(const struct thread *t);

#endif
