/* SPDX-License-Identifier: Apache-2.0
 *
 * analyse.h -- opening the traces and running all analyses, for the commands
 * that report on the result. */
#ifndef CLI_ANALYSE_H
#define CLI_ANALYSE_H

#include "cli/cmd.h"
#include "engine/engine.h"
#include "report/clocks.h"
#include "report/sections.h"
#include "serve/serve.h"

struct analysed {
    struct keep *keep;
    struct cloud cloud;
    struct clocks clocks;
    struct arena mem;
    struct src_index vms;
    struct report_src src; /* with the user's filters */
};

/* Opens the arguments from number 'first' on and analyses them.  Returns 0, or an
 * exit code after it has said why; analysed_free() in any case. */
int cli_analyse(struct ctx *c, size_t first, struct analysed *ret);
/* The same for somebody who watches. */
int cli_analyse_watched(struct ctx *c, size_t first, const struct engine_watch *watch,
                        struct analysed *ret);
/* The same when they are open already. */
int cli_analyse_opened(struct ctx *c, struct analysed *ret);
/* What was read, after that. */
struct summary_facts cli_facts(const struct ctx *c);
/* Do the options on histories go together?  RC_USAGE, said, if not. */
int cli_keep_check(const struct ctx *c);
/* Where histories are kept, as they say. */
struct keep *cli_keep(struct ctx *c);
/* What was read of each host, in the order of the histories; lives as long as 'a'. */
const struct serve_totals *analysed_totals(struct analysed *a, const struct experiment *x);
void analysed_free(struct analysed *a);

#endif
