/* SPDX-License-Identifier: Apache-2.0
 *
 * cmd_history.c -- `neph history WHAT ...`: looks after the files that histories are
 * kept in. */
#include "cli/cmd.h"

#include "base/file.h"
#include "engine/keep.h"
#include "report/history.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct history_opts {
    const char *folder;
    bool show_secrets;
};

/* --- one file --------------------------------------------------------------------- */

static int open_history(struct ctx *c, struct store **ret)
{
    struct err err;

    if (store_open(c->args[1], ret, &err) == 0)
        return RC_OK;
    ctx_error(c, "%s", err.text);
    return RC_IO;
}

static int info(struct ctx *c)
{
    struct sections s = { 0 };
    struct store *store;
    int rc = open_history(c, &store);

    if (rc != RC_OK)
        return rc;
    history_info(store, &s);
    rc = ctx_print_sections(c, &s);
    sections_free(&s);
    store_notes(store, &c->notes);
    store_free(store);
    return rc;
}

static int dump(struct ctx *c)
{
    const struct history_opts *o = c->opts;
    struct arena mem = { 0 };
    struct report_src src = { .mem = &mem, .show_secrets = o->show_secrets, .span = SPAN_ALL };
    struct store *s;

    if (!ctx_output_is(c, "table") && !ctx_output_is(c, "jsonl")) {
        ctx_error(c, "history dump writes table (lines of text) or jsonl, not %s", c->g.output);
        return RC_USAGE;
    }
    int rc = open_history(c, &s);
    if (rc != RC_OK)
        return rc;
    history_dump(&src, s, str_of(c->nargs > 2 ? c->args[2] : ""), ctx_output_is(c, "jsonl"),
                 stdout);
    store_notes(s, &c->notes);
    store_free(s);
    arena_free(&mem);
    return RC_OK;
}

static const struct column verify_cols[] = {
    { "file", "FILE", COL_STR, 0, 0, 0 },
    { "sound", "SOUND", COL_BOOL, 0, 0, 0 },
    { "problem", "PROBLEM", COL_STR, 0, 0, 0 },
};

struct verify {
    struct table t;
    const char *file;
};

static void add_problem(void *ctx, const char *sentence)
{
    struct verify *v = ctx;

    table_row(&v->t);
    table_str(&v->t, str_of(v->file));
    table_bool(&v->t, false);
    table_str(&v->t, str_of(sentence));
}

static int verify(struct ctx *c)
{
    struct verify v = { 0 };
    bool sound = true;

    table_init(&v.t, verify_cols, ARRAY_SIZE(verify_cols));
    for (size_t i = 1; i < c->nargs; i++) {
        struct err err;

        v.file = c->args[i];
        int64_t n = store_verify(v.file, add_problem, &v, &err);
        if (n < 0)
            add_problem(&v, err.text);
        sound &= n == 0;
        if (n != 0)
            continue;
        table_row(&v.t);
        table_str(&v.t, str_of(v.file));
        table_bool(&v.t, true);
    }
    int rc = ctx_print_table(c, &v.t);
    table_free(&v.t);
    return rc == RC_OK && !sound ? RC_IO : rc;
}

/* --- the folder ------------------------------------------------------------------- */

/* The folders to look at; 0, said, if there is none. */
static size_t folders_of(struct ctx *c, struct arena *mem, const char **ret)
{
    const struct history_opts *o = c->opts;
    const char *why;
    size_t n = keep_folders(o->folder, mem, ret, &why);

    if (n == 0)
        ctx_error(c, "there is no folder for histories: %s", why);
    return n;
}

static const struct column list_cols[] = {
    { "hosts", "HOSTS", COL_LIST, 0, 0, 0 },
    { "size_bytes", "SIZE", COL_BYTES, 0, 0, 0 },
    { "made_ns", "MADE", COL_INSTANT, 0, 0, 0 },
    { "used_ns", "USED", COL_INSTANT, 0, COL_WIDE, 0 },
    { "start_ns", "FROM", COL_INSTANT, 0, COL_WIDE, 0 },
    { "end_ns", "TO", COL_INSTANT, 0, COL_WIDE, 0 },
    { "finished", "FINISHED", COL_BOOL, 0, 0, 0 },
    { "version", "VERSION", COL_STR, 0, COL_WIDE, 0 },
    { "file", "FILE", COL_STR, 0, 0, 0 },
};

/* What can't be read has a size and a name, and no more. */
static void list_row(struct table *t, const struct keep_file *f)
{
    struct report_src src = { .mem = &t->mem };
    struct store_coverage cov = { 0 };
    struct store *s = NULL;
    struct err err;
    bool readable = store_open(f->path, &s, &err) == 0;
    struct str hosts = STR("");

    if (readable) {
        store_coverage(s, &cov);
        hosts = *store_host(s) ? str_of(store_host(s)) : store_fact(s, "hosts");
    }
    table_row(t);
    cell_list(&src, t, hosts);
    table_count(t, f->bytes);
    table_ns(t, f->made);
    table_ns(t, f->used);
    cell_ns(t, readable && cov.t0 < cov.t1 ? cov.t0 : STORE_NULL);
    cell_ns(t, readable && cov.t0 < cov.t1 && cov.t1 != NS_MAX ? cov.t1 : STORE_NULL);
    table_bool(t, cov.finished);
    cell_str(t, readable ? store_fact(s, "version") : STR(""));
    table_str(t, str_of(f->path));
    if (readable)
        store_free(s);
}

static int list(struct ctx *c)
{
    const char *folders[KEEP_FOLDERS];
    struct arena mem = { 0 };
    struct table t;
    size_t nfolders = folders_of(c, &mem, folders);
    int rc = nfolders ? RC_OK : RC_IO;

    table_init(&t, list_cols, ARRAY_SIZE(list_cols));
    for (size_t k = 0; k < nfolders && rc == RC_OK; k++) {
        struct keep_file *f;
        struct err err;
        size_t n;

        if (keep_list(folders[k], &mem, &f, &n, &err) < 0) {
            ctx_error(c, "%s", err.text);
            rc = RC_IO;
            break;
        }
        for (size_t i = 0; i < n; i++)
            list_row(&t, &f[i]);
    }
    if (rc == RC_OK)
        rc = ctx_print_table(c, &t);
    table_free(&t);
    arena_free(&mem);
    return rc;
}

static int clear(struct ctx *c)
{
    const char *folders[KEEP_FOLDERS];
    struct arena mem = { 0 };
    size_t n = folders_of(c, &mem, folders);
    int rc = n ? RC_OK : RC_IO;

    for (size_t k = 0; k < n && rc == RC_OK; k++) {
        uint64_t files, bytes;
        struct err err;

        if (keep_clear(folders[k], &files, &bytes, &err) < 0) {
            ctx_error(c, "%s", err.text);
            rc = RC_IO;
        } else if (files || k == 0) {
            printf("%" PRIu64 " histories of %.1f MiB were removed from %s\n", files,
                   (double)bytes / (1 << 20), folders[k]);
        }
    }
    arena_free(&mem);
    return rc;
}

/* --- which ------------------------------------------------------------------------ */

static const struct {
    const char *name, *args;
    size_t min, max; /* arguments behind it; max 0: any number */
    int (*run)(struct ctx *c);
} actions[] = {
    { "list", "", 0, 0, list },
    { "clear", "", 0, 0, clear },
    { "info", " FILE", 1, 1, info },
    { "verify", " FILE...", 1, SIZE_MAX, verify },
    { "dump", " FILE [PATTERN]", 1, 2, dump },
};

static int run(struct ctx *c)
{
    size_t n = c->nargs - 1;

    for (size_t i = 0; i < ARRAY_SIZE(actions); i++) {
        if (strcmp(actions[i].name, c->args[0]) != 0)
            continue;
        if (n >= actions[i].min && n <= actions[i].max)
            return actions[i].run(c);
        ctx_error(c, "it is: neph history %s%s", actions[i].name, actions[i].args);
        return RC_USAGE;
    }
    ctx_error(c, "history takes list, clear, info, verify or dump, not '%s'", c->args[0]);
    return RC_USAGE;
}

static const struct opt options[] = {
    { "history", 0, "DIR", "The folder to list or to clear, instead of the cache", OPT_TEXT,
      offsetof(struct history_opts, folder), NULL, 0 },
    { "show-secrets", 0, NULL, "Do not mask tokens and passwords", OPT_FLAG,
      offsetof(struct history_opts, show_secrets), NULL, 0 },
};

const struct cmd cmd_history = {
    .name = "history",
    .summary = "looks after the files that histories are kept in",
    .args = "list|clear|info|verify|dump [FILE]... [PATTERN]",
    .about =
        "What was found in traces is kept in a file per host, so that the next question need "
        "not read the traces. These files can be built again at any time.\n\n"
        "list: the files in the cache. clear: removes them. info FILE: what is in one. verify "
        "FILE...: reads all of each and compares the checksums; the exit code is 3 if "
        "something is wrong. dump FILE [PATTERN]: every interval of the attributes that match, "
        "or of all and every record, as lines of text or with -o jsonl of JSON.",
    .outputs = TABLE_OUTPUTS,
    .groups = GROUP_LISTING | GROUP_LIMIT,
    .options = options,
    .noptions = ARRAY_SIZE(options),
    .opts_size = sizeof(struct history_opts),
    .min_args = 1,
    .choices = "list|clear|info|verify|dump",
    .run = run,
};
