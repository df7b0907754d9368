/* SPDX-License-Identifier: Apache-2.0
 *
 * work_priv.h -- answers that are kept: between work.c, which keeps them, and http.c, which sends
 * them without a copy. */
#ifndef SERVE_WORK_PRIV_H
#define SERVE_WORK_PRIV_H

#include "serve/serve_priv.h"

/* Freed when it is neither kept nor sent any more. */
struct kept {
    struct sbuf key, body;
    const char *type;
    bool gzip;
    uint64_t hash, used;
    _Atomic unsigned users;
};
/* To be released; NULL: it is not kept. */
struct kept *work_kept(struct work *w, struct str key);
void kept_release(struct kept *k);

#endif
