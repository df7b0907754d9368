/* SPDX-License-Identifier: Apache-2.0
 *
 * baseline_file.c -- baselines as files, and back: docs/baselines.md has the form.
 *
 * Median, MAD and p95 are written for those who read the file; only buckets are read. */
#include "report/baseline_priv.h"

#include "base/file.h"
#include "base/limits.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <unistd.h>

enum { VERSION = 1 };
static const char mark[] = "\"neph_baseline\"";

static void put_figure(FILE *out, const struct figure *f)
{
    struct json j = { .f = out };

    json_open(&j, '{');
    json_kstr(&j, "kind", f->kind);
    json_kstr(&j, "of", f->of);
    json_kstr(&j, "what", f->what);
    json_kstr(&j, "unit", f->unit);
    json_kstr(&j, "host", f->host);
    json_key(&j, STR("more_is_worse"));
    json_bool(&j, f->more_is_worse);
    json_ku64(&j, "runs", f->runs);
    json_ku64(&j, "count", f->n);
    json_key(&j, STR("median"));
    json_f64(&j, figure_quantile(f, 0.5));
    json_key(&j, STR("mad"));
    json_f64(&j, figure_mad(f));
    json_key(&j, STR("p95"));
    json_f64(&j, figure_quantile(f, 0.95));
    json_kopen(&j, "buckets", '[');
    for (size_t i = 0; i < f->buckets.n; i++) {
        json_open(&j, '[');
        json_i64(&j, f->buckets.at[i].at);
        json_u64(&j, f->buckets.at[i].n);
        json_close(&j, ']');
    }
    json_close(&j, ']');
    json_close(&j, '}');
}

static void put_baseline(FILE *out, const struct baseline *b)
{
    struct json j = { .f = out };

    fprintf(out, "{%s: %d,\n\"runs\": ", mark, VERSION);
    json_open(&j, '[');
    for (size_t i = 0; i < b->runs.n; i++)
        json_str(&j, b->runs.at[i]);
    json_close(&j, ']');
    fputs(",\n\"figures\": [", out);
    for (size_t i = 0; i < b->figures.n; i++) {
        fputs(i ? ",\n" : "\n", out);
        put_figure(out, &b->figures.at[i]);
    }
    fputs("\n]}\n", out);
}

int baseline_write(const struct baseline *b, const char *path, struct err *err)
{
    struct arena mem = { 0 };
    char *new = arena_printf(&mem, "%s.XXXXXX", path);
    int fd = mkstemp(new), rc = 0;
    FILE *out = fd < 0 ? NULL : fdopen(fd, "w");

    if (!out) {
        rc = err_set(err, E_IO, "%s: %s", path, strerror(errno));
    } else {
        put_baseline(out, b);
        bool bad = ferror(out) != 0;
        bad |= fclose(out) != 0;
        if (bad || rename(new, path) < 0) {
            rc = err_set(err, E_IO, "%s: %s", path, strerror(errno));
            unlink(new);
        }
    }
    arena_free(&mem);
    return rc;
}

bool baseline_is_file(const char *path)
{
    enum { HEAD = 64 };
    struct fmap map;
    struct err err;

    if (fmap_open(path, &map, &err) < 0)
        return false;
    struct str head = { (const char *)map.p, map.n < HEAD ? map.n : HEAD };
    bool is = head.n && str_find(head, str_of(mark), 0) != STR_NONE;
    fmap_close(&map);
    return is;
}

/* --- reading ------------------------------------------------------------------------------- */

static struct str text_of(const json_t *o, const char *key)
{
    const json_t *v = json_object_get(o, key);

    return json_is_string(v) ? (struct str){ json_string_value(v), json_string_length(v) }
                             : STR("");
}

static int take_buckets(struct figure *f, const json_t *list, struct err *err)
{
    const json_int_t most = (json_int_t)1 << 48;
    json_t *v;
    size_t i;

    json_array_foreach(list, i, v)
    {
        json_int_t at = json_integer_value(json_array_get(v, 0));
        json_int_t n = json_integer_value(json_array_get(v, 1));

        if (!json_is_integer(json_array_get(v, 0)) || !json_is_integer(json_array_get(v, 1)) ||
            at < BUCKET_LEAST || at > BUCKET_MOST || n < 1 || n > most)
            return err_set(err, E_CORRUPT, "bucket %zu of \"" STR_FMT "\" makes no sense", i,
                           STR_ARG(str_first(f->of, 80)));
        if (f->buckets.n && at <= f->buckets.at[f->buckets.n - 1].at)
            return err_set(err, E_CORRUPT, "the buckets of \"" STR_FMT "\" are not in order",
                           STR_ARG(str_first(f->of, 80)));
        figure_count(f, (int32_t)at, (uint64_t)n);
    }
    return 0;
}

static int take_figure(struct baseline *b, const json_t *o, size_t no, struct err *err)
{
    const json_t *runs = json_object_get(o, "runs"), *buckets = json_object_get(o, "buckets");
    struct figure like = { .kind = text_of(o, "kind"),
                           .of = text_of(o, "of"),
                           .what = text_of(o, "what"),
                           .unit = text_of(o, "unit"),
                           .host = text_of(o, "host"),
                           .more_is_worse = json_is_true(json_object_get(o, "more_is_worse")) };

    if (!like.kind.n || !like.of.n || !like.what.n || !like.unit.n)
        return err_set(err, E_CORRUPT, "figure %zu lacks \"kind\", \"of\", \"what\" or \"unit\"",
                       no);
    if (!json_is_integer(runs) || json_integer_value(runs) < 1 ||
        json_integer_value(runs) > 1 << 30 || json_array_size(buckets) == 0)
        return err_set(err, E_CORRUPT, "figure %zu has no \"runs\" or no \"buckets\"", no);
    struct figure *f = baseline_figure(b, &like);
    if (f->n)
        return err_set(err, E_CORRUPT, "figure %zu is there twice", no);
    f->runs = (uint32_t)json_integer_value(runs);
    return take_buckets(f, buckets, err);
}

static int take(struct baseline *b, const json_t *o, struct err *err)
{
    const json_t *version = json_object_get(o, "neph_baseline");
    const json_t *runs = json_object_get(o, "runs"), *figures = json_object_get(o, "figures");
    json_t *v;
    size_t i;
    int rc = 0;

    if (!json_is_integer(version) || !json_is_array(runs) || !json_is_array(figures))
        return err_set(err, E_CORRUPT,
                       "is no baseline: \"neph_baseline\", \"runs\" or \"figures\" is missing");
    if (json_integer_value(version) != VERSION)
        return err_set(err, E_UNSUP, "is a baseline of version %lld; this neph reads version %d",
                       (long long)json_integer_value(version), VERSION);
    if (json_array_size(figures) > LIMIT_BASELINE_FIGURES)
        return err_set(err, E_LIMIT, "has more than %d figures", LIMIT_BASELINE_FIGURES);
    json_array_foreach(runs, i, v) if (json_is_string(v)) * vec_push(&b->runs) =
        str_dup(&b->mem, (struct str){ json_string_value(v), json_string_length(v) });
    json_array_foreach(figures, i, v) if (rc == 0) rc = take_figure(b, v, i + 1, err);
    return rc;
}

int baseline_read(const char *path, struct baseline *ret, struct err *err)
{
    struct fmap map;
    json_error_t why;

    *ret = (struct baseline){ 0 };
    int rc = fmap_open(path, &map, err);
    if (rc < 0)
        return rc;
    if (map.n > LIMIT_BASELINE_BYTES) {
        fmap_close(&map);
        return err_set(err, E_LIMIT, "%s: is larger than %d MiB: no baseline is", path,
                       LIMIT_BASELINE_BYTES >> 20);
    }
    json_t *o = json_loadb(map.p ? (const char *)map.p : "", map.n,
                           JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &why);
    fmap_close(&map);
    if (!o)
        return err_set(err, E_CORRUPT, "%s: is no baseline: line %d, column %d: %s", path, why.line,
                       why.column, why.text);
    rc = take(ret, o, err);
    json_decref(o);
    if (rc < 0) {
        err_in(err, "%s", path);
        baseline_free(ret);
    }
    return rc;
}
