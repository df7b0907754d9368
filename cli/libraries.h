/* SPDX-License-Identifier: Apache-2.0
 *
 * libraries.h -- the libraries that are loaded, and their versions. */
#ifndef CLI_LIBRARIES_H
#define CLI_LIBRARIES_H

enum { LIBRARIES = 3 };

struct library {
    const char *name;
    char version[32];
};

void libraries_get(struct library ret[static LIBRARIES]);

#endif
