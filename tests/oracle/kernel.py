#!/usr/bin/env python3
"""Are the figures of the kernel layer right, to the nanosecond?

usage: kernel.py path/to/neph

The traces are those of the archives in ../shared/traces, next to the project.
Three parties are compared:

- `neph`, by the tables of FIGURES below: which command, what its rows mean;
- _kernel_naive.py, a second computation from the text of babeltrace2, exactly;
- lttng-analyses, where it is installed and defines the same thing: with `neph`, and with
  the naive computation, so that this one is not alone with its errors.

Each figure of each trace is one test.
"""

import collections
import json
import os
import subprocess
import sys
import tempfile

import _kernel_naive as naive
import _lttng_analyses as analyses
from _helper import SHOWN, report

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
TRACES = os.path.join(os.path.dirname(TOP), "shared", "traces")
ALL = ["--limit", "10000000"]

# name, archive, folder in it, is lttng-analyses asked as well?
SETS = [
    ("many-threads", "many-threads.tar.xz", "many-threads", True),
    ("scp_src", "scp-two-hosts.tar.xz", "synctraces/scp_src", False),
    ("scp_dest", "scp-two-hosts.tar.xz", "synctraces/scp_dest", False),
    ("kernel-small", "lab/kernel-small.tar.xz", "kernel-small", True),
    ("two-nodes/compute1", "lab/two-nodes.tar.xz", "two-nodes/trace-compute1", True),
    ("two-nodes/compute2", "lab/two-nodes.tar.xz", "two-nodes/trace-compute2", False),
    ("ovs-bpf", "lab/ovs-bpf.tar.xz", "ovs-bpf/trace", False),
    ("exp3/compute1", "lab/migration-vm.tar.xz", "migration/exp3-hogs/lttng-compute1", False),
]

# --- what the rows of neph mean: to be changed here and nowhere else ---------------

# name of the figure; command; which rows; what names a row; {column of neph: our name}
Figure = collections.namedtuple("Figure", "name command wanted key columns")

TIMES = {"run_ns": "run_ns", "wait_ns": "wait_ns", "blocked_ns": "blocked_ns"}
DURATIONS = {"count": "count", "total_ns": "total_ns", "min_ns": "min_ns", "max_ns": "max_ns"}

FIGURES = [
    Figure("time of threads", ["top", "cpu"], lambda r: r["kind"] == "thread",
           lambda r: r["tid"], TIMES),
    Figure("time of processes", ["top", "cpu"], lambda r: r["kind"] == "process",
           lambda r: r["pid"], TIMES),
    Figure("pre-emptions", ["top", "preempt", "--by", "thread"], lambda r: True,
           lambda r: (r["victim_tid"], r["culprit_tid"]),
           {"count": "count", "total_ns": "total_ns", "longest_ns": "longest_ns"}),
    Figure("scheduling latency", ["stats", "sched", "--by", "thread"], lambda r: True, lambda r: r["tid"],
           dict(DURATIONS, p50_ns="p50_ns", p99_ns="p99_ns")),
    Figure("interrupts", ["stats", "irq"], lambda r: r["kind"] in ("irq", "softirq"),
           lambda r: (r["kind"], r["number"]), DURATIONS),
    Figure("system calls", ["stats", "syscall", "--by", "process"], lambda r: True,
           lambda r: (r["pid"], r["call"]), dict(DURATIONS, open="open")),
    Figure("block requests", ["top", "io", "--by", "process"], lambda r: True,
           lambda r: (r["device"], r["op"], r["pid"]),
           {"count": "count", "bytes": "bytes", "p50_ns": "p50_ns", "p99_ns": "p99_ns"}),
    Figure("packets", ["top", "net"], lambda r: r["direction"] in ("rx", "tx"),
           lambda r: (r["interface"], r["direction"]), {"packets": "packets", "bytes": "bytes"}),
]


def neph_rows(figure, path):
    """{key: {our name: value}} of a figure as neph tells it."""
    argv = figure.command + ["-q", "-o", "json"] + ALL + [path]
    p = subprocess.run([NEPH] + argv, capture_output=True, text=True)
    if p.returncode != 0:
        raise RuntimeError("neph %s: exit %d: %s" % (" ".join(argv), p.returncode, p.stderr))
    found = {}
    for row in json.loads(p.stdout):
        if figure.wanted(row):
            key = figure.key(row)
            if key in found and figure.name == "packets":  # one row for each sender
                for column, ours in figure.columns.items():
                    found[key][ours] += row[column]
                continue
            if key in found:
                raise RuntimeError("neph %s: two rows of %r" % (" ".join(argv), key))
            found[key] = {ours: row[column] for column, ours in figure.columns.items()}
    return found


# --- the same figures from the naive computation ---------------------------------------


def merged(rows, key):
    """Durations of several rows as one: {key: {count, total_ns, min_ns, max_ns, open}}."""
    found = {}
    for r in rows:
        if r["count"]:
            m = found.setdefault(key(r), {"count": 0, "total_ns": 0, "min_ns": None,
                                          "max_ns": r["max_ns"], "open": 0})
            m["count"] += r["count"]
            m["total_ns"] += r["total_ns"]
            m["min_ns"] = min((x["min_ns"] for x in (m, r) if x["min_ns"] is not None),
                              default=None)
            m["max_ns"] = max(m["max_ns"], r["max_ns"])
            m["open"] += r.get("open", 0)
    return found


def ended(rows, facts):
    """System calls without those that go on at the end, of which lttng-analyses says nothing:
    the longest of a row that has some is not known."""
    out = {}
    for key, row in rows.items():
        lasted = [x for r in facts["syscalls"] if (r["pid"], r["name"]) == key for x in r["open_ns"]]
        if row["count"] > len(lasted):
            out[key] = dict(row, count=row["count"] - len(lasted),
                            total_ns=row["total_ns"] - sum(lasted))
            if lasted:
                out[key]["max_ns"] = None
    return out


def device(facts, dev):
    """Its name by the state dump, else "major:minor" (minors have 20 bits)."""
    names = {d["dev"]: d["name"] for d in facts["disks"]}
    return names.get(dev, "%d:%d" % (dev >> 20, dev & 0xfffff))


def block_requests(facts):
    groups = {}
    for b in facts["blocks"]:
        g = groups.setdefault((device(facts, b["dev"]), b["op"], b["pid"]), [[], 0])
        g[0] += b["latencies"]
        g[1] += b["bytes"]
    return {key: {"count": len(v), "bytes": size, "p50_ns": naive.nearest_rank(v, 50),
                  "p99_ns": naive.nearest_rank(v, 99)} for key, (v, size) in groups.items()}


def table(rows, key, columns, wanted=lambda r: True):
    return {key(r): {c: r[c] for c in columns} for r in rows if wanted(r)}


def naive_figures(facts):
    """{name of the figure: {key: {name: value}}}"""
    latency = [dict(t["latency"], tid=t["tid"]) for t in facts["threads"]]
    return {
        "time of threads": table(facts["threads"], lambda r: r["tid"], TIMES),
        "time of processes": table(facts["processes"], lambda r: r["pid"], TIMES),
        "pre-emptions": table(facts["preemptions"],
                              lambda r: (r["victim_tid"], r["culprit_tid"]),
                              ("count", "total_ns", "longest_ns")),
        "scheduling latency": table(latency, lambda r: r["tid"],
                                    list(DURATIONS) + ["p50_ns", "p99_ns"],
                                    lambda r: r["count"] > 0),
        "interrupts": table(facts["irqs"], lambda r: (r["kind"], r["number"]), DURATIONS),
        "system calls": merged(facts["syscalls"], lambda r: (r["pid"], r["name"])),
        "block requests": block_requests(facts),
        "packets": table(facts["packets"], lambda r: (r["interface"], r["direction"]),
                         ("packets", "bytes")),
    }


# --- what lttng-analyses says of them ------------------------------------------------------


def elsewhere(facts):
    """Threads that were on a CPU when the trace began: it takes them for running since the
    trace's first event."""
    return {t["tid"] for t in facts["threads"] if t["first"] in ("switch out", "context")}


def analyses_figures(path, facts):
    """The figures that it defines as we do."""
    at_end = {t["tid"] for t in facts["threads"] if t["last"] == naive.RUNNING}
    pid = {t["tid"]: t["pid"] for t in facts["threads"]}
    calls = [dict(s, tid=tid, name=name) for (tid, name), s in analyses.syscalls(path).items()]
    return {
        "time of threads": {tid: {"run_ns": ns + (tid in at_end)}  # its end is the last event
                            for tid, ns in analyses.cpu(path).items()
                            if tid and ns and tid not in elsewhere(facts)},
        "interrupts": {("irq", n): s for n, s in analyses.irqs(path).items()},
        "system calls": merged(calls, lambda r: (pid.get(r["tid"], r["tid"]), r["name"])),
    }


def sent_and_disks(path):
    """Bytes sent by interface, durations by disk."""
    usage = analyses.usage(path)
    return ({key[2]: n for key, n in usage.items() if key[:2] == ("net", "sent") and n},
            analyses.disks(path))


# --- comparing ----------------------------------------------------------------------------


def differences(ours, theirs, who="theirs"):
    """A line for each value that differs and each row that one side lacks.  Only columns of
    theirs count."""
    out = []
    for key in sorted(set(ours) | set(theirs), key=str):
        a, b = ours.get(key), theirs.get(key)
        if b is None and not any(a.values()):
            continue  # of whom nothing but the name is known
        if a is None or b is None:
            out.append("%r: %s, %s is %s" % (key, "no row of ours" if a is None else
                                             "our row is %r" % a, who, b))
            continue
        out += ["%r: %s is %r, %s %r" % (key, column, a[column], who, b[column])
                for column in b if a[column] != b[column]]
    return out


def check_figures(name, path, facts):
    """neph against the naive computation; returns neph's figures."""
    wanted = naive_figures(facts)
    found = {}
    for figure in FIGURES:
        try:
            found[figure.name] = neph_rows(figure, path)
            problems = differences(found[figure.name], wanted[figure.name])
        except (RuntimeError, KeyError, ValueError) as e:
            problems = ["%s: %s" % (type(e).__name__, str(e).strip())]
        report("%s: %s" % (name, figure.name), problems)
    return found


def comparable(figure, rows, facts):
    """Those rows of ours that lttng-analyses can have."""
    if figure == "time of threads":
        return {tid: r for tid, r in rows.items() if r["run_ns"] and tid not in elsewhere(facts)}
    if figure == "interrupts":  # it does not know irq_softirq_*
        return {key: r for key, r in rows.items() if key[0] == "irq"}
    if figure == "system calls":
        return ended(rows, facts)
    return rows


def check_party(name, figures, facts, theirs, sent):
    """One party's figures against those of lttng-analyses."""
    for figure, rows in theirs.items():
        mine = comparable(figure, figures.get(figure, {}), facts)
        rows = {key: {c: v for c, v in row.items() if c != "open" and (
            c != "max_ns" or mine.get(key, row)[c] is not None)} for key, row in rows.items()}
        report("%s and lttng-analyses: %s" % (name, figure),
               differences(mine, rows, "lttng-analyses"))
    mine = {key[0]: row["bytes"] for key, row in figures.get("packets", {}).items()
            if key[1] == "tx" and row["bytes"]}
    report("%s and lttng-analyses: bytes sent" % name,
           [] if mine == sent else ["%r, lttng-analyses %r" % (mine, sent)])


def check_analyses(name, path, facts, ours):
    """lttng-analyses against the naive computation, and against neph if it is given."""
    try:
        theirs = analyses_figures(path, facts)
        sent, disks = sent_and_disks(path) if facts["blocks"] or facts["packets"] else ({}, {})
        log = analyses.latency_log(path)
    except analyses.Failed as e:
        report(name + ": lttng-analyses", [str(e)])
        return
    if ours:
        check_party(name + ": neph", ours, facts, theirs, sent)
    check_party(name + ": naive", naive_figures(facts), facts, theirs, sent)
    mine = merged([dict(b, name=device(facts, b["dev"])) for b in facts["blocks"]],
                  lambda r: r["name"])
    report(name + ": naive and lttng-analyses: disks",
           differences(mine, disks, "lttng-analyses"))
    check_latencies(name, facts["early_latencies"], log)


def check_latencies(name, ours, log):
    """Theirs begin with sched_waking, if there is one, and never with a fork.  Of the others,
    one in a thousand may differ: babeltrace 1 orders events of the same instant otherwise, and
    lttng-analyses forgets the wake-up of a process whose record it makes anew."""
    mine = {w[:3] for w in ours if not w[3]}
    odd = sorted(mine ^ set(log))
    report("%s: naive and lttng-analyses: latencies" % name,
           ["%d of %d differ: %r" % (len(odd), len(mine), odd[:SHOWN])]
           if not mine or len(odd) * 1000 > len(mine) else [])


# --- does the naive computation do what it says? --------------------------------------------

# time, CPU, event, fields.  10 sleeps, pre-empts 11, gives way; 11 ends and its tid is used
# again by a thread that 10 forks; 12 and 13 run at the end.
STORY = """
100 0 sched_switch prev_tid = 10, prev_state = 1, next_tid = 11
150 1 sched_wakeup tid = 10
200 0 sched_switch prev_tid = 11, prev_state = 256, next_tid = 10
230 1 sched_wakeup tid = 11
250 1 sched_switch prev_tid = 0, prev_state = 0, next_tid = 11
300 0 sched_switch prev_tid = 10, prev_state = 0, next_tid = 0
310 0 sched_switch prev_tid = 0, prev_state = 0, next_tid = 10
312 0 irq_handler_entry irq = 5, name = "disk, { x"
313 0 syscall_entry_read fd = 3
314 0 block_rq_insert dev = 8388608, sector = 100, nr_sector = 8, rwbs = 1
316 0 block_rq_issue dev = 8388608, sector = 100, nr_sector = 8, rwbs = 1
320 0 irq_handler_exit irq = 5, ret = 1
321 0 irq_softirq_entry vec = 3
322 0 irq_handler_entry irq = 5, name = "disk, { x"
324 0 irq_handler_exit irq = 5, ret = 1
330 0 irq_softirq_exit vec = 3
331 0 irq_softirq_exit vec = 1
332 0 block_rq_complete dev = 8388608, sector = 100, nr_sector = 4, rwbs = 1
336 0 block_rq_complete dev = 8388608, sector = 104, nr_sector = 4, rwbs = 1
340 0 syscall_exit_read ret = 8
341 0 syscall_exit_write ret = 8
342 0 syscall_entry_futex op = 0
344 0 net_dev_xmit name = "eth0", len = 100, rc = 0
345 0 net_dev_xmit name = "eth0", len = 100, rc = 16
346 0 net_if_receive_skb len = 60, name = "eth0", t = ( "_ip" : container = 1 ), h = { { len = 9 } }
350 1 sched_process_exit tid = 11
351 1 sched_switch prev_tid = 11, prev_state = 2, next_tid = 0
352 0 sched_wakeup tid = 11
353 1 sched_switch prev_tid = 0, prev_state = 0, next_tid = 11
354 1 sched_switch prev_tid = 11, prev_state = 32, next_tid = 0
360 0 sched_process_fork parent_tid = 10, child_tid = 11, child_pid = 11, vtids = [ [0] = 7 ]
365 0 sched_wakeup_new tid = 11
380 1 sched_switch prev_tid = 0, prev_state = 0, next_tid = 11
390 1 sched_switch prev_tid = 11, prev_state = 2, next_tid = 0
395 0 sched_switch prev_tid = 10, prev_state = 130, next_tid = 12
398 0 sched_wakeup tid = 12
400 0 sched_switch prev_tid = 12, prev_state = 2048, next_tid = 13
420 1 lttng_statedump_process_state tid = 14, pid = 14, name = "x", status = 5
"""

TOLD = {
    "time of threads": {
        10: {"run_ns": 185, "wait_ns": 60, "blocked_ns": 75},
        11: {"run_ns": 212, "wait_ns": 66, "blocked_ns": 31},
        12: {"run_ns": 5, "wait_ns": 20, "blocked_ns": 0},
        13: {"run_ns": 20, "wait_ns": 0, "blocked_ns": 0},
        14: {"run_ns": 0, "wait_ns": 0, "blocked_ns": 0},
    },
    "pre-emptions": {(11, 10): {"count": 1, "total_ns": 50, "longest_ns": 50},
                     (12, 13): {"count": 1, "total_ns": 20, "longest_ns": 20}},
    "scheduling latency": {
        10: {"count": 1, "total_ns": 50, "min_ns": 50, "max_ns": 50, "p50_ns": 50, "p99_ns": 50},
        11: {"count": 2, "total_ns": 16, "min_ns": 1, "max_ns": 15, "p50_ns": 1, "p99_ns": 15},
    },
    "interrupts": {("irq", 5): {"count": 2, "total_ns": 10, "min_ns": 2, "max_ns": 8},
                   ("softirq", 3): {"count": 1, "total_ns": 9, "min_ns": 9, "max_ns": 9}},
    "system calls": {
        (10, "read"): {"count": 1, "total_ns": 27, "min_ns": 27, "max_ns": 27, "open": 0},
        (10, "futex"): {"count": 1, "total_ns": 78, "min_ns": None, "max_ns": 78, "open": 1},
    },
    "block requests": {("8:0", "write", 10): {"count": 2, "bytes": 4096, "p50_ns": 18,
                                              "p99_ns": 22}},
    "packets": {("eth0", "tx"): {"packets": 1, "bytes": 100},
                ("eth0", "rx"): {"packets": 1, "bytes": 60}},
}


def story_events():
    for line in STORY.strip().splitlines():
        t, cpu, name, fields = line.split(" ", 3)
        if name == "sched_switch":
            fields = 'prev_comm = "a", %s, next_comm = "b"' % fields
        elif name in naive.WAKEUPS:
            fields = 'comm = "a", ' + fields
        elif name == "sched_process_fork":
            fields = 'child_comm = "a", ' + fields
        yield naive.parse_line("[0.%09d] (+0.000000001) h %s: stream.packet.context = { cpu_id = "
                               "%s }, event.fields = { %s }\n" % (int(t), name, cpu, fields))


def check_naive():
    """The naive computation on a short story whose figures were found by hand, and whether a
    difference in any of them is seen."""
    got = naive_figures(naive.analyse_events(story_events()))
    for figure, rows in TOLD.items():
        report("naive on a story: " + figure, differences(got[figure], rows))
    missed = []
    for figure, rows in TOLD.items():
        for key, row in rows.items():
            for column in row:
                wrong = dict(rows)
                wrong[key] = dict(row, **{column: (row[column] or 0) + 1})
                if not differences(wrong, rows) or not differences(
                        {k: v for k, v in rows.items() if k != key}, rows):
                    missed.append("%s %r %s" % (figure, key, column))
    report("the comparison sees each difference", missed)


def unpack(archive, folder, tmp):
    to = os.path.join(tmp, os.path.basename(archive).split(".")[0])
    if not os.path.isdir(os.path.join(to, folder)):
        os.makedirs(to, exist_ok=True)
        subprocess.run(["tar", "-xf", os.path.join(TRACES, archive), "-C", to, folder],
                       check=True)
    return os.path.join(to, folder)


def check_trace(name, path, asked, has_neph):
    try:
        facts = naive.analyse(path)
    except (EOFError, FileNotFoundError) as e:
        print("skip %s: %s (packages babeltrace2, babeltrace)" % (name, e))
        return
    ours = check_figures(name, path, facts) if has_neph else None
    if asked:
        check_analyses(name, path, facts, ours)


def main():
    has_neph = subprocess.run([NEPH, "help", "top"], capture_output=True).returncode == 0
    has_analyses = analyses.is_installed()
    check_naive()
    if not has_neph:
        print("skip figures of neph: this neph has no command `top`")
    if not has_analyses:
        print("skip lttng-analyses: it is not installed (package python3-lttnganalyses)")
    with tempfile.TemporaryDirectory(prefix="neph-kernel-") as tmp:
        for name, archive, folder, asked in SETS:
            if not os.path.exists(os.path.join(TRACES, archive)):
                print("skip %s: ../shared/traces/%s is not there" % (name, archive))
            elif has_neph or (asked and has_analyses):
                check_trace(name, unpack(archive, folder, tmp), asked and has_analyses, has_neph)
    return 0


if __name__ == "__main__":
    NEPH = os.path.abspath(sys.argv[1])
    sys.exit(main())
