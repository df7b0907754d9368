/* SPDX-License-Identifier: Apache-2.0
 *
 * requests.c -- an application that is traced: two threads handle requests as fast as
 * they can.
 *
 * usage: requests EVENTS */
#define LTTNG_UST_TRACEPOINT_CREATE_PROBES
#define LTTNG_UST_TRACEPOINT_DEFINE
#include "requests_tp.h"

#include <pthread.h>
#include <stdlib.h>

static uint64_t requests;

static void *work(void *arg)
{
    static const uint8_t bytes[32] = { 1, 2, 3 };
    uint64_t first = (uint64_t)(uintptr_t)arg << 32;

    for (uint64_t i = 0; i < requests; i++) {
        lttng_ust_tracepoint(app, request_begin, first + i, 1);
        lttng_ust_tracepoint(app, queue, (int32_t)(i % 100), first ^ i * 4096, (uint16_t)i, -1);
        lttng_ust_tracepoint(app, tick, (int32_t)i);
        lttng_ust_tracepoint(app, request_end, first + i, 0);
        lttng_ust_tracepoint(app, request_begin, first + i, 2);
        lttng_ust_tracepoint(app, log, "GET /v2.1/servers/detail status: 200 len: 15230",
                             (int32_t)i);
        if (i % 4 == 0)
            lttng_ust_tracepoint(app, reply, bytes, i % sizeof bytes, 0.5);
        else
            lttng_ust_tracepoint(app, tick, (int32_t)i);
        lttng_ust_tracepoint(app, request_end, first + i, 0);
    }
    return NULL;
}

int main(int argc, char **argv)
{
    pthread_t other;

    requests = argc > 1 ? strtoull(argv[1], NULL, 10) / 16 : 1000;
    if (pthread_create(&other, NULL, work, (void *)1) != 0)
        return 1;
    work((void *)2);
    return pthread_join(other, NULL) != 0;
}
