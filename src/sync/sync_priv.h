/* SPDX-License-Identifier: Apache-2.0
 *
 * sync_priv.h -- what the files of this folder share.
 *
 * A pair's messages are points: x is a's clock since the pair's first message, d is
 * how much more b's clock has advanced since then.  So slopes are small numbers (some
 * ppm), and a double has them exactly enough: 1e-5 ns in a day.  An 'upper' point (a
 * message from a to b) lies above the true curve, a lower one below it. */
#ifndef SYNC_SYNC_PRIV_H
#define SYNC_SYNC_PRIV_H

#include "base/mem.h"
#include "base/str.h"
#include "sync/sync.h"

enum { CELLS = 256 };

/* |x|, |d| < 2^61: a cross product fits in 128 bits. */
#define POINT_LIMIT (INT64_C(1) << 60)

struct point {
    int64_t x, d;
    bool upper, wrong;
    uint8_t group; /* a message's number modulo SYNC_GROUPS */
};

typedef __int128 wide_t;

/* The messages of a stretch of time: of each direction and group those that limit a
 * line most (the outermost layers of the convex hull). */
struct cell {
    int64_t x0, x1;
    uint64_t count;
    VEC(struct point) points;
    size_t peel_at; /* number of points at which it is time to peel */
};

/* The straight lines that go between upper and lower points, which come in order of
 * x.  A line exists if 'least' <= 'greatest', the slopes of the extreme ones. */
struct corridor {
    VEC(struct point) lower, upper; /* the convex hulls that face each other */
    double least, greatest;
    struct point least_at[2], greatest_at[2]; /* the points that each line joins */
    int64_t first, last;                      /* x                                */
    uint32_t nlower, nupper;                  /* points that were added           */
};

/* An offset is a slope times 1e18: the slope has all bits that there are. */
struct line {
    long double slope; /* of d over x */
    int64_t x;         /* a point on it */
    double d;
};

struct piece {
    int64_t x0, x1;
    struct line least, greatest;
    bool fitted; /* from both directions */
};

/* Bounds of d for a stretch of x: straight between its ends. */
struct stretch {
    int64_t x0, x1;
    double lo0, lo1, hi0, hi1; /* -HUGE_VAL, HUGE_VAL: open */
};

struct pair {
    struct sync_pair info;
    ns_t a0, b0;
    uint64_t far;         /* messages beyond POINT_LIMIT */
    uint64_t directed[2]; /* messages from b, from a     */
    VEC(struct cell) cells;
    uint64_t quota; /* messages of a new cell */
    /* After fitting: y's clock as a function of x's, which are a's and b's or turned round. */
    bool turned;
    bool in_tree; /* makes a host's polygon */
    uint32_t x_host, y_host;
    ns_t x0, y0;
    VEC(struct point) points; /* of all cells, by x */
    VEC(struct piece) pieces;
    VEC(struct stretch) stretches;
    /* Rates of d before the first and after the last message: [least, greatest]. */
    double outside[2][2];
};

/* What bound.c and steady.c have in common: the messages of one group of a pair. */
struct bounding {
    const struct pair *p;
    double wander, drift;
    int64_t calm;
    unsigned group, groups;
    bool has[2];   /* lower, upper points */
    size_t n;      /* stretches      */
    size_t *begin; /* first points */
};
static inline bool in_group(const struct bounding *b, const struct point *q)
{
    unsigned g = q->group < b->groups ? q->group : b->groups - 1;

    return !q->wrong && (b->groups == 1 || g == b->group);
}
/* Bounds a stretch by single points, 'from' to 'to', of which the corridor is: a wedge opens from
 * each to both sides. */
void bound_wedge(const struct bounding *b, size_t from, size_t to, const struct corridor *c,
                 struct stretch *s);
void bound_unite(struct stretch *s, const struct stretch *o);
/* Adds the bounds of one group to 'ret' if one line fits to all of it. */
bool bound_steady(const struct bounding *b, struct pair *p, struct stretch *ret,
                  const struct stretch *empty);

/* A polygon from one clock to another, both growing. */
struct poly_knot {
    ns_t x;
    long double y;
};
struct poly {
    VEC(struct poly_knot) knots; /* none: the identity */
};

struct sync {
    struct sync_options o;
    uint32_t nhosts;
    struct map64 index; /* (a, b) -> pair */
    VEC(struct pair) pairs;
    uint32_t last_pair;
    struct sync_clock *clocks;
    uint32_t reference;
};

/* pair.c */
void pair_add(struct pair *p, bool upper, ns_t a, ns_t b);
void pair_free(struct pair *p);
size_t pair_bytes(const struct pair *p);
/* Collects the points of all cells, by x, which is b's clock if 'turned'. */
void pair_collect(struct pair *p, bool turned);

/* corridor.c */
void corridor_reset(struct corridor *c);
void corridor_free(struct corridor *c);
bool corridor_fits(const struct corridor *c, const struct point *p, double wander, double drift);
void corridor_add(struct corridor *c, const struct point *p);
bool corridor_ok(const struct corridor *c, double wander, double drift);
/* The bounds of d from 'x0' to 'x1', which are no earlier than any point. */
void corridor_at(const struct corridor *c, double wander, double drift, struct stretch *ret);

/* fit.c: finds wrong points and pieces; bound.c, steady.c: stretches */
void pair_fit(struct pair *p, const struct sync_options *o);
void pair_bound(struct pair *p, const struct sync_options *o, unsigned doubt);

/* poly.c */
ns_t ns_of(long double t); /* to the nearest, saturated */
/* Of d over x: the mean of the extreme lines over x, or over y (which is another). */
long double piece_slope(const struct piece *s, bool over_y);
long double piece_at(const struct piece *s, long double x, bool over_y);
/* The pair's polygon, to the clock that is nearer to the reference: y's clock from x's, or
 * x's from y's.  The mean is one over the nearer clock. */
void pair_poly(const struct pair *p, bool from_x, struct poly *ret);
/* Beyond their ends polygons go on with a slope of 1. */
long double poly_at(const struct poly *p, long double x);
long double poly_from(const struct poly *p, long double y);
void poly_compose(const struct poly *first, const struct poly *then, struct poly *ret);

/* close.c: makes the clocks of all hosts that have a polygon to the reference's clock. */
void sync_close(struct sync *s, const struct poly *polys, const bool *reached);

#endif
