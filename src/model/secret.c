/* SPDX-License-Identifier: Apache-2.0
 *
 * secret.c -- see secret.h.
 *
 * One pass looks for a few short marks ("oken", "://", ...) by a pair of bytes;
 * a text that holds none costs nothing else.  At a mark the whole name around
 * it is looked at, then the separator and the value behind it.  Names are taken by
 * their last word, so "user_password_expires_at" is none but "os-password" is. */
#include "model/secret.h"

#include <assert.h>
#include <ctype.h>
#include <strings.h>

enum mark_kind { MARK_NAME, MARK_URL, MARK_FERNET, MARK_KEY_BLOCK, MARK_DIGEST };

/* The bytes at 'pair' and behind it are the first that are compared: a pair
 * that is rare in logs. */
static const struct mark {
    struct str text;
    size_t pair;
    enum mark_kind kind;
} marks[] = {
    /* clang-format off */
    { STR("oken"),         0, MARK_NAME },
    { STR("OKEN"),         0, MARK_NAME },
    { STR("assw"),         2, MARK_NAME },
    { STR("ASSW"),         2, MARK_NAME },
    { STR("assphrase"),    2, MARK_NAME },
    { STR("_pass"),        0, MARK_NAME },
    { STR("Pass"),         0, MARK_NAME },
    { STR("ecret"),        1, MARK_NAME },
    { STR("ECRET"),        1, MARK_NAME },
    { STR("uthorization"), 5, MARK_NAME },
    { STR("UTHORIZATION"), 5, MARK_NAME },
    { STR("_key"),         0, MARK_NAME },
    { STR("://"),          0, MARK_URL },
    { STR("gAAAA"),        0, MARK_FERNET },
    { STR("PRIVATE KEY-"), 7, MARK_KEY_BLOCK },
    { STR("{SHA"),         0, MARK_DIGEST },
    /* clang-format on */
};
_Static_assert(ARRAY_SIZE(marks) <= 32, "one bit each");

/* Last words of names whose values are secret; '-' counts as '_'. */
static const char *const names[] = {
    "token",     "token_id",   "password",  "passwd",        "passphrase",  "secret",
    "adminpass", "admin_pass", "user_pass", "db_pass",       "api_key",     "hmac_key",
    "hmac_keys", "secret_key", "secret_id", "authorization", "private_key", "password_hash",
};

struct masker {
    struct str in;
    struct sbuf *out;
    size_t copied; /* bytes of 'in' that are in 'out' or masked */
    bool any;
};

static bool name_char(char c)
{
    return isalnum((unsigned char)c) || c == '_' || c == '-';
}

static char at(const struct masker *m, size_t i)
{
    return i < m->in.n ? m->in.p[i] : '\0';
}

/* True for a value that tells nothing: none at all, a constant, or masked before. */
static bool harmless(struct str v)
{
    static const char *const words[] = { "None",  "null",  "True", "true",
                                         "False", "false", "***",  "SANITIZED" };
    size_t i = 0;

    while (i < v.n && v.p[i] == '*')
        i++;
    if (i == v.n)
        return true;
    for (i = 0; i < ARRAY_SIZE(words); i++) {
        if (str_is(v, words[i]))
            return true;
    }
    return false;
}

/* Masks bytes [from, to) of the input. */
static void mask(struct masker *m, size_t from, size_t to)
{
    struct str v = { m->in.p + from, to - from };

    assert(from <= to && to <= m->in.n);
    if (from < m->copied || harmless(v))
        return;
    sbuf_add(m->out, m->in.p + m->copied, from - m->copied);
    sbuf_z(m->out, "***");
    m->copied = to;
    m->any = true;
}

/* True if the name [from, to) ends in one of the words above. */
static bool secret_name(const struct masker *m, size_t from, size_t to)
{
    size_t n = to - from;

    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        size_t k = strlen(names[i]);

        if (n < k)
            continue;
        size_t j = 0;
        while (j < k) {
            char c = m->in.p[to - k + j];

            if ((c == '-' ? '_' : (char)tolower((unsigned char)c)) != names[i][j])
                break;
            j++;
        }
        /* "mytoken" counts: camel case and joined names are common. */
        if (j == k)
            return true;
    }
    return false;
}

/* Skips an optional quote, with backslashes if it is escaped. */
static size_t skip_quote(const struct masker *m, size_t i)
{
    size_t k = i;

    while (at(m, k) == '\\')
        k++;
    return at(m, k) == '"' || at(m, k) == '\'' || at(m, k) == '`' ? k + 1 : i;
}

static size_t skip_blanks(const struct masker *m, size_t i)
{
    while (at(m, i) == ' ' || at(m, i) == '\t')
        i++;
    return i;
}

/* The end of a bare value that starts at 'i'. */
static size_t bare_end(const struct masker *m, size_t i)
{
    if (str_starts(str_from(m->in, i), STR("{SHA"))) {
        size_t brace = str_chr(m->in, '}', i);

        if (brace != STR_NONE && brace < i + 12)
            i = brace + 1;
    }
    while (i < m->in.n && !isspace((unsigned char)m->in.p[i]) &&
           !(m->in.p[i] && strchr(",;)}]>\"'&`\\", m->in.p[i])))
        i++;
    return i;
}

/* Masks the value that starts at 'i'.  Returns the byte behind it. */
static size_t mask_value(struct masker *m, size_t i, bool header)
{
    size_t start, end;

    if ((at(m, i) == 'u' || at(m, i) == 'b') && (at(m, i + 1) == '\'' || at(m, i + 1) == '"'))
        i++;
    start = skip_quote(m, i);
    if (start != i) { /* quoted, its end is the same run of backslashes and quote */
        struct str quote = { m->in.p + i, start - i };

        for (end = start;;) {
            end = str_find(m->in, quote, end);
            if (end == STR_NONE) {
                end = m->in.n;
                break;
            }
            if (quote.n > 1 || m->in.p[end - 1] != '\\')
                break;
            end++;
        }
        mask(m, start, end);
        return end;
    }
    if (at(m, i) && strchr("[<(", at(m, i)))
        return i;
    if (at(m, i) == '{' && !str_starts(str_from(m->in, i), STR("{SHA")))
        return i; /* a nested value: its members are looked at by themselves */
    end = bare_end(m, i);
    if (header && at(m, end) == ' ') { /* Authorization: Basic dXNlcjpwdw== */
        struct str scheme = { m->in.p + i, end - i };

        if (scheme.n >= 3 && scheme.n <= 16 &&
            (strncasecmp(scheme.p, "basic", scheme.n) == 0 ||
             strncasecmp(scheme.p, "bearer", scheme.n) == 0 ||
             strncasecmp(scheme.p, "digest", scheme.n) == 0 ||
             strncasecmp(scheme.p, "negotiate", scheme.n) == 0)) {
            i = skip_blanks(m, end);
            end = bare_end(m, i);
        }
    }
    mask(m, i, end);
    return end;
}

/* A name around the mark at [from, to).  Returns where to go on. */
static size_t mask_name(struct masker *m, size_t from, size_t to)
{
    size_t start = from, end = to, i;

    while (start > m->copied && name_char(m->in.p[start - 1]))
        start--;
    while (end < m->in.n && name_char(m->in.p[end]))
        end++;
    if (!secret_name(m, start, end))
        return end;
    bool option = end - start > 2 && m->in.p[start] == '-' && m->in.p[start + 1] == '-';
    bool header = end - start >= 13 && strncasecmp(m->in.p + end - 13, "authorization", 13) == 0;
    size_t quote = skip_quote(m, end);
    i = skip_blanks(m, quote);
    if (at(m, i) == ':' || at(m, i) == '=')
        i += at(m, i + 1) == '>' ? 2 : 1;
    else if (at(m, i) == '%' &&
             strncasecmp(m->in.p + i, "%3D", m->in.n - i < 3 ? m->in.n - i : 3) == 0)
        i += 3;
    else if (option && at(m, i) == ',' && quote != end)
        i++; /* ['--os-password', 'x'] */
    else if (!(option && i > end && quote == end))
        return end;
    if (i >= m->in.n)
        return m->in.n;
    return mask_value(m, skip_blanks(m, i), header);
}

/* Passwords in scheme://user:password@host,user:password@host/path; 'i' is
 * behind the slashes. */
static size_t mask_url(struct masker *m, size_t i)
{
    for (;;) {
        size_t end = i, host = STR_NONE, colon = STR_NONE;

        for (; end < m->in.n; end++) {
            char c = m->in.p[end];

            if (isspace((unsigned char)c) || (c && strchr("/,\"'<>\\", c)))
                break;
            if (c == '@')
                host = end;
            if (c == ':' && colon == STR_NONE)
                colon = end;
        }
        if (host != STR_NONE && colon != STR_NONE && colon < host)
            mask(m, colon + 1, host);
        if (at(m, end) != ',' || host == STR_NONE)
            return end;
        i = end + 1;
    }
}

static bool base64_char(char c)
{
    return isalnum((unsigned char)c) || c == '-' || c == '_' || c == '=';
}

/* A Fernet token: version byte 0x80 and a time of this century in base64. */
static size_t mask_fernet(struct masker *m, size_t from)
{
    size_t end = from;

    while (end < m->in.n && base64_char(m->in.p[end]))
        end++;
    if (end - from >= 20 &&
        (from == 0 || !base64_char(m->in.p[from - 1]) || m->in.p[from - 1] == '='))
        mask(m, from, end);
    return end;
}

/* -----BEGIN RSA PRIVATE KEY----- ... -----END RSA PRIVATE KEY-----; 'from' is
 * at "PRIVATE". */
static size_t mask_key_block(struct masker *m, size_t from)
{
    static const struct str tail = STR("PRIVATE KEY-----");
    size_t lo = from > 40 ? from - 40 : 0;
    struct str before = { m->in.p + lo, from - lo };

    if (str_find(before, STR("-----BEGIN "), 0) == STR_NONE)
        return from + 1;
    size_t start = from + tail.n, end = str_find(m->in, STR("-----END "), from);
    if (start > m->in.n)
        start = m->in.n;
    if (end == STR_NONE || end < start)
        end = end == STR_NONE ? m->in.n : start;
    mask(m, start, end);
    /* Behind the end mark, so that it isn't taken for a beginning. */
    size_t past = str_find(m->in, tail, end);
    return past == STR_NONE ? m->in.n : past + tail.n;
}

/* {SHA1}3e61af.. and {SHA256}..: digests of tokens. */
static size_t mask_digest(struct masker *m, size_t from)
{
    size_t end = bare_end(m, from);

    if (end - from >= 30)
        mask(m, from, end);
    return end > from ? end : from + 1;
}

/* Looks at the mark at byte 'i'; returns where to go on, at least i + 1. */
static size_t mask_at(struct masker *m, const struct mark *k, size_t i)
{
    size_t next;

    switch (k->kind) {
    case MARK_NAME: next = mask_name(m, i, i + k->text.n); break;
    case MARK_URL: next = mask_url(m, i + k->text.n); break;
    case MARK_FERNET: next = mask_fernet(m, i); break;
    case MARK_KEY_BLOCK: next = mask_key_block(m, i); break;
    case MARK_DIGEST: next = mask_digest(m, i); break;
    default: next = i; break;
    }
    return next > i ? next : i + 1;
}

/* Of the marks in the bit set 'which', the one whose pair is at byte 'i' and
 * that starts at or behind 'from'. */
static const struct mark *mark_around(struct str in, size_t i, size_t from, uint32_t which)
{
    for (; which; which &= which - 1) {
        const struct mark *m = &marks[__builtin_ctz(which)];

        if (i >= from + m->pair && str_starts(str_from(in, i - m->pair), m->text))
            return m;
    }
    return NULL;
}

bool secret_mask(struct str in, struct sbuf *out)
{
    struct masker m = { .in = in, .out = out };
    uint32_t first[256] = { 0 }, second[256] = { 0 }; /* bit sets of marks by byte */
    size_t from = 0;                                  /* marks start here or later */

    assert(out);
    for (size_t k = 0; k < ARRAY_SIZE(marks); k++) {
        const char *pair = marks[k].text.p + marks[k].pair;

        first[(unsigned char)pair[0]] |= 1u << k;
        second[(unsigned char)pair[1]] |= 1u << k;
    }
    for (size_t i = 0; i + 1 < in.n; i++) {
        uint32_t which = first[(unsigned char)in.p[i]] & second[(unsigned char)in.p[i + 1]];

        if (!which)
            continue;
        const struct mark *k = mark_around(in, i, from, which);
        if (k) {
            from = mask_at(&m, k, i - k->pair);
            i = from - 1;
        }
    }
    if (m.any)
        sbuf_add(out, in.p + m.copied, in.n - m.copied);
    return m.any;
}
