/* SPDX-License-Identifier: Apache-2.0
 *
 * alerts.c -- findings for those who watch a cloud: a line of a Nagios plugin, and alerts as
 * Alertmanager takes them; see finding.h.
 *
 * Both put names of a trace where characters mean something: in a plugin's line a bar begins the
 * figures, and an alert is known by its labels, which therefore hold nothing that changes while
 * the trouble goes on. */
#include "diagnose/rule.h"
#include "report/cell_text.h"
#include "report/measure.h"

#include <ctype.h>
#include <stdlib.h>

/* --- Nagios -------------------------------------------------------------------------------- */

enum { NAGIOS_OK, NAGIOS_WARNING, NAGIOS_CRITICAL, NAGIOS_UNKNOWN = NAGIOS_EXIT_UNKNOWN };
static const char *const nagios_words[] = { "OK", "WARNING", "CRITICAL", "UNKNOWN" };

/* Old transports (NRPE 2) cut a line at 1024 bytes, figures and all. */
enum { NAGIOS_TEXT = 600 };

/* One line, no bar, and no more than fits. */
static void put_plugin_text(struct sbuf *out, struct str s)
{
    struct sbuf safe = { 0 };

    cell_escape(&safe, s, "");
    for (size_t i = 0; i < safe.n; i++)
        if (safe.p[i] == '|')
            safe.p[i] = '/';
    size_t n = safe.n < NAGIOS_TEXT ? safe.n : NAGIOS_TEXT;
    while (n > 0 && n < safe.n && ((unsigned char)safe.p[n] & 0xc0) == 0x80)
        n--; /* not within a character */
    sbuf_str(out, str_first(sbuf_view(&safe), n));
    sbuf_z(out, n < safe.n ? "..." : "");
    sbuf_free(&safe);
}

void nagios_unknown(struct str why, struct sbuf *out)
{
    sbuf_fmt(out, "NEPH %s - ", nagios_words[NAGIOS_UNKNOWN]);
    put_plugin_text(out, why);
    sbuf_chr(out, '\n');
}

/* Was there an event that some analysis understands, on any host? */
static bool saw_anything(const struct report_src *src)
{
    for (uint32_t h = 0; h < src->nhosts; h++)
        for (int i = 0; i < EV_TYPES; i++)
            if (ev_descs[i].name && i != EV_LOST_EVENTS &&
                measure_had(src->hosts[h], (enum ev_type)i))
                return true;
    return false;
}

static size_t count(const struct diagnosis *d, enum severity s)
{
    return diagnosis_count(d, s) -
           (s == SEVERITY_CRITICAL ? 0 : diagnosis_count(d, (enum severity)(s + 1)));
}

/* Figures for graphs: 'label'=value;warn;critical;min. */
static void put_figures(const struct diagnosis *d, struct sbuf *out)
{
    sbuf_fmt(out, "|critical=%zu;;0;0 warning=%zu;0;;0 info=%zu;;;0 blind_spots=%zu;;;0",
             count(d, SEVERITY_CRITICAL), count(d, SEVERITY_WARNING), count(d, SEVERITY_INFO),
             d->blind_spots.n);
    if (d->list.n && d->list.at[0].cost_ns != STORE_NULL)
        sbuf_fmt(out, " cost=%.3fs;;;0", (double)d->list.at[0].cost_ns / (double)NS_PER_S);
}

int diagnosis_nagios(const struct diagnosis *d, struct sbuf *out)
{
    int state = count(d, SEVERITY_CRITICAL)  ? NAGIOS_CRITICAL
                : count(d, SEVERITY_WARNING) ? NAGIOS_WARNING
                                             : NAGIOS_OK;

    if (!saw_anything(d->src)) {
        nagios_unknown(STR("nothing in these traces is understood: `neph doctor` says what to "
                           "record"),
                       out);
        return NAGIOS_UNKNOWN;
    }
    sbuf_fmt(out, "NEPH %s - ", nagios_words[state]);
    if (state == NAGIOS_OK)
        sbuf_z(out, d->list.n ? "nothing above info" : "nothing found");
    for (size_t i = 0; state != NAGIOS_OK && i < d->list.n; i++) {
        if (d->list.at[i].severity == SEVERITY_INFO)
            continue;
        put_plugin_text(out, d->list.at[i].title);
        if (diagnosis_count(d, SEVERITY_WARNING) > 1)
            sbuf_fmt(out, " (and %zu more)", diagnosis_count(d, SEVERITY_WARNING) - 1);
        break;
    }
    put_figures(d, out);
    sbuf_chr(out, '\n');
    return state;
}

/* --- Alertmanager -------------------------------------------------------------------------- */

struct label {
    const char *name; /* [a-zA-Z_][a-zA-Z0-9_]* */
    struct sbuf value;
};
struct labels {
    VEC(struct label) at;
};

static struct sbuf *label(struct labels *l, const char *name)
{
    for (size_t i = 0; i < l->at.n; i++)
        if (strcmp(l->at.at[i].name, name) == 0)
            return &l->at.at[i].value;
    struct label *new = vec_push(&l->at);
    *new = (struct label){ .name = name };
    return &new->value;
}

/* Adds a name to those that a label has. */
static void put_name(struct labels *l, const char *name, struct str value)
{
    enum { MOST = 1000 };
    struct sbuf *to = label(l, name);

    if (to->n >= MOST)
        return;
    sbuf_z(to, to->n ? ", " : "");
    cell_escape(to, str_first(value, MOST), "");
}

/* "migration-failed" to "NephMigrationFailed". */
static void put_alert_name(struct labels *l, const char *rule)
{
    struct sbuf *to = label(l, "alertname");
    bool first = true;

    sbuf_z(to, "Neph");
    for (; *rule; rule++) {
        if (isalnum((unsigned char)*rule))
            sbuf_chr(to, (char)(first ? toupper((unsigned char)*rule) : *rule));
        first = *rule == '-';
    }
}

static int by_kind_and_name(const void *a, const void *b)
{
    const struct party *x = a, *y = b;
    int c = strcmp(x->kind, y->kind);

    return c ? c : str_cmp(x->name, y->name);
}

static int by_text(const void *a, const void *b)
{
    return str_cmp(*(const struct str *)a, *(const struct str *)b);
}

/* Whom it hits; kinds are words of rules.  Who suffers most comes first in a finding, and is
 * another each time. */
static void put_subjects(const struct finding *f, struct labels *ret)
{
    struct party *sorted = xcalloc(f->subjects.n + 1, sizeof *sorted);
    struct str *hosts = xcalloc(f->hosts.n + 1, sizeof *hosts);

    for (size_t i = 0; i < f->subjects.n; i++)
        sorted[i] = f->subjects.at[i];
    for (size_t i = 0; i < f->hosts.n; i++)
        hosts[i] = f->hosts.at[i];
    qsort(sorted, f->subjects.n, sizeof *sorted, by_kind_and_name);
    qsort(hosts, f->hosts.n, sizeof *hosts, by_text);
    for (size_t i = 0; i < f->hosts.n; i++)
        put_name(ret, "host", hosts[i]);
    for (size_t i = 0; i < f->subjects.n; i++)
        if (strcmp(sorted[i].kind, "host") != 0 || f->hosts.n == 0)
            put_name(ret, sorted[i].kind, sorted[i].name);
    free(sorted);
    free(hosts);
}

static void take_labels(const struct finding *f, struct labels *ret)
{
    put_alert_name(ret, f->rule->name);
    sbuf_z(label(ret, "rule"), f->rule->name);
    sbuf_z(label(ret, "severity"), severity_name(f->severity));
    put_subjects(f, ret);
}

static void free_labels(struct labels *l)
{
    for (size_t i = 0; i < l->at.n; i++)
        sbuf_free(&l->at.at[i].value);
    vec_free(&l->at);
}

static bool same_labels(const struct labels *a, const struct labels *b)
{
    if (a->at.n != b->at.n)
        return false;
    for (size_t i = 0; i < a->at.n; i++)
        if (strcmp(a->at.at[i].name, b->at.at[i].name) != 0 ||
            !str_eq(sbuf_view(&a->at.at[i].value), sbuf_view(&b->at.at[i].value)))
            return false;
    return true;
}

/* "2016-08-08T15:03:42.148087831Z" */
static void put_rfc3339(struct json *j, const char *key, ns_t t)
{
    char text[TIME_TEXT], out[TIME_TEXT + 1];

    time_iso(t, text);
    for (char *p = text; *p; p++)
        *p = *p == ' ' ? 'T' : *p;
    snprintf(out, sizeof out, "%sZ", text);
    json_kstr(j, key, str_of(out));
}

static void put_annotation(struct json *j, const char *key, struct sbuf *text)
{
    if (text->n)
        json_kstr(j, key, sbuf_view(text));
    sbuf_clear(text);
}

static void put_evidence_text(const struct finding *f, struct sbuf *out)
{
    char text[TIME_TEXT];
    int64_t v;

    for (size_t i = 0; i < f->evidence.n; i++) {
        const struct evidence *e = &f->evidence.at[i];
        bool is_time = strcmp(e->unit, "ns") == 0 && str_i64(e->value, &v);

        sbuf_fmt(out, "%s%s: ", i ? "; " : "", e->what);
        cell_escape(out, is_time ? str_of(time_human(v, text)) : e->value, "");
        sbuf_fmt(out, "%s%s", e->unit[0] && !is_time ? " " : "", is_time ? "" : e->unit);
    }
}

static void put_names(const struct party *at, size_t n, struct sbuf *out)
{
    for (size_t i = 0; i < n; i++) {
        sbuf_fmt(out, "%s%s ", i ? ", " : "", at[i].kind);
        cell_escape(out, at[i].name, "");
    }
}

static void put_annotations(struct json *j, const struct finding *f, size_t equal)
{
    struct sbuf text = { 0 };

    json_kopen(j, "annotations", '{');
    cell_escape(&text, f->title, "");
    put_annotation(j, "summary", &text);
    sbuf_z(&text, f->rule->doc);
    put_annotation(j, "description", &text);
    put_names(f->culprits.at, f->culprits.n, &text);
    put_annotation(j, "culprits", &text);
    put_evidence_text(f, &text);
    put_annotation(j, "evidence", &text);
    sbuf_z(&text, f->rule->remedy);
    put_annotation(j, "remedy", &text);
    for (size_t i = 0; i < f->unknown.n; i++) {
        sbuf_z(&text, i ? "; " : "");
        cell_escape(&text, f->unknown.at[i], "");
    }
    put_annotation(j, "unknown", &text);
    if (f->t1 != STORE_NULL && f->t1 != NS_MAX)
        put_rfc3339(j, "ended", f->t1);
    if (equal)
        sbuf_fmt(&text, "%zu more of these, of the same", equal);
    put_annotation(j, "more", &text);
    json_close(j, '}');
    sbuf_free(&text);
}

/* Alertmanager counts an alert whose end is past as resolved, and tells nobody of it: there is no
 * endsAt, so that it lives for as long as it is sent again. */
static void put_alert(struct json *j, const struct finding *f, const struct labels *l, ns_t t0,
                      size_t equal)
{
    json_open(j, '{');
    json_kopen(j, "labels", '{');
    for (size_t i = 0; i < l->at.n; i++)
        json_kstr(j, l->at.at[i].name, sbuf_view(&l->at.at[i].value));
    json_close(j, '}');
    put_annotations(j, f, equal);
    if (t0 != STORE_NULL && t0 != NS_MIN)
        put_rfc3339(j, "startsAt", t0);
    json_close(j, '}');
}

/* Alerts of the same labels are one to Alertmanager: the worst stands for all. */
void diagnosis_alerts(const struct diagnosis *d, struct json *j)
{
    struct labels *all = xcalloc(d->list.n + 1, sizeof *all);
    bool *said = xcalloc(d->list.n + 1, sizeof *said);

    for (size_t i = 0; i < d->list.n; i++)
        take_labels(&d->list.at[i], &all[i]);
    for (size_t i = 0; i < d->list.n; i++)
        said[i] = d->list.at[i].severity == SEVERITY_INFO; /* nothing to wake anybody for */
    json_open(j, '[');
    for (size_t i = 0; i < d->list.n; i++) {
        ns_t t0 = d->list.at[i].t0;
        size_t equal = 0;

        for (size_t k = i + 1; k < d->list.n && !said[i]; k++)
            if (!said[k] && same_labels(&all[i], &all[k])) {
                said[k] = true;
                equal++;
                if (d->list.at[k].t0 != STORE_NULL && (t0 == STORE_NULL || d->list.at[k].t0 < t0))
                    t0 = d->list.at[k].t0;
            }
        if (!said[i])
            put_alert(j, &d->list.at[i], &all[i], t0, equal);
    }
    json_close(j, ']');
    for (size_t i = 0; i < d->list.n; i++)
        free_labels(&all[i]);
    free(all);
    free(said);
}
