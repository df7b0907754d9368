#!/usr/bin/env python3
"""Rules over the kernel's layer: each speaks of its fault, and holds back where only part of it is.

usage: kernel_rules.py path/to/neph

The traces are made here, by models of their own: a disk that serves requests in order, a link with
a rate, a scheduler that goes round.  The truth is what the model was told.
"""

import heapq
import json
import os
import random
import subprocess
import sys
import tempfile

NEPH = os.path.abspath(sys.argv[1])
START = 1700000000000000000
MS = 1000000
S = 1000 * MS
DISK = 8 << 20
PAGE = 4096


class Trace:
    """Events of one host, written in order of time."""

    def __init__(self, host="compute1"):
        self.host, self.events, self.serial = host, [], 0
        self.comm = {0: "swapper/0"}

    def at(self, t, name, cpu=0, /, **fields):
        self.serial += 1
        self.events.append((int(t), self.serial, cpu, name, fields))

    def process(self, pid, name, threads=(), kernel=False):
        for tid, comm in ((pid, name),) + tuple(threads):
            self.comm[tid] = comm
            self.at(0, "lttng_statedump_process_state", tid=tid, pid=pid, ppid=2 if kernel else 1,
                    name=comm, type=int(kernel), status=5)

    def vm(self, pid, name, vcpus=1):
        self.process(pid, "qemu:" + name,
                     [(pid + 1 + i, "CPU %d/KVM" % i) for i in range(vcpus)])

    def switch(self, t, cpu, prev, nxt, state=1):
        self.at(t, "sched_switch", cpu, prev_comm=self.comm[prev], prev_tid=prev,
                prev_state=state, next_comm=self.comm[nxt], next_tid=nxt, next_prio=20)

    def lines(self):
        for t, _, cpu, name, fields in sorted(self.events, key=lambda e: e[:2]):
            yield json.dumps({"t_ns": START + t, "host": self.host, "cpu": cpu, "name": name,
                              "fields": fields})


def diagnose(tmp, *traces):
    path = os.path.join(tmp, "in.jsonl")
    with open(path, "w") as f:
        events = [(json.loads(x)["t_ns"], x) for t in traces for x in t.lines()]
        for _, line in sorted(events, key=lambda e: e[0]):
            f.write(line + "\n")
    p = subprocess.run([NEPH, "diagnose", "-q", "--no-cache", "-o", "json", path],
                       stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120)
    if p.returncode != 0:
        raise RuntimeError("exit %d: %s" % (p.returncode, p.stderr))
    return json.loads(p.stdout)


def check(name, d, rule, severity="warning", subjects=None, culprits=None, first=True, not_in=()):
    """One finding of 'rule'; with 'severity' None: none above info of it."""
    found = [f for f in d["findings"] if f["rule"] == rule]
    problems = []
    if severity is None:
        problems = ["%s: %s" % (f["severity"], f["title"]) for f in d["findings"]
                    if f["severity"] != "info"]
    elif not found:
        problems = ["not found; instead %r" % [f["title"] for f in d["findings"]]]
    else:
        f = found[0]
        if f["severity"] != severity:
            problems.append("it is %s" % f["severity"])
        if first and f["rank"] != 1:
            problems.append("rank %d, behind: %s" % (f["rank"], d["findings"][0]["title"]))
        for what, want in (("subjects", subjects), ("culprits", culprits)):
            have = [x["name"] for x in f[what]]
            if want is not None and have[:len(want)] != want:
                problems.append("%s are %r, not %r" % (what, have, want))
            problems += ["%s: %s is among them" % (what, x) for x in not_in
                         if x in have and what == "culprits"]
    print("%s %s" % ("not ok" if problems else "ok", name))
    for x in problems:
        print("# " + x)


# --- disks ----------------------------------------------------------------------------------


def disk_trace(users, service, seconds=10, parallel=1, host="compute1", errors=()):
    """users: (pid, name, requests a second, KiB, begins, ends); a queue before 'parallel' servers."""
    rnd = random.Random(7)
    t = Trace(host)
    t.at(0, "lttng_statedump_block_device", dev=DISK, diskname="sda")
    asked = []
    for pid, name, rate, kib, begin, end in users:
        t.vm(pid, name)
        at = begin * S
        while at < end * S:
            at += rnd.expovariate(rate) * S
            asked.append((at, pid + 1, kib * 2, rnd.choice("RW")))
    free = [0] * parallel
    heapq.heapify(free)
    t.switch(1, 0, 0, users[0][0] + 1)
    for i, (at, tid, sectors, op) in enumerate(sorted(asked)):
        sector = rnd.randrange(1 << 30) * 8
        issue = max(at, heapq.heappop(free)) + 1000
        done = issue + service(issue / S, sectors * 512) * rnd.uniform(0.8, 1.2)
        heapq.heappush(free, done)
        what = dict(dev=DISK, sector=sector, nr_sector=sectors)
        t.at(at, "block_rq_insert", tid=tid, comm=t.comm[tid], rwbs=op, **what)
        t.at(issue, "block_rq_issue", tid=tid, comm=t.comm[tid], rwbs=op, **what)
        t.at(done, "block_rq_complete", error=-5 if i in errors else 0, **what)
    t.switch(seconds * S, 0, users[0][0] + 1, 0)
    return t


def check_disks(tmp):
    def steady(ms):
        return lambda t, size: ms * MS * (1 + size / (128 << 10))
    db, busy = (500, "vm-db", 30, 8, 0, 10), (600, "vm-backup", 180, 64, 2, 9)
    d = diagnose(tmp, disk_trace([db, busy], steady(3)))
    check("disk-contended", d, "disk-contended", "warning", ["vm-db"], ["vm-backup"])
    light = (600, "vm-backup", 20, 64, 0, 10)
    check("two that share a disk with room", diagnose(tmp, disk_trace([db, light], steady(1))),
          "", None)
    check("one with a deep queue of its own",
          diagnose(tmp, disk_trace([(600, "vm-backup", 290, 16, 0, 10)], steady(3))), "", None)
    check("many requests at once to a disk that takes them",
          diagnose(tmp, disk_trace([db, (600, "vm-backup", 1500, 4, 0, 10)], steady(0.5),
                                   parallel=16)), "", None)

    def slow(frm, to, factor):
        return lambda t, size: MS * (1 + size / (128 << 10)) * (factor if frm <= t < to else 1)
    two = [(500, "vm-db", 40, 4, 0, 10), (600, "vm-web", 20, 8, 0, 10)]
    d = diagnose(tmp, disk_trace(two, slow(5, 9, 15)))
    check("disk-slow from the fifth second on", d, "disk-slow", "warning", None, ["sda"])
    onset = [f for f in d["findings"] if f["rule"] == "disk-slow"]
    print("%s its onset is found" % ("ok" if onset and abs(onset[0]["t0_ns"] - START - 5 * S) < S
                                     else "not ok"))
    check("a pause of half a second", diagnose(tmp, disk_trace(two, slow(5, 5.5, 15))), "", None)
    check("twice as slow", diagnose(tmp, disk_trace(two, slow(5, 9, 2))), "", None)
    check("slow all the time",
          diagnose(tmp, disk_trace([(500, "vm-db", 15, 4, 0, 10)], slow(0, 10, 45))),
          "disk-slow", "warning", None, ["sda"])
    fleet = [disk_trace(two, slow(0, 10, 12 if i == 2 else 1), host="compute%d" % i)
             for i in range(4)]
    d = diagnose(tmp, *fleet)
    check("slower than its like", d, "disk-slow", "warning", None, ["sda"])
    hosts = [f["hosts"] for f in d["findings"] if f["rule"] == "disk-slow"]
    print("%s only on that host%s" % (("ok", "") if hosts == [["compute2"]] else
                                      ("not ok", ": %r" % hosts)))
    check("errors", diagnose(tmp, disk_trace(two, steady(1), errors={50, 51})), "disk-slow",
          "warning", None, ["sda"])


# --- links ----------------------------------------------------------------------------------


def link_trace(users, mbit, seconds=5, queue=True, dev="eth0", refuse=False):
    """users: (pid, name, Mbit/s offered, bytes of a packet); a queue of 1000 packets, FIFO."""
    rnd = random.Random(9)
    t = Trace()
    offered = []
    for pid, name, rate, size in users:
        t.vm(pid, name)
        at = 0
        while at < seconds * S:
            at += rnd.expovariate(rate * 1e6 / 8 / size) * S
            offered.append((at, pid + 1, size))
    free, waiting, skb, dropped = 0, [], 1000, 0
    running = 0
    for at, tid, size in sorted(offered):
        waiting = [x for x in waiting if x > at]
        skb += 256
        if running != tid:
            t.switch(at - 2, 0, running, tid)
            running = tid
        if queue:
            t.at(at, "net_dev_queue", skbaddr=skb, len=size, name=dev)
        if len(waiting) >= 100:
            t.at(at + 1, "skb_kfree", skbaddr=skb, location=0, protocol=2048)
            dropped += 1
            continue
        begin = max(at, free) + 500
        if refuse and begin > at + MS:
            t.at(at + 2, "net_dev_xmit", skbaddr=skb, rc=16, len=size, name=dev)
        free = begin + size * 8 * 1000 / mbit
        waiting.append(begin)
        t.at(begin, "net_dev_xmit", skbaddr=skb, rc=0, len=size, name=dev)
    t.switch(seconds * S, 0, running, 0)
    return t


def check_links(tmp):
    bulk, small = (500, "vm-bulk", 30, 1500), (600, "vm-voip", 0.4, 200)
    d = diagnose(tmp, link_trace([bulk, small], 20))
    check("link-saturated", d, "link-saturated", "warning", ["vm-voip"], ["vm-bulk"])
    rate = [float(e["value"]) for f in d["findings"] for e in f["evidence"]
            if e["what"].startswith("capacity")]
    print("%s the capacity is measured%s" % (("ok", "") if rate and abs(rate[0] * 8 / 20e6 - 1) < .05
                                             else ("not ok", ": %r" % rate)))
    check("a link that is half full", diagnose(tmp, link_trace([(500, "vm-bulk", 10, 1500), small],
                                                               20)), "", None)
    check("a transfer in nobody's way",
          diagnose(tmp, link_trace([(500, "vm-bulk", 19.9, 1500)], 20)), "", None)
    d = diagnose(tmp, link_trace([bulk, small], 20, queue=False))
    check("without net_dev_queue nothing is claimed", d, "", None)
    print("%s and that is said" % ("ok" if any("net_dev_queue" in x for x in d["blind_spots"])
                                   else "not ok"))
    check("the driver refuses packets",
          diagnose(tmp, link_trace([bulk, small], 20, queue=False, refuse=True)),
          "link-saturated", "warning", None, ["vm-bulk"])
    check("a guest's tap", diagnose(tmp, link_trace([bulk, small], 20, dev="tap1234")), "", None)


# --- interrupts -----------------------------------------------------------------------------


def irq_trace(per_s, took_us, seconds=4, frm=1.0, to=3.0, idle=False, softirq=False, tid=501):
    t = Trace()
    t.vm(500, "vm-1000")
    t.process(14, "ksoftirqd/0", kernel=True)
    t.switch(1, 0, 0, 0 if idle else tid)
    at = int(frm * S)
    while at < to * S:
        enter, leave = ("softirq_entry", "softirq_exit") if softirq else (
            "irq_handler_entry", "irq_handler_exit")
        what = dict(vec=3) if softirq else dict(irq=24, name="eth0-rx-0")
        t.at(at, enter, **what)
        what.pop("name", None)
        t.at(at + int(took_us * 1000), leave, **what)
        at += S // per_s
    t.switch(seconds * S, 0, 0 if idle else tid, 0)
    return t


def check_interrupts(tmp):
    check("interrupt-storm", diagnose(tmp, irq_trace(10000, 75)), "interrupt-storm", "warning",
          ["vm-1000"], ["irq 24 eth0-rx-0"])
    check("an absurd rate of short ones", diagnose(tmp, irq_trace(60000, 4)), "interrupt-storm",
          "warning", ["vm-1000"], ["irq 24 eth0-rx-0"])
    check("many interrupts, as an adapter makes", diagnose(tmp, irq_trace(15000, 8)), "", None)
    check("a burst", diagnose(tmp, irq_trace(10000, 75, to=1.2)), "", None)
    check("softirqs on a CPU that is idle",
          diagnose(tmp, irq_trace(10000, 65, idle=True, softirq=True)), "interrupt-storm", "info")
    check("a handler that takes long, also there", diagnose(tmp, irq_trace(3000, 100, idle=True)),
          "interrupt-storm", "warning")
    check("softirqs left to ksoftirqd", diagnose(tmp, irq_trace(1000, 800, softirq=True, tid=14)),
          "", None)


# --- memory ---------------------------------------------------------------------------------


def memory_trace(changes, seconds=20, oom=None, rss=True):
    """changes: (pid, function of the time in s to bytes); each alone on its CPU."""
    t = Trace()
    for cpu, (pid, name, size) in enumerate(changes):
        t.process(pid, name)
        t.switch(1, cpu, 0, pid)
        taken = 0
        for i in range(seconds * 10):
            at = (i / 10 + 0.05) * S
            if rss:
                t.at(at, "rss_stat", cpu, mm_id=pid, curr=1, member=1, size=int(size(i / 10)))
                continue
            while taken * PAGE < size(i / 10):
                t.at(at, "mm_page_alloc", cpu, pfn=(cpu << 24) + taken, order=4)
                taken += 16
        t.switch(seconds * S, cpu, pid, 0)
    if oom:
        t.at(seconds * S - MS, "mark_victim", pid=oom)
    return t


def check_memory(tmp):
    mib = 1 << 20

    def leak(t):
        return 100 * mib + t * 4 * mib

    def warm_up(t):
        return 100 * mib + min(t, 4) * 20 * mib

    def saw(t):
        return 100 * mib + (t % 4) * 20 * mib

    def slow(t):
        return 1000 * mib + t * 2 * mib
    for name, size, severity in (("memory-growth", leak, "warning"),
                                 ("a program that begins", warm_up, None),
                                 ("what is given back", saw, None),
                                 ("little against what it had", slow, None)):
        d = diagnose(tmp, memory_trace([(700, "nova-compute", size)]))
        check(name, d, "memory-growth", severity, ["nova-compute"] if severity else None)
    check("in pages", diagnose(tmp, memory_trace([(700, "nova-compute", lambda t: t * 4 * mib)],
                                                 rss=False)), "memory-growth", "warning",
          ["nova-compute"])
    t = memory_trace([(500, "qemu:vm-1000", lambda t: 100 * mib + t ** 0.6 * 40 * mib)])
    t.process(500, "qemu:vm-1000", [(501, "CPU 0/KVM")])
    check("a guest that touches its memory", diagnose(tmp, t), "memory-growth", "info")
    d = diagnose(tmp, memory_trace([(700, "nova-compute", saw), (800, "backup", leak)], oom=700))
    check("out-of-memory", d, "out-of-memory", "critical", ["nova-compute"], ["backup"],
          first=False)


# --- CPUs -----------------------------------------------------------------------------------


def cpu_trace(cpus, vms, seconds=8):
    """vms: (pid, name, ms of work, ms of sleep); sleep 0: never.  One queue, rounds of 4 ms."""
    rnd = random.Random(3)
    t = Trace()
    events, ready, idle, left, busy = [], [], list(range(cpus)), {}, {}
    for pid, name, work, sleep in vms:
        t.vm(pid, name)
        heapq.heappush(events, (rnd.randrange(1, 10 * MS), 0, pid + 1, -1))
    shape = {pid + 1: (work * MS, sleep * MS) for pid, _, work, sleep in vms}
    while events and events[0][0] < seconds * S:
        at, what, tid, cpu = heapq.heappop(events)
        if what == 0:
            work = shape[tid][0]
            left[tid] = int(work * rnd.uniform(0.7, 1.3)) or 1
            t.at(at, "sched_wakeup", 0, comm="CPU 0/KVM", tid=tid, target_cpu=0)
            ready.append(tid)
        else:
            work, sleep = shape[tid]
            left[tid] -= min(left[tid], 4 * MS)
            state = 0
            if left[tid] == 0 and sleep:
                state = 1
                heapq.heappush(events, (at + int(sleep * rnd.uniform(0.7, 1.3)), 0, tid, -1))
            else:
                left[tid] = left[tid] or work
                ready.append(tid)
            nxt = ready.pop(0) if ready else 0
            busy[cpu] = nxt
            if nxt != tid:
                t.switch(at, cpu, tid, nxt, state)
            if nxt:
                heapq.heappush(events, (at + min(left[nxt], 4 * MS), 1, nxt, cpu))
            else:
                idle.append(cpu)
        while ready and idle:
            cpu, nxt = idle.pop(), ready.pop(0)
            t.switch(at + 1, cpu, 0, nxt)
            heapq.heappush(events, (at + 1 + min(left[nxt], 4 * MS), 1, nxt, cpu))
    return t


def check_cpus(tmp):
    many = [(500 + 10 * i, "vm-%d" % i, 6, 6) for i in range(16)]
    d = diagnose(tmp, cpu_trace(4, many))
    check("host-overcommitted", d, "host-overcommitted", "warning", ["compute1"], ["compute1"])
    starved = [f for f in d["findings"] if f["rule"] == "vm-starved"]
    print("%s it explains who starves" % ("ok" if starved and starved[0]["causes"] == [1]
                                          else "not ok"))
    endless = [(500 + 10 * i, "vm-%d" % i, 50, 0) for i in range(9)]
    check("all alike never sleep", diagnose(tmp, cpu_trace(3, endless)), "host-overcommitted",
          "warning", ["compute1"])
    hogs = [(500 + 10 * i, "vm-hog-%d" % i, 50, 0) for i in range(4)]
    d = diagnose(tmp, cpu_trace(2, hogs + [(900, "vm-db", 4, 8)]))
    check("hogs, not over-commit", d, "vm-starved", "warning", ["vm-db"], None, True, ["vm-db"])
    print("%s all hogs lead the culprits" % (
        "ok" if {x["name"] for x in d["findings"][0]["culprits"][:4]} ==
        {"vm-hog-%d" % i for i in range(4)} else "not ok"))
    print("%s and the host is not over-committed" % (
        "ok" if not any(f["rule"] == "host-overcommitted" for f in d["findings"]) else "not ok"))
    check("a host with room", diagnose(tmp, cpu_trace(4, [(500 + 10 * i, "vm-%d" % i, 4, 12)
                                                          for i in range(8)])), "", None)


def main():
    with tempfile.TemporaryDirectory() as tmp:
        check_disks(tmp)
        check_links(tmp)
        check_interrupts(tmp)
        check_memory(tmp)
        check_cpus(tmp)


main()
