/* SPDX-License-Identifier: Apache-2.0
 *
 * ftrace_line.c -- see ftrace_line.h: the columns before an event's fields. */
#include "input/ftrace_line.h"

enum { CPUS_MAX = 1 << 16, COMM_MAX = 64, CPU_COLUMN_MAX = 200 };

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static struct str skip_blanks(struct str s)
{
    size_t i = 0;

    while (i < s.n && (s.p[i] == ' ' || s.p[i] == '\t'))
        i++;
    return str_from(s, i);
}

/* Digits at the beginning of '*s', which they are taken from. */
static bool take_digits(struct str *s, uint64_t *ret, size_t *ret_n)
{
    size_t n = 0;

    while (n < s->n && is_digit(s->p[n]))
        n++;
    if (!str_u64(str_first(*s, n), ret))
        return false;
    *s = str_from(*s, n);
    *ret_n = n;
    return true;
}

static bool take_char(struct str *s, char c)
{
    if (s->n == 0 || s->p[0] != c)
        return false;
    *s = str_from(*s, 1);
    return true;
}

/* "comm-123 ( 120)" or "comm-123", what stands before the CPU. */
static bool parse_thread(struct str s, struct ftrace_line *ret)
{
    uint64_t n;

    s = str_trim(s);
    ret->pid = -1;
    if (s.n && s.p[s.n - 1] == ')') {
        size_t open = str_rchr(s, '(');

        if (open == STR_NONE)
            return false;
        /* "(-------)": not recorded */
        struct str in = str_trim(str_first(str_from(s, open + 1), s.n - open - 2));
        if (str_u64(in, &n) && n <= INT32_MAX)
            ret->pid = (int64_t)n;
        s = str_trim(str_first(s, open));
    }
    size_t dash = str_rchr(s, '-');
    if (dash == STR_NONE || !str_u64(str_from(s, dash + 1), &n) || n > INT32_MAX)
        return false;
    ret->tid = (int64_t)n;
    ret->comm = str_first(s, dash);
    return ret->comm.n <= COMM_MAX;
}

/* Finds " [012] " behind a thread; '*ret_rest' is what follows. */
static bool parse_thread_and_cpu(struct str line, struct ftrace_line *ret, struct str *ret_rest)
{
    struct str columns = str_first(line, CPU_COLUMN_MAX);

    for (size_t at = str_chr(columns, '[', 0); at != STR_NONE; at = str_chr(columns, '[', at + 1)) {
        struct str rest = str_from(line, at + 1);
        uint64_t cpu;
        size_t n;

        if (at == 0 || line.p[at - 1] != ' ' || !take_digits(&rest, &cpu, &n) || n < 3 ||
            !take_char(&rest, ']') || !parse_thread(str_first(line, at), ret))
            continue;
        ret->cpu = cpu < CPUS_MAX ? (uint32_t)cpu : UINT32_MAX;
        *ret_rest = rest;
        return true;
    }
    return false;
}

/* "4355.581993:" or with nine digits; a clock that is no time writes "4355581993:". */
static bool take_time(struct str *s, struct ftrace_line *ret)
{
    struct str rest = *s;
    uint64_t whole, part = 0;
    size_t n;

    if (!take_digits(&rest, &whole, &n))
        return false;
    ret->is_raw_time = !take_char(&rest, '.');
    if (ret->is_raw_time) {
        if (!take_char(&rest, ':') || whole >= INT64_MAX)
            return false;
        ret->t = (ns_t)whole;
        *s = rest;
        return true;
    }
    if (!take_digits(&rest, &part, &n) || n > 9 || !take_char(&rest, ':') ||
        whole >= INT64_MAX / NS_PER_S)
        return false;
    for (; n < 9; n++)
        part *= 10;
    ret->t = (ns_t)whole * NS_PER_S + (ns_t)part;
    *s = rest;
    return true;
}

static bool is_word(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

/* "sched_switch: ...", "sys_read(fd: 3, ...", "sys_read -> 0x10"; what has none of these
 * forms is a line of the function tracer. */
static void parse_event(struct str s, struct ftrace_line *ret)
{
    size_t n = 0;

    s = skip_blanks(s);
    while (n < s.n && is_word(s.p[n]))
        n++;
    struct str name = str_first(s, n), rest = str_from(s, n);
    bool is_call = str_starts(name, STR("sys_")) && n > 4;
    ret->tail = STR("");
    if (n && rest.n && rest.p[0] == ':') {
        ret->head = name;
        ret->rest = str_trim(str_from(rest, 1));
    } else if (is_call && rest.n && rest.p[0] == '(') {
        ret->head = STR("sys_enter_");
        ret->tail = str_from(name, 4);
        ret->rest = str_trim(str_from(rest, 1));
        if (ret->rest.n && ret->rest.p[ret->rest.n - 1] == ')')
            ret->rest.n--;
    } else if (is_call && str_starts(rest, STR(" -> "))) {
        ret->head = STR("sys_exit_");
        ret->tail = str_from(name, 4);
        ret->rest = str_trim(str_from(rest, 4));
    } else {
        ret->head = STR("function");
        ret->rest = str_trim(s);
    }
}

/* "CPU:1 [LOST 12 EVENTS]" of the kernel, "CPU:1 [12 EVENTS DROPPED]" of trace-cmd; both
 * leave the number out when it is not known. */
static bool parse_lost(struct str line, struct ftrace_line *ret)
{
    struct str rest = line;
    uint64_t cpu;
    size_t n;

    if (!str_starts(rest, STR("CPU:")))
        return false;
    rest = str_from(rest, 4);
    if (!take_digits(&rest, &cpu, &n) || str_find(rest, STR("EVENTS"), 0) == STR_NONE)
        return false;
    ret->cpu = cpu < CPUS_MAX ? (uint32_t)cpu : UINT32_MAX;
    ret->lost = 0;
    for (size_t i = 0; i < rest.n; i++)
        if (is_digit(rest.p[i])) {
            rest = str_from(rest, i);
            if (!take_digits(&rest, &ret->lost, &n) || ret->lost > INT64_MAX)
                ret->lost = 0;
            break;
        }
    return true;
}

/* What tracers write between events. */
static bool is_other(struct str line)
{
    static const char *const heads[] = { "#", "=> ", "cpus=", "version = ", "CPU ", "trace.dat" };
    struct str s = skip_blanks(line);

    for (size_t i = 0; i < ARRAY_SIZE(heads); i++)
        if (str_starts(s, str_of(heads[i])))
            return true;
    return s.n == 0;
}

enum ftrace_line_kind ftrace_line_parse(struct str line, struct ftrace_line *ret)
{
    struct str rest;

    if (line.n && line.p[line.n - 1] == '\r')
        line.n--;
    if (line.n && line.p[0] == '#')
        return FTRACE_LINE_OTHER;
    if (parse_lost(line, ret))
        return FTRACE_LINE_LOST;
    if (!parse_thread_and_cpu(line, ret, &rest))
        return is_other(line) ? FTRACE_LINE_OTHER : FTRACE_LINE_BAD;
    rest = skip_blanks(rest);
    if (!take_time(&rest, ret)) { /* flags first */
        size_t blank = str_chr(rest, ' ', 0);

        if (blank == STR_NONE || blank > 8)
            return FTRACE_LINE_BAD;
        rest = skip_blanks(str_from(rest, blank));
        if (!take_time(&rest, ret))
            return FTRACE_LINE_BAD;
    }
    parse_event(rest, ret);
    return ret->rest.n || ret->head.n ? FTRACE_LINE_EVENT : FTRACE_LINE_BAD;
}
