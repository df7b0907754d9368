/* SPDX-License-Identifier: Apache-2.0
 *
 * scopes_migration.c -- the rows of a migration: stages by host, rounds, curves, downtime. */
#include "serve/scopes_priv.h"

#include <inttypes.h>
#include <math.h>

/* Of one layer, at one host. */
static void put_stages_at(struct filling *f, const struct migration *m, const struct row *like,
                          struct str layer, struct str host)
{
    VEC(struct item) items = { 0 };
    struct row at = *like;

    for (size_t i = 0; i < m->stages.n; i++) {
        const struct mig_stage *st = &m->stages.at[i];

        if (!str_eq(st->layer, layer) || !str_eq(st->host, host))
            continue;
        struct item it = item_of(f, st->t0, st->t1);
        it.label = st->name;
        it.value = shade_of(st->name);
        it.request = m->request;
        it.detail =
            str_of(arena_printf(&f->c->mem, STR_FMT "%s" STR_FMT "%s" STR_FMT, STR_ARG(st->name),
                                st->host.n ? " on " : "", STR_ARG(st->host),
                                st->status.n ? ": " : "", STR_ARG(st->status)));
        *vec_push(&items) = it;
    }
    bool alone = str_starts(sbuf_view(&f->c->key), STR("migration:"));
    at.host = str_dup(&f->c->mem, host).p;
    at.label = str_of(arena_printf(&f->c->mem, STR_FMT "%s" STR_FMT "%s" STR_FMT,
                                   STR_ARG(like->label), host.n ? " on " : "", STR_ARG(host),
                                   alone ? "" : ", ", STR_ARG(alone ? STR("") : m->id)));
    scope_tracks(f->c, items.at, items.n, &at,
                 arena_printf(&f->c->mem, "stages " STR_FMT " " STR_FMT "@" STR_FMT, STR_ARG(layer),
                              STR_ARG(m->id), STR_ARG(host)));
    vec_free(&items);
}

/* The first stage of its layer at its host. */
static bool is_first_at(const struct migration *m, size_t stage)
{
    const struct mig_stage *st = &m->stages.at[stage];

    for (size_t i = 0; i < stage; i++)
        if (str_eq(m->stages.at[i].layer, st->layer) && str_eq(m->stages.at[i].host, st->host))
            return false;
    return true;
}

void put_stages(struct filling *f, const struct migration *m, const char *layer, const char *title,
                const char *of, struct str parent)
{
    struct row like = { .parent = parent,
                        .kind = "stage",
                        .layer = of,
                        .unit = "",
                        .vm = m->vm,
                        .request = m->request };

    set_legend(f, &like, &shade_values);
    like.label = str_of(title);
    for (size_t i = 0; i < m->stages.n; i++) {
        const struct mig_stage *st = &m->stages.at[i];

        if (str_is(st->layer, layer) && is_first_at(m, i))
            put_stages_at(f, m, &like, st->layer, st->host);
    }
}

static void put_rounds(struct filling *f, const struct migration *m, struct str parent)
{
    VEC(struct item) items = { 0 };
    struct row like = { .parent = parent,
                        .kind = "round",
                        .layer = "virtualisation",
                        .host = "",
                        .unit = "",
                        .vm = m->vm,
                        .request = m->request };

    for (size_t i = 0; i < m->rounds.n; i++) {
        const struct mig_round *r = &m->rounds.at[i];
        struct item it = item_of(f, r->t0, r->t1);

        it.label = str_of(arena_printf(&f->c->mem, r->stopped ? "stopped" : "%" PRIu32, r->n));
        it.value = r->stopped ? SHADE_PURPLE : (int64_t)(r->n % 2 ? SHADE_BLUE : SHADE_CYAN);
        it.detail = str_of(arena_printf(&f->c->mem, "round %" PRIu32 ": %" PRId64 " pages to send",
                                        r->n, r->dirty_pages == STORE_NULL ? 0 : r->dirty_pages));
        *vec_push(&items) = it;
    }
    set_legend(f, &like, &shade_values);
    like.label = STR("Rounds");
    scope_tracks(f->c, items.at, items.n, &like,
                 arena_printf(&f->c->mem, "rounds " STR_FMT, STR_ARG(m->id)));
    vec_free(&items);
}

enum round_curve { CURVE_DIRTY, CURVE_DIRTY_RATE, CURVE_TRANSFER, CURVE_THROTTLE, CURVES };

static int64_t whole(double v)
{
    return isfinite(v) && fabs(v) < 9e18 ? llround(v) : STORE_NULL;
}

static int64_t round_number(const struct mig_round *r, enum round_curve c)
{
    switch (c) {
    case CURVE_DIRTY: return r->dirty_pages;
    case CURVE_DIRTY_RATE: return whole(r->dirty_rate);
    case CURVE_TRANSFER: return whole(r->transfer_rate);
    case CURVE_THROTTLE: return r->throttle;
    case CURVES: break;
    }
    return STORE_NULL;
}

static void put_round_curves(struct filling *f, const struct migration *m, struct str parent)
{
    static const struct {
        const char *name, *label, *unit;
    } curves[CURVES] = { { "dirty", "Pages to send", "pages" },
                         { "dirtied", "Written by the guest", "B/s" },
                         { "sent", "Sent", "B/s" },
                         { "throttle", "Throttle", "%" } };

    for (int k = 0; k < CURVES; k++) {
        VEC(struct item) items = { 0 };
        struct row like = { .parent = parent,
                            .kind = "curve",
                            .layer = "virtualisation",
                            .host = "",
                            .unit = curves[k].unit,
                            .vm = m->vm,
                            .curve = true,
                            .label = str_of(curves[k].label) };

        for (size_t i = 0; i < m->rounds.n; i++) {
            struct item it = item_of(f, m->rounds.at[i].t0, m->rounds.at[i].t1);

            it.value = round_number(&m->rounds.at[i], (enum round_curve)k);
            if (it.value != STORE_NULL)
                *vec_push(&items) = it;
        }
        scope_tracks(f->c, items.at, items.n, &like,
                     arena_printf(&f->c->mem, "%s " STR_FMT, curves[k].name, STR_ARG(m->id)));
        vec_free(&items);
    }
}

/* The row of QEMU's stages at a host, among those from 'first' on, where something is at 't', or
 * was before it. */
static uint32_t stage_row(const struct filling *f, size_t first, struct str host, ns_t t)
{
    uint32_t best = UINT32_MAX;
    ns_t latest = NS_MIN;

    for (size_t i = first; i < f->c->rows.n; i++) {
        const struct row *r = &f->c->rows.at[i];

        if (strcmp(r->kind, "stage") != 0 || !str_is(host, r->host))
            continue;
        for (size_t k = 0; k < r->track->items.n; k++)
            if (r->track->items.at[k].t0 <= t && r->track->items.at[k].t0 > latest) {
                latest = r->track->items.at[k].t0;
                best = (uint32_t)i;
            }
    }
    return best;
}

/* What the source's QEMU made happen at the destination. */
static void put_crossings(struct filling *f, const struct migration *m, size_t first)
{
    for (size_t i = 0; i < m->crossings.n; i++) {
        const struct mig_crossing *x = &m->crossings.at[i];
        struct scope_arrow a = { .from = stage_row(f, first, m->source, x->sent),
                                 .to = stage_row(f, first, m->destination, x->received),
                                 .t0 = x->sent,
                                 .t1 = x->received,
                                 .kind = "migration",
                                 .label = str_of(x->what) };

        if (a.from != UINT32_MAX && a.to != UINT32_MAX)
            scope_arrow(f->s, f->c, &a, m->source_host, m->destination_host);
    }
}

/* Stages, rounds and curves. */
void put_migration(struct filling *f, const struct migration *m, struct str parent)
{
    put_stages(f, m, "nova", "Nova", "application", parent);
    size_t first = f->c->rows.n;
    put_stages(f, m, "qemu", "QEMU", "virtualisation", parent);
    put_crossings(f, m, first);
    put_stages(f, m, "", "Stages", "virtualisation", parent);
    put_rounds(f, m, parent);
    put_round_curves(f, m, parent);
}

void put_downtimes(struct filling *f, const struct migration *m, struct str parent)
{
    VEC(struct item) items = { 0 };
    struct row like = { .parent = parent,
                        .kind = "downtime",
                        .layer = "virtualisation",
                        .host = "",
                        .unit = "",
                        .vm = m->vm,
                        .label = STR("Parts of the downtime") };

    for (size_t i = 0; i < m->parts.n; i++) {
        struct item it = item_of(f, m->parts.at[i].t0, m->parts.at[i].t1);

        it.label = it.detail = m->parts.at[i].name;
        it.value = shade_of(it.label);
        *vec_push(&items) = it;
    }
    set_legend(f, &like, &shade_values);
    scope_tracks(f->c, items.at, items.n, &like,
                 arena_printf(&f->c->mem, "downtime " STR_FMT, STR_ARG(m->id)));
    vec_free(&items);
}
