/* SPDX-License-Identifier: Apache-2.0
 *
 * ftrace_values.c -- the fields of a line: see ftrace_line.h.
 *
 * Sources of the forms: TP_printk() of the kernel's include/trace/events/{sched,irq,
 * block,kmem,kvm,syscalls}.h, arch/x86/kvm/trace.h, kernel/trace/trace_syscalls.c, and
 * plugins/plugin_{sched_switch,kvm}.c of libtraceevent, which trace-cmd prints with. */
#include "input/ftrace_line.h"

/* --- numbers ------------------------------------------------------------------------ */

static int hex_digit(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

static bool parse_hex(struct str s, int64_t *ret)
{
    uint64_t x = 0;

    if (s.n == 0 || s.n > 16)
        return false;
    for (size_t i = 0; i < s.n; i++) {
        if (hex_digit(s.p[i]) < 0)
            return false;
        x = x << 4 | (uint64_t)hex_digit(s.p[i]);
    }
    *ret = (int64_t)x;
    return true;
}

/* Pointers are written as 16 digits without "0x": no other number begins with a zero or
 * an 'f' and is as long. */
static bool is_pointer(struct str s)
{
    return s.n == 16 && (s.p[0] == '0' || s.p[0] == 'f');
}

static bool parse_int(struct str s, int64_t *ret)
{
    uint64_t x;

    if (s.n == 0 || !(s.p[0] == '-' || s.p[0] == 'f' || (s.p[0] >= '0' && s.p[0] <= '9')))
        return false; /* most texts */
    if (str_starts(s, STR("0x")))
        return parse_hex(str_from(s, 2), ret);
    if (is_pointer(s))
        return parse_hex(s, ret);
    if (str_i64(s, ret))
        return true;
    if (!str_u64(s, &x))
        return false;
    *ret = (int64_t)x;
    return true;
}

/* --- making values ------------------------------------------------------------------ */

static struct ftrace_value *push(struct ftrace_values *v, struct str name, struct str text)
{
    struct ftrace_value *x = &v->at[v->n];

    v->n += v->n < FTRACE_VALUES_MAX; /* the one behind the last is for what is left out */
    *x = (struct ftrace_value){ .name = name, .text = text };
    x->is_int = !str_ends(name, STR("comm")) && parse_int(text, &x->n);
    return x;
}

static void push_int(struct ftrace_values *v, struct str name, struct str text, int64_t n)
{
    struct ftrace_value *x = push(v, name, text);

    x->is_int = true;
    x->n = n;
}

static struct ftrace_value *find(struct ftrace_values *v, const char *name)
{
    for (uint32_t i = 0; i < v->n; i++)
        if (str_is(v->at[i].name, name))
            return &v->at[i];
    return NULL;
}

static void set_int(struct ftrace_value *x, int64_t n)
{
    x->is_int = true;
    x->n = n;
}

/* The next word of '*rest'. */
static struct str take_word(struct str *rest)
{
    *rest = str_trim(*rest);
    size_t end = str_chr(*rest, ' ', 0);
    struct str word = end == STR_NONE ? *rest : str_first(*rest, end);

    *rest = str_from(*rest, word.n);
    return word;
}

/* --- name=value --------------------------------------------------------------------- */

static bool is_name_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '.';
}

/* Where the name before the '=' at 'eq' begins; 'eq' if there is none. */
static size_t name_begin(struct str s, size_t eq)
{
    size_t i = eq;

    while (i > 0 && is_name_char(s.p[i - 1]))
        i--;
    if (i > 0 && s.p[i - 1] != ' ' && s.p[i - 1] != '[' && s.p[i - 1] != '(')
        return eq;
    return i;
}

/* The next '=' with a name before it, at or after 'from'. */
static size_t next_name(struct str s, size_t from, size_t *ret_eq)
{
    for (size_t eq = str_chr(s, '=', from); eq != STR_NONE; eq = str_chr(s, '=', eq + 1)) {
        size_t begin = name_begin(s, eq);

        if (begin < eq && begin >= from) {
            *ret_eq = eq;
            return begin;
        }
    }
    return STR_NONE;
}

/* Without what only separates: "==>", a comma, the bracket that the name stood in. */
static struct str clean(struct str value, bool in_bracket)
{
    value = str_trim(value);
    if (str_ends(value, STR("==>")))
        value = str_trim(str_first(value, value.n - 3));
    if (value.n && (value.p[value.n - 1] == '[' || value.p[value.n - 1] == '('))
        value = str_trim(str_first(value, value.n - 1));
    if (in_bracket && value.n && (value.p[value.n - 1] == ']' || value.p[value.n - 1] == ')'))
        value.n--;
    return value.n && value.p[value.n - 1] == ',' ? str_first(value, value.n - 1) : value;
}

/* A value ends where the next name begins: it may hold blanks. */
static void pairs(struct str s, struct ftrace_values *v)
{
    size_t eq = 0, at = next_name(s, 0, &eq);

    while (at != STR_NONE) {
        size_t next_eq = 0, next = next_name(s, eq + 1, &next_eq);
        struct str value =
            next == STR_NONE ? str_from(s, eq + 1) : str_first(str_from(s, eq + 1), next - eq - 1);
        bool in_bracket = at > 0 && (s.p[at - 1] == '[' || s.p[at - 1] == '(');

        push(v, str_first(str_from(s, at), eq - at), clean(value, in_bracket));
        at = next;
        eq = next_eq;
    }
}

/* "fd: 3, buf: 7ffc0, count: 400", numbers in hexadecimal; trace-cmd writes them with
 * "0x". */
static void call_arguments(struct str s, struct ftrace_values *v)
{
    while (s.n) {
        size_t comma = str_find(s, STR(", "), 0);
        struct str one = comma == STR_NONE ? s : str_first(s, comma);
        size_t colon = str_find(one, STR(": "), 0);
        int64_t n;

        if (colon != STR_NONE) {
            struct str value = str_trim(str_from(one, colon + 2));
            struct ftrace_value *x = push(v, str_trim(str_first(one, colon)), value);

            if (!str_starts(value, STR("0x")) && parse_hex(value, &n))
                set_int(x, n);
        }
        s = comma == STR_NONE ? STR("") : str_from(s, comma + 2);
    }
}

/* --- forms of certain events ---------------------------------------------------------- */

/* Letters of prev_state: TASK_* and EXIT_* of include/linux/sched.h as sched_switch prints
 * them since 4.14; W is what trace-cmd's plug-in writes for the last of them. */
static int64_t state_number(struct str s)
{
    static const struct {
        char letter;
        int64_t bit;
    } letters[] = { { 'S', 1 },  { 'D', 2 },  { 'T', 4 },   { 't', 8 },   { 'X', 16 },
                    { 'Z', 32 }, { 'P', 64 }, { 'I', 128 }, { 'W', 128 }, { '+', 256 } };
    int64_t n = 0;

    for (size_t i = 0; i < s.n; i++)
        for (size_t k = 0; k < ARRAY_SIZE(letters); k++)
            n |= s.p[i] == letters[k].letter ? letters[k].bit : 0;
    return n;
}

/* "trace-cmd:366 [120]" at the beginning of '*s'. */
static void take_task(struct str *s, struct ftrace_values *v, struct str comm, struct str pid,
                      struct str prio)
{
    size_t bracket = str_find(*s, STR(" ["), 0), end;
    struct str task, number;

    if (bracket == STR_NONE)
        return;
    task = str_first(*s, bracket);
    size_t colon = str_rchr(task, ':');
    end = str_chr(*s, ']', bracket);
    if (colon == STR_NONE || end == STR_NONE)
        return;
    number = str_first(str_from(*s, bracket + 2), end - bracket - 2);
    push(v, comm, str_first(task, colon));
    push(v, pid, str_from(task, colon + 1));
    push(v, prio, number);
    *s = str_trim(str_from(*s, end + 1));
}

static void sched_switch(struct str s, struct ftrace_values *v)
{
    pairs(s, v);
    if (!find(v, "prev_pid")) {
        v->n = 0;
        take_task(&s, v, STR("prev_comm"), STR("prev_pid"), STR("prev_prio"));
        push(v, STR("prev_state"), take_word(&s));
        take_word(&s); /* ==> */
        s = str_trim(s);
        take_task(&s, v, STR("next_comm"), STR("next_pid"), STR("next_prio"));
    }
    struct ftrace_value *state = find(v, "prev_state");
    if (state && !state->is_int)
        set_int(state, state_number(state->text));
}

static void sched_wakeup(struct str s, struct ftrace_values *v)
{
    pairs(s, v);
    if (find(v, "pid"))
        return;
    v->n = 0;
    take_task(&s, v, STR("comm"), STR("pid"), STR("prio"));
    size_t cpu = str_find(s, STR("CPU:"), 0);
    if (cpu != STR_NONE)
        push(v, STR("target_cpu"), str_from(s, cpu + 4));
}

/* The text has other names than the fields: "comm=a pid=1 child_comm=b child_pid=2". */
static void sched_process_fork(struct str s, struct ftrace_values *v)
{
    pairs(s, v);
    struct ftrace_value *comm = find(v, "comm"), *pid = find(v, "pid");
    if (comm)
        comm->name = STR("parent_comm");
    if (pid)
        pid->name = STR("parent_pid");
}

static void irq_handler_exit(struct str s, struct ftrace_values *v)
{
    pairs(s, v);
    struct ftrace_value *ret = find(v, "ret");
    if (ret && !ret->is_int)
        set_int(ret, str_is(ret->text, "handled"));
}

/* "mm_id=1 curr=0 type=MM_ANONPAGES size=4096B"; before 5.6 "member=1". */
static void rss_stat(struct str s, struct ftrace_values *v)
{
    static const char *const members[] = { "MM_FILEPAGES", "MM_ANONPAGES", "MM_SWAPENTS",
                                           "MM_SHMEMPAGES" };
    pairs(s, v);
    struct ftrace_value *type = find(v, "type"), *size = find(v, "size");
    if (size && !size->is_int && str_ends(size->text, STR("B"))) {
        size->text.n--;
        size->is_int = parse_int(size->text, &size->n);
    }
    for (size_t i = 0; type && i < ARRAY_SIZE(members); i++)
        if (str_is(type->text, members[i])) {
            push_int(v, STR("member"), type->text, (int64_t)i);
            return;
        }
}

/* "8,16": the kernel's number of a device, MKDEV() of include/linux/kdev_t.h. */
static void push_device(struct ftrace_values *v, struct str text)
{
    enum { MINOR_BITS = 20 };
    size_t comma = str_chr(text, ',', 0);
    uint64_t major, minor;

    if (comma != STR_NONE && str_u64(str_first(text, comma), &major) &&
        str_u64(str_from(text, comma + 1), &minor) && major < 1 << 12 && minor < 1 << MINOR_BITS)
        push_int(v, STR("dev"), text, (int64_t)(major << MINOR_BITS | minor));
}

/* "8,0 WS 4096 () 1234 + 8 none,0,0 [comm]": size and command are of requests only, the
 * priority of newer kernels; at completions the error is in the brackets. */
static void block(struct str s, struct ftrace_values *v)
{
    size_t open = str_rchr(s, '['), close = str_rchr(s, ']');
    struct str last = STR("");
    int64_t n;

    if (open != STR_NONE && close != STR_NONE && open < close) {
        last = str_first(str_from(s, open + 1), close - open - 1);
        s = str_first(s, open);
    }
    push_device(v, take_word(&s));
    push(v, STR("rwbs"), take_word(&s));
    struct str word = take_word(&s);
    size_t command = str_chr(s, '(', 0);
    if (command != STR_NONE && !str_starts(word, STR("("))) {
        push(v, STR("bytes"), word);
        word = take_word(&s);
    }
    if (str_starts(word, STR("("))) { /* bytes of a SCSI command, with blanks */
        while (!str_ends(word, STR(")")) && s.n)
            word = take_word(&s);
        word = take_word(&s);
    }
    push(v, STR("sector"), word);
    if (str_is(take_word(&s), "+"))
        push(v, STR("nr_sector"), take_word(&s));
    if (parse_int(last, &n))
        push(v, STR("error"), last);
    else if (last.n)
        push(v, STR("comm"), last);
}

static void block_request(struct str s, struct ftrace_values *v)
{
    block(s, v);
    struct ftrace_value *error = find(v, "error"); /* a thread whose name is a number */
    if (error)
        error->name = STR("comm");
}

/* "vcpu 0 reason EPT_VIOLATION rip 0xffff info1 0x0 ...": names and values in turn. */
static void words(struct str s, struct ftrace_values *v)
{
    while (str_trim(s).n) {
        struct str name = take_word(&s), value = take_word(&s);

        push(v, name, str_ends(value, STR(",")) ? str_first(value, value.n - 1) : value);
    }
}

static void kvm(struct str s, struct ftrace_values *v)
{
    int64_t n, isa = 0;

    words(s, v);
    struct ftrace_value *vcpu = find(v, "vcpu"), *reason = find(v, "reason");
    if (vcpu)
        vcpu->name = STR("vcpu_id");
    if (!reason)
        return;
    if (reason->is_int) {
        push_int(v, STR("exit_reason"), reason->text, reason->n);
    } else if (ftrace_kvm_reason(reason->text, &n, &isa)) {
        push_int(v, STR("exit_reason"), reason->text, n);
        push_int(v, STR("isa"), STR(""), isa);
    }
}

/* "reason KVM_EXIT_IO (2)" */
static void kvm_userspace_exit(struct str s, struct ftrace_values *v)
{
    struct str name, number;
    int64_t n;

    if (str_between(s, STR("reason "), STR(" ("), &name) &&
        str_between(s, STR("("), STR(")"), &number) && parse_int(number, &n))
        push_int(v, STR("reason"), name, n);
}

/* "NR 0 (3, 7ffc0, 400, 0, 0, 0)" and "NR 0 = 1" */
static void sys_enter(struct str s, struct ftrace_values *v)
{
    struct str number, args;

    if (str_between(s, STR("NR "), STR(" "), &number))
        push(v, STR("id"), number);
    if (str_between(s, STR("("), STR(")"), &args))
        push(v, STR("args"), args);
}

static void sys_exit(struct str s, struct ftrace_values *v)
{
    struct str number;
    size_t eq = str_find(s, STR(" = "), 0);

    if (str_between(s, STR("NR "), STR(" "), &number))
        push(v, STR("id"), number);
    if (eq != STR_NONE)
        push(v, STR("ret"), str_trim(str_from(s, eq + 3)));
}

/* --- which form ----------------------------------------------------------------------- */

static const struct form {
    const char *name;
    void (*read)(struct str s, struct ftrace_values *v);
} forms[] = {
    { "sched_switch", sched_switch },
    { "sched_waking", sched_wakeup },
    { "sched_wakeup", sched_wakeup },
    { "sched_wakeup_new", sched_wakeup },
    { "sched_process_fork", sched_process_fork },
    { "irq_handler_exit", irq_handler_exit },
    { "rss_stat", rss_stat },
    { "block_rq_insert", block_request },
    { "block_rq_issue", block_request },
    { "block_rq_merge", block_request },
    { "block_rq_complete", block },
    { "block_rq_requeue", block },
    { "block_rq_error", block },
    { "block_bio_queue", block_request },
    { "block_bio_complete", block },
    { "block_bio_backmerge", block_request },
    { "block_bio_frontmerge", block_request },
    { "block_getrq", block_request },
    { "kvm_entry", kvm },
    { "kvm_exit", kvm },
    { "kvm_userspace_exit", kvm_userspace_exit },
    { "sys_enter", sys_enter },
    { "sys_exit", sys_exit },
};

void ftrace_line_values(struct str name, struct str rest, struct ftrace_values *ret)
{
    ret->n = 0;
    for (size_t i = 0; i < ARRAY_SIZE(forms); i++)
        if (str_is(name, forms[i].name)) {
            forms[i].read(rest, ret);
            return;
        }
    if (str_starts(name, STR("sys_enter_"))) {
        call_arguments(rest, ret);
        return;
    }
    if (str_starts(name, STR("sys_exit_"))) {
        push(ret, STR("ret"), rest);
        return;
    }
    pairs(rest, ret);
    if (ret->n == 0 && rest.n)
        push(ret, STR("text"), rest);
}
