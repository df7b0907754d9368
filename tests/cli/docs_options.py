#!/usr/bin/env python3
"""Do the manual pages and --help name the same commands and options?

usage: docs_options.py path/to/neph

Also looks whether the shell completions name all of them, and, where these
shells are, whether the shells accept the scripts.
"""

import glob
import os
import re
import shutil
import subprocess
import sys

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
DOCS = os.path.join(TOP, "docs")


def output(argv):
    p = subprocess.run(argv, capture_output=True, text=True)
    return p.stdout if p.returncode == 0 else ""


def commands(neph):
    text = output([neph, "help"]).split("\nCommands\n")[1].split("\n\n")[0]
    return [line.split()[0] for line in text.splitlines()]


def help_options(neph, cmd):
    """{(letter, name, argument)} of --help."""
    found = re.findall(r"^  (?:-(\w), |    )--([a-z-]+)(?: (\S+))?", output([neph, cmd, "--help"]),
                       re.MULTILINE)
    return set(found)


def page_options(path):
    """The same of a page's source: "*-o*, *--output* _FORMAT_" at the start of a line."""
    with open(path, encoding="utf-8") as f:
        text = f.read()
    found = re.findall(r"^(?:\*-(\w)\*, )?\*--([a-z-]+)\*(?: _(\S+)_)?$", text, re.MULTILINE)
    return set(found)


def page(cmd):
    return os.path.join(DOCS, "neph-%s.1.scd" % cmd)


def report(name, problems):
    print("%s %s" % ("not ok" if problems else "ok", name))
    for x in problems:
        print("# " + x)


def check_pages(neph, cmds):
    everything = set()
    for cmd in cmds:
        options = help_options(neph, cmd)
        everything |= options
        problems = [] if options else ["--help names no option"]
        if not os.path.exists(page(cmd)):
            report("manual of " + cmd, ["there is no " + page(cmd)])
            continue
        written = page_options(page(cmd))
        problems += ["not in the page: %s" % (o,) for o in sorted(options - written)]
        problems += ["not in --help: %s" % (o,) for o in sorted(written - options)]
        with open(page(cmd), encoding="utf-8") as f:
            first = f.readline().strip()
        if first != "neph-%s(1)" % cmd:
            problems.append("the page begins with %r" % first)
        report("manual of " + cmd, problems)

    with open(os.path.join(DOCS, "neph.1.scd"), encoding="utf-8") as f:
        text = f.read()
    main = {o[1] for o in page_options(os.path.join(DOCS, "neph.1.scd"))} - {"version"}
    # What every command takes, and what several take in the same form.
    common = set.intersection(*(help_options(neph, c) for c in cmds))
    problems = ["a common option is not in neph(1): --" + o[1] for o in common if o[1] not in main]
    problems += ["in neph(1), and of no command: --" + n for n in sorted(main)
                 if n not in {o[1] for o in everything}]
    problems += ["neph-%s(1) is not in neph(1)" % c for c in cmds
                 if text.count("*neph-%s*(1)" % c) < 2]
    pages = {os.path.basename(p)[5:-6] for p in glob.glob(os.path.join(DOCS, "neph-*.1.scd"))}
    problems += ["a page of no command: " + p for p in sorted(pages - set(cmds))]
    report("manual of neph", problems)


def check_references():
    """Pages that are referred to exist."""
    problems = []
    for path in sorted(glob.glob(os.path.join(DOCS, "*.scd"))):
        with open(path, encoding="utf-8") as f:
            for name in re.findall(r"\*(neph[a-z-]*)\*\(1\)", f.read()):
                if not os.path.exists(os.path.join(DOCS, name + ".1.scd")):
                    problems.append("%s refers to %s(1)" % (os.path.basename(path), name))
    report("references between pages", problems)


def check_completions(neph, cmds):
    for shell in ("bash", "zsh", "fish"):
        text = output([neph, "completion", shell])
        words = {("bash"): r"--%s\b", "zsh": r"--%s\b", "fish": r"-l %s\b"}[shell]
        problems = []
        for cmd in cmds:
            if not re.search(r"\b%s\b" % cmd, text):
                problems.append("no command " + cmd)
            problems += ["%s: no option --%s" % (cmd, o[1]) for o in help_options(neph, cmd)
                         if not re.search(words % o[1], text)]
        if shutil.which(shell):
            p = subprocess.run([shell, "-n"], input=text, capture_output=True, text=True)
            if p.returncode != 0:
                problems.append("%s says: %s" % (shell, p.stderr.strip()))
        report("completion of " + shell, problems)
    check_bash(neph)


def check_bash(neph):
    """What bash completes."""
    if not shutil.which("bash"):
        print("skip what bash completes: there is no bash")
        return
    problems = []
    for words, expected in ((["ev"], "events"), (["stats", "--by", "ho"], "host"),
                            (["events", "-o", "js"], "jsonl"), (["events", "--fi"], "--filter"),
                            (["help", "doc"], "doctor"), (["completion", "z"], "zsh")):
        script = "%s\nCOMP_WORDS=(neph %s); COMP_CWORD=%d; _neph; echo \"${COMPREPLY[*]}\"" % (
            output([neph, "completion", "bash"]), " ".join(words), len(words))
        got = subprocess.run(["bash", "-c", script], capture_output=True, text=True)
        if got.stdout.split() != [expected]:
            problems.append("%s: %r %s" % (" ".join(words), got.stdout, got.stderr.strip()))
    report("what bash completes", problems)


def main():
    neph = os.path.abspath(sys.argv[1])
    cmds = commands(neph)
    check_pages(neph, cmds)
    check_references()
    check_completions(neph, cmds)
    return 0


if __name__ == "__main__":
    sys.exit(main())
