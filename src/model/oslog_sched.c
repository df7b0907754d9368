/* SPDX-License-Identifier: Apache-2.0
 *
 * oslog_sched.c -- scheduling in Nova and Cinder.
 *
 * Both schedulers descend from one code base and say nearly the same: how many
 * hosts there are, how many pass each filter, which are left, how they weigh,
 * which is chosen.  Hosts are printed by HostState.__repr__, with "ram:31343"
 * until 2016 and "ram: 31343MB" later. */
#include "model/oslog_priv.h"

static struct log_fact *add_sched(struct oslog *o, enum log_fact_kind kind)
{
    struct log_fact *f = oslog_add(o, kind);

    if (f)
        f->sched = (struct fact_sched){ .volume = str_starts(o->logger, STR("cinder.")),
                                        .n = OSLOG_NO_I64 };
    return f;
}

/* Sets '*v' to the number behind 'key' in 's', with or without a blank. */
static bool number_at(struct str s, const char *key, double *v)
{
    struct str ignored;

    if (!take_to(&s, key, &ignored))
        return false;
    take(&s, " ");
    return take_num(&s, v);
}

static int64_t integer_at(struct str s, const char *key)
{
    double v;

    return number_at(s, key, &v) && v >= -1e15 && v <= 1e15 ? (int64_t)v : OSLOG_NO_I64;
}

/* One host: (h, n) ram:.. disk:.. io_ops:.. instances:..[, weight: w], or in
 * Cinder host 'h': free_capacity_gb: 9.01, .. or host: h, weight: w.  's' holds
 * this host only. */
static bool one_host(struct str s, struct sched_host *h)
{
    struct str ignored, r = s;

    *h = (struct sched_host){ .node = STR(""), .free_gb = -1 };
    if (take_to(&r, "(", &ignored)) {
        if (!take_to(&r, ", ", &h->host) || !take_to(&r, ")", &h->node))
            return false;
        s = r;
    } else if (take_to(&r, "host", &ignored)) {
        take(&r, ":");
        take(&r, " ");
        take(&r, "host "); /* the repr of a Cinder host inside of WeighedHost */
        if (!take_word(&r, &h->host))
            return false;
        s = r;
    } else {
        return false;
    }
    h->ram_mb = integer_at(s, "ram:");
    h->disk_mb = integer_at(s, "disk:");
    h->io_ops = integer_at(s, "io_ops:");
    h->instances = integer_at(s, "instances:");
    h->weighed = number_at(s, "weight:", &h->weight);
    number_at(s, "free_capacity_gb:", &h->free_gb);
    return true;
}

/* Splits a list at 'mark' and reads its hosts. */
static size_t read_hosts(struct oslog *o, struct str s, struct str mark, struct sched_host **ret)
{
    size_t n = 0, k = 0;

    for (size_t i = str_find(s, mark, 0); i != STR_NONE; i = str_find(s, mark, i + mark.n))
        n++;
    struct sched_host *hosts = n ? arena_array(o->a, struct sched_host, n) : NULL;
    size_t i = str_find(s, mark, 0);
    while (i != STR_NONE) {
        size_t next = str_find(s, mark, i + mark.n);
        struct str one = { s.p + i, (next == STR_NONE ? s.n : next) - i };

        if (one_host(one, &hosts[k]))
            k++;
        i = next;
    }
    *ret = hosts;
    return k;
}

/* Filtered [..], Weighed [..] */
static bool host_list(struct oslog *o, struct str s, int arg)
{
    struct sched_host *hosts;
    struct str mark = STR("(");

    if (str_find(s, STR("WeighedHost ["), 0) != STR_NONE)
        mark = STR("WeighedHost [");
    else if (str_starts(s, STR("host ")))
        mark = STR("host '");
    size_t n = read_hosts(o, s, mark, &hosts);
    struct log_fact *f = add_sched(o, (enum log_fact_kind)arg);
    if (f) {
        f->sched.hosts = hosts;
        f->sched.n = (int64_t)n;
    }
    return true;
}

static bool selected(struct oslog *o, const struct sched_host *h, bool conductor)
{
    struct log_fact *f = add_sched(o, FACT_SCHED_SELECTED);

    if (!f)
        return true;
    struct sched_host *copy = arena_new(o->a, struct sched_host);
    *copy = *h;
    f->sched.hosts = copy;
    f->sched.n = 1;
    f->sched.conductor = conductor;
    return true;
}

/* Selected host: WeighedHost [host: (h, n) ..] or (h, n) ..; the conductor of
 * later releases repeats it as "Selected host: h; Selected node: n; Alternates". */
static bool host_selected(struct oslog *o, struct str s, int arg)
{
    struct sched_host h = { .ram_mb = OSLOG_NO_I64,
                            .disk_mb = OSLOG_NO_I64,
                            .io_ops = OSLOG_NO_I64,
                            .instances = OSLOG_NO_I64,
                            .free_gb = -1 };
    struct str r = s;

    (void)arg;
    if (take_to(&r, "; Selected node: ", &h.host))
        return take_word(&r, &h.node) && selected(o, &h, true);
    return one_host(s, &h) && selected(o, &h, false);
}

/* Calling prep_resize with selected host: h; Selected node: n; .. */
static bool host_selected_resize(struct oslog *o, struct str s, int arg)
{
    struct str head;

    return take_to(&s, "elected host: ", &head) && host_selected(o, s, arg);
}

/* Choosing host@backend#pool (Cinder) */
static bool pool_chosen(struct oslog *o, struct str s, int arg)
{
    struct sched_host h = { .node = STR(""),
                            .ram_mb = OSLOG_NO_I64,
                            .disk_mb = OSLOG_NO_I64,
                            .io_ops = OSLOG_NO_I64,
                            .instances = OSLOG_NO_I64,
                            .free_gb = -1 };

    (void)arg;
    return take_word(&s, &h.host) && selected(o, &h, false);
}

/* Starting with N host(s) */
static bool hosts_start(struct oslog *o, struct str s, int arg)
{
    int64_t n;

    (void)arg;
    if (!take_i64(&s, &n) || !take(&s, " host"))
        return false;
    struct log_fact *f = add_sched(o, FACT_SCHED_START);
    if (f)
        f->sched.n = n;
    return true;
}

/* Filter F returned N host(s); Filter F returned 0 hosts */
static bool filter(struct oslog *o, struct str s, int arg)
{
    struct str name;
    int64_t n;

    (void)arg;
    if (!take_to(&s, " returned ", &name) || !take_i64(&s, &n) || !take(&s, " host"))
        return false;
    struct log_fact *f = add_sched(o, FACT_SCHED_FILTER);
    if (f) {
        f->sched.filter = name;
        f->sched.n = n;
    }
    return true;
}

/* Starting to schedule for instances: ['uuid', ..]: one fact each */
static bool request(struct oslog *o, struct str s, int arg)
{
    struct str ignored, uuid;

    (void)arg;
    while (take_to(&s, "'", &ignored)) {
        if (!take_uuid(&s, &uuid))
            continue;
        struct log_fact *f = add_sched(o, FACT_SCHED_REQUEST);
        if (f)
            f->sched.instance = uuid;
    }
    return o->out->n > 0;
}

/* No host is left; the reason is the line, the instance may be in it. */
static bool none(struct oslog *o, struct str s, int arg)
{
    struct str reason = o->line;
    struct log_fact *f = add_sched(o, FACT_SCHED_NONE);

    (void)arg, (void)s;
    if (!f)
        return true;
    size_t end = str_chr(reason, '\n', 0); /* a traceback may follow */
    f->sched.reason = str_trim(end == STR_NONE ? reason : str_first(reason, end));
    f->sched.n = 0;
    f->sched.instance = oslog_line_instance(o);
    if (!f->sched.instance.n && str_between(s, STR("instance ID '"), STR("'"), &reason) &&
        str_is_uuid(reason))
        f->sched.instance = reason;
    return true;
}

/* Space information for volume creation on host H (requested / avail): 1/9.01 */
static bool space(struct oslog *o, struct str s, int arg)
{
    struct fact_space v = {
        .requested_gb = -1, .available_gb = -1, .total_gb = -1, .allocated_gb = -1
    };

    struct str head;

    (void)arg;
    if (!take_to(&s, " on host ", &head) || !take_to(&s, " (requested / avail): ", &v.host) ||
        !take_num(&s, &v.requested_gb) || !take(&s, "/") || !take_num(&s, &v.available_gb))
        return false;
    struct log_fact *f = oslog_add(o, FACT_VOLUME_SPACE);
    if (f)
        f->space = v;
    return true;
}

static double capacity(const struct tree *t, const char *key)
{
    struct str s = tree_member(t, key);
    double v;

    return take_num(&s, &v) ? v : -1;
}

static void add_pool(struct oslog *o, const struct tree *t, struct str host)
{
    struct log_fact *f = oslog_add(o, FACT_VOLUME_POOL);
    struct str pool = tree_member(t, "pool_name");

    if (!f)
        return;
    if (pool.n)
        host = str_of(arena_printf(o->a, STR_FMT "#" STR_FMT, STR_ARG(host), STR_ARG(pool)));
    f->space = (struct fact_space){ .host = host,
                                    .requested_gb = -1,
                                    .available_gb = capacity(t, "free_capacity_gb"),
                                    .total_gb = capacity(t, "total_capacity_gb"),
                                    .allocated_gb = capacity(t, "allocated_capacity_gb") };
}

/* Received volume service update from host@backend: {..}, one fact per pool */
static bool pools(struct oslog *o, struct str s, int arg)
{
    struct str host;
    struct tree *root;
    size_t at = 0;

    (void)arg;
    s = str_trim(s);
    if (!take_to(&s, ": ", &host))
        return false;
    tree_read(s, &at, o->a, &root);
    if (!root || root->kind != TREE_OBJECT)
        return false;
    const struct tree *list = tree_at(root, STR("pools"));
    if (!list || list->kind != TREE_LIST || !list->child)
        add_pool(o, root, host);
    else
        for (const struct tree *c = list->child; c; c = c->next)
            add_pool(o, c, host);
    return true;
}

/* clang-format off */
static const struct oslog_form rows[] = {
    { .starts = STR("Starting to schedule for instances: ["), .parse = request },
    { .starts = STR("Starting with "), .parse = hosts_start },
    { .starts = STR("Filter "), .has = STR(" returned "), .parse = filter },
    { .starts = STR("Filtered ["), .parse = host_list, .arg = FACT_SCHED_FILTERED },
    { .starts = STR("Weighed ["), .parse = host_list, .arg = FACT_SCHED_WEIGHED },
    { .starts = STR("Selected host: "), .parse = host_selected },
    { .starts = STR("Calling prep_resize with "), .parse = host_selected_resize },
    { .starts = STR("Choosing "), .logger = "cinder.*", .parse = pool_chosen },

    { .starts = STR("Filtering removed all hosts"), .parse = none },
    { .starts = STR("Got no allocation candidates"), .parse = none },
    { .starts = STR("There are 0 hosts available"), .parse = none },
    { .starts = STR("No valid host was found"), .parse = none },
    { .starts = STR("No valid backend was found"), .parse = none },
    { .starts = STR("No weighed backend"), .parse = none },
    { .starts = STR("Failed to "), .has = STR("No valid host was found"), .parse = none },
    { .starts = STR("Failed to "), .has = STR("No valid backend was found"), .parse = none },
    { .starts = STR("Failed to run task "), .has = STR("No valid host"), .parse = none },

    { .starts = STR("Space information for volume "), .parse = space },
    { .starts = STR("Received volume service update from "), .parse = pools },
};
/* clang-format on */

const struct oslog_table oslog_sched_forms = FORMS(rows);
