/* SPDX-License-Identifier: Apache-2.0
 *
 * secret.h -- keeps tokens and passwords out of what we show.
 *
 * Debug logs of OpenStack hold live credentials: token headers, console tokens
 * in URLs, passwords in connection strings and in dumped dictionaries.
 * Masking is by what stands in front of a value (a name such as X-Auth-Token or
 * adminPass) or by the form of the value itself (Fernet tokens, key blocks).
 * Ids of requests and of resources are never touched. */
#ifndef MODEL_SECRET_H
#define MODEL_SECRET_H

#include "base/str.h"

/* If 'in' holds secrets, appends the whole text to 'out' with "***" in place of
 * each, and returns true.  Returns false, 'out' untouched, if there are none. */
bool secret_mask(struct str in, struct sbuf *out);

#endif
