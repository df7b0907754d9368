/* SPDX-License-Identifier: Apache-2.0
 *
 * cmd_baseline.c -- `neph baseline save|list|show|remove`: what is normal for this cloud. */
#include "cli/baseline.h"

#include "base/file.h"
#include "cli/analyse.h"
#include "cli/config.h"
#include "cli/open.h"

#include <ctype.h>
#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

struct baseline_opts {
    bool replace;
};

static const char suffix[] = ".json", folder[] = "baselines";

static bool is_name(const char *name)
{
    for (const char *p = name; *p; p++)
        if (!isalnum((unsigned char)*p) && !strchr("._-", *p))
            return false;
    return *name && *name != '.' && *name != '-';
}

const char *cli_baseline_path(const struct ctx *c, struct arena *mem, const char *name)
{
    if (strchr(name, '/') || str_ends(str_of(name), str_of(suffix)))
        return name;
    if (!is_name(name)) {
        ctx_error(
            c,
            "'%s' is no name of a baseline: letters, digits, '.', '_' and '-', or a path with "
            "a slash",
            name);
        return NULL;
    }
    const char *dir = cli_data_path(mem, folder);
    if (!dir)
        ctx_error(c, "there is no place for baselines: neither XDG_DATA_HOME nor HOME is set");
    return dir ? path_join(mem, dir, arena_printf(mem, "%s%s", name, suffix)) : NULL;
}

int cli_baseline_read(const struct ctx *c, const char *name, struct baseline *ret)
{
    struct arena mem = { 0 };
    const char *path = cli_baseline_path(c, &mem, name);
    int rc = path ? RC_OK : RC_USAGE;
    struct err err;

    *ret = (struct baseline){ 0 };
    if (path && access(path, F_OK) < 0 && path != name) {
        ctx_error(c, "there is no baseline '%s'; `neph baseline list` names those that are", name);
        rc = RC_NOT_FOUND;
    } else if (path && baseline_read(path, ret, &err) < 0) {
        ctx_error(c, "%s", err.text);
        rc = RC_IO;
    }
    arena_free(&mem);
    return rc;
}

int cli_baseline_measure(struct ctx *c, size_t first, struct baseline *ret)
{
    struct analysed a;
    int rc = cli_analyse(c, first, &a);

    *ret = (struct baseline){ 0 };
    if (rc == RC_OK) {
        struct migrations m;
        struct whos w;

        whos_make(&a.src, &w);
        migrations_make(&a.src, &w, &m);
        baseline_measure(&a.src, &w, &m, ret);
        migrations_free(&m);
        whos_free(&w);
    }
    analysed_free(&a);
    return rc;
}

/* Makes the folder of a path and what is missing above it. */
static void make_folder(const char *path, struct arena *mem)
{
    char *part = arena_strdup(mem, path, strlen(path));

    for (char *slash = strchr(part + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        mkdir(part, 0700); /* writing says why, if it can't be */
        *slash = '/';
    }
}

static int write_sum(struct ctx *c, struct baseline *sum, const char *path, const char *name)
{
    struct err err;

    if (baseline_write(sum, path, &err) < 0) {
        ctx_error(c, "%s", err.text);
        return RC_IO;
    }
    printf("%s: %zu figures of %zu trace%s of hosts\n", name, sum->figures.n, sum->runs.n,
           sum->runs.n == 1 ? "" : "s");
    return RC_OK;
}

static int save(struct ctx *c)
{
    const struct baseline_opts *o = c->opts;
    const char *name = c->nargs > 1 ? c->args[1] : "";
    struct baseline sum = { 0 }, now = { 0 };
    struct arena mem = { 0 };
    struct err err;
    int rc = RC_OK;

    if (c->nargs < 3) {
        ctx_error(c, "what is missing: save NAME PATH...");
        return RC_USAGE;
    }
    const char *path = cli_baseline_path(c, &mem, name);
    if (!path)
        rc = RC_USAGE;
    else if (!o->replace && access(path, F_OK) == 0)
        rc = cli_baseline_read(c, name, &sum);
    if (rc == RC_OK)
        rc = cli_baseline_measure(c, 2, &now);
    if (rc == RC_OK && now.figures.n == 0) {
        ctx_error(c, "there is nothing to measure in these traces; `neph doctor` says what to "
                     "record");
        rc = RC_NOT_FOUND;
    } else if (rc == RC_OK && baseline_add(&sum, &now, &err) < 0) {
        ctx_error(c, "%s: %s", name, err.text);
        rc = RC_USAGE;
    } else if (rc == RC_OK) {
        if (path != name)
            make_folder(path, &mem);
        rc = write_sum(c, &sum, path, name);
    }
    baseline_free(&sum);
    baseline_free(&now);
    arena_free(&mem);
    return rc;
}

static const struct column list_cols[] = {
    { "name", "NAME", COL_STR, 0, 0, 0 },     { "figures", "FIGURES", COL_COUNT, 0, 0, 0 },
    { "runs", "TRACES", COL_COUNT, 0, 0, 0 }, { "bytes", "SIZE", COL_BYTES, 0, 0, 0 },
    { "error", "ERROR", COL_STR, 0, 0, 0 },
};

static int list(struct ctx *c)
{
    struct arena mem = { 0 };
    const char *dir = cli_data_path(&mem, folder);
    struct dir_entry *at = NULL;
    struct table t;
    struct err err;
    size_t n = 0;

    if (dir && dir_list(dir, &mem, &at, &n, &err) < 0)
        n = 0; /* none was saved */
    table_init(&t, list_cols, ARRAY_SIZE(list_cols));
    for (size_t i = 0; i < n; i++) {
        struct str name = str_of(at[i].name);
        struct baseline b;

        if (at[i].is_dir || !str_ends(name, str_of(suffix)))
            continue;
        bool bad = baseline_read(path_join(&mem, dir, at[i].name), &b, &err) < 0;
        table_row(&t);
        table_str(&t, str_first(name, name.n - strlen(suffix)));
        table_count(&t, b.figures.n);
        table_count(&t, b.runs.n);
        table_count(&t, at[i].bytes);
        if (bad)
            table_str(&t, str_of(err.text));
        baseline_free(&b);
    }
    int rc = ctx_print_table(c, &t);
    table_free(&t);
    arena_free(&mem);
    return rc;
}

static int show(struct ctx *c)
{
    struct baseline b;
    struct table t;
    int rc = cli_baseline_read(c, c->args[1], &b);

    if (rc == RC_OK) {
        table_init(&t, baseline_columns, nbaseline_columns);
        baseline_rows(&b, &t);
        rc = ctx_print_table(c, &t);
        table_free(&t);
    }
    baseline_free(&b);
    return rc;
}

/* Only what is a baseline: a name that is mistyped removes nothing else. */
static int take_away(struct ctx *c)
{
    struct arena mem = { 0 };
    const char *path = cli_baseline_path(c, &mem, c->args[1]);
    int rc = path ? RC_OK : RC_USAGE;

    if (path && !baseline_is_file(path)) {
        ctx_error(c, "there is no baseline '%s'", c->args[1]);
        rc = RC_NOT_FOUND;
    } else if (path && unlink(path) < 0) {
        ctx_error(c, "%s: %s", path, strerror(errno));
        rc = RC_IO;
    }
    arena_free(&mem);
    return rc;
}

static int run(struct ctx *c)
{
    static const struct {
        const char *name;
        int (*run)(struct ctx *c);
        size_t most; /* arguments with the verb; 0 = any number */
    } verbs[] = {
        { "save", save, 0 }, { "list", list, 1 }, { "show", show, 2 }, { "remove", take_away, 2 }
    };

    for (size_t i = 0; i < ARRAY_SIZE(verbs); i++) {
        if (strcmp(c->args[0], verbs[i].name) != 0)
            continue;
        if (verbs[i].most && c->nargs != verbs[i].most) {
            ctx_error(c, "neph baseline %s takes %s", verbs[i].name,
                      verbs[i].most == 1 ? "no name" : "one name");
            return RC_USAGE;
        }
        return verbs[i].run(c);
    }
    ctx_error(c, "neph baseline takes save, list, show or remove, not '%s'", c->args[0]);
    return RC_USAGE;
}

static const struct opt options[] = {
    { "replace", 0, NULL, "save: forget what the baseline had", OPT_FLAG,
      offsetof(struct baseline_opts, replace), NULL, 0 },
};

const struct cmd cmd_baseline = {
    .name = "baseline",
    .summary = "what is normal for this cloud",
    .args = "save|list|show|remove [NAME] [PATH...]",
    .about =
        "save NAME PATH... measures traces of good days and keeps, for each operation, host, "
        "instance, disk, interface and kind of migration, how its values are spread; another save "
        "adds to it. list names the baselines, show NAME has their figures, remove NAME deletes "
        "one. `neph diagnose --baseline NAME` and `neph compare` use them.\n\n"
        "A NAME with a slash, or that ends in .json, is a file; others are kept in "
        "$XDG_DATA_HOME/neph/baselines.",
    .outputs = TABLE_OUTPUTS,
    .groups = GROUP_LISTING | GROUP_LIMIT | GROUP_TIME | GROUP_HOST | GROUP_HISTORY,
    .options = options,
    .noptions = ARRAY_SIZE(options),
    .opts_size = sizeof(struct baseline_opts),
    .min_args = 1,
    .choices = "save|list|show|remove",
    .run = run,
};
