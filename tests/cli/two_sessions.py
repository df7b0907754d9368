#!/usr/bin/env python3
"""Two traces of one host with time between them: nothing is said of that time.

usage: two_sessions.py path/to/neph
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile

NEPH = os.path.abspath(sys.argv[1])
TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SECONDS = 3


def run(*args):
    return subprocess.run([NEPH] + list(args), stdin=subprocess.DEVNULL, capture_output=True,
                          text=True, timeout=120, check=True).stdout


def table(*args):
    return json.loads(run(*args, "-q", "--no-cache", "-o", "json"))


def report(name, problems):
    print("%s %s" % ("not ok" if problems else "ok", name))
    for x in problems:
        print("# " + x)


def session(tmp, name, seed, start):
    """A few seconds of a host's kernel; another seed is another boot."""
    with open(os.path.join(TOP, "sim/scenarios/kernel-contention.json")) as f:
        scenario = json.load(f)
    scenario.update(duration_s=SECONDS, seed=seed, start=start)
    at = os.path.join(tmp, name + ".json")
    with open(at, "w") as f:
        json.dump(scenario, f)
    run("sim", at, "-o", os.path.join(tmp, name))
    return os.path.join(tmp, name)


def known(paths, pattern, seconds):
    """What has a value then that is not 'unknown'."""
    rows = table("state", "--attr", pattern, "-t", "+%ss" % seconds, *paths)
    return [r for r in rows if r["value"] not in (None, "unknown")]


def check_states(one, both):
    problems = []
    for pattern in ("threads/*/state", "cpus/*/state", "cpus/*/thread", "disks/*/driver"):
        inside = known(both, pattern, 20)
        problems += ["%s is %s between the traces" % (r["attribute"], r["value"])
                     for r in inside[:3]]
        for at in (SECONDS / 2, 60 + SECONDS / 2):
            if not known(both, pattern, at):
                problems.append("nothing of %s is known after %s s" % (pattern, at))
    before = {(r["attribute"], r["value"]) for r in known([one], "threads/*/state", 1.5)}
    after = {(r["attribute"], r["value"]) for r in known(both, "threads/*/state", 1.5)}
    if before != after:
        problems.append("the second trace changes what the first one says")
    return problems


def check_shares(one, both):
    """Two sessions that do the same are as busy as one: the hole is no time to be idle."""
    problems = []
    alone = {(r["name"], r["kind"], r["tid"]): r for r in table("top", "cpu", one)}
    for r in table("top", "cpu", *both):
        was = alone.get((r["name"], r["kind"], r["tid"]))
        if was and was["usage"] > 0.5 and not 0.8 < r["usage"] / was["usage"] < 1.25:
            problems.append("%s uses %.2f CPUs, in one of them %.2f" %
                            (r["name"], r["usage"], was["usage"]))
    return problems


def check_requests(both):
    """None began before the hole and ended after it."""
    rows = table("log", "io", *both)
    long = [r for r in rows if (r["duration_ns"] or 0) > SECONDS * 10**9]
    return ([] if rows else ["no request"]) + ["a request took %d ns" % r["duration_ns"] for r in long]


def holes(*paths):
    spots = json.loads(run("diagnose", "-q", "--no-cache", "-o", "json", *paths))["blind_spots"]
    return [s for s in spots if "between its traces" in s]


def copy_of(path, to):
    """A rotated session has the uuid of its trace in every part."""
    shutil.copytree(path, to)
    return to


def main():
    with tempfile.TemporaryDirectory() as tmp:
        one = session(tmp, "one", 41, "2026-03-02 09:01:00")
        both = [one, session(tmp, "two", 42, "2026-03-02 09:02:00")]
        report("between two traces no state is known", check_states(one, both))
        report("shares are of the time that was traced", check_shares(one, both))
        report("requests are not of both traces", check_requests(both))
        said = holes(*both)
        report("what was not traced is said", [] if len(said) == 1 and "57.0" in said[0]
               else ["said: %r" % said])
        noted = subprocess.run([NEPH, "top", "cpu", "--no-cache"] + both, stdin=subprocess.DEVNULL,
                               capture_output=True, text=True, timeout=120).stderr
        report("figures say that they are not of all the time",
               [] if "between its traces" in noted and "57.0" in noted else [noted])
        said = holes(one) + holes(one, copy_of(one, os.path.join(tmp, "again")))
        report("one session has no hole", ["said: %r" % said] if said else [])


main()
