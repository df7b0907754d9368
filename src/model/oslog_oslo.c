/* SPDX-License-Identifier: Apache-2.0
 *
 * oslog_oslo.c -- lines of the oslo libraries and of what imitates them.
 *
 * Locks (oslo.concurrency lockutils), commands (processutils, the Neutron
 * agents' linux.utils, oslo.privsep), periodic tasks and looping calls
 * (oslo.service), the message bus (oslo.messaging) and taskflow. */
#include "model/oslog_priv.h"

/* Lock "x" acquired by "f" :: waited 0.001s
 * Lock "x" released by "f" :: held 0.001s; Zed quotes "released" too. */
static bool lock_inner(struct oslog *o, struct str s, int arg)
{
    static const struct {
        const char *mid, *end;
        enum log_fact_kind kind;
    } ways[] = {
        { "\" acquired by \"", "\" :: waited ", FACT_LOCK_ACQUIRED },
        { "\" \"acquired\" by \"", "\" :: waited ", FACT_LOCK_ACQUIRED },
        { "\" released by \"", "\" :: held ", FACT_LOCK_RELEASED },
        { "\" \"released\" by \"", "\" :: held ", FACT_LOCK_RELEASED },
    };
    struct str name, owner;
    ns_t ns;

    (void)arg;
    for (size_t i = 0; i < ARRAY_SIZE(ways); i++) {
        struct str r = s;

        if (!take_to(&r, ways[i].mid, &name) || !take_to(&r, ways[i].end, &owner) ||
            !take_seconds(&r, &ns))
            continue;
        struct log_fact *f = oslog_add(o, ways[i].kind);
        if (f)
            f->lock = (struct fact_lock){ .name = name, .owner = owner, .ns = ns };
        return true;
    }
    return false;
}

/* Acquiring lock "x" by "f"; Acquired|Releasing [external] lock|semaphore "x".
 * 's' starts behind the first word; 'arg' is the kind of fact. */
static bool lock_simple(struct oslog *o, struct str s, int arg)
{
    struct str what, name, owner = STR("");

    if (!take_to(&s, " \"", &what) || what.n > 24)
        return false;
    bool semaphore = str_ends(what, STR("semaphore"));
    if (!semaphore && !str_ends(what, STR("lock")))
        return false;
    if (take_to(&s, "\" by \"", &name)) {
        if (!take_to(&s, "\"", &owner))
            return false;
    } else {
        size_t end = str_rchr(s, '"');

        if (end == STR_NONE)
            return false;
        name = str_first(s, end);
        s = str_from(s, end + 1);
    }
    ns_t ns = OSLOG_NO_NS;
    if (take(&s, " after waiting ") || take(&s, " after holding it for "))
        take_seconds(&s, &ns);
    struct log_fact *f = oslog_add(o, (enum log_fact_kind)arg);
    if (f)
        f->lock =
            (struct fact_lock){ .name = name, .owner = owner, .ns = ns, .semaphore = semaphore };
    return true;
}

static struct log_fact *add_command(struct oslog *o, enum log_fact_kind kind, enum command_way way,
                                    struct str text)
{
    struct log_fact *f = oslog_add(o, kind);

    if (f)
        f->command = (struct fact_command){
            .way = way, .text = text, .rc = OSLOG_NO_I64, .ns = OSLOG_NO_NS
        };
    return f;
}

/* Running cmd (subprocess): X -- and the forms of agents and privsep. */
static bool command_start(struct oslog *o, struct str s, int arg)
{
    add_command(o, FACT_COMMAND_START, (enum command_way)arg, str_trim(s));
    return true;
}

/* CMD "X" returned: 0 in 0.016s; X may hold quotes. */
static bool command_end(struct oslog *o, struct str s, int arg)
{
    static const struct str mark = STR("\" returned: ");
    size_t last = STR_NONE;
    int64_t rc;
    ns_t ns;

    (void)arg;
    for (size_t i = str_find(s, mark, 0); i != STR_NONE; i = str_find(s, mark, i + 1))
        last = i;
    if (last == STR_NONE)
        return false;
    struct str r = str_from(s, last + mark.n);
    if (!take_i64(&r, &rc) || !take(&r, " in ") || !take_seconds(&r, &ns))
        return false;
    struct log_fact *f = add_command(o, FACT_COMMAND_END, COMMAND_SUBPROCESS, str_first(s, last));
    if (f) {
        f->command.rc = rc;
        f->command.ns = ns;
    }
    return true;
}

/* 'X' failed. Not Retrying.  (processutils, after the end or an OSError) */
static bool command_gave_up(struct oslog *o, struct str s, int arg)
{
    struct str text;

    (void)arg;
    if (!take_to(&s, "' failed. ", &text) || (!take(&s, "Not Retrying") && !take(&s, "Retrying")))
        return false;
    add_command(o, FACT_COMMAND_FAILED, COMMAND_SUBPROCESS, text);
    return true;
}

/* \nCommand: [..]\nExit code: N\n  (agents until 2016) */
static bool agent_end(struct oslog *o, struct str s, int arg)
{
    struct str text;
    int64_t rc;

    if (!take_to(&s, "\nExit code: ", &text) || !take_i64(&s, &rc))
        return false;
    struct log_fact *f = add_command(o, (enum log_fact_kind)arg, COMMAND_AGENT, text);
    if (f)
        f->command.rc = rc;
    return true;
}

/* Unexpected error while running command.\nCommand: X\nExit code: N\n..  and the
 * same text quoted in another message. */
static bool command_error(struct oslog *o, struct str s, int arg)
{
    struct str head;

    (void)arg;
    return take_to(&s, "\nCommand: ", &head) && agent_end(o, s, FACT_COMMAND_FAILED);
}

/* Exit code: 255; Cmd: [..]; Stdin: ; Stdout: ; Stderr: ..   or only the code */
static bool agent_exit(struct oslog *o, struct str s, int arg)
{
    struct str text = STR("");
    int64_t rc;

    (void)arg;
    if (!take_i64(&s, &rc))
        return false;
    if (take(&s, "; Cmd: ") && !take_to(&s, "; Stdin: ", &text))
        text = str_trim(s);
    struct log_fact *f = add_command(o, FACT_COMMAND_END, COMMAND_AGENT, text);
    if (f)
        f->command.rc = rc;
    return true;
}

/* privsep: reply[uuid]: (4, ('out', 'err', 255))  -- 4 is RET, 5 is ERR; the
 * return code is the third member if the call was a command. */
static bool privsep_reply(struct oslog *o, struct str s, int arg)
{
    struct str id, digits;
    int64_t type, rc;

    (void)arg;
    if (!take_uuid(&s, &id) || !take(&s, "]: (") || !take_i64(&s, &type))
        return false;
    struct log_fact *f = add_command(o, FACT_PRIVSEP_REPLY, COMMAND_PRIVSEP, STR(""));
    if (!f)
        return true;
    f->command.id = id;
    s = str_trim(s);
    size_t comma = str_rchr(s, ',');
    if (type == 5)
        f->command.rc = -1;
    else if (type == 4 && str_starts(s, STR(", (")) && str_ends(s, STR("))")) &&
             comma != STR_NONE && comma > 0 && (s.p[comma - 1] == '\'' || s.p[comma - 1] == '"')) {
        digits = str_from(s, comma + 1);
        digits = str_trim(str_first(digits, digits.n - 2));
        if (str_i64(digits, &rc))
            f->command.rc = rc;
    }
    return true;
}

/* Running periodic task ComputeManager._poll_rescued_instances */
static bool periodic(struct oslog *o, struct str s, int arg)
{
    struct str name;

    (void)arg;
    if (!take_word(&s, &name))
        return false;
    struct log_fact *f = oslog_add(o, FACT_PERIODIC);
    if (f)
        f->periodic = (struct fact_periodic){ .name = name, .sleep_ns = OSLOG_NO_NS };
    return true;
}

/* Fixed interval looping call 'X' sleeping for 9.98 seconds; X may be a repr. */
static bool looping(struct oslog *o, struct str s, int arg)
{
    struct str kind, name;
    ns_t ns;

    (void)arg;
    if (!take_to(&s, "looping call ", &kind) || kind.n > 24 ||
        !take_to(&s, " sleeping for ", &name) || !take_seconds(&s, &ns))
        return false;
    if (name.n >= 2 && name.p[0] == '\'')
        name = (struct str){ name.p + 1, name.n - 2 };
    struct log_fact *f = oslog_add(o, FACT_PERIODIC);
    if (f)
        f->periodic = (struct fact_periodic){ .name = name, .sleep_ns = ns };
    return true;
}

/* Connecting|Connected|Reconnected to AMQP server on host:port; AMQP server on
 * host:port is unreachable: .. */
static bool amqp(struct oslog *o, struct str s, int arg)
{
    struct str server;
    int64_t port;
    size_t n = 0;

    while (n < s.n && s.p[n] != ' ' && s.p[n] != ',' && s.p[n] != '\n')
        n++;
    size_t colon = str_rchr(str_first(s, n), ':');
    if (colon == STR_NONE || colon == 0)
        return false;
    server = str_first(s, colon);
    s = str_from(s, colon + 1);
    if (!take_i64(&s, &port))
        return false;
    struct log_fact *f = oslog_add(o, FACT_AMQP);
    if (f)
        f->amqp =
            (struct fact_amqp){ .stage = (enum amqp_stage)arg, .server = server, .port = port };
    return true;
}

/* MSG_ID is X; CALL msg_id: X exchange 'e' topic 't'; CAST unique_id: X ..;
 * received reply msg_id: X; sending reply msg_id: X reply queue: Q time
 * elapsed: 0.01s */
static bool rpc(struct oslog *o, struct str s, int arg)
{
    struct str id, word;
    struct fact_rpc r = { .stage = (enum rpc_stage)arg, .ns = OSLOG_NO_NS };

    if (!take_word(&s, &id))
        return false;
    r.id = unless_none(id);
    if (take_to(&s, "exchange ", &word) && !take_word(&s, &r.exchange))
        return false;
    if (take_to(&s, "topic ", &word) && !take_word(&s, &r.topic))
        return false;
    if ((take(&s, " reply queue: ") || take(&s, " reply to ")) && !take_word(&s, &r.queue))
        return false;
    if (take(&s, " time elapsed: "))
        take_seconds(&s, &r.ns);
    struct log_fact *f = oslog_add(o, FACT_RPC);
    if (f)
        f->rpc = r;
    return true;
}

/* Flow|Task 'name' (id) transitioned into state 'X' from state 'Y' */
static bool taskflow(struct oslog *o, struct str s, int arg)
{
    struct fact_taskflow t = { .is_task = arg };

    if (!take_to(&s, "' (", &t.name) || !take_to(&s, ") transitioned into state '", &t.id) ||
        !take_to(&s, "'", &t.state))
        return false;
    if (take(&s, " from state '") && !take_to(&s, "'", &t.old_state))
        return false;
    struct log_fact *f = oslog_add(o, FACT_TASKFLOW);
    if (f)
        f->taskflow = t;
    return true;
}

/* clang-format off */
static const struct oslog_form rows[] = {
    { .starts = STR("Lock \""), .parse = lock_inner },
    { .starts = STR("Acquiring "), .has = STR(" \""), .parse = lock_simple, .arg = FACT_LOCK_WAIT },
    { .starts = STR("Acquired "), .has = STR(" \""), .parse = lock_simple, .arg = FACT_LOCK_ACQUIRED },
    { .starts = STR("Got "), .has = STR(" \""), .parse = lock_simple, .arg = FACT_LOCK_ACQUIRED },
    { .starts = STR("Releasing "), .has = STR(" \""), .parse = lock_simple, .arg = FACT_LOCK_RELEASED },
    { .starts = STR("Released "), .has = STR(" \""), .parse = lock_simple, .arg = FACT_LOCK_RELEASED },

    { .starts = STR("Running cmd (subprocess): "), .parse = command_start, .arg = COMMAND_SUBPROCESS },
    { .starts = STR("Running command (rootwrap daemon): "), .parse = command_start, .arg = COMMAND_ROOTWRAP },
    { .starts = STR("Running command: "), .parse = command_start, .arg = COMMAND_AGENT },
    { .starts = STR("Running privsep helper: "), .parse = command_start, .arg = COMMAND_PRIVSEP },
    { .starts = STR("CMD \""), .has = STR("\" returned: "), .parse = command_end },
    { .starts = STR("'"), .has = STR("' failed. "), .parse = command_gave_up },
    { .starts = STR("\nCommand: "), .parse = agent_end, .arg = FACT_COMMAND_END },
    { .starts = STR("Command: "), .has = STR("\nExit code: "), .parse = agent_end, .arg = FACT_COMMAND_END },
    { .starts = STR("Exit code: "), .parse = agent_exit },
    { .starts = STR("privsep: reply["), .parse = privsep_reply },

    { .starts = STR("Running periodic task "), .parse = periodic },
    { .starts = STR("Fixed interval "), .parse = looping },
    { .starts = STR("Dynamic "), .has = STR("looping call "), .parse = looping },

    { .starts = STR("Connecting to AMQP server on "), .parse = amqp, .arg = AMQP_CONNECTING },
    { .starts = STR("Connected to AMQP server on "), .parse = amqp, .arg = AMQP_CONNECTED },
    { .starts = STR("Reconnected to AMQP server on "), .parse = amqp, .arg = AMQP_CONNECTED },
    { .starts = STR("AMQP server on "), .has = STR(" is unreachable"), .parse = amqp, .arg = AMQP_UNREACHABLE },
    { .starts = STR("MSG_ID is "), .parse = rpc, .arg = RPC_MSG_ID },
    { .starts = STR("CALL msg_id: "), .parse = rpc, .arg = RPC_CALL },
    { .starts = STR("CAST unique_id: "), .parse = rpc, .arg = RPC_CAST },
    { .starts = STR("received message msg_id: "), .parse = rpc, .arg = RPC_RECEIVED },
    { .starts = STR("received message with unique_id: "), .parse = rpc, .arg = RPC_RECEIVED },
    { .starts = STR("sending reply msg_id: "), .parse = rpc, .arg = RPC_REPLYING },
    { .starts = STR("received reply msg_id: "), .parse = rpc, .arg = RPC_REPLIED },

    { .starts = STR("Flow '"), .has = STR(" transitioned into state "), .parse = taskflow, .arg = 0 },
    { .starts = STR("Task '"), .has = STR(" transitioned into state "), .parse = taskflow, .arg = 1 },

    /* last: looks into every line that has a line break */
    { .has = STR("\nCommand: "), .parse = command_error },
};
/* clang-format on */

const struct oslog_table oslog_oslo_forms = FORMS(rows);
