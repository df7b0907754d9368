#!/usr/bin/env python3
"""Do two tracers of one run give the same figures?

usage: kernel_two_tracers.py path/to/neph

An archive of ../shared/traces has a run that LTTng and trace-cmd recorded at the same time.  Each
writes its events after the other one's, some microseconds later, and both lose some: so figures
agree closely, not exactly.  Their clocks have an offset, which is found by the order of switches.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
ARCHIVE = os.path.join(os.path.dirname(TOP), "shared", "traces", "lab", "ovs-bpf.tar.xz")
NEPH = sys.argv[1]
ORDER = 8  # switches in a row, by which a place in the other trace is known


def lines(*argv):
    p = subprocess.Popen([NEPH] + list(argv), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    yield from p.stdout
    p.wait()


def places(path, prev, nxt):
    """{ORDER switches of a CPU: the time of the first}, None if it is not the only one."""
    found, last = {}, {}
    for line in lines("events", path, "--filter", 'name == "sched_switch"', "-o", "jsonl"):
        e = json.loads(line)
        f = e["fields"]
        run = last.setdefault(e["cpu"], [])
        run.append((f[prev], f[nxt], e["t_ns"]))
        if len(run) > ORDER:
            run.pop(0)
        if len(run) == ORDER:
            key = (e["cpu"],) + tuple(r[:2] for r in run)
            found[key] = None if key in found else run[0][2]
    return found


def rows(path, window, *argv):
    p = subprocess.run([NEPH] + list(argv) + [path, "-b", str(window[0]), "-e", str(window[1]), "-q",
                                              "-o", "json"], check=True, capture_output=True, text=True)
    return json.loads(p.stdout)


def report(name, problems):
    print("%s %s" % ("not ok" if problems else "ok", name))
    for p in problems[:6]:
        print("# " + p)


def near(a, b, share, least):
    return abs(a - b) <= max(share * max(abs(a), abs(b)), least)


def compare(name, ours, theirs, share, least):
    """Of those that have more than 'least' on both sides."""
    problems = ["%s: LTTng %d, trace-cmd %d" % (k, ours[k], theirs[k])
                for k in ours if k in theirs and not near(ours[k], theirs[k], share, least)]
    problems += ["%s is in one trace only" % k for k in set(ours) ^ set(theirs)
                 if ours.get(k, theirs.get(k, 0)) > 4 * least]
    if not any(k in theirs and ours[k] > least for k in ours):
        problems.append("nothing to compare")
    report(name, problems)


def main():
    if not os.path.exists(ARCHIVE):
        print("skip the shared trace of two tracers is not there")
        return
    with tempfile.TemporaryDirectory(prefix="neph-two-") as folder:
        subprocess.run(["tar", "xJf", ARCHIVE, "-C", folder], check=True)
        ctf = os.path.join(folder, "ovs-bpf", "trace")
        dat = os.path.join(folder, "ovs-bpf", "ovs-trace.dat")
        a, b = places(ctf, "prev_tid", "next_tid"), places(dat, "prev_pid", "next_pid")
        pairs = [(t, b[k]) for k, t in a.items() if t and b.get(k)]
        report("the same order of switches is found in both",
               [] if len(pairs) > 1000 else ["%d places" % len(pairs)])
        offset = round(statistics.median(x - y for x, y in pairs))
        first, last = min(x for x, _ in pairs) + 10**9, max(x for x, _ in pairs) - 10**9
        windows = (first, last), (first - offset, last - offset)
        # Not compared: time blocked, since LTTng alone dumps who was there before; time waited,
        # since trace-cmd alone recorded sched_wakeup_new.
        for what, command, column, share, least in (
                ("time that threads ran", ("top", "cpu"), "run_ns", 0.05, 5000000),
                ("wake-ups of threads", ("stats", "sched"), "count", 0.05, 4)):
            got = [{"%s/%d" % (r.get("comm") or r["name"], r["tid"]): r[column]
                    for r in rows(p, w, *command, "--by", "thread")}
                   for p, w in zip((ctf, dat), windows)]
            compare(what, got[0], got[1], share, least)
        got = [{(r["victim_tid"], r["culprit_tid"]): r["count"]
                for r in rows(p, w, "top", "preempt", "--by", "thread")}
               for p, w in zip((ctf, dat), windows)]
        compare("pre-emptions", got[0], got[1], 0.05, 4)


main()
