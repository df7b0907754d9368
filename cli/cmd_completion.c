/* SPDX-License-Identifier: Apache-2.0
 *
 * cmd_completion.c -- shell completions, written from the tables of options. */
#include "cli/cmd.h"

#include <stdio.h>
#include <string.h>

/* Calls 'put' for every option that the command takes. */
static void each_option(const struct cmd *cmd, void (*put)(const struct cmd *, const struct opt *))
{
    for (size_t i = 0; i < cmd->noptions; i++)
        put(cmd, &cmd->options[i]);
    for (size_t i = 0; i < nglobal_options; i++)
        if (cmd_takes(cmd, &global_options[i]))
            put(cmd, &global_options[i]);
}

static const char *choices_of(const struct cmd *cmd, const struct opt *o)
{
    return o->group == GROUP_OUTPUT ? cmd->outputs : o->choices;
}

/* "a|b" as "a b" */
static void put_words(const char *choices)
{
    for (; *choices; choices++)
        putchar(*choices == '|' ? ' ' : *choices);
}

/* Text between single quotes of a shell, without those that would end it. */
static void put_quoted(const char *s, const char *also_escaped)
{
    for (; *s; s++) {
        if (*s == '\'') {
            fputs("'\\''", stdout);
            continue;
        }
        if (strchr(also_escaped, *s))
            putchar('\\');
        putchar(*s);
    }
}

/* --- bash ---------------------------------------------------------------------- */

static void bash_word(const struct cmd *cmd, const struct opt *o)
{
    (void)cmd;
    printf(" --%s", o->name);
    if (o->letter)
        printf(" -%c", o->letter);
}

static void bash_values(const struct cmd *cmd, const struct opt *o)
{
    const char *choices = choices_of(cmd, o);

    if (!choices)
        return;
    printf("        %s:--%s", cmd->name, o->name);
    if (o->letter)
        printf("|%s:-%c", cmd->name, o->letter);
    printf(") words='");
    put_words(choices);
    printf("' ;;\n");
}

static void bash(void)
{
    printf(
        "# bash completion of neph; source it, or install it as completions/neph\n"
        "_neph()\n{\n"
        "    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} cmd= words= i\n"
        "    for ((i = 1; i < COMP_CWORD; i++)); do\n"
        "        [[ ${COMP_WORDS[i]} != -* ]] && { cmd=${COMP_WORDS[i]}; break; }\n"
        "    done\n"
        "    case $cmd:$prev in\n");
    for (size_t i = 0; i < ncmds; i++)
        each_option(cmds[i], bash_values);
    printf("    esac\n"
           "    if [[ -z $words && $cur == -* ]]; then\n"
           "        case $cmd in\n");
    for (size_t i = 0; i < ncmds; i++) {
        printf("            %s) words='", cmds[i]->name);
        each_option(cmds[i], bash_word);
        printf("' ;;\n");
    }
    printf("        esac\n"
           "    elif [[ -z $words && -z $cmd ]]; then\n"
           "        words='");
    for (size_t i = 0; i < ncmds; i++)
        printf("%s%s", i ? " " : "", cmds[i]->name);
    printf("'\n"
           "    elif [[ -z $words ]]; then\n"
           "        case $cmd in\n");
    for (size_t i = 0; i < ncmds; i++)
        if (cmds[i]->choices) {
            printf("            %s) words='", cmds[i]->name);
            put_words(cmds[i]->choices);
            printf("' ;;\n");
        }
    printf("            help) words='");
    for (size_t i = 0; i < ncmds; i++)
        printf("%s%s", i ? " " : "", cmds[i]->name);
    printf("' ;;\n"
           "        esac\n"
           "    fi\n"
           "    COMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n"
           "}\n"
           "complete -o default -F _neph neph\n");
}

/* --- zsh ------------------------------------------------------------------------ */

static void zsh_spec(const struct opt *o, const char *choices, const char *dashed)
{
    printf(" \\\n            '%s%s[", o->kind == OPT_LIST ? "*" : "", dashed);
    put_quoted(o->help, "[]:");
    putchar(']');
    if (o->arg) {
        putchar(':');
        put_quoted(o->arg, "[]:");
        putchar(':');
        if (choices) {
            putchar('(');
            put_words(choices);
            putchar(')');
        } else if (!strcmp(o->arg, "DIR")) {
            printf("_files -/");
        }
    }
    putchar('\'');
}

static void zsh_option(const struct cmd *cmd, const struct opt *o)
{
    char dashed[64];

    snprintf(dashed, sizeof dashed, "--%s%s", o->name, o->arg ? "=" : "");
    zsh_spec(o, choices_of(cmd, o), dashed);
    if (o->letter) {
        snprintf(dashed, sizeof dashed, "-%c%s", o->letter, o->arg ? "+" : "");
        zsh_spec(o, choices_of(cmd, o), dashed);
    }
}

static void zsh(void)
{
    printf("#compdef neph\n"
           "_neph() {\n"
           "    local -a commands\n"
           "    commands=(\n");
    for (size_t i = 0; i < ncmds; i++) {
        printf("        '%s:", cmds[i]->name);
        put_quoted(cmds[i]->summary, ":");
        printf("'\n");
    }
    printf("    )\n"
           "    if (( CURRENT == 2 )); then\n"
           "        _describe command commands\n"
           "        _files\n"
           "        return\n"
           "    fi\n"
           "    local cmd=$words[2]\n"
           "    shift words\n"
           "    (( CURRENT-- ))\n"
           "    case $cmd in\n");
    for (size_t i = 0; i < ncmds; i++) {
        printf("        %s)\n            _arguments -s", cmds[i]->name);
        each_option(cmds[i], zsh_option);
        if (cmds[i]->choices) {
            printf(" \\\n            '1:%s:(", cmds[i]->name);
            put_words(cmds[i]->choices);
            printf(")'");
        }
        printf(" \\\n            '*:path:_files' ;;\n");
    }
    printf("    esac\n"
           "}\n"
           "_neph \"$@\"\n");
}

/* --- fish ----------------------------------------------------------------------- */

static void fish_option(const struct cmd *cmd, const struct opt *o)
{
    const char *choices = choices_of(cmd, o);

    printf("complete -c neph -n '__fish_seen_subcommand_from %s' -l %s", cmd->name, o->name);
    if (o->letter)
        printf(" -s %c", o->letter);
    if (o->arg)
        printf(" -r");
    if (choices) {
        printf(" -f -a '");
        put_words(choices);
        putchar('\'');
    }
    printf(" -d '");
    put_quoted(o->help, "");
    printf("'\n");
}

static void fish(void)
{
    printf("# fish completion of neph; install it as completions/neph.fish\n");
    for (size_t i = 0; i < ncmds; i++) {
        printf("complete -c neph -n __fish_use_subcommand -a %s -d '", cmds[i]->name);
        put_quoted(cmds[i]->summary, "");
        printf("'\n");
        each_option(cmds[i], fish_option);
        if (cmds[i]->choices) {
            printf("complete -c neph -n '__fish_seen_subcommand_from %s' -a '", cmds[i]->name);
            put_words(cmds[i]->choices);
            printf("'\n");
        }
    }
}

static int run(struct ctx *c)
{
    if (!strcmp(c->args[0], "bash"))
        bash();
    else if (!strcmp(c->args[0], "zsh"))
        zsh();
    else if (!strcmp(c->args[0], "fish"))
        fish();
    else {
        ctx_error(c, "completion takes bash, zsh or fish, not '%s'", c->args[0]);
        return RC_USAGE;
    }
    return RC_OK;
}

const struct cmd cmd_completion = {
    .name = "completion",
    .summary = "completions for a shell",
    .args = "bash|zsh|fish",
    .about = "Writes a script that completes commands and options. For bash: source <(neph "
             "completion bash).",
    .choices = "bash|zsh|fish",
    .min_args = 1,
    .max_args = 1,
    .run = run,
};
