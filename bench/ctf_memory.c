/* SPDX-License-Identifier: Apache-2.0
 *
 * ctf_memory.c -- how much memory does reading a trace take, by its size?
 *
 * usage: ctf_memory [--json]
 *
 * Makes traces of a kernel of about 60 MB, 250 MB and 1 GB (bench/made.h), and reads
 * each in a process of its own, merged, on one thread and with two helpers.  The resident
 * memory includes pages of the trace that are mapped; 'anonymous' is what the process
 * itself has taken.  A trace that is read again may keep more pages (128 MB in all, see
 * ctf/cursor.c): the last figure. */
#define _GNU_SOURCE
#include "bench/made.h"
#include "ctf/merge.h"

#include <inttypes.h>
#include <sys/resource.h>
#include <sys/wait.h>

struct result {
    uint64_t events, bytes;
    uint64_t peak_kb, anonymous_kb, again_kb;
};

static uint64_t status_kb(const char *key)
{
    FILE *f = fopen("/proc/self/status", "r");
    char line[256];
    uint64_t kb = 0;

    while (f && fgets(line, sizeof line, f))
        if (!strncmp(line, key, strlen(key)))
            kb = strtoull(line + strlen(key), NULL, 10);
    if (f)
        fclose(f);
    return kb;
}

static void read_all(struct ctf_trace *t, struct notes *notes, unsigned helpers, struct result *res)
{
    const struct ctf_rec *r;
    struct ctf_merge m;
    size_t n;

    ctf_merge_init(&m, t, notes, helpers);
    res->events = 0;
    while ((r = ctf_merge_batch(&m, &n)))
        res->events += r ? n : 0;
    ctf_merge_free(&m);
}

static uint64_t peak_kb(void)
{
    struct rusage use;

    getrusage(RUSAGE_SELF, &use);
    return (uint64_t)use.ru_maxrss;
}

static struct result read_it(const char *dir, unsigned helpers)
{
    struct notes notes = { 0 };
    struct result res = { 0 };
    struct ctf_trace *t;
    struct err err;

    if (ctf_trace_open(dir, &t, &notes, &err) < 0)
        return res;
    read_all(t, &notes, helpers, &res);
    res.bytes = t->bytes;
    res.anonymous_kb = status_kb("RssAnon:");
    res.peak_kb = peak_kb();
    read_all(t, &notes, helpers, &res);
    res.again_kb = peak_kb();
    ctf_trace_close(t);
    notes_free(&notes);
    return res;
}

/* In a child, so that its peak is its own. */
static bool measure(const char *dir, unsigned helpers, bool json)
{
    struct result res = { 0 };
    int fds[2];

    if (pipe(fds) < 0)
        return false;
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        res = read_it(dir, helpers);
        _exit(write(fds[1], &res, sizeof res) != sizeof res);
    }
    close(fds[1]);
    bool ok = child > 0 && read(fds[0], &res, sizeof res) == sizeof res && res.events > 0;
    close(fds[0]);
    if (child > 0)
        waitpid(child, NULL, 0);
    if (!ok)
        return false;
    if (json)
        printf("{\"mode\":\"memory\",\"bytes\":%" PRIu64 ",\"events\":%" PRIu64
               ",\"helpers\":%u,\"peak_kb\":%" PRIu64 ",\"anonymous_kb\":%" PRIu64
               ",\"again_kb\":%" PRIu64 "}\n",
               res.bytes, res.events, helpers, res.peak_kb, res.anonymous_kb, res.again_kb);
    else
        printf("%6.0f MB, %10" PRIu64 " events, %u helpers: peak %5.1f MB resident, %4.1f MB of it "
               "anonymous; read again %5.1f MB\n",
               (double)res.bytes / 1e6, res.events, helpers, (double)res.peak_kb / 1024,
               (double)res.anonymous_kb / 1024, (double)res.again_kb / 1024);
    return true;
}

int main(int argc, char **argv)
{
    static const uint64_t sizes[] = { 1100000, 4600000, 20000000 };
    bool json = argc > 1 && !strcmp(argv[1], "--json"), ok = true;
    char dir[256];

    for (size_t i = 0; i < ARRAY_SIZE(sizes) && ok; i++) {
        struct err err = { 0 };

        if (!made_folder(dir)) {
            perror("ctf_memory: a folder for a trace");
            return 1;
        }
        ok = made_write(&made_kernel, dir, sizes[i], &err) == 0;
        if (!ok)
            fprintf(stderr, "ctf_memory: %s\n", err.text);
        ok = ok && measure(dir, 0, json) && measure(dir, 2, json);
        made_remove(dir);
    }
    return ok ? 0 : 1;
}
