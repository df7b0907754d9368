/* SPDX-License-Identifier: Apache-2.0
 *
 * offline.h -- the page and the answers that it needs in one file, for those who have neither the
 * traces nor a server. */
#ifndef SERVE_OFFLINE_H
#define SERVE_OFFLINE_H

#include "serve/serve.h"

/* Writes the report on 'src', made of the traces 'paths' with so many events by host, as HTML: the
 * page's script and style, and what the server would have answered, as data.  Nothing in it is
 * loaded from elsewhere.  It is a few MB at most: what did not fit is named in it.  Returns 0, or
 * -E_UNSUP if this program was built without the page. */
int offline_write(const struct report_src *src, const struct serve_totals *totals,
                  const char *const *paths, size_t npaths, struct sbuf *out, struct err *err);

#endif
