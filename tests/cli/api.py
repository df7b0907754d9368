#!/usr/bin/env python3
"""Builds the example of docs/api.md with the library of the build folder, and
compares what it counts with what `neph stats` counts.

usage: api.py path/to/neph
"""

import json
import os
import shutil
import subprocess
import sys

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
EXAMPLE = os.path.join(TOP, "docs", "examples", "count.c")

failed = 0


def say(ok, name, why=""):
    global failed
    print("%s %s%s" % ("ok" if ok else "not ok", name, ": " + why if why and not ok else ""))
    failed += not ok


def build(neph, tmp):
    folder = os.path.dirname(os.path.abspath(neph))
    out = os.path.join(tmp, "count")
    cc = subprocess.run([os.environ.get("CC", "cc"), "-std=c11", "-Wall", "-Wextra", "-Werror", EXAMPLE,
                         "-I", os.path.join(TOP, "include"), "-L", folder, "-lneph",
                         "-Wl,-rpath," + folder, "-o", out], capture_output=True, text=True)
    return (out, "") if cc.returncode == 0 else (None, cc.stderr)


def counts_of(text):
    """Events by name, and the events of the last line."""
    lines = text.splitlines()
    counts = {}
    for line in lines[:-1]:
        number, name = line.rsplit(" ", 1)[0].split(" ", 1)
        counts[name] = counts.get(name, 0) + int(number)
    return counts, int(lines[-1].split()[0])


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    neph = os.path.abspath(sys.argv[1])
    tmp = os.environ.get("TMPDIR", "/tmp")
    with open(EXAMPLE) as example, open(os.path.join(TOP, "docs", "api.md")) as page:
        say("```c\n" + example.read() + "```\n" in page.read(), "api/page-shows-the-example")
    if not shutil.which(os.environ.get("CC", "cc")):
        print("skip api/count: no C compiler")
        sys.exit(0)
    count, why = build(neph, tmp)
    say(count is not None, "api/builds", why)
    if not count:
        sys.exit(1)
    trace = os.path.join(tmp, "demo")
    scenario = os.path.join(TOP, "sim", "scenarios", "small-cloud.json")
    subprocess.run([neph, "sim", scenario, "-o", trace], check=True, capture_output=True)
    run = subprocess.run([count, trace], capture_output=True, text=True)
    stats = json.loads(subprocess.run([neph, "stats", "-o", "json", trace], check=True,
                                      capture_output=True, text=True).stdout)
    counts, events = counts_of(run.stdout)
    say(run.returncode == 0 and events == stats["events"] > 0, "api/events", run.stdout + run.stderr)
    say(counts == {t["name"]: t["count"] for t in stats["types"]}, "api/types", str(counts))
    run = subprocess.run([count, os.path.join(tmp, "nothing")], capture_output=True, text=True)
    say(run.returncode == 3 and "nothing: No such file" in run.stderr, "api/missing", run.stderr)
    run = subprocess.run([count], capture_output=True, text=True)
    say(run.returncode == 3 and "no CTF trace" in run.stderr, "api/no-path", run.stderr)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
