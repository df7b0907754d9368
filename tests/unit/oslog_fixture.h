/* SPDX-License-Identifier: Apache-2.0
 *
 * oslog_fixture.h -- what the test programs of log lines share: ids, a domain,
 * and decoding a line to the one fact that it must give. */
#ifndef UNIT_OSLOG_FIXTURE_H
#define UNIT_OSLOG_FIXTURE_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "model/oslog.h"

#define U1 "11111111-2222-3333-4444-555555555555"
#define U2 "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee"
#define U3 "01234567-89ab-cdef-0123-456789abcdef"
#define H1 "0123456789abcdef0123456789abcdef"
#define R1 "req-" U3

static struct arena arena; /* forgotten after each test */

static inline int forget(void **state)
{
    (void)state;
    arena_free(&arena);
    return 0;
}

static inline struct log_facts decode(const char *logger, const char *msg)
{
    struct log_facts f;

    oslog_decode(str_of(logger), str_of(msg), &arena, &f);
    return f;
}

/* The only or first fact of a line, which must be of 'kind'. */
static inline struct log_fact *fact(enum log_fact_kind kind, const char *logger, const char *msg)
{
    struct log_facts f = decode(logger, msg);

    if (f.n == 0)
        fail_msg("no fact in: %s", msg);
    assert_string_equal(log_fact_name(f.at[0].kind), log_fact_name(kind));
    return &f.at[0];
}

static inline void no_fact(const char *logger, const char *msg)
{
    struct log_facts f = decode(logger, msg);

    if (f.n)
        fail_msg("a %s in: %s", log_fact_name(f.at[0].kind), msg);
}

#define IS(s, want) is(s, want, __FILE__, __LINE__)
static inline void is(struct str s, const char *want, const char *file, int line)
{
    _assert_string_equal(arena_strdup(&arena, s.p, s.n), want, file, line);
}

#define XML(nl, v)                                                                               \
    "<domain type=\"kvm\">" nl "<uuid>" U1 "</uuid>" nl "<name>instance-00000008</name>" nl      \
    "<memory>65536</memory><vcpu>1</vcpu><metadata><nova:instance "                              \
    "xmlns:nova=\"http://openstack.org/xmlns/libvirt/nova/" v                                    \
    "\"><nova:name>vm &amp; co</nova:name>" nl                                                   \
    "<nova:flavor name=\"m1.nano\"><nova:memory>64</nova:memory><nova:disk>5</nova:disk>"        \
    "<nova:vcpus>2</nova:vcpus></nova:flavor><nova:owner><nova:user uuid=\"" H1                  \
    "\">admin</nova:user>"                                                                       \
    "<nova:project uuid=\"p1\">demo</nova:project></nova:owner><nova:root type=\"image\" "       \
    "uuid=\"" U3 "\"/><nova:ports><nova:port uuid=\"" U2                                         \
    "\"/></nova:ports></nova:instance></metadata>" nl "<devices>"                                \
    "<disk type=\"file\" device=\"disk\"><source file=\"/i/disk\"/><target bus=\"virtio\" "      \
    "dev=\"vda\"/>"                                                                              \
    "</disk><disk type=\"block\"><source dev=\"/dev/loop2\"/></disk><interface type=\"bridge\">" \
    "<mac address=\"fa:16:3e:00:00:01\"/><source bridge=\"qbr1\"/><target "                      \
    "dev=\"tap1\"/></interface>"                                                                 \
    "</devices>" nl "</domain>" nl

#endif
