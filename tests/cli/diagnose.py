#!/usr/bin/env python3
"""Findings: the right one first for faults that are known, none above info where nothing is wrong.

usage: diagnose.py path/to/neph

The faults are simulated ones, whose truth is in their scenarios, and those of real traces, where
they are there.
"""

import json
import os
import subprocess
import sys
import tarfile
import tempfile

NEPH = os.path.abspath(sys.argv[1])
TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
LAB = os.path.join(os.path.dirname(TOP), "shared", "traces", "lab")
KEYS = ["rank", "rule", "severity", "layer", "title", "subjects", "culprits", "hosts", "t0_ns", "t1_ns",
        "cost_ns", "evidence", "causes", "explained", "unexplained_ns", "remedy", "unknown"]

LAYERS = ("application", "virtualisation", "kernel", "clock", "tracing")


def run(*args):
    return subprocess.run([NEPH] + list(args), stdin=subprocess.DEVNULL, capture_output=True,
                          text=True, timeout=300)


def report(name, problems):
    print("%s %s" % ("not ok" if problems else "ok", name))
    for x in problems:
        print("# " + x)


def diagnose(path):
    p = run("diagnose", "-q", "--no-cache", "-o", "json", path)
    return json.loads(p.stdout)


def names(parties):
    return {x["name"] for x in parties}


def form(d):
    """Is it what scripts rely on?"""
    problems = []
    if list(d) != ["findings", "blind_spots"]:
        problems.append("keys: %r" % list(d))
    for i, f in enumerate(d["findings"]):
        if list(f) != KEYS:
            problems.append("keys of a finding: %r" % list(f))
        if f["rank"] != i + 1:
            problems.append("rank %d at place %d" % (f["rank"], i + 1))
        if f["severity"] not in ("info", "warning", "critical"):
            problems.append("severity %r" % f["severity"])
        if f["layer"] not in LAYERS:
            problems.append("%s is in layer %r" % (f["rule"], f["layer"]))
        if any(c >= f["rank"] or c < 1 for c in f["causes"]):
            problems.append("%d is explained by %r, below it" % (f["rank"], f["causes"]))
        if [e["rank"] for e in f["explained"]] != f["causes"]:
            problems.append("%d: causes %r, explained %r" % (f["rank"], f["causes"], f["explained"]))
        parts = [e["ns"] for e in f["explained"]]
        if f["unexplained_ns"] is not None and \
                f["unexplained_ns"] != max(0, f["cost_ns"] - sum(parts)):
            problems.append("%d: %r of %r leave %r" % (f["rank"], parts, f["cost_ns"],
                                                       f["unexplained_ns"]))
        for e in f["evidence"]:
            if list(e) != ["what", "value", "unit", "where"]:
                problems.append("evidence: %r" % e)
            if e["unit"] == "ns" and not isinstance(e["value"], int):
                problems.append("%s is no number of ns: %r" % (e["what"], e["value"]))
        if not f["evidence"] or not f["remedy"]:
            problems.append("no evidence or no remedy: %r" % f["title"])
    order = ["critical", "warning", "info"]
    worst = []  # of each root with what it explains
    for f in d["findings"]:
        if not f["causes"]:
            worst.append(9)
        worst[-1] = min(worst[-1], order.index(f["severity"]))
    if worst != sorted(worst):
        problems.append("roots are not by severity: %r" % worst)
    return problems


def first_is(path, name, rule, severity, subject=None, culprits=()):
    d = diagnose(path)
    problems = form(d)
    if not d["findings"]:
        problems.append("nothing is found")
    else:
        f = d["findings"][0]
        if (f["rule"], f["severity"]) != (rule, severity):
            problems.append("first is %s, %s: %s" % (f["rule"], f["severity"], f["title"]))
        if subject and subject not in names(f["subjects"]):
            problems.append("%r is not among %r" % (subject, names(f["subjects"])))
        problems += ["culprit %s is not named" % c for c in culprits
                     if c not in names(f["culprits"])]
    report("%s: %s first" % (name, rule), problems)
    return d


def quiet(path, name):
    d = diagnose(path)
    report("%s: nothing above info" % name,
           form(d) + ["%s: %s" % (f["severity"], f["title"]) for f in d["findings"]
                      if f["severity"] != "info"])
    return d


def has(d, name, rule, explained):
    """Is there a finding of that rule, and does one stand above it that explains it?"""
    found = [f for f in d["findings"] if f["rule"] == rule]
    problems = [] if found else ["no %s" % rule]
    problems += ["explained by %r" % f["causes"] for f in found if bool(f["causes"]) != explained]
    report("%s: %s, %s" % (name, rule, "explained" if explained else "a root"), problems)


def simulate(tmp, scenario):
    out = os.path.join(tmp, scenario)
    p = run("sim", os.path.join(TOP, "sim", "scenarios", scenario + ".json"), "-o", out)
    if p.returncode != 0:
        raise RuntimeError(p.stderr)
    return out


def two_sessions(tmp):
    """A migration that nothing disturbs, and minutes later one among hogs."""
    for name, seed, start in (("migration-idle", 3, "10:00:00"), ("migration-hogs", 4, "10:20:00")):
        with open(os.path.join(TOP, "sim", "scenarios", name + ".json")) as f:
            scenario = json.load(f)
        scenario.update(seed=seed, start="2026-05-04 " + start)
        at = os.path.join(tmp, "two-" + name + ".json")
        with open(at, "w") as f:
            json.dump(scenario, f)
        p = run("sim", at, "-o", os.path.join(tmp, "two-sessions", name))
        if p.returncode != 0:
            raise RuntimeError(p.stderr)
    return os.path.join(tmp, "two-sessions")


def check_simulated(tmp):
    first_is(simulate(tmp, "migration-nonconv"), "migration-nonconv", "migration-never-ends",
             "critical", "vm-1000", ["vm-1000"])
    hogs = ["vm-2001", "vm-2002", "vm-2003", "vm-2004"]
    d = first_is(simulate(tmp, "migration-hogs"), "migration-hogs", "vm-starved", "warning",
                 "vm-1000", hogs)
    has(d, "migration-hogs", "migration-disturbed", True)
    d = first_is(two_sessions(tmp), "hogs in one of two sessions", "vm-starved", "warning", "vm-1000",
                 hogs)
    has(d, "hogs in one of two sessions", "migration-disturbed", True)
    d = first_is(simulate(tmp, "small-cloud"), "small-cloud", "no-valid-host", "critical")
    has(d, "small-cloud", "operation-failed", True)
    for e in d["findings"][0]["evidence"]:
        if e["what"] == "filter" and e["value"] == "RamFilter":
            break
    else:
        report("small-cloud: the filter is named", ["%r" % d["findings"][0]["evidence"]])
    d = diagnose(simulate(tmp, "kernel-contention"))
    has(d, "kernel-contention", "vm-starved", False)
    has(d, "kernel-contention", "service-starved", False)
    d = diagnose(simulate(tmp, "zed-small"))
    has(d, "zed-small", "vm-state", True)
    report("zed-small: instances in error", [] if
           {s["name"] for f in d["findings"] if f["rule"] == "vm-state" for s in f["subjects"]
            if s["kind"] == "vm"} == {"vm-novalid", "vm-no-vif", "vm-unlucky"} else ["others"])
    for healthy in ("healthy", "cloud-kernel", "migration-idle", "three-clocks", "lost-events",
                    "kernel-lost"):
        d = quiet(simulate(tmp, healthy), healthy)
    has(d, "kernel-lost", "lost-events", False)
    # What threads on other CPUs seem to do while one loses events is not taken for waiting.
    for seed in ("60130", "6001"):
        out = os.path.join(tmp, "lost-" + seed)
        p = run("sim", "--fault", "lost-events", "--seed", seed, "-o", out)
        d = quiet(out, "events lost for seconds, seed " + seed) if p.returncode == 0 else None
        report("simulated with seed " + seed, [p.stderr] if p.returncode else [])


def check_real(tmp):
    for name in ("migration-vm", "migration-host-ust", "openstack-zed"):
        packed = os.path.join(LAB, name + ".tar.xz")
        if not os.path.exists(packed):
            print("skip %s: ../shared/traces/lab/%s.tar.xz is not there" % (name, name))
            continue
        with tarfile.open(packed) as t:
            t.extractall(os.path.join(tmp, name))

    def at(*parts):
        return os.path.join(tmp, *parts)
    if os.path.exists(at("migration-vm")):
        d = first_is(at("migration-vm", "migration", "exp3-hogs"), "exp3-hogs", "vm-starved",
                     "warning", "vm-1000", ["vm-2001", "vm-2004"])
        has(d, "exp3-hogs", "migration-disturbed", True)
        d = first_is(at("migration-vm"), "both experiments", "vm-starved", "warning", "vm-1000",
                     ["vm-2001", "vm-2002", "vm-2003", "vm-2004"])
        has(d, "both experiments", "migration-disturbed", True)
        quiet(at("migration-vm", "migration", "exp1-idle"), "exp1-idle")
    if os.path.exists(at("migration-host-ust")):
        first_is(at("migration-host-ust"), "exp2-nonconv", "migration-never-ends", "critical",
                 "vm-1000")
    if os.path.exists(at("openstack-zed")):
        zed = at("openstack-zed", "openstack-zed")
        first_is(os.path.join(zed, "nova-novalidhost"), "nova-novalidhost", "no-valid-host",
                 "critical")
        first_is(os.path.join(zed, "libvirt-livemigrate"), "libvirt-livemigrate",
                 "migration-failed", "critical", "vm-web-frontend-01")
        quiet(os.path.join(zed, "nova-lifecycle"), "nova-lifecycle")


def check_commands(tmp):
    fault, fine = os.path.join(tmp, "migration-nonconv"), os.path.join(tmp, "migration-idle")
    hogs = os.path.join(tmp, "migration-hogs")
    problems = []
    for path, level, code in ((fault, "critical", 1), (fault, "info", 1), (fine, "critical", 0),
                              (fine, "warning", 0), (fault, "fatal", 2)):
        p = run("diagnose", "-q", "--fail-on", level, path)
        if p.returncode != code:
            problems.append("--fail-on %s: exit %d, not %d" % (level, p.returncode, code))
    report("--fail-on", problems)
    problems = []
    for setting, code in (("migration-never-ends.x=1", 2), ("no-rule.x=1", 2), ("vm-starved", 2),
                          ("vm-starved.min-wait=fast", 2), ("vm-starved.min-wait=-1", 2),
                          ("vm-starved.min-wait=1e9", 0)):
        p = run("diagnose", "-q", "--set", setting, hogs)
        if p.returncode != code or (code and "--set" not in p.stderr):
            problems.append("%s: exit %d, %s" % (setting, p.returncode, p.stderr))
        if code == 0 and "neph explain vm-starved" in p.stdout:
            problems.append("%s: it still speaks: %s" % (setting, p.stdout[:300]))
    report("--set", problems)
    p = run("diagnose", "-q", fine)
    report("nothing found is said", [] if "\nNothing found that is wrong" in p.stdout and
           "could not be seen" in p.stdout else [p.stdout[:300]])
    rules = json.loads(run("explain", "-o", "json").stdout)
    problems = []
    for r in rules:
        p = run("explain", r["rule"])
        if r["doc"] not in p.stdout or r["needs"] not in p.stdout or not r["remedy"] or \
                r["layer"] not in LAYERS or r["layer"] not in p.stdout:
            problems.append("%s: %r" % (r["rule"], p.stdout[:200]))
    report("explain", problems if len(rules) >= 10 else ["%d rules" % len(rules)])
    p = run("explain", "no-such-rule")
    report("explain: unknown", [] if p.returncode == 5 and "no rule" in p.stderr else [p.stderr])


def main():
    with tempfile.TemporaryDirectory() as tmp:
        check_simulated(tmp)
        check_real(tmp)
        check_commands(tmp)


main()
