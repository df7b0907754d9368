/* SPDX-License-Identifier: Apache-2.0
 *
 * libraries.c -- see libraries.h. */
#include "cli/libraries.h"

#include <expat.h>
#include <jansson.h>
#include <stdio.h>
#include <xxhash.h>

void libraries_get(struct library ret[static LIBRARIES])
{
    unsigned v = XXH_versionNumber();
    const char *expat = XML_ExpatVersion(); /* "expat_2.5.0" */

    ret[0].name = "xxhash";
    snprintf(ret[0].version, sizeof ret[0].version, "%u.%u.%u", v / 10000, v / 100 % 100, v % 100);
    ret[1].name = "jansson";
    snprintf(ret[1].version, sizeof ret[1].version, "%s", jansson_version_str());
    ret[2].name = "expat";
    while (*expat && (*expat < '0' || *expat > '9'))
        expat++;
    snprintf(ret[2].version, sizeof ret[2].version, "%s", expat);
}
