/* SPDX-License-Identifier: Apache-2.0
 *
 * test_payload.c -- records inside of log messages: each oddity of the loose
 * dialect its own case, JSON, whole-message JSON, truncation and mutation. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "model/payload.h"
#include "model/payload_tree.h"

#include <stdlib.h>

static struct arena arena;

static int forget(void **state)
{
    (void)state;
    arena_free(&arena);
    return 0;
}

static struct payload parse(const char *msg)
{
    struct payload p;

    assert_true(payload_parse(str_of(msg), &arena, &p));
    return p;
}

static void no_payload(const char *msg)
{
    struct payload p;

    assert_false(payload_parse(str_of(msg), &arena, &p));
}

static void has(const struct payload *p, const char *key, const char *want)
{
    struct str v = payload_get(p, key);
    char *got = arena_strdup(&arena, v.p, v.n);

    assert_string_equal(got, want);
}

static void ordinary(void **state)
{
    struct payload p = parse("lttng_trace:{'event_type':'compute.instance.create.start',"
                             "'vmname':'web-1','vm_state':'building','host':'node7','msg':'go'}");

    (void)state;
    assert_int_equal(p.dialect, PAYLOAD_LOOSE);
    assert_false(p.truncated);
    has(&p, "event_type", "compute.instance.create.start");
    has(&p, "vmname", "web-1");
    has(&p, "host", "node7");
    has(&p, "msg", "go");
    has(&p, "nothing", "");
    assert_false(payload_has(&p, "nothing"));
    assert_int_equal(p.rest.n, 0);
}

static void bare_word(void **state)
{
    struct payload p = parse("lttng_trace:{'event_type':scheduler.select_destinations.end,"
                             "'vmname':'','request_id':'req-1','last':bare}");

    (void)state;
    has(&p, "event_type", "scheduler.select_destinations.end");
    has(&p, "request_id", "req-1");
    has(&p, "last", "bare");
    assert_false(p.truncated);
}

static void unknown_values(void **state)
{
    struct payload p = parse("lttng_trace:{'host':'None','vm_task':'','a':None,'b':null}");

    (void)state;
    has(&p, "host", "");
    has(&p, "vm_task", "");
    has(&p, "a", "");
    has(&p, "b", "");
    assert_true(payload_has(&p, "host"));
    assert_true(payload_has(&p, "b"));
    assert_false(p.truncated);
}

static void quotes_inside(void **state)
{
    struct payload p = parse("lttng_trace:{'vmname':'Bob's 'best' VM','host':'n1',"
                             "'msg':'can't open '/x''}");

    (void)state;
    has(&p, "vmname", "Bob's 'best' VM");
    has(&p, "host", "n1");
    has(&p, "msg", "can't open '/x'");
}

static void braces_and_commas_inside(void **state)
{
    struct payload p =
        parse("lttng_trace:{'msg':'bad {value}, {'a': 'b', 'c': 1}, see','host':'n1',"
              "'why':'{'} and ,'}");

    (void)state;
    has(&p, "msg", "bad {value}, {'a': 'b', 'c': 1}, see");
    has(&p, "host", "n1");
    has(&p, "why", "{'} and ,");
    assert_false(p.truncated);
}

static void newlines_inside(void **state)
{
    struct payload p =
        parse("lttng_trace:{'msg':'Traceback:\n  File \"x\", line 1\nKeyError: 'id'',"
              "'host':'n1'}\n");

    (void)state;
    has(&p, "msg", "Traceback:\n  File \"x\", line 1\nKeyError: 'id'");
    has(&p, "host", "n1");
}

static void literal_volume(void **state)
{
    struct payload p = parse("lttng_trace:{'event_type':'volume.update.start','volume':'volume',"
                             "'msg':'Handle the volume update event'}");

    (void)state;
    has(&p, "volume", "volume");
}

static void any_order_and_extra_keys(void **state)
{
    struct payload p = parse("lttng_trace:{'new.key':'1','msg':'m','event_type':'router.delete',"
                             "'zone-id':'z'}");

    (void)state;
    has(&p, "event_type", "router.delete");
    has(&p, "new.key", "1");
    has(&p, "zone-id", "z");
}

static void trailing_junk(void **state)
{
    struct payload p = parse("lttng_trace:{'host':'n1','msg':'m'} emit /usr/lib/x.py:12");

    (void)state;
    has(&p, "msg", "m");
    assert_false(p.truncated);
    assert_true(str_is(p.rest, " emit /usr/lib/x.py:12"));
    p = parse("lttng_trace:{'host':n1} and more");
    has(&p, "host", "n1");
}

static void truncated(void **state)
{
    struct payload p = parse("lttng_trace:{'event_type':'x.start','vmname':'web-1','host':'no");

    (void)state;
    assert_true(p.truncated);
    has(&p, "event_type", "x.start");
    has(&p, "vmname", "web-1");
    assert_false(payload_has(&p, "host"));
    p = parse("lttng_trace:{'event_type':'x.start','vmna");
    assert_true(p.truncated);
    has(&p, "event_type", "x.start");
    p = parse("lttng_trace:{'eve");
    assert_true(p.truncated);
    assert_null(p.root->child);
}

/* The quote in front of the brace opens the value; it doesn't close it. */
static void value_cut_before_brace(void **state)
{
    struct payload p = parse("lttng_trace:{'a':'1','msg':'}");

    (void)state;
    has(&p, "a", "1");
    assert_false(payload_has(&p, "msg"));
    assert_true(p.truncated);
}

static void python_values(void **state)
{
    struct payload p = parse("lttng_trace:{'a':u'text','b':True,'c':False,'d':42,'e':-7,'f':9L,"
                             "'g':{'k': 'v', 'l': [1, 2]},'h':['x', 'y'],'i':'u'uni'','j':b'b'}");
    int64_t v = 0;

    (void)state;
    has(&p, "a", "text");
    has(&p, "b", "True");
    has(&p, "c", "False");
    assert_true(payload_i64(&p, "d", &v));
    assert_int_equal(v, 42);
    assert_true(payload_i64(&p, "e", &v));
    assert_int_equal(v, -7);
    assert_true(payload_i64(&p, "f", &v));
    assert_int_equal(v, 9);
    has(&p, "g", "{'k': 'v', 'l': [1, 2]}");
    has(&p, "h", "['x', 'y']");
    has(&p, "i", "uni");
    has(&p, "j", "b");
    assert_false(payload_i64(&p, "a", &v));
    assert_int_equal(v, 9);
}

static void python_repr_with_blanks(void **state)
{
    struct payload p = parse("lttng_trace:{'event_type': u'a.b', 'msg': \"it's here\", 'n': 3}");

    (void)state;
    has(&p, "event_type", "a.b");
    has(&p, "msg", "it's here");
    has(&p, "n", "3");
}

static void json_after_prefix(void **state)
{
    struct payload p = parse("lttng_trace:{\"event_type\":\"a.b\",\"n\":12,\"t\":true,\"z\":null,"
                             "\"port\":{\"id\":\"p1\",\"ips\":[{\"ip\":\"10.1.1.1\"}]},"
                             "\"msg\":\"say \\\"hi\\\"\\n\\u00e9\\ud83d\\ude00\"}");
    int64_t n = 0;

    (void)state;
    assert_int_equal(p.dialect, PAYLOAD_JSON);
    has(&p, "event_type", "a.b");
    has(&p, "z", "");
    has(&p, "port.id", "p1");
    has(&p, "port.ips.0.ip", "10.1.1.1");
    has(&p, "port.ips.1.ip", "");
    has(&p, "msg", "say \"hi\"\n\xc3\xa9\xf0\x9f\x98\x80");
    assert_true(payload_i64(&p, "n", &n));
    assert_int_equal(n, 12);
}

static void json_with_bare_word(void **state)
{
    struct payload p = parse("lttng_trace:{\"event_type\":scheduler.x.start,\"a\":\"b\"}");

    (void)state;
    has(&p, "event_type", "scheduler.x.start");
    has(&p, "a", "b");
}

static void json_unescaped_quotes(void **state)
{
    struct payload p = parse("lttng_trace:{\"a\":\"say \"hi\" now\",\"b\":\"c\"}");

    (void)state;
    assert_int_equal(p.dialect, PAYLOAD_LOOSE);
    has(&p, "a", "say \"hi\" now");
    has(&p, "b", "c");
}

static void json_truncated(void **state)
{
    struct payload p = parse("lttng_trace:{\"event_type\":\"a\",\"port\":{\"id\":\"p1\",\"na");

    (void)state;
    assert_int_equal(p.dialect, PAYLOAD_JSON);
    assert_true(p.truncated);
    has(&p, "event_type", "a");
    has(&p, "port.id", "p1");
}

static void prefix_in_the_middle(void **state)
{
    struct payload p = parse("[req-1 admin] note lttng_trace: {'host':'n1','msg':'m'}");

    (void)state;
    has(&p, "host", "n1");
}

static void two_records(void **state)
{
    struct payload p = parse("lttng_trace:{'a':'1'} lttng_trace:{'a':'2'}");

    (void)state;
    has(&p, "a", "1");
}

static void mere_mentions(void **state)
{
    (void)state;
    no_payload("");
    no_payload("lttng_trace");
    no_payload("lttng_trace:");
    no_payload("calling lttng_trace.emit()");
    no_payload("lttng_trace: enabled = True");
    no_payload("lttng_trace:{}");
    no_payload("lttng_trace:{not a payload}");
    no_payload("Lock \"x\" acquired by \"f\" :: waited 0.000s");
    no_payload("{\"event\": 1}");
    no_payload("{broken");
    assert_int_equal(arena.total, 0);
}

static void mixed_prefixes(void **state)
{
    static const char *const types[] = { "l3-agent.router.create.start",
                                         "dhcp-agent.port.delete.end",
                                         "compute.instance.shutdown.end", "volume.create.end" };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
        const char *msg =
            arena_printf(&arena, "lttng_trace:{'event_type':'%s','msg':'x'}", types[i]);
        struct payload p = parse(msg);

        has(&p, "event_type", types[i]);
    }
}

static void whole_message(void **state)
{
    struct payload p = parse("{\"event_type\":\"volume.attach.end\",\"volume_attachment\":"
                             "[{\"instance_uuid\":\"u-1\",\"nova_object.data\":{\"x.y\":5}}],"
                             "\"k\":\"notify\",\"ns\":1795376444297491239}");
    int64_t ns = 0;

    (void)state;
    assert_int_equal(p.dialect, PAYLOAD_MESSAGE);
    has(&p, "volume_attachment.0.instance_uuid", "u-1");
    has(&p, "volume_attachment.0.nova_object.data.x.y", "5");
    assert_true(payload_i64(&p, "ns", &ns));
    assert_true(ns == 1795376444297491239);
}

static void osprofiler_message(void **state)
{
    struct payload p = parse("{\"name\": \"rpc-start\", \"base_id\": \"b\", \"parent_id\": \"p\","
                             " \"trace_id\": \"t\", \"info\": {\"host\": \"c1\"}}");

    (void)state;
    assert_int_equal(p.dialect, PAYLOAD_MESSAGE);
    has(&p, "info.host", "c1");
    no_payload("{\"name\": \"x\", \"base_id\": \"b\"}");
}

static void whole_message_truncated(void **state)
{
    struct payload p = parse("{\"event_type\":\"a.b\",\"n\":12");

    (void)state;
    assert_true(p.truncated);
    has(&p, "event_type", "a.b");
    assert_false(payload_has(&p, "n")); /* 12 may be the start of 123 */
}

static void too_deep(void **state)
{
    char msg[4096] = "{\"event_type\":\"a\",\"x\":";
    size_t n = strlen(msg);

    (void)state;
    memset(msg + n, '[', 2000);
    struct payload p = parse(msg);
    assert_true(p.truncated);
    has(&p, "event_type", "a");
}

static const char *const samples[] = {
    "lttng_trace:{'event_type':scheduler.a.start,'vmname':'VM's','host':'None','msg':'{'a': 1}'}",
    "x lttng_trace:{'a':u'b','c':{'d': [1, (2, 3)]},'e':'f'} tail",
    "lttng_trace:{\"a\":\"b\\u00e9\",\"c\":{\"d\":[1,2,{\"e\":null}]},\"f\":\"g\"}",
    "{\"event_type\":\"a.b\",\"p\":{\"id\":\"\\ud83d\\ude00\",\"l\":[true,false,-1.5e3]},\"z\":1}",
    "{\"name\":\"a\",\"trace_id\":\"b\",\"r\":\"\\x41\\'\"}",
    "lttng_trace:{'a': VIF({'x': Net({'y': [1]})}), 'b': <Foo (x) at 0x1>, 'c': Bar(a='(',b=1)}",
};

/* Parses an exact copy on the heap, so that reading past the end is seen. */
static void feed(const char *text, size_t n)
{
    char *copy = malloc(n ? n : 1);
    struct arena a = { 0 };
    struct payload p;
    int64_t v;

    assert_non_null(copy);
    memcpy(copy, text, n);
    if (payload_parse((struct str){ copy, n }, &a, &p)) {
        payload_get(&p, "p.l.0");
        payload_i64(&p, "z", &v);
        payload_has(&p, "c.d.2.e");
    }
    arena_free(&a);
    free(copy);
}

static void every_prefix(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(samples); i++) {
        for (size_t n = 0; n <= strlen(samples[i]); n++)
            feed(samples[i], n);
    }
}

/* What a cut text still tells must be what the whole text tells. */
static void prefixes_never_lie(void **state)
{
    static const char msg[] =
        "lttng_trace:{'event_type':'a.start','vmname':'web','host':'n1','n':12}";
    static const char *const keys[] = { "event_type", "vmname", "host", "n" };
    struct payload whole = parse(msg);

    (void)state;
    for (size_t n = 0; n < sizeof msg - 1; n++) {
        struct payload p;

        if (!payload_parse((struct str){ msg, n }, &arena, &p))
            continue;
        assert_true(p.truncated);
        for (size_t k = 0; k < ARRAY_SIZE(keys); k++) {
            struct str v = payload_get(&p, keys[k]);

            assert_true(v.n == 0 || str_eq(v, payload_get(&whole, keys[k])));
        }
    }
}

static void random_mutations(void **state)
{
    uint32_t seed = 12345;
    char text[512];

    (void)state;
    for (int round = 0; round < 20000; round++) {
        const char *s = samples[(size_t)round % ARRAY_SIZE(samples)];
        size_t n = strlen(s);

        memcpy(text, s, n);
        for (int k = 0; k < 3; k++) {
            seed = seed * 1664525u + 1013904223u;
            uint32_t r = seed >> 8;
            static const char likely[] = "'\"{}[](),:\\u<> \n";

            text[r % n] = (r & 0x800000) ? (char)(seed >> 24) : likely[r / n % (sizeof likely - 1)];
        }
        feed(text, n);
    }
}

int main(void)
{
#define T(f) cmocka_unit_test_teardown(f, forget)
    const struct CMUnitTest tests[] = {
        T(ordinary),
        T(bare_word),
        T(unknown_values),
        T(quotes_inside),
        T(braces_and_commas_inside),
        T(newlines_inside),
        T(literal_volume),
        T(any_order_and_extra_keys),
        T(trailing_junk),
        T(truncated),
        T(value_cut_before_brace),
        T(python_values),
        T(python_repr_with_blanks),
        T(json_after_prefix),
        T(json_with_bare_word),
        T(json_unescaped_quotes),
        T(json_truncated),
        T(prefix_in_the_middle),
        T(two_records),
        T(mere_mentions),
        T(mixed_prefixes),
        T(whole_message),
        T(osprofiler_message),
        T(whole_message_truncated),
        T(too_deep),
        T(every_prefix),
        T(prefixes_never_lie),
        T(random_mutations),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
