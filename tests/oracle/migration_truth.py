#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What neph says of live migrations, against migrations of which all is known.

usage: migration_truth.py path/to/neph [TEST]...

Simulated ones: truth.json has each round, page for page, in true time, the stop of the guest and
its start elsewhere; hosts' clocks are apart and drift.  Whether a migration would have ended, the
simulator found by going on where it was cancelled.  Recorded ones: what QEMU itself answered, and
what was measured from outside while the traces were taken.
"""

import glob
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile

from _helper import report
from sync_truth import Bounds, Clock, scenario_of, unpack

US, MS, S = 1000, 1000000, 1000000000
MB = 1 << 20
SEEDS = (1, 2, 3)
STAGES = {
    "completed": ["setup", "pre-copy", "stop-and-copy", "load", "resume"],
    "cancelled": ["setup", "pre-copy", "load"],
    "failed": [],
    "running": ["setup", "pre-copy", "load"],
}


def run(neph, *args, exits=(0,)):
    done = subprocess.run([neph, *args], capture_output=True, text=True, check=False)
    if done.returncode not in exits:
        raise RuntimeError("%s: exit %d: %s" % (" ".join(args), done.returncode, done.stderr))
    return done.stdout


def migrations_of(neph, *paths):
    return json.loads(run(neph, "list", "migrations", "-q", "-o", "json", *paths))


class Cloud:
    """A simulated cloud, its truth, and the time in which neph shows it."""

    def __init__(self, neph, work, scenario, *options):
        self.neph = neph
        self.dir = os.path.join(work, "cloud")
        shutil.rmtree(self.dir, ignore_errors=True)
        path = os.path.join(work, "scenario.json")
        with open(path, "w", encoding="utf-8") as f:
            json.dump(scenario, f)
        run(neph, "sim", "-q", path, "-o", self.dir, *options)
        with open(os.path.join(self.dir, "truth.json"), encoding="utf-8") as f:
            self.truth = json.load(f)
        self.true = self.truth["migrations"]
        self.clocks = {h["name"]: Clock(h["clock"]) for h in self.truth["hosts"]}
        self.reference, self.bounds = None, {}

    def found(self):
        sync = json.loads(run(self.neph, "sync", "-q", "-o", "json", self.dir))
        self.reference = sync["reference"]
        self.bounds = {h["host"]: Bounds(h) for h in sync["hosts"]}
        return migrations_of(self.neph, self.dir)

    def in_window(self, host, true, shown):
        """Is what is shown within the bounds of when it really was?"""
        real = self.clocks[self.reference].local(true)
        if host == self.reference:
            return abs(shown - real) <= US
        got = self.bounds[host].of(self.clocks[host].local(true))
        if not got:  # before the first message or after the last
            return abs(shown - real) <= 10 * MS
        return abs(shown - got[0]) <= US and got[1] - US <= real <= got[2] + US


def pairs(found, true):
    """By VM, in order of time: neph's with the truth's."""
    todo = list(found)
    for t in true:
        for m in todo:
            if m["vm"] in (None, t["vm"]):
                todo.remove(m)
                yield m, t
                break
        else:
            yield None, t


def check_rounds(c, m, t, where, problems):
    rounds = t["rounds"] if t["end_ns"] else t["rounds"][:-1]  # one without an end is none yet
    if len(m["rounds"]) != len(rounds):
        problems.append("%s: %d rounds, really %d" % (where, len(m["rounds"]), len(rounds)))
        return
    window = max([r["sent_bytes"] * 110 * MS // max(r["end_ns"] - r["start_ns"], 1)
                  for r in rounds] + [0])
    for i, (a, b) in enumerate(zip(m["rounds"], rounds)):
        at = "%s, round %d" % (where, i + 1)
        for key in ("start_ns", "end_ns"):
            if not c.in_window(t["from"], b[key], a[key]):
                problems.append("%s: %s is %d, really %d" % (at, key, a[key], b[key]))
        if a["stopped"] != b["stopped"]:
            problems.append("%s: stopped is %s" % (at, a["stopped"]))
        if not b["stopped"] and abs(a["dirty_pages"] - b["dirty_pages"]) > b["dirty_pages"] / 100:
            problems.append("%s: %d pages, really %d" % (at, a["dirty_pages"], b["dirty_pages"]))
        if b["stopped"]:
            continue  # QEMU does not tell what it sends then
        off = abs((a["sent_bytes"] or 0) - b["sent_bytes"])
        if off > b["sent_bytes"] / 100 + (window if b["cut"] else 0):
            problems.append("%s: %s bytes, really %d" % (at, a["sent_bytes"], b["sent_bytes"]))


def check_downtime(c, m, t, where, problems):
    got, real = m["downtime_ns"], t["downtime_ns"]
    if real is None or got is None:
        if real != got:
            problems.append("%s: downtime %s, really %s" % (where, got, real))
        return
    bound = m["downtime_bound_ns"]
    drift = real * 100 // 1000000  # the reference's clock is not true time
    if bound is None or abs(got - real) > bound + drift + US:
        problems.append("%s: downtime %d +- %s, really %d" % (where, got, bound, real))


def check_one(c, m, t, problems):
    where = "%s at %.3f s" % (t["vm"], (t["start_ns"] - c.truth["start_ns"]) / S)
    if not m:
        problems.append(where + ": not found")
        return
    if m["outcome"] != t["outcome"]:
        problems.append("%s: %s, really %s" % (where, m["outcome"], t["outcome"]))
    if m["source"] != t["from"] or (t["rounds"] and m["destination"] != t["to"]):
        problems.append("%s: from %s to %s" % (where, m["source"], m["destination"]))
    if m["qemu"]["source_pid"] != t["source_pid"]:
        problems.append("%s: pid %s" % (where, m["qemu"]["source_pid"]))
    if not c.in_window(t["from"], t["start_ns"], m["start_ns"]):
        problems.append("%s: begins at %d" % (where, m["start_ns"]))
    if t["end_ns"] and not c.in_window(t["from"], t["end_ns"], m["end_ns"]):
        problems.append("%s: ends at %s" % (where, m["end_ns"]))
    names = [s["name"] for s in m["stages"]]
    missing = [s for s in STAGES[t["outcome"]] if s not in names]
    if missing:
        problems.append("%s: no stage %s in %s" % (where, missing, names))
    check_rounds(c, m, t, where, problems)
    check_downtime(c, m, t, where, problems)


def simulated(neph, work):
    for name in ("migration-idle", "migration-nonconv", "migration-hogs", "migrations-many"):
        for seed in SEEDS:
            c = Cloud(neph, work, scenario_of(name), "--seed", str(seed))
            problems, found = [], c.found()
            if len(found) != len(c.true):
                problems.append("%d migrations, really %d" % (len(found), len(c.true)))
            for m, t in pairs(found, c.true):
                check_one(c, m, t, problems)
            report("%s, seed %d: %d migrations, %d rounds" %
                   (name, seed, len(c.true), sum(len(t["rounds"]) for t in c.true)), problems)


def disturbers(neph, work):
    """Those that want the CPUs of the source's host are named; they get most of what it waits."""
    problems = []
    c = Cloud(neph, work, scenario_of("migration-hogs"))
    m = c.found()[0]
    first = [d["name"] for d in m["disturbed_by"][:4]]
    if sorted(first) != ["vm-2001", "vm-2002", "vm-2003", "vm-2004"]:
        problems.append("disturbed by %s" % first)
    share = sum(d["share"] for d in m["disturbed_by"][:4])
    if share < 0.5:
        problems.append("their share is %.2f" % share)
    report("migration-hogs: disturbed by the four (%.0f %% of the wait)" % (share * 100), problems)


# --- the forecast ------------------------------------------------------------------------


def random_migrations(seed, n):
    """Guests of all kinds, one after the other; those that never end are cancelled in round 6 or
    so."""
    r = random.Random(seed)
    at, out = 1.0, []
    for i in range(n):
        rate = 10 ** r.uniform(0.6, 1.8)
        memory = r.choice((64, 128, 256))
        written = rate * 10 ** r.uniform(-1.5, 0.7)
        working = r.randint(1, memory)
        most = memory / rate * 1.2 + 12 * working / rate + 20
        out.append({
            "vm": "vm-%d" % i, "from": "compute%d" % (1 + i % 2), "to": "compute%d" % (2 - i % 2),
            "at_s": round(at, 3), "memory_mb": memory, "dirty_rate_mb_s": round(written, 3),
            "working_set_mb": working, "bandwidth_mb_s": round(rate, 3),
            "downtime_limit_ms": r.choice((100, 300, 300, 500, 1000)), "outcome": "cancelled",
            "cancel_after_ms": round(most * 1000)})
        at += most + 5
    return out, at


def forecast(neph, work):
    for seed in SEEDS:
        migrations, length = random_migrations(seed, 200)
        hosts = [{"name": "controller", "roles": ["controller"], "cpus": 1}] + [
            {"name": "compute%d" % k, "roles": ["compute"], "cpus": 2} for k in (1, 2)]
        c = Cloud(neph, work, {
            "dialect": "zed", "seed": seed, "start": "2026-05-04 10:00:00",
            "duration_s": int(length) + 10, "periodic": False, "hosts": hosts,
            "migrations": migrations})
        found, problems, wrong = migrations_of(neph, c.dir), [], []
        if len(found) != 200:
            problems.append("%d migrations" % len(found))
        ends = 0
        for m, t in zip(found, c.true):
            said = [r["prediction"]["ends"] for r in m["rounds"] if not r["stopped"]]
            known = [s for s in said if s is not None]
            flips = sum(a != b for a, b in zip(known, known[1:]))
            if flips > 1:
                problems.append("%s: changes its mind %d times" % (t["vm"], flips))
            verdict = said[:3][-1] if said else None
            ends += t["ends"]
            if verdict != t["ends"]:
                wrong.append("%s: %s after %d rounds, really %s" %
                             (t["vm"], verdict, min(len(said), 3), t["ends"]))
        if len(wrong) > 10:
            problems += wrong
        report("forecast, seed %d: %d of 200 right after three rounds; %d really end" %
               (seed, 200 - len(wrong), ends), problems)
        for w in wrong if os.environ.get("VERBOSE") else []:
            print("# " + w, migrations[int(w.split(":")[0][3:])])


# --- bad input ------------------------------------------------------------------------------


def says(m, what):
    return any(what in u for u in m["unknown"])


def parts(neph, work):
    """What one side, or one layer, tells alone."""
    c = Cloud(neph, work, scenario_of("migration-idle"))
    t, host = c.true[0], lambda n: os.path.join(c.dir, "compute%d" % n)
    whole = c.found()[0]
    c.reference = "compute1"  # of what its own files tell

    problems, found = [], migrations_of(neph, host(1))
    m = found[0]
    if len(found) != 1 or m["outcome"] != "completed" or m["destination"] is not None:
        problems.append("%d, %s to %s" % (len(found), m["outcome"], m["destination"]))
    if m["downtime_ns"] is not None or not says(m, "destination"):
        problems.append("downtime %s; %s" % (m["downtime_ns"], m["unknown"]))
    check_rounds(c, m, t, "source", problems)
    report("only the source", problems)

    problems, found = [], migrations_of(neph, host(2))
    m = found[0]
    if len(found) != 1 or m["source"] is not None or m["destination"] != "compute2":
        problems.append("%d, from %s to %s" % (len(found), m["source"], m["destination"]))
    if m["rounds"] or m["downtime_ns"] is not None or not says(m, "source"):
        problems.append("%d rounds; downtime %s; %s" %
                        (len(m["rounds"]), m["downtime_ns"], m["unknown"]))
    report("only the destination", problems)

    problems, found = [], migrations_of(neph, host(1), host(2))
    if found != [whole]:
        problems.append("both folders are not the same as the one above them")
    report("two folders, or the one above them", problems)

    for n in (1, 2):
        shutil.rmtree(os.path.join(host(n), "ust"))
    problems, found = [], migrations_of(neph, c.dir)
    m = found[0] if found else None
    if len(found) != 1 or m["outcome"] != "unknown" or m["source"] != "compute1":
        problems.append("%d; %s" % (len(found), m and (m["outcome"], m["source"])))
    elif m["vm"] != "vm-1000" or not says(m, "Only the kernel") or m["rounds"]:
        problems.append("%s; %s; %d rounds" % (m["vm"], m["unknown"], len(m["rounds"])))
    report("only the kernels", problems)


def unfinished(neph, work):
    """A trace that ends in the middle: by itself, or since its files are cut."""
    scenario = scenario_of("migration-nonconv")
    scenario["duration_s"] = 25
    c = Cloud(neph, work, scenario)
    problems, found = [], c.found()
    for m, t in pairs(found, c.true):
        check_one(c, m, t, problems)
        if m and (m["end_ns"] is not None or not says(m, "ends before")):
            problems.append("end %s; %s" % (m["end_ns"], m["unknown"]))
    report("a trace that ends before the migration does", problems)

    scenario = scenario_of("migration-hogs")
    scenario["packet_kib"] = 4
    c = Cloud(neph, work, scenario)
    for path in glob.glob(os.path.join(c.dir, "compute1", "ust", "uid", "*", "64-bit", "qemu_*")):
        os.truncate(path, os.path.getsize(path) * 17 // 20 + 77)
    problems, found = [], c.found()
    t = c.true[0]
    if len(found) != 1 or found[0]["outcome"] not in ("running", "completed"):
        problems.append(str([(m["outcome"], m["source"]) for m in found]))
    for m in found[:1]:
        whole = [r for r in m["rounds"] if r["end_ns"] < m["rounds"][-1]["start_ns"]]
        if not whole or len(m["rounds"]) >= len(t["rounds"]):
            problems.append("%d rounds" % len(m["rounds"]))
        for a, b in zip(whole, t["rounds"]):
            if not c.in_window(t["from"], b["end_ns"], a["end_ns"]):
                problems.append("round %d ends at %d" % (a["n"], a["end_ns"]))
    report("files that are cut", problems)


def lost(neph, work):
    """A hole in the source's trace of QEMU: it is told, and what was in it is not made up."""
    scenario = scenario_of("migration-nonconv")
    scenario["faults"] = [{"kind": "lost_events", "host": "compute1", "at_s": 18, "for_s": 4}]
    c = Cloud(neph, work, scenario)
    problems, found = [], c.found()
    t = c.true[0]
    lost_n = [h["qemu"]["discarded"] for h in c.truth["hosts"] if h["name"] == "compute1"][0]
    if not lost_n:
        problems.append("the test loses nothing")
    if len(found) != 1 or found[0]["outcome"] != t["outcome"]:
        problems.append(str([m["outcome"] for m in found]))
    run(neph, "list", "migrations", "-q", "--strict", c.dir, exits=(4,))
    for r in found[0]["rounds"]:
        real = sum(x["sent_bytes"] for x in t["rounds"])
        if r["sent_bytes"] is not None and r["sent_bytes"] > real:
            problems.append("round %d sent %d" % (r["n"], r["sent_bytes"]))
    report("%d lost events" % lost_n, problems)


# --- recorded -------------------------------------------------------------------------------


def near(name, got, want, percent, problems):
    if got is None or abs(got - want) > want * percent / 100:
        problems.append("%s: %s, measured %s" % (name, got, want))


def downtime_by(m, source):
    return next((d["duration_ns"] for d in m["downtimes"] if d["source"] == source), None)


def labs(neph, work):
    if unpack("lab/migration-vm.tar.xz", work):
        top = os.path.join(work, "migration")
        problems, found = [], migrations_of(neph, os.path.join(top, "exp1-idle"))
        if len(found) != 1 or found[0]["outcome"] != "completed":
            problems.append(str([m["outcome"] for m in found]))
        near("total", found[0]["total_ns"], 37.7 * S, 1, problems)
        report("migration-vm, exp1-idle", problems)
        problems, found = [], migrations_of(neph, os.path.join(top, "exp3-hogs"))
        m = found[0]
        near("total", m["total_ns"], 108.9 * S, 1, problems)
        near("downtime", m["downtime_ns"], 2.20 * S, 2, problems)
        if m["qemu"]["downtime_ms"] != 2041:
            problems.append("QMP's downtime: %s ms" % m["qemu"]["downtime_ms"])
        names = [d["name"] for d in m["disturbed_by"][:6]]
        if not {"vm-2001", "vm-2002", "vm-2003", "vm-2004"} <= set(names):
            problems.append("disturbed by %s" % names)
        report("migration-vm, exp3-hogs", problems)
    if unpack("lab/migration-host-ust.tar.xz", work):
        top = os.path.join(work, "migration-host-ust")
        problems, found = [], migrations_of(neph, os.path.join(top, "exp1-idle"))
        m = next(m for m in found if m["rounds"])
        if m["qemu"]["downtime_ms"] != 1 or not downtime_by(m, "states"):
            problems.append("QMP's downtime: %s ms" % m["qemu"]["downtime_ms"])
        near("downtime of states", downtime_by(m, "states"), 92.329 * MS, 0.01, problems)
        report("migration-host-ust, exp1-idle", problems)
        problems, found = [], migrations_of(neph, os.path.join(top, "exp2-nonconv"))
        m = next(m for m in found if m["rounds"])
        pages = [r["dirtied_pages"] for r in m["rounds"]][:2]
        if pages != [12289, 11749] or m["outcome"] != "cancelled" or m["ends"] != "never":
            problems.append("%s, %s, %s" % (pages, m["outcome"], m["ends"]))
        report("migration-host-ust, exp2-nonconv", problems)
    if unpack("lab/openstack-zed.tar.xz", work):
        problems = []
        found = migrations_of(neph, os.path.join(work, "openstack-zed", "libvirt-livemigrate"))
        got = [(m["source"], m["destination"], m["outcome"]) for m in found]
        if got != [("compute1", "compute2", "completed"), ("compute2", "compute1", "failed")]:
            problems.append(str(got))
        elif "InstanceNotFound" not in (found[1]["error"] or ""):
            problems.append("the second: %s" % found[1]["error"])
        report("openstack-zed, libvirt-livemigrate", problems)


def main():
    neph = os.path.abspath(sys.argv[1])
    for test in (simulated, disturbers, forecast, parts, unfinished, lost, labs):
        if len(sys.argv) > 2 and test.__name__ not in sys.argv[2:]:
            continue
        with tempfile.TemporaryDirectory() as work:
            try:
                test(neph, work)
            except (RuntimeError, LookupError, TypeError, ValueError) as e:
                report(test.__name__, ["%s: %s" % (type(e).__name__, e)])
    return 0


if __name__ == "__main__":
    sys.exit(main())
