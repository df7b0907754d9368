/* SPDX-License-Identifier: Apache-2.0
 *
 * content.h -- what is sent: its type, and whether it is compressed.
 *
 * To compress an answer at level 1 takes 0.5 to 0.9 ms for each 100 kB and leaves a fourth of it:
 * worth it over a network, a loss where the client is on this machine.  The page's files are
 * compressed when the program is built, for whoever takes them so. */
#ifndef SERVE_CONTENT_H
#define SERVE_CONTENT_H

#include "serve/serve_priv.h"

#include <sys/socket.h>

/* By the end of its name. */
const char *content_type(struct str name);
/* Does a client with that Accept-Encoding (may be NULL) take gzip? */
bool content_takes_gzip(const char *accept);
/* Is the client on another machine?  'forwarded': a proxy says that it asks for somebody. */
bool content_is_far(const struct sockaddr *peer, bool forwarded);
/* The same body, if it is large enough to be worth it. */
void content_compress(struct reply *r);

#endif
