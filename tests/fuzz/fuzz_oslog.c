/* SPDX-License-Identifier: Apache-2.0
 *
 * fuzz_oslog.c -- any bytes as a log message.
 *
 * The input is the name of the logger, a line break, and the message.  All
 * that is read from messages runs over it; views that a fact gives are touched
 * so that a wrong one is seen by the sanitizers. */
#include "model/oslog.h"
#include "model/payload.h"
#include "model/payload_tree.h"
#include "model/secret.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static volatile size_t sink;

static void touch(struct str s)
{
    size_t sum = 0;

    for (size_t i = 0; i < s.n; i++)
        sum += (unsigned char)s.p[i];
    sink += sum;
}

static void touch_tree(const struct tree *t, int depth)
{
    for (; t && depth < 100; t = t->next) {
        touch(t->key);
        touch(t->text);
        touch_tree(t->child, depth + 1);
    }
}

static void touch_fact(const struct log_fact *f)
{
    touch(str_of(log_fact_name(f->kind)));
    if (f->kind == FACT_API_OBJECT) {
        for (size_t i = 0; i < f->object.n_ips; i++)
            touch(f->object.ips[i]);
        touch(f->object.id);
        touch(f->object.mac);
    } else if (f->kind == FACT_DOMAIN) {
        for (size_t i = 0; i < f->domain.n_disks; i++)
            touch(f->domain.disks[i]);
        touch(f->domain.uuid);
        touch(f->domain.vm_name);
    } else if (f->kind == FACT_SCHED_WEIGHED || f->kind == FACT_SCHED_FILTERED) {
        for (int64_t i = 0; i < f->sched.n; i++)
            touch(f->sched.hosts[i].host);
    } else if (f->kind == FACT_HTTP_REQUEST || f->kind == FACT_HTTP_SERVED) {
        touch(f->http.url);
        touch(f->http.path);
        touch(f->http.body);
    } else if (f->kind == FACT_COMMAND_START || f->kind == FACT_COMMAND_END) {
        touch(f->command.text);
    } else if (f->kind == FACT_EXTERNAL_EVENT) {
        touch(f->external.event);
        touch(f->external.tag);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct str all = { (const char *)data, n }, logger = STR(""), msg = all;
    size_t end = n ? str_chr(str_first(all, 100), '\n', 0) : STR_NONE;
    struct arena a = { 0 };
    struct payload p;
    struct log_facts facts;
    struct sbuf out = { 0 };

    if (end != STR_NONE) {
        logger = str_first(all, end);
        msg = str_from(all, end + 1);
    }
    if (payload_parse(msg, &a, &p)) {
        touch_tree(p.root, 0);
        touch(p.rest);
        touch(payload_get(&p, "port.id"));
        touch(payload_get(&p, "volume_attachment.0.instance_uuid"));
    }
    oslog_decode(logger, msg, &a, &facts);
    for (size_t i = 0; i < facts.n; i++)
        touch_fact(&facts.at[i]);
    touch(oslog_request_id(msg));
    touch(oslog_instance(msg));
    if (secret_mask(msg, &out) && out.n > msg.n * 4 + 16)
        abort(); /* "***" for one byte is the worst case */
    sbuf_free(&out);
    arena_free(&a);
    return 0;
}
