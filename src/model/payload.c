/* SPDX-License-Identifier: Apache-2.0
 *
 * payload.c -- see payload.h.
 *
 * The loose dialect cannot be read forwards: the writer escapes nothing, so a
 * quote inside a value looks like its end.  A value therefore ends where the
 * next pair starts (','key':), or, in the last pair, at the final brace.  The
 * writer puts no blanks between pairs while Python's repr() does, so a dict
 * printed inside a value is not mistaken for pairs; whether this writer puts
 * blanks is learnt from the first pair. */
#include "model/payload.h"

#include "base/limits.h"
#include "model/payload_tree.h"

#include <assert.h>

struct loose {
    struct str s; /* from the opening brace to the end or the next record */
    size_t at;
    char quote;  /* ' or " */
    bool blanks; /* pairs are separated by ", " and keys end in ": " */
    int failed;  /* brackets that turned out not to close */
    struct arena *a;
};

static bool is_key(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '.' || c == '-' || c == ':';
}

static char at(const struct loose *l, size_t i)
{
    return i < l->s.n ? l->s.p[i] : '\0';
}

/* A key at byte 'i', with its quotes and colon.  Returns the byte behind it, 0
 * if there is no key, STR_NONE if the text ends inside of something that looks
 * like one. */
static size_t key_at(const struct loose *l, size_t i, struct str *ret_key)
{
    if (at(l, i) == 'u' && at(l, i + 1) == l->quote)
        i++;
    if (i >= l->s.n)
        return STR_NONE;
    if (l->s.p[i++] != l->quote)
        return 0;
    size_t start = i;
    while (i < l->s.n && is_key(l->s.p[i]))
        i++;
    *ret_key = (struct str){ l->s.p + start, i - start };
    if (i + 1 >= l->s.n && (i == l->s.n || l->s.p[i] == l->quote))
        return STR_NONE;
    if (i == start || l->s.p[i] != l->quote || at(l, i + 1) != ':')
        return 0;
    return i + 2;
}

/* True if the next pair (or the end of a cut text) follows the comma at 'i'. */
static bool pair_at(const struct loose *l, size_t i)
{
    struct str key;

    if (at(l, i) != ',')
        return false;
    i++;
    if (l->blanks && at(l, i) == ' ')
        i++;
    if (i >= l->s.n)
        return false;
    return key_at(l, i, &key) != 0;
}

/* The brace that ends the record, seen from 'from' where the last value starts:
 * the last byte of the text if it is a brace behind 'tail' (a quote, or
 * nothing), otherwise the first such brace, since junk follows. */
static size_t final_brace(const struct loose *l, size_t from, struct str tail)
{
    struct str s = str_trim(l->s);

    size_t end = (size_t)(s.p - l->s.p) + s.n;

    if (end >= from + tail.n && str_ends(s, tail))
        return end - tail.n;
    return str_find(l->s, tail, from);
}

/* Finds the end of the quoted value that starts at 'from': the byte of its
 * closing quote, or STR_NONE when the text is cut inside of it. */
static size_t quoted_end(const struct loose *l, size_t from)
{
    const char close[3] = { l->quote, '}', '\0' };

    for (size_t i = str_chr(l->s, l->quote, from); i != STR_NONE;
         i = str_chr(l->s, l->quote, i + 1)) {
        if (pair_at(l, i + 1))
            return i;
    }
    return final_brace(l, from, str_of(close));
}

/* The end of a bare value: brackets and their quotes are skipped as a whole. */
static size_t bare_end(struct loose *l, size_t from)
{
    char c = at(l, from);

    if ((c == '{' || c == '[' || c == '(') && l->failed < 32) {
        size_t i = from;
        struct tree *ignored;

        if (tree_read(l->s, &i, l->a, &ignored) == TREE_COMPLETE &&
            (at(l, i) == '}' || pair_at(l, i)))
            return i;
        l->failed++; /* bounded: each try may read to the end of the text */
    }
    for (size_t i = str_chr(l->s, ',', from); i != STR_NONE; i = str_chr(l->s, ',', i + 1)) {
        if (pair_at(l, i))
            return i;
    }
    return final_brace(l, from, STR("}"));
}

static enum tree_kind bare_kind(struct str v)
{
    size_t i = v.n && (v.p[0] == '-' || v.p[0] == '+') ? 1 : 0;

    if (str_is(v, "None") || str_is(v, "null"))
        return TREE_NULL;
    if (str_is(v, "True") || str_is(v, "False") || str_is(v, "true") || str_is(v, "false"))
        return TREE_BOOL;
    return i < v.n && v.p[i] >= '0' && v.p[i] <= '9' ? TREE_NUMBER : TREE_RAW;
}

/* Reads one value at l->at.  False when the text is cut inside of it. */
static bool loose_value(struct loose *l, struct tree *t)
{
    size_t start = l->at, end;
    char c = at(l, start);

    if ((c == 'u' || c == 'b') && at(l, start + 1) == l->quote)
        c = at(l, ++start);
    if (c == l->quote) {
        end = quoted_end(l, ++start);
        if (end == STR_NONE)
            return false;
        t->kind = TREE_TEXT;
        t->text = (struct str){ l->s.p + start, end - start };
        l->at = end + 1;
        /* str() of a unicode repr: 'u'controller'' */
        if (t->text.n >= 3 && t->text.p[0] == 'u' && t->text.p[1] == l->quote &&
            t->text.p[t->text.n - 1] == l->quote)
            t->text = (struct str){ t->text.p + 2, t->text.n - 3 };
    } else {
        end = bare_end(l, start);
        if (end == STR_NONE || end < start)
            return false;
        t->text = str_trim((struct str){ l->s.p + start, end - start });
        t->kind = bare_kind(t->text);
        l->at = end;
        /* Python's repr() takes the other quotes for a text with an apostrophe. */
        c = l->quote == '"' ? '\'' : '"';
        if (t->text.n >= 2 && t->text.p[0] == c && t->text.p[t->text.n - 1] == c) {
            t->text = (struct str){ t->text.p + 1, t->text.n - 2 };
            t->kind = TREE_TEXT;
        }
    }
    if (str_is(t->text, "None") || t->text.n == 0)
        t->kind = TREE_NULL;
    return true;
}

/* Reads pairs until the closing brace.  Returns true if it was found. */
static bool loose_pairs(struct loose *l, struct tree *root)
{
    struct tree **tail = &root->child;

    while (at(l, l->at) != '}') {
        struct str key;
        size_t i = l->at;

        while (at(l, i) == ',' || at(l, i) == ' ' || at(l, i) == '\n')
            i++;
        if (at(l, i) == '}') { /* a comma before the brace */
            l->at = i;
            return true;
        }
        i = key_at(l, i, &key);
        if (i == 0 || i == STR_NONE)
            return false;
        if (tail == &root->child)
            l->blanks = at(l, i) == ' ';
        while (at(l, i) == ' ')
            i++;
        l->at = i;
        struct tree *t = arena_new(l->a, struct tree);
        t->key = key;
        if (i >= l->s.n || !loose_value(l, t))
            return false;
        *tail = t;
        tail = &t->next;
    }
    return true;
}

/* Byte behind the next "lttng_trace:" that an opening brace and a key or the
 * end of the text follow; STR_NONE if there is none.  '*ret_brace' is the
 * place of the brace. */
static size_t find_prefix(struct str s, size_t from)
{
    static const struct str mark = STR("lttng_trace:");

    for (size_t i = str_find(s, mark, from); i != STR_NONE; i = str_find(s, mark, i + 1)) {
        size_t k = i + mark.n;

        while (k < s.n && s.p[k] == ' ')
            k++;
        if (k >= s.n || s.p[k] != '{')
            continue;
        size_t brace = k++;
        while (k < s.n && (s.p[k] == ' ' || s.p[k] == '\n'))
            k++;
        if (k < s.n && s.p[k] == 'u')
            k++;
        if (k >= s.n || s.p[k] == '\'' || s.p[k] == '"')
            return brace;
    }
    return STR_NONE;
}

static bool parse_prefixed(struct str msg, size_t brace, struct arena *scratch, struct payload *ret)
{
    size_t next = find_prefix(msg, brace);
    struct loose l = { .s = str_from(msg, brace), .a = scratch };
    struct tree *root;

    if (next != STR_NONE) /* a second record on the line is not part of this one */
        l.s.n = next - brace;
    size_t k = 1;
    while (at(&l, k) == ' ' || at(&l, k) == '\n' || at(&l, k) == 'u')
        k++;
    l.quote = at(&l, k) == '"' ? '"' : '\'';

    if (l.quote == '"') {
        size_t i = 0;
        enum tree_end end = tree_read(l.s, &i, scratch, &root);

        if (end != TREE_BAD && root) {
            *ret = (struct payload){ .dialect = PAYLOAD_JSON,
                                     .truncated = end == TREE_CUT,
                                     .root = root,
                                     .rest = str_from(l.s, i) };
            return true;
        }
    }
    root = arena_new(scratch, struct tree);
    root->kind = TREE_OBJECT;
    l.at = 1;
    bool closed = loose_pairs(&l, root);
    root->text = str_first(l.s, l.at + (closed ? 1 : 0));
    *ret = (struct payload){ .dialect = PAYLOAD_LOOSE,
                             .truncated = !closed,
                             .root = root,
                             .rest = closed ? str_from(l.s, l.at + 1) : STR("") };
    return true;
}

/* A message that is a JSON object as a whole. */
static bool parse_message(struct str msg, struct arena *scratch, struct payload *ret)
{
    size_t i = 0;
    struct tree *root;

    if (str_find(msg, STR("\"event_type\""), 0) == STR_NONE &&
        str_find(msg, STR("\"trace_id\""), 0) == STR_NONE)
        return false;
    enum tree_end end = tree_read(msg, &i, scratch, &root);
    if (!root || root->kind != TREE_OBJECT)
        return false;
    if (tree_member(root, "event_type").n == 0 &&
        (tree_member(root, "name").n == 0 || tree_member(root, "trace_id").n == 0))
        return false;
    *ret = (struct payload){ .dialect = PAYLOAD_MESSAGE,
                             .truncated = end != TREE_COMPLETE,
                             .root = root,
                             .rest = str_from(msg, i) };
    return true;
}

bool payload_parse(struct str msg, struct arena *scratch, struct payload *ret)
{
    assert(scratch && ret);
    if (msg.n < 2 || msg.n > LIMIT_LOG_FACT_BYTES)
        return false;
    if (msg.p[0] == '{' && parse_message(msg, scratch, ret))
        return true;
    size_t brace = find_prefix(msg, 0);
    return brace != STR_NONE && parse_prefixed(msg, brace, scratch, ret);
}

struct str payload_get(const struct payload *p, const char *key)
{
    struct str v = tree_get(p->root, key);

    return str_is(v, "None") ? STR("") : v;
}

bool payload_i64(const struct payload *p, const char *key, int64_t *ret)
{
    return tree_i64(p->root, key, ret);
}

bool payload_has(const struct payload *p, const char *key)
{
    return tree_at(p->root, str_of(key)) != NULL;
}
