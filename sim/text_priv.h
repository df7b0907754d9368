/* SPDX-License-Identifier: Apache-2.0
 *
 * text_priv.h -- the large texts of services' log lines (text_large.c). */
#ifndef SIM_TEXT_PRIV_H
#define SIM_TEXT_PRIV_H

#include "base/str.h"

struct thread;

void text_domain_xml(struct sbuf *b, const struct thread *t);
void text_domain_xml_repr(struct sbuf *b, const struct thread *t); /* a Python literal */
void text_network_info(struct sbuf *b, const struct thread *t);
void text_instance(struct sbuf *b, const struct thread *t);
void text_networks_body(struct sbuf *b, const struct thread *t);
void text_groups_body(struct sbuf *b, const struct thread *t);
void text_port_body(struct sbuf *b, const struct thread *t);
void text_ports_body(struct sbuf *b, const struct thread *t);
void text_subnets_body(struct sbuf *b, const struct thread *t);
void text_port_request(struct sbuf *b, const struct thread *t);
void text_bdm(struct sbuf *b, const struct thread *t);
void text_traceback(struct sbuf *b, const struct thread *t);

#endif
