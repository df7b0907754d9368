#!/usr/bin/env python3
"""Are the strips of a real trace right, column by column?

usage: timeline.py path/to/neph

The trace and the facts about it are in ../shared, next to the project (see
groundtruth.py).  What fills each column is computed here from the facts: the value
that fills most of it, the changes in it, the letter that stands for it.
"""

import json
import os
import re
import subprocess
import sys
import tarfile
import tempfile

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SHARED = os.path.join(os.path.dirname(TOP), "shared")
BAD = {"error"}


def neph(args):
    p = subprocess.run([NEPH] + args, capture_output=True, text=True)
    if p.returncode != 0:
        raise RuntimeError("neph %s: exit %d: %s" % (" ".join(args), p.returncode, p.stderr))
    return p.stdout


def intervals(vm, end):
    """[[from, to, state]] of the facts; the same state told again is no new one."""
    out = []
    for at, _, state, *_ in vm["states"]:
        if out and out[-1][2] == state:
            continue
        if out:
            out[-1][1] = at
        out.append([at, end, state])
    return out


def wanted(states, t0, t1):
    """(the values that may stand for [t0, t1), its changes, is a bad one in it)"""
    inside = [(max(a, t0), min(b, t1), s) for a, b, s in states if a < t1 and b > t0]
    length = {None: t1 - t0 - sum(b - a for a, b, _ in inside)}
    for a, b, s in inside:
        length[s] = length.get(s, 0) + b - a
    most = max(length.values())
    return ({s for s, n in length.items() if n == most}, sum(t0 <= a < t1 for a, _, _ in states),
            any(s in BAD for _, _, s in inside))


def check_json(name, states, path, args):
    rows = json.loads(neph(["timeline", "vms/%s/state" % name, path, "-o", "json"] + args))
    problems = []
    if len(rows) != 1:
        return ["%d rows" % len(rows)], []
    pixels = rows[0]["pixels"]
    at = rows[0]["begin_ns"]
    for i, p in enumerate(pixels):
        values, changes, bad = wanted(states, p["begin_ns"], p["end_ns"])
        if p["begin_ns"] != at or p["value"] not in values or p["bad"] != bad or p["lost"]:
            problems.append("column %d: %r, not %r" % (i, p, (values, changes, bad)))
        # The first column has the changes of what goes on in it alone.
        if p["changes"] != changes:
            problems.append("column %d: %d changes, not %d" % (i, p["changes"], changes))
        at = p["end_ns"]
    if at != rows[0]["end_ns"]:
        problems.append("the columns end at %d, not at %d" % (at, rows[0]["end_ns"]))
    return problems, pixels


def check_text(name, pixels, path, args):
    text = neph(["timeline", "vms/%s/state" % name, path, "--ascii"] + args)
    strip = re.search(r"^vms/%s/state  (\S+)$" % re.escape(name), text, re.MULTILINE)
    letters = dict((s, c) for c, s in re.findall(r"  (\w) ([\w-]+)", text.split("state:")[1]))
    want = "".join("." if p["value"] is None else letters.get(p["value"], "?") for p in pixels)
    if not strip or strip.group(1) != want:
        return ["the strip is\n%s\nnot\n%s" % (text, want)]
    return []


def check_state(name, states, path, begin):
    problems = []
    for a, b, _ in states:
        for t in (a - 1, a, (a + b) // 2, b - 1):
            rows = json.loads(neph(["state", path, "-t", str(t), "--attr", "vms/%s/state" % name,
                                    "-o", "json"]))
            now = [x for x in states if x[0] <= t < x[1]]
            if t < begin:
                continue
            got = [(r["since_ns"], r["value"]) for r in rows]
            if got != [(x[0], x[2]) for x in now]:
                problems.append("at %d: %r, not %r" % (t, got, now))
    return problems


def report(name, problems):
    print("%s %s" % ("not ok" if problems else "ok", name))
    for x in problems[:20]:
        print("# " + x.replace("\n", "\n# "))


def main():
    facts = os.path.join(SHARED, "groundtruth", "nova.json")
    archive = os.path.join(SHARED, "traces", "nova-2016.tar")
    if not os.path.exists(facts) or not os.path.exists(archive):
        print("skip timeline: ../shared/groundtruth/nova.json or its trace is not there")
        return 0
    with open(facts) as f:
        facts = json.load(f)
    with tempfile.TemporaryDirectory(prefix="neph-timeline-") as tmp:
        with tarfile.open(archive) as tar:
            tar.extractall(tmp)
        for name, vm in sorted(facts["vms"].items()):
            states = intervals(vm, facts["last_ns"] + 1)
            for args in ([], ["-w", "1"], ["-w", "7"], ["-w", "60"], ["-w", "1000"],
                         ["-w", "50", "-r", "15:03:42,15:03:49"],
                         ["-w", "33", "-r", "+1500ms,+1600ms"]):
                problems, pixels = check_json(name, states, tmp, args)
                problems += check_text(name, pixels, tmp, args) if any(
                    p["value"] for p in pixels) else []
                report("%s: timeline %s" % (name, " ".join(args)), problems)
            report("%s: state at every change" % name,
                   check_state(name, states, tmp, facts["first_ns"]))
    return 0


if __name__ == "__main__":
    NEPH = os.path.abspath(sys.argv[1])
    sys.exit(main())
