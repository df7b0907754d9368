/* SPDX-License-Identifier: Apache-2.0
 *
 * seeds_main.c -- runs a fuzz target over its seeds, once, without libFuzzer.
 *
 * Arguments are files, folders (not looked into further), and corpora: files with many
 * inputs, as tools/corpus packs them.  Each seed is named before it runs, so that
 * the last name printed before a crash is the guilty one.  The empty input always
 * runs first. */
#include "base/file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void run_input(const uint8_t *p, size_t n)
{
    /* A copy of just that size: a read past its end is seen by ASan. */
    uint8_t *copy = malloc(n);

    if (!copy && n)
        abort();
    if (n)
        memcpy(copy, p, n);
    LLVMFuzzerTestOneInput(copy, n);
    free(copy);
}

static const char corpus_head[] = "neph corpus 1\n";

static int run_corpus(const char *path, const struct fmap *map)
{
    size_t at = sizeof corpus_head - 1, n = 0;
    uint32_t size;

    for (; map->n - at >= sizeof size; n++) {
        memcpy(&size, map->p + at, sizeof size);
        at += sizeof size;
        if (size > map->n - at)
            break;
        printf("# seed %s %zu\n", path, n);
        fflush(stdout);
        run_input(map->p + at, size);
        at += size;
    }
    if (at == map->n)
        return 0;
    fprintf(stderr, "%s: input %zu at byte %zu is cut off\n", path, n, at);
    return 1;
}

static int run_file(const char *path)
{
    struct fmap map;
    struct err err;
    int failed = 0;

    if (fmap_open(path, &map, &err) < 0) {
        fprintf(stderr, "%s\n", err.text);
        return 1;
    }
    if (map.n >= sizeof corpus_head - 1 && !memcmp(map.p, corpus_head, sizeof corpus_head - 1)) {
        failed = run_corpus(path, &map);
    } else {
        printf("# seed %s\n", path);
        fflush(stdout);
        run_input(map.p, map.n);
    }
    fmap_close(&map);
    return failed;
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
