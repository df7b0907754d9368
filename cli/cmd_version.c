/* SPDX-License-Identifier: Apache-2.0
 *
 * cmd_version.c -- what to write into a bug report. */
#include "cli/cmd.h"

#include "cli/libraries.h"

#include <stdio.h>

#ifndef NEPH_VERSION
#define NEPH_VERSION "unknown"
#endif

#ifdef __OPTIMIZE__
#define OPTIMIZED "optimised"
#else
#define OPTIMIZED "not optimised"
#endif

#ifdef __SANITIZE_ADDRESS__
#define SANITIZED ", sanitizers"
#else
#define SANITIZED ""
#endif

#ifdef __clang__
#define COMPILER __VERSION__
#else
#define COMPILER "gcc " __VERSION__
#endif

static int run(struct ctx *c)
{
    struct library libs[LIBRARIES];

    libraries_get(libs);
    if (ctx_output_is(c, "json")) {
        struct json j = { .f = stdout, .pretty = true };

        json_open(&j, '{');
        json_ku64(&j, "schema_version", 1);
        json_kstr(&j, "version", str_of(NEPH_VERSION));
        json_kstr(&j, "build", str_of(COMPILER ", " OPTIMIZED SANITIZED));
        json_kopen(&j, "libraries", '{');
        for (size_t i = 0; i < ARRAY_SIZE(libs); i++)
            json_kstr(&j, libs[i].name, str_of(libs[i].version));
        json_close(&j, '}');
        json_close(&j, '}');
        putchar('\n');
        return RC_OK;
    }
    printf("neph %s\nbuilt with %s\n", NEPH_VERSION, COMPILER ", " OPTIMIZED SANITIZED);
    for (size_t i = 0; i < ARRAY_SIZE(libs); i++)
        printf("%s %s\n", libs[i].name, libs[i].version);
    return RC_OK;
}

const struct cmd cmd_version = {
    .name = "version",
    .summary = "version, build, libraries",
    .args = "",
    .about = "Tells the version, how it was built, and the versions of the libraries in use.",
    .outputs = "text|json",
    .max_args = 0,
    .run = run,
};
