#!/usr/bin/env python3
"""What Debian's lttng-analyses (0.6.1) says of a kernel trace, as dicts.

usage: _lttng_analyses.py TRACE

Each program has a twin whose name ends in -mi and that prints tables as JSON; they
read with the bindings of babeltrace 1.  A ratio or an average is a double: times the
divisor and rounded, it is the integer again (up to 2^53).

Where it defines something else than we do (read in lttnganalyses/):

- The version of the tracer is read only from a folder whose path ends in
  "kernel" (cli/command.py); without one, every program stops with "'State' object has
  no attribute 'tracer_version'" at the first wake-up.  A trace elsewhere is therefore
  shown to it through a link of that name.
- LTTng before 2.3 and Linux 3.x: it stops with KeyError (sched_process_exec has no
  `tid`, sched_process_fork no `child_pid`).  Both `scp` traces are among them.
- CPU time: who is first seen as prev_tid ran since the trace's first event, also if
  the CPU was idle or another thread ran then; with us that is unknown.  At the end, the
  time goes to the last event; with us to that + 1, since spans are half-open.
- Run, but not wait, pre-emption or blocked time: it has none of these.
- Scheduling latency begins at the first of sched_waking, sched_wakeup and
  sched_wakeup_new; with us sched_waking counts only where the others are not recorded, since
  a thread can't run before its wake-up (the two are 0.2 ms apart in a VM without hardware
  acceleration).  Without sched_wakeup_new, a forked thread has none; with us it waits
  from the fork.
- A wake-up counts for any thread that it does not see on a CPU, also a pre-empted one
  or one that ran before the trace began; it is kept until the next switch in.
- Its I/O part may make the record of a process anew (linuxautomaton/io.py, when it meets a
  thread whose process it does not know), which forgets the wake-up: 1 of 14,339 latencies in
  two-nodes/compute1.
- Events of the same instant on two CPUs: babeltrace 1 orders them otherwise than
  babeltrace2 and we do; a sched_waking before or after the sched_switch of the same
  ns counts or does not: 3 of 17,271 latencies in kernel-small.
- Interrupts: one hard interrupt per CPU, so none nested; softirqs are called
  softirq_entry/_exit (lttng-modules before 2.7), irq_softirq_* are not counted at all.
- System calls: the thread is the one switched in, never the context's; an exit pairs
  with the thread's last entry, whatever its name; those without the other are left out
  and not counted.
- compat_syscall_* are not known.
- Blocks: from issue, not insert; requests of 0 sectors and completions of another size
  are left out.  The device may be the partition that a bio was mapped
  from (block_bio_remap), and the thread that of the request's `tid` field.
- Packets: net_dev_xmit whatever its rc; received ones are netif_receive_skb, and
  net_if_receive_skb (its name in newer lttng-modules) is not counted: always 0.
- Swapper: tid 0 has a row in its CPU times, with what it had before the CPU's first switch.
- Priorities of sched_wakeup* before 2.7.1 are less by 100 (20 for 120): of no use to us.
- Percentiles: none.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile

LIMIT = "1000000"


class Failed(Exception):
    """The program gave no result; says why."""


def is_installed():
    return shutil.which("lttng-cputop-mi") is not None


def run(program, path, *options):
    """{class of table, or its title: rows} of one program; a row is a list of values."""
    with tempfile.TemporaryDirectory(prefix="neph-analyses-") as tmp:
        link = os.path.join(tmp, "kernel")
        os.symlink(os.path.abspath(path), link)
        p = subprocess.run(["lttng-%s-mi" % program, "--skip-validation", *options, link],
                           capture_output=True, text=True)
    try:
        out = json.loads(p.stdout)
    except json.JSONDecodeError:
        raise Failed("lttng-%s-mi: exit %d, prints no JSON: %s" %
                     (program, p.returncode, (p.stderr or p.stdout).strip()[-200:])) from None
    if "error-message" in out:
        raise Failed("lttng-%s-mi: %s" % (program, out["error-message"]))
    tables = {}
    for table in out["results"]:
        kind = table["class"]
        tables[kind if isinstance(kind, str) else kind["title"]] = table["data"]
    tables["time-range"] = out["results"][0]["time-range"] if out["results"] else None
    return tables


def value(cell):
    return cell.get("value")


def statistics(cells):
    """{count, total_ns, min_ns, max_ns} of the columns count, min, avg, max."""
    count, least, mean, most = [value(c) for c in cells[:4]]
    return {"count": count, "total_ns": round(mean * count), "min_ns": least, "max_ns": most}


def cpu(path):
    """{tid: ns on a CPU}"""
    tables = run("cputop", path, "--limit", LIMIT)
    span = value(tables["time-range"]["end"]) - value(tables["time-range"]["begin"])
    return {row[0]["tid"]: round(value(row[3]) * span) for row in tables["per-process"]}


def latencies(path):
    """{tid: statistics of the time from wake-up to run}"""
    return {row[0]["tid"]: statistics(row[1:]) for row in run("schedstats", path)["per_tid_stats"]}


def latency_log(path):
    """[(begin, end, tid)] of every latency, in the order of their ends."""
    rows = run("schedlog", path)["log"]
    return sorted((value(r[0]), value(r[1]), r[5]["tid"]) for r in rows)


def irqs(path):
    """{number of the hard interrupt: statistics}"""
    return {row[0]["nr"]: statistics(row[1:])
            for row in run("irqstats", path).get("hard-stats", [])}


def syscalls(path):
    """{(tid, name): statistics}"""
    found = {}
    for title, rows in run("syscallstats", path).items():
        if title.startswith("System call statistics ["):
            tid = int(title.rpartition("TID: ")[2].rstrip(")]"))
            for row in rows:
                found[tid, row[0]["name"]] = statistics(row[1:])
    return found


def disks(path):
    """{name of the disk: statistics from issue to completion}"""
    rows = run("iolatencystats", path).get("disk-latency-stats", [])
    return {row[0]["name"]: statistics(row[1:]) for row in rows}


def usage(path):
    """Bytes by what: {("block", "read" or "written", tid): n, ("net", "sent", name): n}"""
    found = {}
    for title, rows in run("iousagetop", path, "--limit", LIMIT).items():
        way = title.rpartition("[")[2].rstrip("]")
        for row in rows if isinstance(rows, list) else []:
            if title.startswith("Per-process top block"):
                found["block", way, row[0]["tid"]] = value(row[1])
            elif title.startswith("Per-network interface"):
                found["net", way, row[0]["name"]] = value(row[1])
    return found


def main():
    for part in (cpu, latencies, irqs, syscalls, disks, usage):
        try:
            print(part.__name__)
            for key, found in sorted(part(sys.argv[1]).items()):
                print("  %s: %s" % (key, found))
        except Failed as e:
            print("  " + str(e))
    return 0


if __name__ == "__main__":
    sys.exit(main())
