#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
#
# faults.py -- is what the library of faults says really in its clouds?  For every fault and two
# seeds: the truth is well formed and what it names exists, babeltrace2 reads every trace, and the
# models' own figures (not the events) show the mechanism.  The same seed gives the same bytes; a
# layer that is left out is not there.
#
# Usage: faults.py BUILD_DIR/neph [FAULT ...]
"""Checks the faults of `neph sim --fault`."""
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile

from _helper import report

SEEDS = (11, 12)
S = 1e9


def simulate(neph, out, fault, seed, *more):
    argv = [neph, "sim", "--fault", fault, "--seed", str(seed), *more, "-o", out]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    if done.returncode:
        return None, ["%s: %s" % (" ".join(argv), done.stderr.strip())]
    with open(os.path.join(out, "truth.json")) as f, open(os.path.join(out, "scenario.json")) as g:
        return (json.load(f), json.load(g)), []


# --- what must be there, by fault ------------------------------------------------------------

class Cloud:
    """A truth, its scenario, and the finding that is expected."""

    def __init__(self, truth, scenario):
        self.truth, self.scenario = truth, scenario
        self.finding = (truth["findings"] or [None])[0]

    def names(self, key):
        return [p["name"] for p in self.finding[key]]

    def host(self):
        return next(h for h in self.truth["hosts"] if h["name"] in self.finding["hosts"])

    def kernel(self):
        return self.host()["kernel"]

    def drawn(self):
        return next(h for h in self.scenario["kernel"]["hosts"] if h["host"] == self.host()["name"])

    def seconds(self):
        return (self.finding["t1_ns"] - self.finding["t0_ns"]) / S

    def threads(self, names):
        """Those of processes of these names."""
        pids = {p["pid"] for p in self.kernel()["processes"]
                if p["instance"] in names or p["name"] in names}
        return [t for t in self.kernel()["threads"] if t["pid"] in pids]

    def request(self):
        ids = self.names("subjects")
        return next(r for r in self.truth["requests"] if r["id"] in ids)

    def boots(self):
        return [r for r in self.truth["requests"] if r["operation"] == "boot"]


def took(request):
    return (request["end_ns"] - request["start_ns"]) / S


def vm_starved(c):
    lost = sum(p["total_ns"] for p in c.kernel()["preempt"]
               if p["victim"] in c.names("subjects") and p["culprit"] in c.names("culprits"))
    return lost > 0.05 * c.seconds() * S, "pre-empted for %.3f s by the culprits" % (lost / S)


def service_starved(c):
    mine = c.threads(c.names("subjects"))
    wait, run = sum(t["wait_ns"] for t in mine), sum(t["run_ns"] for t in mine)
    return wait > 0.5 * run, "waited %.3f s, ran %.3f s" % (wait / S, run / S)


def starved_requests(c):
    """The boots under starvation, which are symptoms, took longer than those before."""
    ids = {p["name"] for f in c.truth["findings"][1:] for p in f["subjects"]}
    late = statistics.median(took(r) for r in c.boots() if r["id"] in ids)
    early = statistics.median(took(r) for r in c.boots() if r["id"] not in ids)
    starved, what = service_starved(c)
    return starved and late > 1.3 * early, "%s; %.1f s, %.1f before" % (what, late, early)


def host_overcommitted(c):
    wait = sum(t["wait_ns"] for t in c.kernel()["threads"] if "vcpu" in t)
    least = 0.5 * c.seconds() * S * len(c.kernel()["cpus"])
    return wait > least, "vCPUs waited %.3f s, least %.3f" % (wait / S, least / S)


def disk_contended(c):
    device = [d["name"] for d in c.drawn()["disks"]][-1]
    io = [i for i in c.kernel()["io"] if i["device"] == device]
    theirs = sum(i["bytes"] for i in io if i["instance"] in c.names("culprits"))
    mine = [i for i in io if i["instance"] in c.names("subjects")]
    slow = max((i["p99_ns"] for i in mine), default=0)
    alone = c.drawn()["disks"][-1]["service_us"] * 1000
    return (theirs > 0.5 * sum(i["bytes"] for i in io) and slow > 2 * alone,
            "culprit's bytes %d, victims' p99 %d ns of %d alone" % (theirs, slow, alone))


def disk_slow(c):
    slow = max((i["max_ns"] for i in c.kernel()["io"]
                if i["device"] in c.names("subjects")), default=0)
    return slow > 20e6, "the slowest request took the device %d ns" % slow


def link_saturated(c):
    drawn = next(i for i in c.drawn()["interfaces"] if "mbit_s" in i)
    sent = next(i for i in c.kernel()["interfaces"] if i["name"] == drawn["name"])
    could = drawn["mbit_s"] * 1e6 / 8 * c.seconds()
    return (sent["drops"] > 0 and 0.8 * could < sent["tx_bytes"],
            "%d bytes sent of %d, %d dropped" % (sent["tx_bytes"], could, sent["drops"]))


def interrupt_storm(c):
    name = c.drawn()["interrupts"][0]["name"]
    irq = next(i for i in c.kernel()["irqs"] if i["name"] == name)
    return irq["total_ns"] > 0.2 * c.seconds() * S, "handled for %d ns" % irq["total_ns"]


def memory_growth(c):
    grew = sum(p["pages_allocated"] - p["pages_freed"] for p in c.kernel()["processes"]
               if p["instance"] in c.names("subjects") or p["name"] in c.names("subjects"))
    return grew > 150 * c.seconds(), "grew by %d pages in %.1f s" % (grew, c.seconds())


def out_of_memory(c):
    ended = [p["ended_ns"] for p in c.kernel()["processes"]
             if p["instance"] in c.names("subjects")]
    return any(ended), "ended at %s" % ended


def migration(c):
    return next(m for m in c.truth["migrations"] if m["vm"] in c.names("subjects"))


def migration_took(c):
    """(what it took or has taken, what it takes alone)"""
    m = migration(c)
    drawn = next(d for d in c.scenario["migrations"] if d["vm"] == m["vm"])
    end = m["end_ns"] or c.truth["end_ns"]
    return (end - m["start_ns"]) / S, drawn["memory_mb"] / drawn["bandwidth_mb_s"]


def migration_never_ends(c):
    return migration(c)["ends"] is False, "ends: %s" % migration(c)["ends"]


def migration_failed(c):
    return migration(c)["outcome"] == "failed", migration(c)["outcome"]


def migration_cancelled(c):
    return migration(c)["outcome"] == "cancelled" and migration(c)["ends"], migration(c)["outcome"]


def migration_rolled_back(c):
    return c.request()["outcome"] == "rolled_back", c.request()["outcome"]


def migration_slow(c):
    return migration_took(c)[1] > 10, "%.1f s, %.1f alone" % migration_took(c)


def migration_disturbed(c):
    with_others, alone = migration_took(c)
    return with_others > 1.2 * alone, "%.1f s, %.1f alone" % (with_others, alone)


def slow_request(c):
    others = [took(r) for r in c.boots() if r is not c.request()]
    usual = statistics.median(others) if others else 0
    lock = any(f["kind"] == "lock_hog" for f in c.truth["faults"])
    image = any(f.get("step") in ("image copy", "cmd") for f in c.truth["faults"])
    # a lock, such as that of the image, makes those wait too that come meanwhile
    return (took(c.request()) > (5.5 if lock or image else 1.5 * usual),
            "took %.1f s, others %.1f" % (took(c.request()), usual))


def workers_of(c):
    return [s for s in c.host()["services"] if s["service"] in c.names("subjects")]


def worker_overloaded(c):
    return (len(workers_of(c)) == 1 and workers_of(c)[0]["requests"] > 20,
            "requests: %s" % [s["requests"] for s in workers_of(c)])


def worker_idle(c):
    served = sorted(s["requests"] for s in workers_of(c))
    return served[0] == 0 and served[-1] >= 10, "requests: %s" % served


def no_valid_host(c):
    return c.request()["error"] == "NoValidHost", c.request()["error"]


def operation_failed(c):
    return c.request()["error"] == "libvirtError", c.request()["error"]


def vm_stuck(c):
    return c.request()["outcome"] == "unfinished", c.request()["outcome"]


def clock_step(c):
    return len(c.host()["clock"]) == 2, "%d pieces of the clock" % len(c.host()["clock"])


def clock_unbounded(c):
    return not c.scenario["kernel"]["connections"], "there are connections"


def tracing_overhead(c):
    run = sum(t["run_ns"] for t in c.threads(["lttng-consumerd"]))
    return (run > 0.05 * c.seconds() * S * len(c.kernel()["cpus"]),
            "lttng-consumerd ran %.3f s" % (run / S))


def lost_events(c):
    return c.kernel()["discarded"] > 0, "%d events" % c.kernel()["discarded"]


def missing_layer(c):
    return len(c.truth["without"]) == 1, "without %s" % c.truth["without"]


MECHANISMS = {
    "migration-link": migration_disturbed,
    **{f: slow_request for f in ("slow-command", "slow-http", "slow-lock", "slow-disk-copy",
                                 "slow-hypervisor", "external-wait")},
}


def mechanism(fault):
    return MECHANISMS.get(fault) or globals()[fault.replace("-", "_")]


# --- what must be there always ---------------------------------------------------------------

def check_form(c, fault):
    problems = []
    hosts = {h["name"] for h in c.truth["hosts"]}
    for f in c.truth["findings"]:
        if f["fault"] != fault or not f["rule"]:
            problems.append("a finding of %s: %s" % (fault, f))
        problems += ["no host %s" % h for h in f["hosts"] if h not in hosts]
        if not c.truth["start_ns"] <= f["t0_ns"] or f["t1_ns"] and f["t0_ns"] > f["t1_ns"]:
            problems.append("from %d to %d" % (f["t0_ns"], f["t1_ns"]))
        problems += ["a party without a name: %s" % p for p in f["subjects"] + f["culprits"]
                     if not p["kind"] or not p["name"]]
    roots = sum(f["root"] for f in c.truth["findings"])
    if roots != (fault != "none"):
        problems.append("%d root causes" % roots)
    return problems


def check_traces(out):
    """babeltrace2 reads them all, and tells of nothing but events that were lost."""
    done = subprocess.run(["babeltrace2", out, "-c", "sink.utils.dummy"], capture_output=True,
                          text=True, check=False)
    bad = [line for line in done.stderr.splitlines()
           if "iscarded" not in line and line.strip() and not line.startswith("\x1b")]
    return ["babeltrace2: status %d %s" % (done.returncode, bad[:2])] if done.returncode else []


def test(neph, work, fault, seed):
    out = os.path.join(work, "%s-%d" % (fault, seed))
    made, problems = simulate(neph, out, fault, seed)
    if made:
        c = Cloud(*made)
        problems += check_form(c, fault) + check_traces(out)
        if not problems and fault != "none":
            there, what = mechanism(fault)(c)
            problems += [] if there else ["the mechanism is not there: %s" % what]
    shutil.rmtree(out, ignore_errors=True)
    report("%s %d" % (fault, seed), problems)
    return bool(problems)


def files_of(out):
    ret = {}
    for folder, _, files in os.walk(out):
        for name in files:
            with open(os.path.join(folder, name), "rb") as f:
                ret[os.path.relpath(os.path.join(folder, name), out)] = f.read()
    return ret


def test_same_bytes(neph, work):
    outs = [os.path.join(work, n) for n in "ab"]
    made = [simulate(neph, o, "vm-starved,slow-http", 5, "--noise") for o in outs]
    problems = made[0][1] + made[1][1]
    a, b = files_of(outs[0]), files_of(outs[1])
    problems += ["%s differs" % name for name in sorted(set(a) | set(b))
                 if a.get(name) != b.get(name)]
    report("the same seed gives the same bytes", problems)
    return bool(problems)


def test_without(neph, work):
    """Of all layers, the one that is left out is gone, and only that."""
    has = {"kernel": lambda p: "/kernel/" in p, "qemu": lambda p: "/uid/64055/" in p,
           "openstack": lambda p: "/ust/" in p and "/uid/64055/" not in p}
    problems = []
    for layer in has:
        out = os.path.join(work, "without-" + layer)
        made, more = simulate(neph, out, "migration-slow", 6, "--without", layer)
        problems += more
        paths = list(files_of(out)) if made else []
        problems += ["without %s: %s %s" % (layer, other, "is there" if other == layer else "is not")
                     for other, is_of in has.items()
                     if any(is_of("/" + p) for p in paths) == (other == layer)]
    report("a layer can be left out", problems)
    return bool(problems)


def main():
    neph = os.path.abspath(sys.argv[1])
    listed = subprocess.run([neph, "sim", "--list-faults"], capture_output=True, text=True,
                            check=True).stdout.splitlines()
    faults = sys.argv[2:] or [line.split()[0] for line in listed]
    with tempfile.TemporaryDirectory(prefix="neph-faults-") as work:
        bad = [test(neph, work, f, s) for f in faults for s in SEEDS]
        bad += [test_same_bytes(neph, work), test_without(neph, work)]
    return any(bad)


if __name__ == "__main__":
    sys.exit(main())
