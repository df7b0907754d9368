#!/usr/bin/env python3
"""How well `neph diagnose` finds what is wrong: clouds with a known fault, and clouds without.

usage: diagnosis.py NEPH [--seed-base N] [--runs N] [--healthy N] [--jobs N] [--without LAYER]
                    [--fault NAME]... [--alone] [--json FILE] [--keep DIR]

Draws --runs clouds with faults of the library (`neph sim --list-faults`), one or two at a time,
with and without benign noise, lost events and drifting clocks, and --healthy clouds without a
fault; diagnoses each and compares with truth.json.  docs/diagnosis-bench.md says how an answer is
judged.  Seeds are seed-base, seed-base + 1, ...  The exit status is not zero only if something
could not be run.
"""

import argparse
import collections
import json
import multiprocessing
import os
import shutil
import subprocess
import sys
import tempfile

# --- one cloud -------------------------------------------------------------------------------

def simulate_argv(neph, case, out):
    argv = [neph, "sim", "--fault", ",".join(case["faults"]), "--seed", str(case["seed"])]
    for flag in case["flags"]:
        argv += flag
    return argv + ["-o", out]


def still_unbounded(neph, out, env, labels):
    """Without those of a clock that other messages than packets bound after all: what bounds there
    are is tested by itself (tests/oracle/sync_truth.py)."""
    p = subprocess.run([neph, "sync", out, "-o", "json"], env=env, capture_output=True, text=True,
                       timeout=300)
    bounded = [h["host"] for h in json.loads(p.stdout)["hosts"] if h["quality"] == "exact"]
    return [l for l in labels
            if l["fault"] != "clock-unbounded" or not set(l["hosts"]) & set(bounded)]


def run_case(args):
    """What was expected and what was found: (case, truth, answer), or (case, None, error)."""
    neph, case, keep = args
    work = tempfile.mkdtemp(prefix="neph-diagnosis-")
    out = os.path.join(work, "cloud")
    env = dict(os.environ, NEPH_CACHE=os.path.join(work, "cache"))
    try:
        for argv in (simulate_argv(neph, case, out), [neph, "diagnose", out, "-o", "json"]):
            p = subprocess.run(argv, env=env, capture_output=True, text=True, timeout=300)
            if p.returncode not in (0, 1):
                return case, None, "%s: status %d: %s" % (" ".join(argv), p.returncode,
                                                          p.stderr.strip()[-300:])
        with open(os.path.join(out, "truth.json")) as f:
            truth = json.load(f)
        answer = json.loads(p.stdout)
        if keep:
            with open(os.path.join(keep, "%d.json" % case["seed"]), "w") as f:
                json.dump({"case": case, "expected": truth["findings"], "answer": answer}, f)
        labels = truth["findings"]
        if any(l["fault"] == "clock-unbounded" for l in labels):
            labels = still_unbounded(neph, out, env, labels)
        return case, {"findings": labels, "without": truth["without"]}, answer
    except subprocess.TimeoutExpired as e:
        return case, None, "%s: took more than 300 s" % " ".join(e.cmd)
    except ValueError as e:
        return case, None, "%s: %s" % (" ".join(argv), e)
    finally:
        shutil.rmtree(work, ignore_errors=True)


# --- judging ---------------------------------------------------------------------------------

def parties(finding, key):
    return [(p["kind"], p["name"]) for p in finding[key]]


def same(a, b):
    """The kernel keeps 15 bytes of a name: "qemu:" and ten of an instance's."""
    return a == b or (a[0] == b[0] and len(b[1]) >= 10 and a[1].startswith(b[1]))


def shared(expected, found):
    return any(same(e, f) for e in expected for f in found)


def fits(label, finding):
    """The right rule, of the right thing, and who did most of it is one who did it."""
    if finding["rule"] not in [label["rule"]] + label["or"]:
        return False
    subjects, culprits = parties(label, "subjects"), parties(label, "culprits")
    found = parties(finding, "subjects") + [("host", h) for h in finding["hosts"]]
    if not culprits: # who waits for it may be told instead, and it be blamed
        found += parties(finding, "culprits")
    if subjects and not shared(subjects, found):
        return False
    return not culprits or shared(culprits, parties(finding, "culprits")[:1])


def explained_by(finding, findings, labels):
    """Is it a symptom of something expected?"""
    by_rank = {f["rank"]: f for f in findings}
    todo, seen = list(finding["causes"]), set()
    while todo:
        rank = todo.pop()
        if rank in seen or rank not in by_rank:
            continue
        seen.add(rank)
        if any(fits(l, by_rank[rank]) for l in labels):
            return True
        todo += by_rank[rank]["causes"]
    return False


def is_trouble(finding):
    return finding["severity"] != "info"


def judged_list(findings, labels):
    """The findings in their order, without information that nobody expected: that is no claim
    that something is wrong."""
    return [f for f in findings if is_trouble(f) or any(fits(l, f) for l in labels)]


def judge(truth, answer):
    labels = truth["findings"]
    findings = answer["findings"]
    ordered = judged_list(findings, labels)
    roots = [l for l in labels if l["root"]]
    trouble = [f for f in findings if is_trouble(f)]
    right = [f for f in trouble
             if any(fits(l, f) for l in labels) or explained_by(f, findings, labels)]
    return {
        "top1": bool(ordered) and any(fits(l, ordered[0]) for l in roots),
        "top3": any(fits(l, f) for l in roots for f in ordered[:3]),
        "found": [any(fits(l, f) for f in findings) for l in roots],
        "linked": [any(fits(l, f) and explained_by(f, findings, roots) for f in findings)
                   for l in labels if not l["root"]],
        "first": ordered[0]["rule"] if ordered else "-",
        "trouble": len(trouble), "right": len(right),
    }


def degraded(truth, answer, layer):
    """With a layer taken away: still right; it says what it can't see; it accuses somebody else."""
    labels = truth["findings"]
    ordered = judged_list(answer["findings"], labels)
    if ordered and any(fits(l, ordered[0]) for l in labels):
        return "still right"
    if ordered and is_trouble(ordered[0]) and ordered[0]["culprits"] and not any(
            ordered[0]["rule"] == l["rule"] for l in labels):
        return "wrong culprit"
    words = {"kernel": "kernel", "qemu": "QEMU", "openstack": "OpenStack"}[layer]
    said = answer["blind_spots"] + [u for f in answer["findings"] for u in f["unknown"]]
    return "says so" if any(words.lower() in s.lower() for s in said) else "silent"


# --- which clouds ----------------------------------------------------------------------------

def list_faults(neph):
    out = subprocess.run([neph, "sim", "--list-faults"], capture_output=True, text=True, check=True)
    return [line.split(None, 2)[0] for line in out.stdout.splitlines()
            if line.split(None, 2)[1] != "-"]


def flags_of(i, without):
    """What is harmless, in turns: nothing, noise, lost events, much drift, all of it."""
    flags = [[], [["--noise"]], [["--lost-events"]], [["--drift", "100"]],
             [["--noise"], ["--lost-events"], ["--drift", "60"]]][i % 5]
    return flags + [["--without", layer] for layer in without]


# Not put together with another: they are about the whole trace.
ALONE = {"missing-layer", "clock-unbounded", "tracing-overhead"}


def cases(o, names):
    ret = []
    pairable = [n for n in names if n not in ALONE]
    for i in range(o.runs):
        seed = o.seed_base + i
        faults = [names[i % len(names)]]
        turn = i // len(names)
        if not o.alone and turn % 3 == 2 and faults[0] in pairable and len(pairable) > 1:
            step = 1 + turn * 7 % (len(pairable) - 1)
            faults.append(pairable[(pairable.index(faults[0]) + step) % len(pairable)])
        ret.append({"faults": faults, "seed": seed, "flags": flags_of(turn + i % 2, o.without)})
    for i in range(o.healthy):
        ret.append({"faults": ["none"], "seed": o.seed_base + o.runs + i,
                    "flags": flags_of(i, o.without)})
    return ret


# --- telling ---------------------------------------------------------------------------------

def percent(n, of):
    return "%5.1f %% (%d of %d)" % (100.0 * n / of if of else 100.0, n, of)


def print_matrix(matrix):
    columns = sorted({c for row in matrix.values() for c in row})
    print("\nConfusion: rows are what was expected, columns the rule of the first finding")
    for i, name in enumerate(columns):
        print("  %2d %s" % (i + 1, name))
    print("%-24s" % "" + "".join("%5d" % (i + 1) for i in range(len(columns))))
    for rule in sorted(matrix):
        print("%-24s" % rule + "".join("%5s" % (matrix[rule][c] or ".") for c in columns))


def print_rules(per_rule):
    print("\n%-24s %8s %8s %8s" % ("rule", "expected", "found", "first"))
    for rule in sorted(per_rule):
        n, found, first = per_rule[rule]
        print("%-24s %8d %8d %8d" % (rule, n, found, first))


def command(case):
    return " ".join(simulate_argv("neph", case, "D")) + " && neph diagnose D"


def tell(results, o):
    matrix = collections.defaultdict(collections.Counter)
    per_rule = collections.defaultdict(lambda: [0, 0, 0])
    sums = collections.Counter()
    misses, alarms, ways = [], [], collections.Counter()
    for case, truth, answer in results:
        v = judge(truth, answer)
        if not truth["findings"] and case["faults"] != ["none"]:
            sums["bounded"] += 1
            continue
        if case["faults"] == ["none"]:
            sums["healthy"] += 1
            bad = [f for f in answer["findings"] if is_trouble(f)]
            if bad:
                alarms.append((case, bad))
            matrix["(healthy)"][bad[0]["rule"] if bad else "-"] += 1
            continue
        sums["runs"] += 1
        for key in ("top1", "top3", "trouble", "right"):
            sums[key] += v[key]
        sums["symptoms"] += len(v["linked"])
        sums["linked"] += sum(v["linked"])
        for label, found in zip([l for l in truth["findings"] if l["root"]], v["found"]):
            sums["labels"] += 1
            sums["found"] += found
            r = per_rule[label["rule"]]
            r[0] += 1
            r[1] += found
            r[2] += v["top1"] and v["first"] in [label["rule"]] + label["or"]
        matrix[truth["findings"][0]["rule"]][v["first"]] += 1
        missed = not v["top1"] or not all(v["found"])
        if o.without: # what can't be known is no miss
            way = degraded(truth, answer, o.without[0])
            ways[way] += 1
            missed = way in ("silent", "wrong culprit")
        if missed:
            misses.append((case, truth, answer, v))
    print_matrix(matrix)
    print_rules(per_rule)
    if sums["bounded"]:
        print("\nnot counted: %d clouds whose clock is bounded by messages other than packets" %
              sums["bounded"])
    print("\nroot cause first       ", percent(sums["top1"], sums["runs"]))
    print("root cause in first 3  ", percent(sums["top3"], sums["runs"]))
    print("recall                 ", percent(sums["found"], sums["labels"]))
    print("symptoms below a cause ", percent(sums["linked"], sums["symptoms"]))
    print("precision              ", percent(sums["right"], sums["trouble"]))
    print("false alarms           ", percent(len(alarms), sums["healthy"]))
    if o.without:
        print("without %s: " % ", ".join(o.without) +
              ", ".join("%s %d" % kv for kv in sorted(ways.items())))
    print_misses(misses, alarms)
    return sums, misses, alarms


def print_misses(misses, alarms):
    for case, truth, answer, v in misses:
        what = "not first" if not v["top1"] else "not all found"
        print("\n%s: expected %s" % (what, "; ".join(
            "%s of %s by %s" % (l["rule"], names(l["subjects"]), names(l["culprits"]))
            for l in truth["findings"])))
        for f in answer["findings"][:3]:
            print("  found %d %s %s of %s by %s" % (f["rank"], f["severity"], f["rule"],
                                                    names(f["subjects"]), names(f["culprits"])))
        print("  " + command(case))
    for case, bad in alarms:
        print("\nfalse alarm: %s" % "; ".join("%s: %s" % (f["rule"], f["title"]) for f in bad[:3]))
        print("  " + command(case))


def names(list_of):
    return ", ".join(p["name"] for p in list_of[:3]) + (", ..." if len(list_of) > 3 else "") or "-"


def options():
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument("neph", metavar="NEPH")
    p.add_argument("--seed-base", type=int, default=1)
    p.add_argument("--runs", type=int, default=500)
    p.add_argument("--healthy", type=int, help="runs without a fault (two for five of --runs)")
    p.add_argument("--jobs", type=int, default=len(os.sched_getaffinity(0)))
    p.add_argument("--without", action="append", default=[],
                   choices=["kernel", "qemu", "openstack"])
    p.add_argument("--fault", action="append", default=[], help="only these faults")
    p.add_argument("--alone", action="store_true", help="one fault at a time")
    p.add_argument("--json", help="write the figures and the commands of misses here")
    p.add_argument("--keep", help="write each answer with what was expected into this folder")
    o = p.parse_args()
    if o.healthy is None:
        o.healthy = o.runs * 2 // 5
    return o


def main():
    o = options()
    known = list_faults(o.neph)
    for name in o.fault:
        if name not in known:
            sys.exit("there is no fault '%s': %s" % (name, " ".join(known)))
    todo = [(o.neph, c, o.keep) for c in cases(o, o.fault or known)]
    if o.keep:
        os.makedirs(o.keep, exist_ok=True)
    with multiprocessing.Pool(o.jobs) as pool:
        results = pool.map(run_case, todo, chunksize=1)
    broken = [r for r in results if r[1] is None]
    sums, misses, alarms = tell([r for r in results if r[1] is not None], o)
    if o.json:
        with open(o.json, "w") as f:
            json.dump({"sums": sums, "misses": [command(m[0]) for m in misses],
                       "alarms": [command(a[0]) for a in alarms]}, f, indent=1)
    for case, _, error in broken:
        print("\ncould not be run: %s\n  %s" % (error, command(case)), file=sys.stderr)
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
