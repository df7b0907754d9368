/* SPDX-License-Identifier: Apache-2.0
 *
 * findings.c -- findings as text and as JSON; see finding.h. */
#include "diagnose/rule.h"
#include "report/cell_text.h"

#include <stdlib.h>

const char *severity_name(enum severity s)
{
    static const char *const names[] = { "info", "warning", "critical" };

    return names[s];
}

/* What no other finding explains of its cost; STORE_NULL: not known. */
static ns_t finding_unexplained(const struct finding *f)
{
    ns_t left = f->cost_ns;

    for (size_t i = 0; i < f->causes.n && left != STORE_NULL; i++)
        left = f->causes.at[i].ns == STORE_NULL ? STORE_NULL
               : f->causes.at[i].ns < left      ? left - f->causes.at[i].ns
                                                : 0;
    return f->causes.n ? left : STORE_NULL;
}

/* --- JSON ---------------------------------------------------------------------------------- */

static void emit_parties(struct json *j, const char *key, const struct party *at, size_t n)
{
    json_kopen(j, key, '[');
    for (size_t i = 0; i < n; i++) {
        json_open(j, '{');
        json_kstr(j, "kind", str_of(at[i].kind));
        json_kstr(j, "name", at[i].name);
        json_close(j, '}');
    }
    json_close(j, ']');
}

static void emit_strings(struct json *j, const char *key, const struct str *at, size_t n)
{
    json_kopen(j, key, '[');
    for (size_t i = 0; i < n; i++)
        json_str(j, at[i]);
    json_close(j, ']');
}

/* A number where it is one. */
static void emit_value(struct json *j, const struct evidence *e)
{
    char text[64], *end;

    json_key(j, STR("value"));
    if (!e->unit[0] || e->value.n >= sizeof text) {
        json_str(j, e->value);
        return;
    }
    memcpy(text, e->value.p, e->value.n);
    text[e->value.n] = '\0';
    double v = strtod(text, &end);
    int64_t whole;
    if (*end)
        json_str(j, e->value);
    else if (str_i64(e->value, &whole))
        json_i64(j, whole);
    else
        json_f64(j, v);
}

static void emit_causes(struct json *j, const struct finding *f)
{
    json_kopen(j, "causes", '[');
    for (size_t i = 0; i < f->causes.n; i++)
        json_u64(j, f->causes.at[i].by);
    json_close(j, ']');
    json_kopen(j, "explained", '[');
    for (size_t i = 0; i < f->causes.n; i++) {
        json_open(j, '{');
        json_ku64(j, "rank", f->causes.at[i].by);
        emit_ns(j, "ns", f->causes.at[i].ns);
        json_close(j, '}');
    }
    json_close(j, ']');
    emit_ns(j, "unexplained_ns", finding_unexplained(f));
}

static void emit_finding(struct json *j, const struct finding *f)
{
    json_open(j, '{');
    json_ku64(j, "rank", f->rank);
    json_kstr(j, "rule", str_of(f->rule->name));
    json_kstr(j, "severity", str_of(severity_name(f->severity)));
    json_kstr(j, "layer", str_of(layer_name(f->layer)));
    json_kstr(j, "title", f->title);
    emit_parties(j, "subjects", f->subjects.at, f->subjects.n);
    emit_parties(j, "culprits", f->culprits.at, f->culprits.n);
    emit_strings(j, "hosts", f->hosts.at, f->hosts.n);
    emit_ns(j, "t0_ns", f->t0);
    emit_ns(j, "t1_ns", f->t1);
    emit_ns(j, "cost_ns", f->cost_ns);
    json_kopen(j, "evidence", '[');
    for (size_t i = 0; i < f->evidence.n; i++) {
        const struct evidence *e = &f->evidence.at[i];

        json_open(j, '{');
        json_kstr(j, "what", str_of(e->what));
        emit_value(j, e);
        json_kstr(j, "unit", str_of(e->unit));
        emit_str(j, "where", e->where);
        json_close(j, '}');
    }
    json_close(j, ']');
    emit_causes(j, f);
    json_kstr(j, "remedy", str_of(f->rule->remedy));
    emit_strings(j, "unknown", f->unknown.at, f->unknown.n);
    json_close(j, '}');
}

void diagnosis_json(const struct diagnosis *d, struct json *j)
{
    json_open(j, '{');
    json_kopen(j, "findings", '[');
    for (size_t i = 0; i < d->list.n; i++)
        emit_finding(j, &d->list.at[i]);
    json_close(j, ']');
    emit_strings(j, "blind_spots", d->blind_spots.at, d->blind_spots.n);
    json_close(j, '}');
}

void diagnosis_jsonl(const struct diagnosis *d, FILE *f)
{
    for (size_t i = 0; i < d->list.n; i++) {
        struct json j = { .f = f };

        emit_finding(&j, &d->list.at[i]);
        putc('\n', f);
    }
}

/* --- rows ---------------------------------------------------------------------------------- */

const struct column finding_columns[] = {
    { "rank", "RANK", COL_COUNT, 0, 0, 0 },        { "severity", "SEVERITY", COL_STR, 0, 0, 0 },
    { "rule", "RULE", COL_STR, 0, 0, 0 },          { "title", "WHAT", COL_STR, 0, 0, 0 },
    { "subjects", "OF", COL_LIST, 0, 0, 0 },       { "culprits", "CULPRITS", COL_LIST, 0, 0, 0 },
    { "hosts", "HOSTS", COL_LIST, 0, 0, 0 },       { "t0_ns", "FROM", COL_INSTANT, 0, 0, 0 },
    { "t1_ns", "TO", COL_INSTANT, 0, 0, 0 },       { "cost_ns", "COST", COL_DURATION, 0, 0, 0 },
    { "cause", "EXPLAINED BY", COL_INT, 0, 0, 0 }, { "remedy", "REMEDY", COL_STR, 0, 0, 0 },
    { "layer", "LAYER", COL_STR, 0, 0, 0 },
};
const size_t nfinding_columns = ARRAY_SIZE(finding_columns);

static void party_cell(struct table *t, const struct party *at, size_t n)
{
    VEC(struct str) names = { 0 };

    for (size_t i = 0; i < n; i++)
        *vec_push(&names) = at[i].name;
    table_list(t, names.at, names.n);
    vec_free(&names);
}

void diagnosis_rows(const struct diagnosis *d, struct table *t)
{
    for (size_t i = 0; i < d->list.n; i++) {
        const struct finding *f = &d->list.at[i];

        table_row(t);
        table_count(t, f->rank);
        table_str(t, str_of(severity_name(f->severity)));
        table_str(t, str_of(f->rule->name));
        table_str(t, f->title);
        party_cell(t, f->subjects.at, f->subjects.n);
        party_cell(t, f->culprits.at, f->culprits.n);
        table_list(t, f->hosts.at, f->hosts.n);
        cell_ns(t, f->t0);
        cell_ns(t, f->t1);
        cell_ns(t, f->cost_ns);
        if (f->causes.n)
            table_int(t, (int64_t)f->causes.at[0].by);
        else
            table_null(t);
        table_str(t, str_of(f->rule->remedy));
        table_str(t, str_of(layer_name(f->layer)));
    }
}

/* --- text ---------------------------------------------------------------------------------- */

static void put_parties(struct sbuf *out, const char *title, const struct party *at, size_t n)
{
    enum { SHOWN = 6 };

    if (n == 0)
        return;
    sbuf_fmt(out, "   %-9s ", title);
    for (size_t i = 0; i < n && i < SHOWN; i++) {
        sbuf_fmt(out, "%s%s ", i ? ", " : "", at[i].kind);
        cell_escape(out, at[i].name, "");
    }
    if (n > SHOWN)
        sbuf_fmt(out, " and %zu more", n - SHOWN);
    sbuf_chr(out, '\n');
}

static void put_evidence(struct sbuf *out, const struct evidence *e)
{
    char text[TIME_TEXT];
    int64_t v;

    sbuf_fmt(out, "   %-9s %s: ", "evidence", e->what);
    if (strcmp(e->unit, "ns") == 0 && str_i64(e->value, &v))
        sbuf_z(out, time_human(v, text));
    else
        cell_escape(out, e->value, "");
    if (e->unit[0] && strcmp(e->unit, "ns") != 0)
        sbuf_fmt(out, " %s", e->unit);
    if (e->where.n) {
        sbuf_z(out, "   [");
        cell_escape(out, e->where, "");
        sbuf_chr(out, ']');
    }
    sbuf_chr(out, '\n');
}

static void put_causes(struct sbuf *out, const struct finding *f)
{
    ns_t left = finding_unexplained(f);

    for (size_t i = 0; i < f->causes.n; i++) {
        const struct explanation *e = &f->causes.at[i];

        sbuf_fmt(out, "   %-9s by finding %zu", i ? "and" : "explained", e->by);
        if (e->ns != STORE_NULL && f->cost_ns > 0)
            sbuf_fmt(out, ": %.0f %% of the cost", (double)e->ns / (double)f->cost_ns * 100);
        sbuf_chr(out, '\n');
    }
    if (left != STORE_NULL && f->cost_ns > 0)
        sbuf_fmt(out, "   %-9s %.0f %%\n", "open", (double)left / (double)f->cost_ns * 100);
}

static void put_finding(struct sbuf *out, const struct finding *f)
{
    char text[TIME_TEXT];

    sbuf_fmt(out, "%zu. %s: ", f->rank, severity_name(f->severity));
    cell_escape(out, f->title, "");
    sbuf_chr(out, '\n');
    put_causes(out, f);
    if (f->t0 != STORE_NULL)
        sbuf_fmt(out, "   %-9s %s%s%s\n", "when", time_iso(f->t0, text),
                 f->cost_ns != STORE_NULL ? ", cost " : "",
                 f->cost_ns != STORE_NULL ? time_human(f->cost_ns, (char[TIME_TEXT]){ 0 }) : "");
    put_parties(out, "of", f->subjects.at, f->subjects.n);
    put_parties(out, "culprits", f->culprits.at, f->culprits.n);
    for (size_t i = 0; i < f->evidence.n; i++)
        put_evidence(out, &f->evidence.at[i]);
    sbuf_fmt(out, "   %-9s %s\n", "remedy", f->rule->remedy);
    for (size_t i = 0; i < f->unknown.n; i++) {
        sbuf_fmt(out, "   %-9s ", "not known");
        cell_escape(out, f->unknown.at[i], "");
        sbuf_chr(out, '\n');
    }
    sbuf_fmt(out, "   %-9s neph explain %s\n\n", "rule", f->rule->name);
}

void diagnosis_text(const struct diagnosis *d, struct sbuf *out)
{
    if (diagnosis_count(d, SEVERITY_WARNING) == 0)
        sbuf_z(out, d->list.n ? "Nothing found that is wrong.  Worth to know:\n\n"
                              : "Nothing found that is wrong.\n\n");
    for (size_t i = 0; i < d->list.n; i++)
        put_finding(out, &d->list.at[i]);
    sbuf_z(out, "What could not be seen\n");
    for (size_t i = 0; i < d->blind_spots.n; i++) {
        sbuf_z(out, "- ");
        cell_escape(out, d->blind_spots.at[i], "");
        sbuf_chr(out, '\n');
    }
}
