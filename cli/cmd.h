/* SPDX-License-Identifier: Apache-2.0
 *
 * cmd.h -- what a command is, and what it gets when it runs.
 *
 * A command is one file, cli/cmd_NAME.c, that holds one 'const struct cmd'; a
 * line in cli/cmd_list.c makes it known.  Its options are rows of a table: the
 * same rows parse the command line and make --help, the error messages and the
 * shell completions.
 *
 *   struct top_opts { uint64_t width; bool all; };
 *   static const struct opt options[] = {
 *       { "width", 'w', "N", "Columns to use", OPT_COUNT, offsetof(struct top_opts, width) },
 *       { "all", 'a', NULL, "Idle ones too", OPT_FLAG, offsetof(struct top_opts, all) },
 *   };
 *
 * Data goes to stdout, everything else to stderr.  A command returns one of
 * the exit codes; main() adds what all have in common: the notes, --strict,
 * errors of stdout. */
#ifndef CLI_CMD_H
#define CLI_CMD_H

#include "base/notes.h"
#include "input/experiment.h"
#include "report/table.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum exit_code {
    RC_OK = 0,
    RC_FINDINGS = 1, /* findings at or above --fail-on                         */
    RC_USAGE = 2,
    RC_IO = 3,        /* nothing readable, or the output could not be written   */
    RC_PARTIAL = 4,   /* --strict: the traces are not complete                  */
    RC_NOT_FOUND = 5, /* the thing asked for is not in the traces               */
    RC_INTERNAL = 70,
    RC_INTERRUPTED = 130,
};

enum opt_kind {
    OPT_FLAG,   /* bool                                  */
    OPT_TEXT,   /* const char *; the last one wins       */
    OPT_LIST,   /* struct opt_list; may be repeated      */
    OPT_COUNT,  /* uint64_t                              */
    OPT_NUMBER, /* double                                */
    OPT_CHOICE, /* const char *, one of 'choices'        */
};

struct opt {
    const char *name; /* without the dashes */
    char letter;      /* 0 = none           */
    const char *arg;  /* "GLOB"; NULL = none */
    const char *help;
    enum opt_kind kind;
    size_t offset;       /* of the value in the command's (or the global) struct */
    const char *choices; /* "always|never" */
    unsigned group;      /* of a global option: enum opt_group; 0 = every command's */
};

struct opt_list {
    const char **at;
    size_t n, cap;
};

/* Which global options mean something to a command. */
enum opt_group {
    GROUP_LISTING = 1, /* -c --no-headers --sort                       */
    GROUP_LIMIT = 2,   /* --limit                                      */
    GROUP_TIME = 4,    /* -b -e -r                                     */
    GROUP_HOST = 8,    /* --host GLOB, --host NAME=PATH                */
    GROUP_VM = 16,     /* --vm                                         */
    GROUP_REQUEST = 32,
    GROUP_SECRETS = 64,  /* --show-secrets                               */
    GROUP_OUTPUT = 128,  /* -o; set for commands that have 'outputs'     */
    GROUP_HISTORY = 256, /* --history --rebuild --no-cache --sync ...: commands that analyse */
};

struct global_opts {
    const char *output, *columns, *sort;
    bool no_headers;
    uint64_t limit;
    const char *begin, *end, *range;
    struct opt_list host;
    const char *vm, *request;
    bool show_secrets;
    const char *history;
    bool rebuild, no_cache;
    const char *sync, *reference;
    double wander;
    const char *color;
    bool quiet, verbose, no_progress, strict, help, version;
};

struct ctx;
struct sections;

struct cmd {
    const char *name;
    const char *summary; /* half a line, for lists of commands                  */
    const char *args;    /* "PATH..."                                           */
    const char *about;   /* paragraphs for --help                               */
    const char *outputs; /* "table|json": what -o takes, the default first; NULL = no -o */
    unsigned groups;     /* enum opt_group                                      */
    const struct opt *options;
    size_t noptions, opts_size;
    size_t min_args, max_args; /* max 0 = any number                            */
    const char *choices;       /* of the first argument, for completion; NULL   */
    int (*run)(struct ctx *c);
    /* When the command line is wrong: the exit code instead of 'rc'; NULL: 'rc'. */
    int (*misused)(struct ctx *c, int rc);
};

#define TABLE_OUTPUTS "table|wide|json|jsonl|csv|value"

/* What a run of a command has at hand. */
struct ctx {
    const struct cmd *cmd;
    struct global_opts g;
    void *opts; /* the command's own struct, filled */
    const char **args;
    size_t nargs;
    struct table_opts table; /* from -o, -c, --no-headers, --sort and --limit */

    /* after cli_open(), see cli/open.h */
    struct notes notes;
    struct experiment x;
    bool is_open;
    struct experiment_host *said_hosts; /* --host NAME=PATH */
    size_t nsaid_hosts;
    struct experiment_says says;
    struct span span; /* that -b, -e and -r select                          */
    ns_t origin;      /* the first event; only known when a time was asked for */
    bool partial;     /* something is missing: see --strict                 */
};

extern const struct cmd *const cmds[];
extern const size_t ncmds;
extern const struct cmd *const cmd_default; /* of `neph PATH...` */
const struct cmd *cmd_find(const char *name);

extern const struct opt global_options[];
extern const size_t nglobal_options;

/* Does the command take this global option? */
bool cmd_takes(const struct cmd *cmd, const struct opt *o);

/* True if -o (or its default) is 'format'. */
bool ctx_output_is(const struct ctx *c, const char *format);

/* "neph CMD: <sentence>" on stderr. */
void ctx_error(const struct ctx *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* What was last said so; "" before. */
const char *ctx_last_error(void);
/* "neph: <sentence>" on stderr. */
/* Ends the program with a sentence when a file that it reads is shortened. */
void sigbus_catch(void);
void say_error(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* Prints a table to stdout as the options say; 0 or an exit code. */
int ctx_print_table(const struct ctx *c, const struct table *t);
/* The same of a report of several tables. */
int ctx_print_sections(const struct ctx *c, const struct sections *s);
/* Will colours be written to this stream? */
bool use_color(const struct ctx *c, FILE *f);
/* Nobody reads stdout any more, or it is full: stop. */
bool stdout_failed(void);

/* cli/opt.c: fills c->g, c->opts and c->args; 0 or RC_USAGE after it has said why. */
int opt_parse(struct ctx *c, int argc, char **argv);
void opt_help(const struct cmd *cmd, bool color);
void opt_overview(bool color);
/* The best match for a mistyped word among the commands, or NULL. */
const char *cmd_nearest(const char *word);

#endif
