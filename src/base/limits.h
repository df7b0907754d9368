/* SPDX-License-Identifier: Apache-2.0
 *
 * limits.h -- every bound that protects us from our input, in one place.
 *
 * A number read from a file is compared with one of these before it is used
 * as a size, a count or a depth.  Going over a limit is an error (E_LIMIT) or
 * a note that says which limit, never a crash and never silent. */
#ifndef BASE_LIMITS_H
#define BASE_LIMITS_H

#define LIMIT_METADATA_BYTES (256u << 20) /* a TSDL or JSON metadata file                  */
#define LIMIT_TYPE_DEPTH 64               /* nesting of types, values and scopes            */
#define LIMIT_EVENT_CLASSES (1u << 20)    /* event classes of one trace                     */
#define LIMIT_FIELDS (1u << 20)           /* leaf fields of one trace, all classes          */
#define LIMIT_DIR_DEPTH 24                /* folders below a path given by the user         */
#define LIMIT_TRACES 4096                 /* traces opened together                         */
#define LIMIT_STREAM_FILES 65536          /* stream files of one trace                      */
#define LIMIT_NOTES 512                   /* distinct notes kept; the rest are counted      */
#define LIMIT_LINE_BYTES (16u << 20)      /* one line of a text input                       */
#define LIMIT_LOG_FACT_BYTES (1u << 20)   /* one log message that we look into              */
#define LIMIT_OPEN_TASKS (1u << 20)       /* tasks started and not ended, all hosts         */
#define LIMIT_JSON_DEPTH 64               /* nesting of JSON inside a log message           */
#define LIMIT_BASELINE_BYTES (64 << 20)   /* a file of `neph baseline save`                */
#define LIMIT_BASELINE_FIGURES (1 << 16)  /* figures in it                                  */
#define LIMIT_HTTP_TARGET (64u << 10)     /* path and query of a request                    */
#define LIMIT_HTTP_BODY (1u << 20)        /* body of a request                              */
#define LIMIT_HTTP_ARGS 4096              /* arguments of a request                         */
#define LIMIT_HTTP_PIXELS 8192            /* columns of a strip                             */
#define LIMIT_HTTP_ROWS 2048              /* rows of a request                              */
#define LIMIT_HTTP_CELLS (1u << 20)       /* rows of a request times columns                */

#endif
