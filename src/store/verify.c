/* SPDX-License-Identifier: Apache-2.0
 *
 * verify.c -- is every bit of a file what was written? */
#include "store/read_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

struct check {
    int fd;
    uint64_t file_id, bytes;
    struct slot slot; /* the newer one */
    void (*problem)(void *ctx, const char *sentence);
    void *ctx;
    int64_t n;
};

__attribute__((format(printf, 2, 3))) static void say(struct check *c, const char *fmt, ...)
{
    char text[512];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    c->n++;
    c->problem(c->ctx, text);
}

static bool zeros(const uint8_t *p, size_t n)
{
    while (n && !*p)
        p++, n--;
    return n == 0;
}

static void check_page(struct check *c, const uint8_t *page)
{
    uint8_t mine[FORMAT_PAGE];
    struct slot s;
    int valid = 0;

    format_put_head(mine, c->file_id, get32(page + 24));
    if (memcmp(mine, page, FORMAT_SLOT_SIZE) != 0)
        say(c,
            get32(page + 8) == FORMAT_VERSION
                ? "bytes 0 to 63: the head of the file is damaged"
                : "bytes 0 to 63: the head of the file is damaged, or it is of version %u",
            get32(page + 8));
    for (int i = 0; i < 2; i++) {
        size_t at = FORMAT_SLOT * (1 + (size_t)i);

        memset(mine, 0, FORMAT_SLOT_SIZE);
        if (format_get_slot(page + at, c->file_id, &s)) {
            valid++;
            format_put_slot(mine, &s, c->file_id);
            if (s.number > c->slot.number)
                c->slot = s;
        }
        if (memcmp(mine, page + at, FORMAT_SLOT_SIZE) != 0)
            say(c, "byte %zu: a slot is damaged", at);
    }
    if (valid == 0)
        say(c, "there is no commit");
    if (!zeros(page + 64, FORMAT_SLOT - 64) || !zeros(page + FORMAT_SLOT + 64, FORMAT_SLOT - 64) ||
        !zeros(page + 2 * FORMAT_SLOT + 64, FORMAT_PAGE - 2 * FORMAT_SLOT - 64))
        say(c, "bytes 64 to 4095: there is something where nothing should be");
}

/* One block; returns where the next one begins. */
static uint64_t check_block(struct check *c, uint64_t at, uint32_t number, bool *ret_commit)
{
    static const uint8_t none[8];
    uint8_t bytes[BLOCK_HEAD + BLOCK_MAX + 8];
    struct block_head h;
    struct err err;
    size_t n = c->bytes - at < sizeof bytes ? (size_t)(c->bytes - at) : sizeof bytes;

    *ret_commit = false;
    if (io_pread(c->fd, bytes, n, at, &err) < 0) {
        say(c, "%s", err.text);
        return c->bytes;
    }
    if (n < BLOCK_HEAD || !format_get_block(bytes, &h) || block_bytes(h.stored) > n) {
        say(c,
            "byte %" PRIu64 ": the head of block %u is damaged; what is behind it was not checked",
            at, number);
        return c->bytes;
    }
    size_t all = (size_t)block_bytes(h.stored);
    if (format_block_sum(bytes, bytes + BLOCK_HEAD, h.stored, c->file_id) != h.sum)
        say(c, "byte %" PRIu64 ": the checksum of block %u is wrong", at, number);
    else if (h.number != number)
        say(c, "byte %" PRIu64 ": block %u stands where block %u should", at, h.number, number);
    if (memcmp(bytes + BLOCK_HEAD + h.stored, none, all - BLOCK_HEAD - h.stored) != 0)
        say(c, "byte %" PRIu64 ": there is something behind block %u", at, number);
    *ret_commit = h.kind == KIND_COMMIT;
    return at + all;
}

static void check_blocks(struct check *c)
{
    uint64_t at = FORMAT_PAGE, end = c->slot.bytes, last = 0;
    uint32_t number = 0;

    if (end > c->bytes) {
        say(c, "the file has %" PRIu64 " bytes, and %" PRIu64 " were committed", c->bytes, end);
        end = c->bytes;
    }
    while (at < end) {
        bool commit;
        uint64_t next = check_block(c, at, number++, &commit);

        last = commit ? at : last;
        at = next;
    }
    if (c->slot.number && last != c->slot.commit_at && at == end)
        say(c, "the last commit is not where it should be");
    if (c->bytes > end && c->slot.finished)
        say(c, "byte %" PRIu64 ": there is something behind the last commit", end);
}

/* Checksums are right: does it make sense as well? */
static void check_sense(struct check *c, const char *path)
{
    struct store *s;
    struct err err;

    if (store_open(path, &s, &err) < 0) {
        say(c, "%s", err.text);
        return;
    }
    for (attr_t a = 0; a < store_attr_count(s); a++) {
        struct store_ranges r = store_ranges(s, a, SPAN_ALL);
        struct interval v;

        while (store_ranges_next(&r, &v))
            if (v.lost)
                say(c, "%.*s has a part that can't be read", STR_ARG(store_attr_path(s, a)));
    }
    for (uint32_t i = 0; i < s->r->lost.n; i++)
        say(c, "block %u: %s", s->r->lost.at[i].block,
            s->r->lost.at[i].sentence ? s->r->lost.at[i].sentence : "lost");
    store_free(s);
}

int64_t store_verify(const char *path, void (*problem)(void *ctx, const char *sentence), void *ctx,
                     struct err *err)
{
    struct check c = { .problem = problem, .ctx = ctx };
    uint8_t page[FORMAT_PAGE];
    struct stat st;
    int rc = 0;

    c.fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (c.fd < 0 || fstat(c.fd, &st) < 0)
        rc = err_set(err, E_IO, "%s: %s", path, strerror(errno));
    else if (!S_ISREG(st.st_mode))
        rc = err_set(err, E_ARG, "%s is no regular file", path);
    else if (st.st_size < FORMAT_PAGE)
        rc = err_set(err, E_CORRUPT, "%s has %lld bytes: no history is that short", path,
                     (long long)st.st_size);
    else if (io_pread(c.fd, page, sizeof page, 0, err) < 0)
        rc = err_in(err, "%s", path);
    if (rc == 0) {
        c.bytes = (uint64_t)st.st_size;
        c.file_id = get64(page + 16);
        check_page(&c, page);
        check_blocks(&c);
        if (c.n == 0)
            check_sense(&c, path);
    }
    if (c.fd >= 0)
        close(c.fd);
    return rc < 0 ? rc : c.n;
}
