/* SPDX-License-Identifier: Apache-2.0
 *
 * keep.c -- see keep.h.
 *
 * Looked for in all places, written to the first that takes it: reading needs less
 * than writing.  A history counts only when it is finished and has the whole key;
 * small ones are compared with their checksums before they are used, large ones
 * as they are read (engine_cloud_check() finds those).  Nothing is trusted that may
 * have changed while it was read: files that were changed after the traces were
 * opened have no key. */
#include "engine/keep.h"

#include "base/file.h"
#include "engine/keep_priv.h"
#include "model/schema.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* Histories up to this size are read whole before they are used: some milliseconds. */
enum { VERIFY_BYTES = 16 << 20 };
#define CACHE_BYTES (UINT64_C(10) << 30)

struct keep {
    struct arena mem;
    struct notes *notes;
    bool memory, rebuild;
    const char *version;
    struct place places[PLACES];
    int at; /* place to write to; PLACES: memory */
    ns_t began;
    bool built;
};

static ns_t now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_REALTIME_COARSE, &t);
    return (ns_t)t.tv_sec * NS_PER_S + t.tv_nsec;
}

/* The version, and all that a history can hold: names, values, columns. */
static const char *whole_version(const char *version, struct arena *mem)
{
    struct identity_sum sum = { 0 };
    char text[IDENTITY_TEXT];

    for (int i = 0; i < SCHEMA_ATTRS; i++) {
        const struct schema_attr_def *a = &schema_attrs[i];

        identity_add_text(&sum, str_of(a->path));
        identity_add_text(&sum, str_of(a->title));
        identity_add_text(&sum, str_of(a->unit));
        identity_add(&sum, &a->type, sizeof a->type);
        for (uint32_t k = 0; a->values && k < a->values->n; k++) {
            identity_add_text(&sum, str_of(a->values->at[k].label));
            identity_add_text(&sum, str_of(a->values->at[k].colour));
            identity_add(&sum, &a->values->at[k].bad, sizeof a->values->at[k].bad);
        }
    }
    for (int i = 0; i < SCHEMA_TABLES; i++) {
        identity_add_text(&sum, str_of(schema_tables[i].name));
        for (uint32_t k = 0; k < schema_tables[i].ncolumns; k++) {
            const struct schema_col *c = &schema_tables[i].columns[k];

            identity_add_text(&sum, str_of(c->name));
            identity_add(&sum, &c->type, sizeof c->type);
        }
    }
    identity_text(identity_end(&sum), text);
    return arena_printf(mem, "%s %.8s", version, text);
}

struct keep *keep_new(const struct keep_opts *o, struct notes *notes)
{
    struct keep *k = xcalloc(1, sizeof *k);

    k->notes = notes;
    k->memory = o->memory;
    k->rebuild = o->rebuild;
    k->began = now();
    k->version = whole_version(o->version, &k->mem);
    place_first(&k->places[0], o->folder, &k->mem);
    place_temporary(&k->places[1], &k->mem);
    return k;
}

const char *keep_version(const struct keep *k)
{
    return k->version;
}

bool keep_in_memory(const struct keep *k)
{
    return k->memory;
}

/* Only the cache is ours to keep small. */
static void trim(struct keep *k)
{
    const char *text = getenv("NEPH_CACHE_BYTES");
    uint64_t limit = CACHE_BYTES, bytes, removed;

    if (text)
        str_u64(str_of(text), &limit);
    for (int i = 0; i < PLACES; i++) {
        if (k->places[i].flat || !k->places[i].ready)
            continue;
        removed = place_trim(k->places[i].folder, limit, k->began, &bytes);
        if (removed)
            note_add(k->notes, NOTE_INFO, k->places[i].folder,
                     "%" PRIu64 " histories of %" PRIu64 " MB that were not used for longest were "
                     "removed: together they took over %" PRIu64 " MB",
                     removed, bytes >> 20, limit >> 20);
    }
}

void keep_free(struct keep *k)
{
    if (!k)
        return;
    if (k->built)
        trim(k);
    arena_free(&k->mem);
    free(k);
}

/* --- what files hold --------------------------------------------------------------- */

static const char *looks_path(struct keep *k, const struct place *p, struct identity looks)
{
    char digits[IDENTITY_TEXT];
    const char *folder = path_join(&k->mem, p->folder, "stat");

    return path_join(&k->mem, folder, identity_text(looks, digits));
}

static bool remembered(struct keep *k, struct identity looks, struct identity *ret)
{
    for (int i = 0; i < PLACES; i++)
        if (place_readable(&k->places[i]) &&
            identity_parse(small_file_read(looks_path(k, &k->places[i], looks), &k->mem), ret))
            return true;
    return false;
}

static void remember(struct keep *k, struct identity looks, struct identity content)
{
    char text[IDENTITY_TEXT];
    const char *why;

    for (int i = k->at; i < PLACES; i++) {
        struct place *p = &k->places[i];

        if (!p->folder || !place_ready(p, &k->mem))
            continue;
        const char *path = looks_path(k, p, looks);
        if (!place_make_parent(path, &k->mem, &why))
            continue;
        identity_text(content, text);
        small_file_write(path, str_of(text));
        return;
    }
}

int keep_content(struct keep *k, const char *path, ns_t opened, struct identity *ret,
                 struct identity *ret_looks, struct err *err)
{
    struct files_looks looks, after;
    struct identity content;
    int rc = files_looks(path, &looks, err);

    if (rc < 0)
        return rc;
    if (looks.newest >= opened)
        return err_set(err, E_IO, "%s: is being written", path);
    *ret_looks = looks.id;
    if (!k->rebuild && remembered(k, looks.id, ret))
        return 0;
    if ((rc = files_content(path, &content, err)) < 0 || (rc = files_looks(path, &after, err)) < 0)
        return rc;
    if (!identity_eq(after.id, looks.id))
        return err_set(err, E_IO, "%s: is being written", path);
    remember(k, looks.id, content);
    *ret = content;
    return 0;
}

/* Nothing more is written to the place; the next one takes over. */
static void give_up(struct keep *k, const char *why)
{
    struct place *p = &k->places[k->at], *next = p + 1;
    const char *folder = p->folder ? p->folder : "histories";

    if (++k->at == PLACES) {
        note_add(k->notes, NOTE_WARN, folder, "histories are in memory and are not kept: %s", why);
    } else if (place_ready(next, &k->mem)) {
        note_add(k->notes, NOTE_WARN, folder, "histories are kept in %s instead: %s", next->folder,
                 why);
    } else {
        note_add(k->notes, NOTE_WARN, folder,
                 "histories are in memory and are not kept: %s; nor can they be in %s: %s", why,
                 next->folder, next->why);
        k->at = PLACES;
    }
}

/* --- histories that are there ------------------------------------------------------ */

static void count_problem(void *ctx, const char *sentence)
{
    struct err *first = ctx;

    if (!first->text[0])
        snprintf(first->text, sizeof first->text, "%s", sentence);
}

/* Is a small file as it was written?  False with the first reason. */
static bool is_sound(const char *path, struct err *err)
{
    struct stat st;

    err->text[0] = '\0';
    if (stat(path, &st) < 0 || st.st_size > VERIFY_BYTES)
        return true;
    return store_verify(path, count_problem, err, err) == 0;
}

/* The finished history of 'key' in 'path'; NULL if there is none, '*ret_why' a
 * sentence if there is something else that should be told of. */
static struct store *open_kept(struct keep *k, const char *path, struct identity key,
                               const char **ret_why)
{
    struct store_coverage cov;
    char digits[IDENTITY_TEXT];
    struct err err = { 0 };
    struct store *s;

    if (access(path, F_OK) < 0)
        return NULL;
    if (store_open(path, &s, &err) < 0) {
        bool named = str_starts(str_of(err.text), str_of(path));

        *ret_why = arena_printf(&k->mem, "could not be used:%s%s", named ? "" : " ",
                                named ? err.text + strlen(path) : err.text);
        return NULL;
    }
    store_coverage(s, &cov);
    identity_text(key, digits);
    if (!cov.finished)
        *ret_why = "was not finished: its writer ended early";
    else if (!str_is(store_fact(s, "key"), digits) || !str_is(store_fact(s, "version"), k->version))
        ; /* of other traces or another version: of no interest */
    else if (!is_sound(path, &err))
        *ret_why = arena_printf(&k->mem, "is damaged: %s", err.text);
    else
        return s;
    store_free(s);
    return NULL;
}

static void say_where(struct keep *k, const struct keep_job *j, const char *what, const char *path)
{
    note_add(k->notes, NOTE_INFO, *j->host ? j->host : "all hosts", "history %s: %s", what,
             path ? path : "in memory");
}

static bool find(struct keep *k, const struct keep_job *j, struct kept *ret, const char **ret_why,
                 const char **ret_bad)
{
    for (int i = 0; i < PLACES; i++) {
        const struct place *p = &k->places[i];

        /* The user's own folder is for all, as long as it can be written. */
        if (!place_readable(p) ||
            (i > 0 && k->places[0].flat && place_ready(&k->places[0], &k->mem)))
            continue;
        const char *path = place_path(p, j->host, j->key, &k->mem), *why = NULL;
        struct store *s = open_kept(k, path, j->key, &why);
        if (s) {
            /* What was said when it was built there is still so. */
            if (k->at < i && !place_ready(&k->places[k->at], &k->mem))
                give_up(k, k->places[k->at].why);
            *ret = (struct kept){ s, strdup(path), true };
            place_touch(p, path);
            say_where(k, j, "used again", path);
            return true;
        }
        if (why && !*ret_why) {
            *ret_why = why;
            *ret_bad = path;
        }
    }
    return false;
}

/* --- histories that are made -------------------------------------------------------- */

/* Does another process write this file? */
static bool is_locked(const char *path)
{
    int fd = open(path, O_RDWR | O_CLOEXEC);
    struct flock l = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

    if (fd < 0)
        return false;
    bool locked = (fcntl(fd, F_GETLK, &l) == 0 && l.l_type != F_UNLCK) ||
                  (flock(fd, LOCK_EX | LOCK_NB) < 0 && errno == EWOULDBLOCK);
    close(fd); /* and with it the lock */
    return locked;
}

static int fill(struct keep *k, const struct keep_job *j, struct store *s, struct err *err)
{
    char digits[IDENTITY_TEXT];

    if (!j->no_key)
        store_set_fact(s, "key", str_of(identity_text(j->key, digits)));
    store_set_fact(s, "version", str_of(k->version));
    return j->fill(j->ctx, s, err);
}

static int in_memory(struct keep *k, const struct keep_job *j, struct kept *ret, struct err *err)
{
    struct store *s = store_new(j->host);
    int rc =
        s ? fill(k, j, s, err) : err_set(err, E_LIMIT, "there is no memory left for a history");

    if (rc < 0) {
        store_free(s);
        return rc;
    }
    *ret = (struct kept){ .store = s };
    say_where(k, j, "built", NULL);
    return 0;
}

enum tried { TRIED_DONE, TRIED_NEXT, TRIED_BUSY };

/* Builds in one place.  TRIED_NEXT: '*ret_filled' if filling had begun. */
static enum tried build_in(struct keep *k, const struct keep_job *j, const char *path,
                           struct kept *ret, bool *ret_filled, const char **ret_why)
{
    struct store *s;
    struct err err;

    *ret_filled = false;
    if (!k->places[k->at].flat && !place_make_parent(path, &k->mem, ret_why))
        return TRIED_NEXT;
    if (store_create(path, j->host, NULL, &s, &err) < 0) {
        *ret_why = arena_printf(&k->mem, "%s", err.text);
        return is_locked(path) ? TRIED_BUSY : TRIED_NEXT;
    }
    *ret_filled = true;
    if (fill(k, j, s, &err) < 0) {
        *ret_why = arena_printf(&k->mem, "%s", err.text);
        unlink(path);
        store_free(s);
        return TRIED_NEXT;
    }
    *ret = (struct kept){ s, strdup(path), false };
    if (j->changed && j->changed(j->ctx)) {
        unlink(path);
        note_add(k->notes, NOTE_INFO, j->host,
                 "its history is not kept: the traces changed while they were read");
        free(ret->path);
        ret->path = NULL;
    }
    say_where(k, j, "built", ret->path);
    k->built = true;
    return TRIED_DONE;
}

static int build(struct keep *k, const struct keep_job *j, const char *why_not, const char *bad,
                 struct kept *ret, struct err *err)
{
    while (k->at < PLACES) {
        struct place *p = &k->places[k->at];
        const char *why = NULL;
        bool filled;

        if (!place_ready(p, &k->mem)) {
            give_up(k, p->why);
            continue;
        }
        const char *path = place_path(p, j->host, j->key, &k->mem);
        enum tried tried = build_in(k, j, path, ret, &filled, &why);
        if (tried == TRIED_BUSY) {
            note_add(k->notes, NOTE_WARN, path,
                     "another process writes this history: it is in memory for this run");
            break;
        }
        if (why_not) {
            note_add(k->notes, NOTE_WARN, bad, "the history %s; built again", why_not);
            why_not = NULL;
        }
        if (tried == TRIED_DONE)
            return 0;
        give_up(k, why);
        if (filled && j->again) {
            int rc = j->again(j->ctx, err);

            if (rc < 0)
                return rc;
        }
    }
    return in_memory(k, j, ret, err);
}

int keep_history(struct keep *k, const struct keep_job *j, struct kept *ret, struct err *err)
{
    const char *why = NULL, *bad = NULL;

    if (k->memory)
        return in_memory(k, j, ret, err);
    if (j->no_key) {
        note_add(k->notes, NOTE_INFO, j->host, "its history is not kept: %s", j->no_key);
        return in_memory(k, j, ret, err);
    }
    if (!k->rebuild && find(k, j, ret, &why, &bad))
        return 0;
    return build(k, j, why, bad, ret, err);
}
