/* SPDX-License-Identifier: Apache-2.0
 *
 * fuzz_ctf.c -- metadata and one stream from bytes: opened and read to the end.
 *
 * The input is the text of the metadata, a NUL, and the stream.  The files live in
 * memory (/dev/shm). */
#define _GNU_SOURCE
#include "tests/fuzz/ctf_touch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static char dir[64];

static void remove_files(void)
{
    char path[96];

    snprintf(path, sizeof path, "%s/metadata", dir);
    unlink(path);
    snprintf(path, sizeof path, "%s/stream", dir);
    unlink(path);
    rmdir(dir);
}

static void make_dir(void)
{
    if (dir[0])
        return;
    snprintf(dir, sizeof dir, "%s/neph-fuzz-XXXXXX",
             access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    if (!mkdtemp(dir))
        abort();
    atexit(remove_files);
}

static void write_file(const char *name, const uint8_t *p, size_t n)
{
    char path[96];

    snprintf(path, sizeof path, "%s/%s", dir, name);
    FILE *f = fopen(path, "w");
    if (!f || (n && fwrite(p, 1, n, f) != n) || fclose(f) != 0)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    const uint8_t *nul = n ? memchr(data, 0, n) : NULL;
    size_t text = nul ? (size_t)(nul - data) : n;
    struct notes notes = { 0 };
    struct touched t;

    make_dir();
    write_file("metadata", data, text);
    write_file("stream", nul ? nul + 1 : NULL, nul ? n - text - 1 : 0);
    touch_dir(dir, &notes, &t);
    touch_reader(dir, &notes, &t);
    notes_free(&notes);
    return 0;
}
