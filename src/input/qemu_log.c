/* SPDX-License-Identifier: Apache-2.0
 *
 * qemu_log.c -- what QEMU's trace backend `log` writes, which is the one that distributions build:
 *
 *   269@1795349065.520441:migration_bitmap_sync_end dirty_pages 0
 *   2026-11-22T19:04:25.520441Z migration_bitmap_sync_end dirty_pages 0
 *
 * The number in the first form is that of the thread (of the process in old versions); since QEMU
 * 5.2 it and the time are only there with `-msg timestamp=on`.  The second form is that of QEMU's
 * messages, with the thread behind the time or without it.  Times are CLOCK_REALTIME.
 *
 * The file is also stderr of QEMU and of what it starts: lines of other forms are counted.  Two
 * writers can meet in one line: a second time and an event's name begin another event. */
#include "input/qemu.h"

#include "base/limits.h"

#include <inttypes.h>

enum {
    MICROSECOND = 1000,
    TID_DIGITS_MAX = 10,
    TIMELESS_MIN = 3,
    MEETING_MAX_BYTES = 16 << 10, /* longer lines are not looked through for a second event */
};

/* What stands before an event's fields. */
struct stamp {
    ns_t t;
    int64_t tid; /* -1: not told */
    struct str name;
    size_t n; /* where the fields begin: behind the name and a blank */
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_word(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

/* An event's name at s[at], behind which a blank or nothing stands. */
static bool name_at(struct str s, size_t at, struct stamp *ret)
{
    size_t n = at;

    while (n < s.n && is_word(s.p[n]))
        n++;
    if (n == at || is_digit(s.p[at]) || (n < s.n && s.p[n] != ' '))
        return false;
    ret->name = (struct str){ s.p + at, n - at };
    ret->n = n < s.n ? n + 1 : n;
    return true;
}

/* "216@1795349040.774899:runstate_set " with its '@' at s[at]; '*ret_begin' is where it begins. */
static bool stamp_around(struct str s, size_t at, size_t *ret_begin, struct stamp *ret)
{
    size_t begin = at, dot = str_chr(str_first(s, at + 20), '.', at);
    uint64_t tid, seconds, micros;

    while (begin > 0 && is_digit(s.p[begin - 1]) && at - begin < TID_DIGITS_MAX)
        begin--;
    if (dot == STR_NONE || s.n < dot + 8 || s.p[dot + 7] != ':' ||
        !str_u64(str_first(str_from(s, begin), at - begin), &tid) || tid > INT32_MAX ||
        !str_u64(str_first(str_from(s, at + 1), dot - at - 1), &seconds) ||
        !str_u64(str_first(str_from(s, dot + 1), 6), &micros) ||
        seconds >= (uint64_t)(INT64_MAX / NS_PER_S) || !name_at(s, dot + 8, ret))
        return false;
    ret->t = (ns_t)seconds * NS_PER_S + (ns_t)micros * MICROSECOND;
    ret->tid = (int64_t)tid;
    *ret_begin = begin;
    return true;
}

static bool find_stamp(struct str s, size_t *ret_begin, struct stamp *ret)
{
    for (size_t at = str_chr(s, '@', 0); at != STR_NONE; at = str_chr(s, '@', at + 1))
        if (stamp_around(s, at, ret_begin, ret))
            return true;
    return false;
}

/* "(269) " at s[*at]; '*at' is then where it ends. */
static bool take_thread(struct str s, size_t *at, int64_t *ret)
{
    size_t close = str_chr(str_first(s, *at + TID_DIGITS_MAX + 2), ')', *at);
    uint64_t tid;

    if (*at >= s.n || s.p[*at] != '(' || close == STR_NONE || s.n < close + 2 ||
        !str_u64(str_first(str_from(s, *at + 1), close - *at - 1), &tid) || tid > INT32_MAX)
        return false;
    *ret = (int64_t)tid;
    *at = close + 2;
    return true;
}

/* "2026-11-22T19:04:25.520441Z NAME ", where NAME is an event that we know: messages begin with
 * such a time too. */
static bool iso_stamp(struct str s, struct stamp *ret)
{
    static const char form[] = "0000-00-00T00:00:00";
    size_t end = str_chr(str_first(s, 32), 'Z', 0), name;
    char text[32];
    struct err err;

    if (end == STR_NONE || end < sizeof form - 1 || s.n < end + 3 || s.p[end + 1] != ' ')
        return false;
    for (size_t i = 0; i < sizeof form - 1; i++)
        if (form[i] == '0' ? !is_digit(s.p[i]) : s.p[i] != form[i])
            return false;
    memcpy(text, s.p, end);
    text[10] = ' ';
    name = end + 2;
    ret->tid = -1;
    take_thread(s, &name, &ret->tid);
    return name_at(s, name, ret) && qemu_forms_of(ret->name).n > 0 &&
           time_parse((struct str){ text, end }, 0, &ret->t, &err) == 0;
}

/* --- whose file is it? ------------------------------------------------------------------ */

/* The next line of '*text', which it is taken from. */
static bool take_line(struct str *text, struct str *ret)
{
    size_t nl = str_chr(*text, '\n', 0);

    if (text->n == 0)
        return false;
    *ret = nl == STR_NONE ? *text : str_first(*text, nl);
    *text = nl == STR_NONE ? str_from(*text, text->n) : str_from(*text, nl + 1);
    return true;
}

/* An event that we know, or three that have the form: no other program writes it. */
bool qemu_log_is(struct str head)
{
    struct str line;
    unsigned found = 0;

    while (take_line(&head, &line)) {
        struct stamp s;
        size_t begin;

        if (find_stamp(line, &begin, &s) ? qemu_forms_of(s.name).n > 0 || ++found == 3
                                         : iso_stamp(line, &s))
            return true;
    }
    return false;
}

/* Lists of events' names are no logs: what counts are lines with fields, and most are. */
bool qemu_log_is_timeless(struct str head)
{
    struct str line;
    unsigned found = 0, lines = 0;

    while (take_line(&head, &line)) {
        struct qemu_values values;
        struct stamp s;

        lines += str_trim(line).n > 0;
        if (name_at(line, 0, &s)) {
            struct qemu_forms forms = qemu_forms_of(s.name);

            found += forms.n && strchr(forms.at[0].text, '{') &&
                     qemu_forms_text(forms, str_trim(str_from(line, s.n)), &values) && values.n;
        }
    }
    return found >= TIMELESS_MIN && 2 * found >= lines;
}

/* --- events ------------------------------------------------------------------------------ */

static struct str fields_of(const struct qemu_reader *r, const struct qemu_item *item)
{
    return (struct str){ (const char *)r->map.p + item->at, item->n };
}

/* The event of a line, if it has one; what follows of it is left for the next. */
static bool take_event(struct qemu_reader *r, struct str line, struct qemu_cursor *c,
                       struct qemu_item *ret)
{
    struct stamp s, second;
    struct qemu_values values;
    uint64_t line_no = c->line;
    size_t begin = 0, next;

    if (!find_stamp(line, &begin, &s)) {
        if (!iso_stamp(line, &s)) {
            r->other += r->opening && str_trim(line).n > 0;
            return false;
        }
    } else if (begin > 0) {
        r->other += r->opening;
    }
    struct str fields = str_from(line, s.n);
    *ret = (struct qemu_item){ .t = s.t,
                               .at = (size_t)((const uint8_t *)fields.p - r->map.p),
                               .n = fields.n,
                               .pid = -1,
                               .tid = s.tid,
                               .clock = s.tid,
                               .class_no = qemu_class_of(r, STR("qemu:"), s.name) };
    struct qemu_forms forms = r->classes.at[ret->class_no].forms;
    if (fields.n <= MEETING_MAX_BYTES && find_stamp(fields, &next, &second) &&
        (qemu_forms_of(second.name).n > 0 || !qemu_forms_text(forms, fields_of(r, ret), &values))) {
        ret->n = next;
        c->at = ret->at + next;
        c->line--;
    }
    if (r->opening && forms.n > 0 && !qemu_forms_text(forms, fields_of(r, ret), &values))
        qemu_bad(r, "line", line_no, "its fields are not those of the event");
    return true;
}

static bool log_scan(struct qemu_reader *r, struct qemu_cursor *c, struct qemu_item *ret)
{
    struct str line;

    while (qemu_next_line(r, c, &line))
        if (line.n > LIMIT_LINE_BYTES)
            qemu_bad(r, "line", c->line, "it is too long");
        else if (take_event(r, line, c, ret))
            return true;
    return false;
}

static void log_values(struct qemu_reader *r, const struct qemu_item *item)
{
    struct str text = fields_of(r, item);

    if (!qemu_forms_text(r->classes.at[item->class_no].forms, text, &r->values) && str_trim(text).n)
        qemu_add_text(&r->values, STR("text"), str_trim(text));
}

const struct qemu_format qemu_log_format = {
    .tracer = "QEMU log", .clock = "realtime", .scan = log_scan, .values = log_values
};
