#!/usr/bin/env python3
"""Does `neph` find what the simulator did to the kernel, to the nanosecond and the event?

usage: kernel_truth.py path/to/neph

Each scenario is simulated; what neph says of its trace is compared with the truth that the
simulator kept of its own state, which never saw the events.
"""

import json
import os
import subprocess
import sys
import tempfile

from _helper import report

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
NEPH = sys.argv[1]
SCENARIOS = ["kernel-contention", "kernel-io", "kernel-leak", "cloud-kernel"]


def rows(path, *argv):
    p = subprocess.run([NEPH] + list(argv) + [path, "-q", "-o", "json"],
                       capture_output=True, text=True)
    if p.returncode != 0:
        raise RuntimeError("neph %s: exit %d: %s" % (" ".join(argv), p.returncode, p.stderr))
    return json.loads(p.stdout)


def compare(ours, theirs, may_lack=lambda k: False):
    out = []
    for key in sorted(set(ours) | set(theirs), key=str):
        a, b = ours.get(key), theirs.get(key)
        if a != b and not (a is None and may_lack(key)):
            out.append("%r: neph %r, truth %r" % (key, a, b))
    return out


def summed(pairs):
    """Adds up tuples by key."""
    found = {}
    for key, values in pairs:
        have = found.get(key, (0,) * len(values))
        found[key] = tuple(a + b for a, b in zip(have, values))
    return found


def threads(path, host, k):
    ours = {(r["tid"], r["name"]): (r["run_ns"], r["wait_ns"], r["blocked_ns"])
            for r in rows(path, "top", "cpu", "--by", "thread", "--host", host)}
    theirs = {(t["tid"], t["comm"]): (t["run_ns"], t["wait_ns"], t["blocked_ns"])
              for t in k["threads"]}
    return compare({key: v for key, v in ours.items() if any(v)},
                   {key: v for key, v in theirs.items() if any(v)})


def preemptions(path, host, k):
    ours = {(r["victim_tid"], r["culprit_tid"]): (r["count"], r["total_ns"], r["longest_ns"])
            for r in rows(path, "top", "preempt", "--by", "thread", "--host", host)}
    theirs = {(p["victim_tid"], p["culprit_tid"]): (p["count"], p["total_ns"], p["longest_ns"])
              for p in k["preempt_threads"]}
    return compare(ours, theirs)


def waits(path, host, k):
    """Shared out among culprits, the waits of a thread are still as long."""
    ours = summed((r["victim_tid"], (r["total_ns"],))
                  for r in rows(path, "top", "wait", "--by", "thread", "--host", host))
    theirs = {t["tid"]: (t["wait_ns"],) for t in k["threads"] if t["wait_ns"]}
    return compare(ours, theirs)


def latencies(path, host, k):
    ours = {r["tid"]: (r["count"], r["total_ns"], r["max_ns"], r["p50_ns"], r["p99_ns"])
            for r in rows(path, "stats", "sched", "--by", "thread", "--host", host)}
    theirs = {t["tid"]: tuple(t["latency"][c] for c in
                              ("count", "total_ns", "longest_ns", "p50_ns", "p99_ns"))
              for t in k["threads"] if t["latency"]["count"]}
    return compare(ours, theirs)


def ended(path, host, measure, what, *more):
    """Count and sums of what has an end, by thread: all that the truth knows of.  Of the
    others, the problems: they count in `stats`, and as open."""
    log, opened, problems = [], {}, []
    for r in rows(path, "log", measure, "--host", host):
        key = r["tid"], r[what]
        if r["duration_ns"] is None:
            opened[key] = opened.get(key, 0) + 1
        else:
            log.append((key, (1, r["duration_ns"]) + tuple(r[c] for c in more)))
    sums = summed(log)
    for r in rows(path, "stats", measure, "--by", "thread", "--host", host):
        key = r["tid"], r[what]
        n, total = sums.get(key, (0, 0))[:2]
        is_open = opened.pop(key, 0)
        mean = total // n if n else None
        if (r["count"], r["open"], r["mean_ns"]) != (n + is_open, is_open, mean) or (
                r["total_ns"] < total or (not is_open and r["total_ns"] != total)):
            problems.append("%r: stats %r, log %d ended in %d ns, %d open" %
                            (key, r, n, total, is_open))
    return sums, problems + ["%r: open in the log, not in stats" % (key,) for key in opened]


def calls(path, host, k):
    ours, problems = ended(path, host, "syscall", "call")
    theirs = {(t["tid"], s["name"]): (s["count"], s["total_ns"])
              for t in k["threads"] for s in t["syscalls"] if s["count"]}
    return problems + compare(ours, theirs)


def requests(path, host, k):
    ours = {(r["device"], r["pid"], r["op"]): (r["count"], r["bytes"], r["p50_ns"], r["p99_ns"])
            for r in rows(path, "top", "io", "--by", "process", "--host", host)}
    theirs = {(r["device"], r["pid"], r["op"]): (r["count"], r["bytes"], r["p50_ns"], r["p99_ns"])
              for r in k["io"]}
    return compare(ours, theirs)


def interrupts(path, host, k):
    ours = {(r["kind"], r["number"]): (r["count"], r["total_ns"], r["max_ns"])
            for r in rows(path, "stats", "irq", "--host", host) if r["kind"] in ("irq", "softirq")}
    theirs = {("irq", i["irq"]): (i["count"], i["total_ns"], i["longest_ns"]) for i in k["irqs"]}
    theirs.update({("softirq", i["vec"]): (i["count"], i["total_ns"], i["longest_ns"])
                   for i in k["softirqs"]})
    return compare(ours, {key: v for key, v in theirs.items() if v[0]})


def packets(path, host, k):
    ours = summed(((r["interface"], r["direction"]), (r["packets"], r["bytes"]))
                  for r in rows(path, "top", "net", "--host", host) if r["direction"] in ("rx", "tx"))
    theirs = {}
    for i in k["interfaces"]:
        for way in ("rx", "tx"):
            if i[way + "_packets"]:
                theirs[(i["name"], way)] = (i[way + "_packets"], i[way + "_bytes"])
    return compare(ours, theirs)


def guests(path, host, k):
    """Exits of each vCPU by reason, and how long it was in the guest."""
    ours, problems = ended(path, host, "exits", "reason", "blocked_ns", "waited_ns")
    vcpus = {t["tid"]: t["vcpu"] for t in k["threads"] if t.get("vcpu")}
    theirs = {(tid, e["reason"]): (e["count"], e["total_ns"], e["blocked_ns"],
                                   e["woken_ns"] + e["preempted_ns"])
              for tid, v in vcpus.items() for e in v["by_reason"] if e["count"]}
    problems += compare(ours, theirs)
    cpu = {r["tid"]: r["guest_ns"] for r in rows(path, "top", "cpu", "--by", "thread", "--host", host)}
    for tid, v in vcpus.items():
        guest = cpu.get(tid, 0)
        last = rows(path, "state", "--attr", "threads/%d/state" % tid, "-t", str(k["end_ns"] - 1),
                    "--host", host)
        if last and last[0]["value"] == "guest":  # it never left: the truth has whole stays only
            guest -= k["end_ns"] - last[0]["since_ns"]
        if guest != v["guest_ns"]:
            problems.append("vCPU %d: guest_ns %r, truth %d" % (tid, guest, v["guest_ns"]))
    return problems


def mappings(path, host, k):
    """Every process of an instance is known by the name that the logs or the kernel give it."""
    ours = {r["pid"]: r["vm"] for r in rows(path, "list", "mappings", "--host", host) if r["vm"]}
    problems = []
    for p in k["processes"]:
        if p["instance"] and not p["kernel_thread"] and p["comm"].startswith("qemu:"):
            found = ours.pop(p["pid"], None)
            if found is None or not p["instance"].startswith(found):
                problems.append("pid %d is %r, truth %r" % (p["pid"], found, p["instance"]))
    return problems + ["pid %d is no instance, neph says %r" % x for x in ours.items()]


def leaves(tree):
    """(start, duration) of all parts without parts."""
    for node in tree:
        if "parts" in node:
            yield from leaves(node["parts"])
        else:
            yield node["start_ns"], node["duration_ns"]


def critical(path, host, k):
    """The parts of a critical path cover its window, each instant once, for every thread."""
    problems = []
    for t in k["threads"][:: max(1, len(k["threads"]) // 12)]:
        p = subprocess.run([NEPH, "critical", path, "--thread", str(t["tid"]), "--host", host,
                            "-q", "-o", "json"], capture_output=True, text=True)
        if p.returncode:  # two lives
            continue
        r = json.loads(p.stdout)
        at = r["start_ns"]
        for start, duration in leaves(r["tree"]):
            if start != at:
                problems.append("tid %d: a part begins at %d, the one before ended at %d"
                                % (t["tid"], start, at))
            at = start + duration
        flat = sum(f["total_ns"] for f in r["flat"])
        if at != r["end_ns"] or flat != r["total_ns"]:
            problems.append("tid %d: parts end at %d, window at %d; flat %d, whole %d"
                            % (t["tid"], at, r["end_ns"], flat, r["total_ns"]))
    return problems


def memory(path, host, k):
    """Pages that processes hold at the end, and which of them leak."""
    ours = {r["pid"]: (r["last_bytes"] // 4096, r["leak"])
            for r in rows(path, "top", "mem", "--host", host) if r["memory"] == "pages"}
    theirs = {p["pid"]: (p["pages_at_end"], p["leak_pages_per_s"] > 0)
              for p in k["processes"] if p["pages_allocated"]}
    return compare(ours, theirs)


CHECKS = [("time of threads", threads), ("pre-emptions", preemptions), ("waits", waits),
          ("scheduling latency", latencies), ("system calls", calls), ("block requests", requests),
          ("interrupts", interrupts), ("packets", packets), ("guests", guests),
          ("mappings", mappings), ("critical paths", critical), ("memory", memory)]


def main():
    for name in SCENARIOS:
        with tempfile.TemporaryDirectory(prefix="neph-truth-") as folder:
            os.environ["NEPH_CACHE"] = os.path.join(folder, "cache")
            path = os.path.join(folder, "trace")
            subprocess.run([NEPH, "sim", os.path.join(TOP, "sim", "scenarios", name + ".json"),
                            "-o", path], check=True, capture_output=True)
            with open(os.path.join(path, "truth.json"), encoding="utf-8") as f:
                truth = json.load(f)
            for h in truth["hosts"]:
                for what, check in CHECKS if "kernel" in h else []:
                    report("%s/%s: %s" % (name, h["name"], what),
                           check(path, h["name"], h["kernel"]))


main()
