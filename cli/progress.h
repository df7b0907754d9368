/* SPDX-License-Identifier: Apache-2.0
 *
 * progress.h -- one line on stderr while something takes long.
 *
 * Shown only on a terminal, only after a second, and wiped before anything
 * else is written. */
#ifndef CLI_PROGRESS_H
#define CLI_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

void progress_init(bool wanted);
/* So many 'what' were done.  Cheap enough for every thousandth event. */
void progress_step(uint64_t done, const char *what);
void progress_clear(void);
void progress_clear_from_signal(void);

#endif
