/* SPDX-License-Identifier: Apache-2.0
 *
 * seeds_main.c -- runs a fuzz target over its seeds, once, without libFuzzer.
 *
 * Arguments are files and folders (not looked into further).  Each seed is
 * named before it runs, so that the last name printed before a crash is the
 * guilty one.  The empty input always runs first. */
#include "base/file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static int run_file(const char *path)
{
    struct fmap map;
    struct err err;

    printf("# seed %s\n", path);
    fflush(stdout);
    if (fmap_open(path, &map, &err) < 0) {
        fprintf(stderr, "%s\n", err.text);
        return 1;
    }
    /* A copy of just that size: a read past its end is seen by ASan. */
    uint8_t *copy = malloc(map.n);
    if (!copy && map.n)
        abort();
    if (map.n)
        memcpy(copy, map.p, map.n);
    LLVMFuzzerTestOneInput(copy, map.n);
    free(copy);
    fmap_close(&map);
    return 0;
}

static int run_folder(const char *path)
{
    struct arena mem = { 0 };
    struct dir_entry *list;
    struct err err;
    size_t n;
    int failed = 0;

    if (dir_list(path, &mem, &list, &n, &err) < 0) {
        fprintf(stderr, "%s\n", err.text);
        return 1;
    }
    for (size_t i = 0; i < n; i++)
        if (!list[i].is_dir)
            failed |= run_file(path_join(&mem, path, list[i].name));
    arena_free(&mem);
    return failed;
}

int main(int argc, char **argv)
{
    int failed = 0;

    LLVMFuzzerTestOneInput((const uint8_t *)"", 0);
    for (int i = 1; i < argc; i++)
        failed |= path_is_dir(argv[i]) ? run_folder(argv[i]) : run_file(argv[i]);
    return failed;
}
