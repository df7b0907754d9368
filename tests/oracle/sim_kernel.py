#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The kernel layer of `neph sim`, read by babeltrace2 and computed again.

    tests/oracle/sim_kernel.py build/neph [SCENARIO ...]

Every kernel trace of every scenario is printed by babeltrace2, and all figures
of the truth are computed from that text by the definitions alone, one event
after the other: times of threads, pre-emptions, latencies, requests to disks,
interrupts, virtual CPUs, packets, pages, system calls.  All must be equal, to
the nanosecond, except where events were lost on purpose: there the counts of
what was lost must be equal.  Two runs must give the same bytes.
"""

import filecmp
import json
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile

from _sim_kernel_naive import problem, problems, rank, read_trace

SCENARIOS = os.path.join(os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__)))), "sim", "scenarios")


def same(where, what, have, want):
    if have != want:
        problem(where, f"{what}: the events say {have}, the truth {want}")


def check_threads(where, k, host):
    mine = {(t.tid, t.known): t for t in host.all_threads() if t.state != "unknown"}
    if len(mine) != len(k["threads"]):
        same(where, "number of threads", len(mine), len(k["threads"]))
    by_index = {}
    for want in k["threads"]:
        t = mine.get((want["tid"], want["known_ns"]))
        at = f"{where} thread {want['tid']} {want['comm']}"
        if t is None:
            problem(at, f"no thread is known from {want['known_ns']}")
            continue
        by_index[want["thread"]] = t
        for what, key in (("run", "run_ns"), ("woken", "woken_ns"), ("preempted", "preempted_ns"),
                          ("blocked", "blocked_ns")):
            same(at, key, t.times[what], want[key])
        same(at, "wait_ns", t.times["woken"] + t.times["preempted"], want["wait_ns"])
        same(at, "blocked", dict(t.causes, open=t.open_ns), want["blocked"])
        same(at, "end_ns", t.end, want["end_ns"])
        same(at, "sum of all states", sum(t.times.values()), want["end_ns"] - want["known_ns"])
        same(at, "switches_in, preempted, migrations", (t.switches, t.preempted, t.migrations),
             (want["switches_in"], want["preempted"], want["migrations"]))
        if t.switches:
            same(at, "prio", t.prio, want["prio"])
        if t.pid is not None:
            same(at, "pid, vtid", (t.pid, t.vtid), (want["pid"], want["vtid"]))
        same(at, "latency", {
            "count": len(t.latencies), "total_ns": sum(t.latencies),
            "longest_ns": max(t.latencies, default=0), "p50_ns": rank(t.latencies, 50),
            "p99_ns": rank(t.latencies, 99)}, want["latency"])
        same(at, "syscalls", {n: tuple(c) for n, c in t.calls.items()},
             {c["name"]: (c["count"], c["total_ns"], c["no_entry"], c["no_exit"])
              for c in want["syscalls"]})
        check_vcpu(at, want.get("vcpu"), t.vcpu)
    return by_index


def check_vcpu(at, want, v):
    if not want or not v:
        if v or want and want["entries"]:
            problem(at, "a virtual CPU for one, not for the other")
        return
    same(at, "vcpu", (v.guest, v.entries, v.exits),
         (want["guest_ns"], want["entries"], want["exits"]))
    same(at, "exits", {n: tuple(r) for n, r in v.reasons.items()},
         {r["exit_reason"]: (r["count"], r["total_ns"], r["blocked_ns"], r["woken_ns"],
                             r["preempted_ns"]) for r in want["by_reason"]})
    same(at, "halted_ns", sum(r[2] for r in v.reasons.values()), want["halted_ns"])


def check_preemptions(where, k, host, by_index):
    have = {(id(p[0]), id(p[1])): tuple(p[2:]) for p in host.preempt.values()}
    want = {(id(by_index.get(p["victim"])), id(by_index.get(p["culprit"]))):
            (p["count"], p["total_ns"], p["longest_ns"], p["open"]) for p in k["preempt_threads"]}
    same(where, "pre-emptions of threads", have, want)
    names = {}
    of = {id(t): w["name"] for w in k["threads"] for t in [by_index.get(w["thread"])]}
    for victim, culprit, count, total, longest, is_open in host.preempt.values():
        n = names.setdefault((of[id(victim)], of[id(culprit)]), [0, 0, 0, 0])
        n[0] += count
        n[1] += total
        n[2] = max(n[2], longest)
        n[3] += is_open
    same(where, "pre-emptions by name", {key: tuple(n) for key, n in names.items()},
         {(p["victim"], p["culprit"]): (p["count"], p["total_ns"], p["longest_ns"], p["open"])
          for p in k["preempt"]})


def check_devices(where, k, host):
    dev = {d["device"]: d["dev"] for d in k["disks"]}
    same(where, "requests",
         {key: (s[0], s[1], rank(s[2], 50), rank(s[2], 99), max(s[2]), rank(s[3], 50),
                rank(s[3], 99)) for key, s in host.io.items()},
         {(dev[r["device"]], r["pid"], r["op"]):
          (r["count"], r["bytes"], r["p50_ns"], r["p99_ns"], r["max_ns"], r["driver_p50_ns"],
           r["driver_p99_ns"])
          for r in k["io"]})
    for what, name in (("inserted", "block_rq_insert"), ("issued", "block_rq_issue"),
                       ("merged", "block_rq_merge"), ("backmerged", "block_bio_backmerge")):
        same(where, name, host.names.get(name, 0), sum(d[what] for d in k["disks"]))
    for what, mine, key in (("irqs", host.irqs, "irq"), ("softirqs", host.softs, "vec")):
        same(where, what, {n: tuple(s) for n, s in mine.items()},
             {r[key]: (r["count"], r["total_ns"], r["longest_ns"]) for r in k[what]})
    same(where, "interfaces", {n: tuple(i) for n, i in host.net.items()},
         {i["name"]: (i["rx_packets"], i["rx_bytes"], i["tx_packets"], i["tx_bytes"], i["drops"])
          for i in k["interfaces"] if i["rx_packets"] or i["tx_packets"]})
    pages = {}
    for p in k["processes"]:
        if p["pages_allocated"]:
            same(where, f"pages_at_end of {p['comm']}", p["pages_at_end"],
                 p["pages_allocated"] - p["pages_freed"])
            old = pages.get(p["pid"], (0, 0))
            pages[p["pid"]] = (old[0] + p["pages_allocated"], old[1] + p["pages_freed"])
    same(where, "pages", {n: tuple(p) for n, p in host.pages.items()}, pages)


def check_cpus(where, k, host):
    for want in k["cpus"]:
        have = host.cpu_times.get(want["cpu"])
        if have is None:
            same(where, f"CPU {want['cpu']}", 0, want["run_ns"])
            continue
        same(where, f"CPU {want['cpu']}", (have["known"], have["run"], have["idle"]),
             (want["known_ns"], want["run_ns"], want["idle_ns"]))
        same(where, f"CPU {want['cpu']} is covered", have["run"] + have["idle"],
             host.last - have["known"])


def check_losses(where, k, errors):
    said = sum(int(n) for n in re.findall(r"Tracer discarded (\d+) event", errors))
    same(where, "events discarded", said, k["discarded"])
    same(where, "events lost on purpose", sum(n["events"] for n in k["lost"]), k["discarded"])


def check_kernel(where, folder, k):
    path = os.path.join(folder, k["trace"])
    if k["discarded"]:
        done = subprocess.run(["babeltrace2", "-o", "dummy", path], capture_output=True, text=True,
                              check=False)
        count = subprocess.run(["babeltrace2", path], capture_output=True, text=True, check=False)
        check_losses(where, k, count.stderr)
        same(where, "events", count.stdout.count("\n"), k["events"])
        return done.returncode == 0
    host, errors = read_trace(where, path)
    check_losses(where, k, errors)
    same(where, "events", host.count, k["events"])
    same(where, "the last event", host.last, k["end_ns"])
    by_index = check_threads(where, k, host)
    check_preemptions(where, k, host, by_index)
    check_devices(where, k, host)
    check_cpus(where, k, host)
    return True


def same_files(a, b):
    """The first file that differs between two folders, or None."""
    for folder, _, files in os.walk(a):
        other = os.path.join(b, os.path.relpath(folder, a))
        for name in files:
            if not os.path.exists(os.path.join(other, name)) or \
                    not filecmp.cmp(os.path.join(folder, name), os.path.join(other, name), False):
                return os.path.join(folder, name)
    return None


def run_sim(neph, path, out, *options):
    done = subprocess.run([neph, "sim", path, "-o", out, *options], capture_output=True, text=True,
                          check=False)
    if done.returncode != 0:
        problem(os.path.basename(path), f"neph sim failed: {done.stderr.strip()}")
    return done.returncode == 0


def check_scenario(neph, path, work, name=None):
    name = name or os.path.basename(path)
    before = len(problems)
    first, second = os.path.join(work, "a"), os.path.join(work, "b")
    if run_sim(neph, path, first) and run_sim(neph, path, second):
        differing = same_files(first, second)
        if differing:
            problem(name, f"two runs differ: {differing}")
        with open(os.path.join(first, "truth.json"), encoding="utf-8") as f:
            truth = json.load(f)
        for host in truth["hosts"]:
            if "kernel" in host and shutil.which("babeltrace2"):
                check_kernel(f"{name} {host['name']}", first, host["kernel"])
    shutil.rmtree(first, ignore_errors=True)
    shutil.rmtree(second, ignore_errors=True)
    verdict(f"kernel: {name}", before)


def small(cpus=3, host=(), **kernel):
    """A small scenario with a little of everything; changed by the arguments."""
    load = {
        "host": "c",
        "disks": [{"name": "vda", "irq": 25, "partial_percent": 20},
                  {"name": "vdb", "minor": 16, "irq": 26, "scheduler": "none",
                   "completion": "irq", "service_us": 60, "parallel": 2, "queue_depth": 2}],
        "interfaces": [{"name": "eth0", "irq": 30, "rx_per_s": 900, "drop_percent": 10}],
        "instances": [
            {"name": "vm-with-a-long-name", "vcpus": 2, "work_ms": 1, "sleep_ms": 1,
             "pages_per_s": 100, "stop_s": 0.9,
             "disk": {"device": "vda", "reads_per_s": 300, "writes_per_s": 300, "sequential": True,
                      "flushes_per_s": 20},
             "net": {"interface": "eth0", "rx_per_s": 500, "tx_per_s": 500}},
            # its guest sends before QEMU has made all threads
            {"name": "late", "vcpus": 1, "work_ms": 0.5, "sleep_ms": 0, "start_s": 0.2,
             "stop_s": 0.3, "exits_per_s": {"PAUSE": 50000},
             "disk": {"device": "vdb", "reads_per_s": 500},
             "net": {"interface": "eth0", "rx_per_s": 200, "tx_per_s": 20000}}],
        "services": [
            {"comm": "python3", "threads": 4, "processes": 2, "work_ms": 0.3, "sleep_ms": 1,
             "sleep_in": "futex", "leak_pages_per_s": 50, "container": True,
             "disk": {"device": "vdb", "reads_per_s": 2000, "writes_per_s": 500, "kib": 4},
             "net": {"interface": "eth0", "tx_per_s": 200, "rx_per_s": 200}},
            {"comm": "kolla", "threads": 3, "container": True, "start_s": 0.3, "stop_s": 0.7,
             "pages_per_s": 2000, "leak_pages_per_s": 500}],
        "hogs": [{"comm": "low", "nice": 10, "work_ms": 3, "stop_s": 0.8},
                 {"comm": "rt", "realtime": 50, "work_ms": 0.2, "sleep_ms": 5, "start_s": 0.1}],
        "interrupts": [{"name": "mlx5", "irq": 90, "per_s": 3000, "took_us": 20}],
        "threads_extra": {"count": 50, "sleep_ms": 20},
        "threads_churn": [{"per_s": 300, "work_ms": 0.2},
                          {"per_s": 100, "exec": False, "comm": "pool"}]}
    return {"dialect": "zed", "duration_s": 1, "seed": 7,
            "hosts": [{"name": "c", "roles": ["controller", "compute"], "cpus": cpus}],
            "kernel": {"only": True, "hosts": [dict(load, **dict(host))], **kernel}}


def check_variants(neph, work):
    """Every switch of the section "kernel"."""
    variants = {
        "the small host": small(),
        "one CPU": small(cpus=1),
        "128 CPUs": small(cpus=128),
        "compact headers, vpid and vtid": small(
            compact_headers=True, context=["pid", "tid", "procname", "vpid", "vtid"]),
        "events without a context": small(context=[]),
        "packets of one page": small(packet_kib=4),
        "state dump during the work": small(state_dump="during"),
        "no state dump": small(state_dump="none"),
        "tids that come again": small(pid_max=1000, host={
            "threads_churn": {"per_s": 2000, "work_ms": 0.05, "exec": False}}),
        "a fast clock of ticks, short slices": small(hz=1000, slice_ms=0.2),
        "a CPU that interrupts keep busy": small(
            cpus=1, host={"interrupts": [{"name": "storm", "irq": 9, "per_s": 20000,
                                          "took_us": 30}]}),
    }
    for name, scenario in variants.items():
        path = os.path.join(work, "variant.json")
        with open(path, "w", encoding="utf-8") as f:
            json.dump(scenario, f)
        check_scenario(neph, path, work, name)


class Dice:
    """Random scenarios, the same ones always."""

    def __init__(self, seed):
        self.r = random.Random(seed)

    def between(self, low, high):
        return round(low * (high / low) ** self.r.random(), 4)

    def maybe(self, chance, made):
        return made() if self.r.random() < chance else {}

    def common(self, cpus):
        return {**self.maybe(.3, lambda: {"nice": self.r.randint(-20, 19)}),
                **self.maybe(.3, lambda: {"cpus": self.r.sample(range(cpus),
                                                                self.r.randint(1, cpus))}),
                **self.maybe(.3, lambda: {"start_s": self.between(.001, .4)}),
                **self.maybe(.3, lambda: {"stop_s": self.between(.41, .6)}),
                **self.maybe(.3, lambda: {"pages_per_s": self.between(1, 20000)}),
                **self.maybe(.3, lambda: {"leak_pages_per_s": self.between(1, 20000)})}

    def times(self, longest):
        return {"work_ms": self.between(.01, longest),
                "sleep_ms": self.r.choice([0, self.between(.01, 50)])}

    def io(self, disks):
        return {**self.maybe(.6, lambda: {"disk": {
            "device": self.r.choice(disks)["name"], "reads_per_s": self.between(1, 3000),
            "writes_per_s": self.between(1, 3000), "flushes_per_s": self.between(.1, 200),
            "kib": self.r.choice([4, 16, 256, 1024]), "sequential": self.r.random() < .5}}),
            **self.maybe(.6, lambda: {"net": {"interface": "eth0",
                                              "rx_per_s": self.between(1, 3000),
                                              "tx_per_s": self.between(1, 3000)}})}

    def scenario(self):
        r, cpus = self.r, self.r.choice([1, 1, 2, 3, 4, 7, 16])
        disks = [{"name": f"d{i}", "minor": i, "irq": 20 + i, "service_us": self.between(5, 20000),
                  "per_kib_us": self.between(.01, 50), "parallel": r.choice([1, 2, 8]),
                  "queue_depth": r.choice([1, 4, 64]),
                  "scheduler": r.choice(["none", "mq-deadline"]),
                  "completion": r.choice(["irq", "softirq"]),
                  "partial_percent": r.choice([0, 30, 100])} for i in range(r.randint(1, 3))]
        return {
            "dialect": "zed", "duration_s": 1, "seed": r.randint(0, 10 ** 9),
            "hosts": [{"name": "c", "roles": ["controller", "compute"], "cpus": cpus,
                       "clock_offset_ms": r.uniform(-100, 100)}],
            "kernel": {
                "only": True, "duration_s": .7, "hz": r.choice([24, 100, 250, 1000]),
                "slice_ms": self.between(.1, 50), "packet_kib": r.choice([4, 16, 256]),
                "state_dump": r.choice(["first", "during", "none"]),
                "pid_max": r.choice([2000, 32768, 4194304]),
                "hosts": [{
                    "host": "c", "disks": disks,
                    "interfaces": [{"name": "eth0", "irq": 40, "drop_percent": r.choice([0, 50])}],
                    "instances": [{"name": f"vm{i}", "vcpus": r.randint(1, 5), **self.times(20),
                                   **self.common(cpus), **self.io(disks)}
                                  for i in range(r.randint(0, 4))],
                    "services": [{"comm": f"svc{i}", "threads": r.randint(1, 6),
                                  "processes": r.randint(1, 3), "container": r.random() < .3,
                                  "sleep_in": r.choice(["ppoll", "futex", "clock_nanosleep"]),
                                  **self.times(20), **self.common(cpus), **self.io(disks)}
                                 for i in range(r.randint(0, 4))],
                    "hogs": [{"comm": f"hog{i}", "threads": r.randint(1, 4), **self.times(100),
                              **self.common(cpus)} for i in range(r.randint(0, 3))],
                    "interrupts": [{"name": "i", "irq": 90, "per_s": self.between(1, 30000),
                                    "took_us": self.between(1, 100)}],
                    "threads_churn": {"per_s": self.between(1, 2000), "exec": r.random() < .5,
                                      "work_ms": self.between(.01, 5)}}]}}


def check_random(neph, work):
    for seed in range(8):
        path = os.path.join(work, "random.json")
        with open(path, "w", encoding="utf-8") as f:
            json.dump(Dice(seed).scenario(), f)
        check_scenario(neph, path, work, f"random scenario {seed}")


def check_recorded(neph, work):
    """What is not recorded is missing; all else is at the same instants."""
    before = len(problems)
    texts = []
    for n, names in enumerate(([], ["sched_wak*", "syscall_*", "kvm_userspace_exit"])):
        path, out = os.path.join(work, "recorded.json"), os.path.join(work, f"r{n}")
        with open(path, "w", encoding="utf-8") as f:
            json.dump(small(not_recorded=names), f)
        if not run_sim(neph, path, out):
            return
        done = subprocess.run(["babeltrace2", "--clock-seconds", "--no-delta", f"{out}/c/kernel"],
                              capture_output=True, text=True, check=False)
        texts.append([line for line in done.stdout.splitlines()
                      if not re.search(r" (sched_wak\w+|syscall_\w+|kvm_userspace_exit): ", line)])
        if n == 1 and len(texts[1]) != done.stdout.count("\n"):
            problem("recorded", "events are there that were not to be recorded")
    if texts[0] != texts[1]:
        problem("recorded", "leaving events out changes others")
    verdict("events that are not recorded change nothing", before)


MISTAKES = [
    ({"colour": 1}, "kernel.colour: unknown key"),
    ({"hosts": {}}, "kernel.hosts: must be a list"),
    ({"hosts": [{"host": "moon"}]}, "kernel.hosts[0].host: no such host"),
    ({"hosts": [{"host": "c"}, {"host": "c"}]}, "kernel.hosts[1].host: this host is described"),
    ({"state_dump": "maybe", "hosts": []}, "kernel.state_dump: must be first, during or none"),
    ({"hz": 1e9, "hosts": []}, "kernel.hz: must be between"),
    ({"context": ["perf"], "hosts": []}, "kernel.context: must hold pid, tid"),
    ({"not_recorded": [1], "hosts": []}, "kernel.not_recorded: must hold names"),
    ({"hosts": [{"host": "c", "instances": [{"vcpus": 1}]}]},
     "kernel.hosts[0].instances[0].name: is missing"),
    ({"hosts": [{"host": "c", "instances": [{"name": "a", "threads": 1}]}]},
     "kernel.hosts[0].instances[0].threads: unknown key"),
    ({"hosts": [{"host": "c", "instances": [{"name": "a", "cpus": [4]}]}]},
     "kernel.hosts[0].instances[0].cpus: must hold numbers of CPUs"),
    ({"hosts": [{"host": "c", "instances": [{"name": "a", "disk": {"device": "x"}}]}]},
     "kernel.hosts[0].instances[0].disk.device: no disk"),
    ({"hosts": [{"host": "c", "instances": [{"name": "a", "exits_per_s": {"VMLAUNCH": 1}}]}]},
     "kernel.hosts[0].instances[0].exits_per_s.VMLAUNCH: unknown key"),
    ({"hosts": [{"host": "c", "services": [{"comm": "a", "sleep_in": "bed"}]}]},
     "kernel.hosts[0].services[0].sleep_in: must be"),
    ({"hosts": [{"host": "c", "services": [{"comm": "a", "start_s": 3, "stop_s": 2}]}]},
     "kernel.hosts[0].services[0].stop_s: must be later"),
    ({"hosts": [{"host": "c", "interfaces": [{"name": "eth0", "rx_per_s": 1}]}]},
     "kernel.hosts[0].interfaces[0].irq: is missing"),
    ({"hosts": [{"host": "c", "disks": [{"name": "a", "irq": 1}, {"name": "b", "irq": 2}]}]},
     "kernel.hosts[0].disks[1].name: another disk"),
    ({"hosts": [{"host": "c", "lost": [{"cpu": 9, "at_s": 1, "for_s": 1}]}]},
     "kernel.hosts[0].lost[0].cpu: this host has no such CPU"),
    ({"pid_max": 1000, "hosts": [{"host": "c", "threads_extra": {"count": 5000}}]},
     "kernel: host c: too many threads"),
]


def check_mistakes(neph, work):
    before = len(problems)
    path, out = os.path.join(work, "wrong.json"), os.path.join(work, "wrong")
    for change, sentence in MISTAKES:
        scenario = small()
        scenario["hosts"][0]["cpus"] = 4
        scenario["kernel"] = dict({"only": True, "hosts": []}, **change)
        with open(path, "w", encoding="utf-8") as f:
            json.dump(scenario, f)
        done = subprocess.run([neph, "sim", path, "-o", out], capture_output=True, text=True,
                              check=False)
        if done.returncode in (0, -6, -11) or sentence not in done.stderr:
            problem("mistake", f"{change}: wanted '{sentence}', got '{done.stderr.strip()}'")
        shutil.rmtree(out, ignore_errors=True)
    verdict("mistakes in the kernel section are told with their place", before)


def verdict(name, before):
    print(("ok " if len(problems) == before else "not ok ") + name)


def main():
    if len(sys.argv) < 2:
        print(f"usage: {sys.argv[0]} BUILD_DIR/neph [SCENARIO ...]", file=sys.stderr)
        return 2
    neph = os.path.abspath(sys.argv[1])
    paths = sys.argv[2:]
    if not paths:
        for name in sorted(os.listdir(SCENARIOS)):
            with open(os.path.join(SCENARIOS, name), encoding="utf-8") as f:
                text = f.read()
                if '"kernel"' in text and '"not_recorded"' not in text:
                    paths.append(os.path.join(SCENARIOS, name))
    if not shutil.which("babeltrace2"):
        print("skip babeltrace2: not installed; only determinism is checked")
    with tempfile.TemporaryDirectory() as work:
        check_mistakes(neph, work)
        if shutil.which("babeltrace2"):
            check_recorded(neph, work)
        check_variants(neph, work)
        check_random(neph, work)
        for path in paths:
            check_scenario(neph, path, work)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
