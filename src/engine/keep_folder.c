/* SPDX-License-Identifier: Apache-2.0
 *
 * keep_folder.c -- folders of histories: which, made how, what is in them.
 *
 * Logs hold secrets, and histories hold logs: folders that we make are for their
 * user alone.  In a folder for temporary files, somebody else may have made ours
 * first: it is used only if it is a folder of this user that nobody else can enter.
 * What is removed is told by its name alone, which is ours: a folder of 16 digits,
 * a file that ends in .neph. */
#include "base/file.h"
#include "engine/keep_priv.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static const char suffix[] = ".neph", tag_name[] = "CACHEDIR.TAG", looks_name[] = "stat";
/* So that backups leave the folder out: https://bford.info/cachedir/ */
static const char tag[] = "Signature: 8a477f597d28d172789f06886806bc55\n"
                          "# Histories that neph can build again from the traces.\n";

const char *keep_cache_folder(struct arena *mem, const char **ret_why)
{
    const char *own = getenv("NEPH_CACHE"), *xdg = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");

    if (own && *own)
        return arena_strdup(mem, own, strlen(own));
    if (xdg && *xdg == '/')
        return path_join(mem, xdg, "nephoscope");
    if (home && *home)
        return path_join(mem, home, ".cache/nephoscope");
    *ret_why = "none of NEPH_CACHE, XDG_CACHE_HOME and HOME is set";
    return NULL;
}

void place_first(struct place *p, const char *chosen, struct arena *mem)
{
    *p = (struct place){ .flat = chosen != NULL };
    p->folder =
        chosen ? arena_strdup(mem, chosen, strlen(chosen)) : keep_cache_folder(mem, &p->why);
}

void place_temporary(struct place *p, struct arena *mem)
{
    const char *tmp = getenv("TMPDIR");

    if (!tmp || *tmp != '/')
        tmp = "/tmp";
    *p = (struct place){ .ours = true };
    p->folder = path_join(mem, tmp, arena_printf(mem, "nephoscope-%u", (unsigned)geteuid()));
}

/* Makes 'path' and what is missing above it. */
static bool make_folders(const char *path, struct arena *mem, const char **ret_why)
{
    char *part = arena_strdup(mem, path, strlen(path));

    for (char *slash = strchr(part + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (mkdir(part, 0700) < 0 && errno != EEXIST && errno != EROFS && errno != EACCES) {
            *ret_why = arena_printf(mem, "%s: %s", part, strerror(errno));
            return false;
        }
        *slash = '/';
    }
    if (mkdir(path, 0700) == 0 || (errno == EEXIST && path_is_dir(path)))
        return true;
    *ret_why = strerror(errno == EEXIST ? ENOTDIR : errno);
    *ret_why = arena_strdup(mem, *ret_why, strlen(*ret_why));
    return false;
}

static bool for_us_alone(const char *path)
{
    struct stat st;

    return lstat(path, &st) == 0 && S_ISDIR(st.st_mode) && st.st_uid == geteuid() &&
           (st.st_mode & 077) == 0;
}

bool place_ready(struct place *p, struct arena *mem)
{
    if (p->ready || p->why)
        return !p->why;
    if (!make_folders(p->folder, mem, &p->why))
        return false;
    if (access(p->folder, W_OK | X_OK) < 0)
        p->why = arena_strdup(mem, strerror(errno), strlen(strerror(errno)));
    else if (p->ours && !for_us_alone(p->folder))
        p->why = "it belongs to somebody else, or others can enter it";
    p->ready = !p->why;
    if (p->ready && !p->flat && access(path_join(mem, p->folder, tag_name), F_OK) < 0)
        small_file_write(path_join(mem, p->folder, tag_name), str_of(tag));
    return p->ready;
}

bool place_readable(const struct place *p)
{
    return p->folder && (!p->ours || for_us_alone(p->folder));
}

/* Tries it: permissions do not tell of systems that are read-only or not for files. */
static const char *try_folder(const char *folder, struct arena *mem)
{
    char *probe = arena_printf(mem, "%s/.neph-%d", folder, (int)getpid());

    if (mkdir(probe, 0700) == 0) {
        rmdir(probe);
        return NULL;
    }
    return arena_printf(mem, "%s: %s", folder, strerror(errno));
}

const char *keep_cannot_write(const char *folder, struct arena *mem)
{
    char *path = arena_strdup(mem, folder, strlen(folder));

    for (;;) {
        if (access(path, F_OK) == 0 || errno != ENOENT)
            return try_folder(path, mem);
        char *slash = strrchr(path, '/');
        if (slash == path)
            return try_folder("/", mem);
        if (!slash)
            return try_folder(".", mem);
        *slash = '\0';
    }
}

size_t keep_folders(const char *chosen, struct arena *mem, const char *ret[static PLACES],
                    const char **ret_why)
{
    struct place p[PLACES];
    size_t n = 0;

    place_first(&p[0], chosen, mem);
    place_temporary(&p[1], mem);
    *ret_why = p[0].why;
    if (p[0].folder)
        ret[n++] = p[0].folder;
    if (!chosen && place_readable(&p[1]))
        ret[n++] = p[1].folder;
    return n;
}

const char *place_file_name(const char *host, struct arena *mem)
{
    static const char joined[] = "cloud";
    enum { LONG = 150 };
    struct sbuf b = { 0 };
    size_t n = strlen(host);

    if (n == 0)
        return "cloud.neph";
    for (size_t i = 0; i < n; i++) {
        char c = host[i];
        bool plain = isalnum((unsigned char)c) || c == '-' || c == '_' || (c == '.' && i > 0);

        if (plain && (unsigned char)c < 0x80 && !(i == 0 && !strcmp(host, joined)))
            sbuf_chr(&b, c);
        else
            sbuf_fmt(&b, "%%%02x", (unsigned)(unsigned char)c);
        if (b.n > LONG) {
            sbuf_fmt(&b, "%%%016llx", (unsigned long long)hash_bytes(host, n, 0));
            break;
        }
    }
    char *name = arena_printf(mem, "%s%s", b.p, suffix);
    sbuf_free(&b);
    return name;
}

const char *place_path(const struct place *p, const char *host, struct identity key,
                       struct arena *mem)
{
    const char *name = place_file_name(host, mem);
    char digits[IDENTITY_TEXT];

    if (p->flat)
        return path_join(mem, p->folder, name);
    identity_text(key, digits);
    digits[FOLDER_DIGITS] = '\0';
    return path_join(mem, path_join(mem, p->folder, digits), name);
}

static const char *parent_of(const char *path, struct arena *mem)
{
    return arena_strdup(mem, path, (size_t)(path_base(path) - path));
}

bool place_make_parent(const char *path, struct arena *mem, const char **ret_why)
{
    const char *parent = parent_of(path, mem);

    if (mkdir(parent, 0700) == 0 || errno == EEXIST)
        return true;
    *ret_why = arena_printf(mem, "%s: %s", parent, strerror(errno));
    return false;
}

void place_touch(const struct place *p, const char *path)
{
    struct arena mem = { 0 };

    if (!p->flat)
        utimensat(AT_FDCWD, parent_of(path, &mem), NULL, 0);
    arena_free(&mem);
}

/* --- small files ---------------------------------------------------------------- */

struct str small_file_read(const char *path, struct arena *mem)
{
    enum { SMALL = 4096 };
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    char *buf = arena_alloc(mem, SMALL);
    ssize_t n = fd < 0 ? 0 : read(fd, buf, SMALL);

    if (fd >= 0)
        close(fd);
    return str_trim((struct str){ buf, n > 0 ? (size_t)n : 0 });
}

void small_file_write(const char *path, struct str text)
{
    struct arena mem = { 0 };
    char *tmp = arena_printf(&mem, "%s.%d", path, (int)getpid());
    int fd = open(tmp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

    if (fd >= 0) {
        bool good = write(fd, text.p, text.n) == (ssize_t)text.n;

        good &= close(fd) == 0;
        if (!good || rename(tmp, path) < 0)
            unlink(tmp);
    }
    arena_free(&mem);
}

/* --- what is there --------------------------------------------------------------- */

static bool is_hex(struct str s, size_t n)
{
    if (s.n != n)
        return false;
    for (size_t i = 0; i < n; i++)
        if (!(s.p[i] >= '0' && s.p[i] <= '9') && !(s.p[i] >= 'a' && s.p[i] <= 'f'))
            return false;
    return true;
}

static ns_t time_of(const struct timespec *t)
{
    return (ns_t)t->tv_sec * NS_PER_S + t->tv_nsec;
}

typedef VEC(struct keep_file) file_vec;

/* Adds the histories of 'folder'; 'used': NS_MIN if it is no folder of one key. */
static void list_files(const char *folder, ns_t used, struct arena *mem, file_vec *v)
{
    struct dir_entry *e;
    struct err err;
    struct stat st;
    size_t n;

    if (dir_list(folder, mem, &e, &n, &err) < 0)
        return;
    for (size_t i = 0; i < n; i++) {
        const char *path = path_join(mem, folder, e[i].name);

        if (e[i].is_dir || !str_ends(str_of(path), str_of(suffix)) || lstat(path, &st) < 0 ||
            !S_ISREG(st.st_mode))
            continue;
        ns_t made = time_of(&st.st_mtim);
        *vec_push(v) = (struct keep_file){ .path = path,
                                           .name = e[i].name,
                                           .bytes = (uint64_t)st.st_size,
                                           .made = made,
                                           .used = used > made ? used : made,
                                           .flat = used == NS_MIN };
    }
}

static void list_all(const char *folder, const struct dir_entry *e, size_t n, struct arena *mem,
                     file_vec *v)
{
    struct stat st;

    list_files(folder, NS_MIN, mem, v);
    for (size_t i = 0; i < n; i++) {
        const char *path = path_join(mem, folder, e[i].name);

        if (is_hex(str_of(e[i].name), FOLDER_DIGITS) && lstat(path, &st) == 0 &&
            S_ISDIR(st.st_mode))
            list_files(path, time_of(&st.st_mtim), mem, v);
    }
}

int keep_list(const char *folder, struct arena *mem, struct keep_file **ret, size_t *ret_n,
              struct err *err)
{
    file_vec v = { 0 };
    struct dir_entry *e = NULL;
    size_t n = 0;

    if (access(folder, F_OK) == 0 || errno != ENOENT) {
        int rc = dir_list(folder, mem, &e, &n, err);

        if (rc < 0)
            return rc;
    }
    list_all(folder, e, n, mem, &v);
    *ret = arena_array(mem, struct keep_file, v.n);
    if (v.n)
        memcpy(*ret, v.at, v.n * sizeof *v.at);
    *ret_n = v.n;
    vec_free(&v);
    return 0;
}

/* A history of a folder that the user chose: made by us, and named so? */
static bool is_ours(const struct keep_file *f, struct arena *mem)
{
    struct store *s;
    struct err err;

    if (store_open(f->path, &s, &err) < 0)
        return false;
    bool ours = store_fact(s, "key").n && !strcmp(place_file_name(store_host(s), mem), f->name);
    store_free(s);
    return ours;
}

static bool remove_file(const struct keep_file *f, struct arena *mem)
{
    if (unlink(f->path) < 0)
        return false;
    const char *parent = parent_of(f->path, mem);
    char *bare = arena_strdup(mem, parent, strlen(parent) - 1);
    if (is_hex(str_of(path_base(bare)), FOLDER_DIGITS))
        rmdir(bare); /* when it is empty */
    return true;
}

static void remove_looks(const char *folder, struct arena *mem)
{
    const char *looks = path_join(mem, folder, looks_name);
    struct dir_entry *e;
    struct err err;
    size_t n;

    if (dir_list(looks, mem, &e, &n, &err) < 0)
        return;
    for (size_t i = 0; i < n; i++)
        if (is_hex(str_first(str_of(e[i].name), IDENTITY_TEXT - 1), IDENTITY_TEXT - 1))
            unlink(path_join(mem, looks, e[i].name));
    rmdir(looks);
}

int keep_clear(const char *folder, uint64_t *ret_files, uint64_t *ret_bytes, struct err *err)
{
    struct arena mem = { 0 };
    struct keep_file *f;
    size_t n;
    int rc = keep_list(folder, &mem, &f, &n, err);

    *ret_files = *ret_bytes = 0;
    for (size_t i = 0; rc == 0 && i < n; i++) {
        if (f[i].flat && !is_ours(&f[i], &mem))
            continue;
        if (!remove_file(&f[i], &mem)) {
            rc = err_set(err, E_IO, "%s: %s", f[i].path, strerror(errno));
            break;
        }
        ++*ret_files;
        *ret_bytes += f[i].bytes;
    }
    if (rc == 0) {
        remove_looks(folder, &mem);
        if (str_eq(small_file_read(path_join(&mem, folder, tag_name), &mem), str_trim(str_of(tag))))
            unlink(path_join(&mem, folder, tag_name));
    }
    arena_free(&mem);
    return rc;
}

static int by_use(const void *a, const void *b)
{
    const struct keep_file *x = a, *y = b;

    if (x->used != y->used)
        return x->used < y->used ? -1 : 1;
    return strcmp(x->path, y->path);
}

uint64_t place_trim(const char *folder, uint64_t limit, ns_t since, uint64_t *ret_bytes)
{
    struct arena mem = { 0 };
    struct keep_file *f;
    uint64_t all = 0, removed = 0;
    struct err err;
    size_t n;

    *ret_bytes = 0;
    if (keep_list(folder, &mem, &f, &n, &err) < 0)
        n = 0;
    for (size_t i = 0; i < n; i++)
        all += f[i].bytes;
    if (n && all > limit)
        qsort(f, n, sizeof *f, by_use);
    for (size_t i = 0; i < n && all > limit && f[i].used < since; i++)
        if (remove_file(&f[i], &mem)) {
            removed++;
            all -= f[i].bytes;
            *ret_bytes += f[i].bytes;
        }
    arena_free(&mem);
    return removed;
}
