#!/usr/bin/env python3
"""Baselines: saved, added up, compared with; what is unlike them, and what is not.

usage: baselines.py path/to/neph

The statistics are computed again here from durations that the test chose.
"""

import json
import math
import os
import statistics
import subprocess
import sys
import tempfile

NEPH = os.path.abspath(sys.argv[1])
TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
START = 1700000000 * 10**9
MS = 10**6


def run(*args, data=None):
    env = dict(os.environ)
    if data:
        env["XDG_DATA_HOME"] = data
    return subprocess.run([NEPH] + list(args), stdin=subprocess.DEVNULL, capture_output=True,
                          text=True, timeout=300, env=env)


def report(name, problems):
    print("%s %s" % ("not ok" if problems else "ok", name))
    for x in problems:
        print("# " + x)


def creations(path, lengths_ms, day=0):
    """A cloud whose creations of instances took so long."""
    t = START + day * 86400 * 10**9
    with open(path, "w") as f:
        for i, ms in enumerate(lengths_ms):
            for kind, at in (("start", t), ("end", t + int(ms * MS))):
                state = "building" if kind == "start" else "active"
                msg = {"event_type": "instance.create." + kind, "publisher_id": "nova-compute:c1",
                       "versioned": 1, "request_id": "req-%08d-0000-4000-8000-%012d" % (day, i),
                       "instance": "%08d-aaaa-4aaa-8aaa-%012d" % (day, i),
                       "display_name": "vm-%d" % i, "state": state, "task_state": "spawning"}
                f.write(json.dumps({
                    "t_ns": at, "host": "c1", "cpu": 0, "name": "lttng_python:event",
                    "fields": {"asctime": "", "msg": json.dumps(msg), "funcName": "notify",
                               "logger_name": "ostrace.notify", "lineno": 1, "int_loglevel": 20,
                               "thread": 1, "threadName": "MainThread"},
                    "context": {"vpid": 1, "vtid": 1, "procname": "nova-compute"}}) + "\n")
            t += int(ms * MS) + 10**9
    return path


def figure(name):
    p = run("baseline", "show", "-o", "json", name)
    found = [f for f in json.loads(p.stdout) if f["kind"] == "operation"]
    return found[0]


def statistics_problems(f, values):
    """Buckets are 2 % wide: a value is known within 1 %, and a distance within that of the value."""
    values = sorted(values)
    median = values[math.ceil(len(values) * 0.5) - 1]
    distances = sorted(abs(v - median) for v in values)
    mad = distances[math.ceil(len(values) * 0.5) - 1]
    p95 = values[math.ceil(len(values) * 0.95) - 1]
    problems = []
    for key, want, margin in (("median", median, 0.0101 * median), ("p95", p95, 0.0101 * p95),
                              ("mad", mad, 0.0101 * (2 * median + mad))):
        if abs(f[key] / MS - want) > margin:
            problems.append("%s is %g ms, not %g" % (key, f[key] / MS, want))
    if f["count"] != len(values):
        problems.append("%d values, not %d" % (f["count"], len(values)))
    return problems


def good_days(folder):
    days = [[100 + (7 * i + 13 * d) % 40 for i in range(15)] for d in range(3)]
    return days, [creations(os.path.join(folder, "good%d.jsonl" % d), x, d)
                  for d, x in enumerate(days)]


def test_save(folder):
    days, paths = good_days(folder)
    name = os.path.join(folder, "b.json")
    for path in paths:
        p = run("baseline", "save", "-q", name, path)
        if p.returncode:
            report("save", [p.stderr])
    f = figure(name)
    report("save: added up", statistics_problems(f, sum(days, [])) +
           ([] if f["runs"] == 3 else ["%d runs" % f["runs"]]))
    p = run("baseline", "save", "-q", name, paths[0])
    report("save: not twice", [] if p.returncode == 2 and "already" in p.stderr else [p.stderr])
    run("baseline", "save", "-q", "--replace", name, paths[0])
    report("save: --replace", statistics_problems(figure(name), days[0]))
    for path in paths[1:]:
        run("baseline", "save", "-q", name, path)
    return name


def findings(name, path, *args):
    p = run("diagnose", "-q", "-o", "json", "--baseline", name, *args, path)
    return [f for f in json.loads(p.stdout)["findings"] if f["rule"] == "unlike-baseline"]


def test_diagnose(folder, name):
    same = creations(os.path.join(folder, "same.jsonl"), [95, 110, 135, 128, 104], 9)
    slow = creations(os.path.join(folder, "slow.jsonl"), [900, 1000, 1100, 950], 9)
    once = creations(os.path.join(folder, "once.jsonl"), [1000], 9)
    report("diagnose: a good day", ["%r" % f for f in findings(name, same)])
    found = findings(name, slow)
    problems = [] if len(found) == 1 else ["%r" % found]
    if found:
        f = found[0]
        if f["severity"] != "warning" or f["subjects"][0]["kind"] != "operation":
            problems.append("%r" % f)
        if not 3000 * MS < f["cost_ns"] < 4000 * MS:
            problems.append("it cost %r" % f["cost_ns"])
    report("diagnose: a slow day", problems)
    found = findings(name, once)
    report("diagnose: a single slow one is info",
           [] if [f["severity"] for f in found] == ["info"] and found[0]["unknown"] else
           ["%r" % found])
    report("diagnose: limits", ["%r" % f for f in
                                findings(name, slow, "--set", "unlike-baseline.min-times=20")])
    report("diagnose: without a baseline it is silent",
           [x for x in [run("diagnose", "-q", slow).stdout] if "unlike-baseline" in x])
    return same, slow


def test_compare(name, same, slow):
    for title, path, remark in (("a good day", same, "within the noise"), ("a slow day", slow, None)):
        for args in ((name, path), ("--baseline", name, path)):
            p = run("compare", "-q", "-o", "json", *args)
            row = [r for r in json.loads(p.stdout)["figures"] if r["kind"] == "operation"][0]
            problems = [] if row["remark"] == remark else ["%r" % row]
            times = row["now"] / row["was"]
            if abs(row["times"] - times) > 0.01 or (remark is None) != (times > 7):
                problems.append("%r times, not %g" % (row["times"], times))
            report("compare: %s, %d arguments" % (title, len(args)), problems)
    p = run("compare", "-q", same, slow)
    report("compare: two days of traces", [] if p.returncode == 0 and
           "differ by more than the noise" in p.stdout else [p.stdout + p.stderr])
    p = run("compare", same)
    report("compare: one argument", [] if p.returncode == 2 and not p.stdout else [p.stderr])


def test_names(folder, good):
    data = os.path.join(folder, "data")
    p = run("baseline", "list", "-o", "json", data=data)
    problems = [] if p.returncode == 0 and json.loads(p.stdout) == [] else [p.stdout + p.stderr]
    p = run("baseline", "save", "-q", "my-cloud", good, data=data)
    problems += [] if p.returncode == 0 else [p.stderr]
    rows = json.loads(run("baseline", "list", "-o", "json", data=data).stdout)
    if [r["name"] for r in rows] != ["my-cloud"] or rows[0]["figures"] < 1:
        problems.append("%r" % rows)
    p = run("diagnose", "-q", "--baseline", "my-cloud", good, data=data)
    problems += [] if p.returncode == 0 else [p.stderr]
    p = run("baseline", "remove", "my-cloud", data=data)
    if p.returncode or json.loads(run("baseline", "list", "-o", "json", data=data).stdout):
        problems.append("it is still there: " + p.stderr)
    report("names", problems)
    problems = []
    for args, code in ((["show", "none"], 5), (["remove", "none"], 5), (["show"], 2),
                       (["save", "x"], 2), (["save", "/nonexistent/x", good], 3), (["save", "a b", good], 2),
                       (["forget"], 2), (["list", "x"], 2), (["remove", good], 5)):
        p = run("baseline", *args, data=data)
        if p.returncode != code or not p.stderr or p.stdout:
            problems.append("%r: exit %d, %s" % (args, p.returncode, p.stderr))
    if not os.path.exists(good):
        problems.append("it removed a trace")
    report("names that are none", problems)


def test_corrupt(folder, name, good):
    with open(name, "rb") as f:
        text = f.read()
    bad = os.path.join(folder, "bad.json")
    cases = [("cut", text[:len(text) // 2]), ("empty", b""), ("a list", b"[]"), ("deep", b"[" * 5000),
             ("version", text.replace(b'baseline": 1', b'baseline": 2')),
             ("bucket", text.replace(b'"buckets":[[', b'"buckets":[[9999999999,1],[')),
             ("order", text.replace(b'"buckets":[[', b'"buckets":[[2000,1],[')),
             ("count", text.replace(b'"buckets":[[', b'"buckets":[[-9,-1],[')),
             ("large count", text.replace(b'"buckets":[[', b'"buckets":[[-9,9223372036854775807],[')),
             ("no kind", text.replace(b'"kind":', b'"kin":')),
             ("runs", text.replace(b'"runs":3', b'"runs":-3')),
             ("noise", bytes(range(256)) * 40)]
    for title, what in cases:
        if what == text:
            report("corrupt: " + title, ["the case changes nothing: %r" % text[:300]])
            continue
        with open(bad, "wb") as f:
            f.write(what)
        p = run("diagnose", "-q", "--baseline", bad, good)
        report("corrupt: " + title, [] if p.returncode == 3 and "bad.json" in p.stderr and
               not p.stdout else ["exit %d: %s" % (p.returncode, p.stderr)])
    p = run("diagnose", "-o", "nagios", "--baseline", bad, good)
    report("corrupt: nagios", [] if p.returncode == 3 and p.stdout.startswith("NEPH UNKNOWN - ")
           else [p.stdout])


def test_kernel(folder):
    """What kernels saw: the same cloud with other chances is normal, one with hogs is not."""
    sim = os.path.join(TOP, "sim", "scenarios")
    name = os.path.join(folder, "k.json")
    traces = {}
    for what, scenario, seed in (("a", "migration-idle", 1), ("b", "migration-idle", 2),
                                 ("same", "migration-idle", 3), ("hogs", "migration-hogs", 4)):
        traces[what] = os.path.join(folder, what)
        run("sim", "-q", os.path.join(sim, scenario + ".json"), "--seed", str(seed), "-o",
            traces[what])
    for what in ("a", "b"):
        run("baseline", "save", "-q", name, traces[what])
    report("kernel: another quiet day", ["%r" % f for f in findings(name, traces["same"])])
    found = findings(name, traces["hogs"])
    hit = [f for f in found if f["subjects"] == [{"kind": "host", "name": "compute1"}]]
    report("kernel: a day with hogs", [] if hit and hit[0]["severity"] == "warning" and
           "wait share" in hit[0]["title"] else ["%r" % found])


def main():
    with tempfile.TemporaryDirectory() as folder:
        name = test_save(folder)
        same, slow = test_diagnose(folder, name)
        test_compare(name, same, slow)
        test_names(folder, same)
        test_corrupt(folder, name, same)
        test_kernel(folder)


main()
