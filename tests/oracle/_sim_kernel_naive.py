"""All figures of a kernel trace, computed from what babeltrace2 prints, by the definitions alone."""

import re
import subprocess

LINE = re.compile(r"\[(\d+)\.(\d{9})\] (\S+) (\w+): \{ cpu_id = (\d+) \}, "
                  r"(?:\{ pid = (-?\d+), tid = (-?\d+), procname = \"(.*?)\"(?:, vpid[^}]*)? \}, )?"
                  r"\{(.*)\}$")
FIELD = re.compile(r'(\w+) = (?:"((?:[^"\\]|\\.)*)"|(-?\d+|0x[0-9A-Fa-f]+))')
CAUSES = ("disk", "network", "timer", "futex", "other")
problems = []


def problem(where, text):
    problems.append(f"{where}: {text}")
    if len(problems) <= 40:
        print(f"  {where}: {text}")


def rank(values, percent):
    """The nearest rank, or None."""
    values = sorted(values)
    return values[max(1, -(-len(values) * percent // 100)) - 1] if values else None


class Thread:
    """What is known of a thread, and since when it is in its state."""

    def __init__(self, tid):
        self.tid = tid
        self.state = "unknown"
        self.since = self.known = self.end = None
        self.times = {"run": 0, "woken": 0, "preempted": 0, "blocked": 0}
        self.causes = dict.fromkeys(CAUSES, 0)
        self.open_ns = 0
        self.latencies = []
        self.switches = self.preempted = self.migrations = 0
        self.prio = self.pid = self.vtid = None
        self.culprit = None
        self.syscall = None
        self.calls = {}
        self.vcpu = None

    def enter(self, state, ts):
        if self.state == "unknown":
            self.known = ts
        elif self.state != "over":
            self.times[self.state] += ts - self.since
        self.state = state
        self.since = ts


class Vcpu:
    def __init__(self):
        self.guest = self.entries = self.exits = 0
        self.entered = None
        self.left = None      # (instant, reason, times of the thread)
        self.reasons = {}


class Host:
    """All figures of one trace, by a pass over its events in order."""

    def __init__(self):
        self.threads = {}
        self.gone = []
        self.preempt = {}
        self.hard = {}        # cpu: [(kind, irq, since)]
        self.soft = {}        # cpu: [(vec, since)]
        self.irqs = {}
        self.softs = {}
        self.idle = {}        # cpu: (what, since)
        self.cpu_times = {}
        self.requests = {}
        self.io = {}
        self.net = {}
        self.skbs = {}
        self.pages = {}
        self.last = 0
        self.count = 0
        self.names = {}
        self.current = {}

    def thread(self, tid):
        if tid not in self.threads:
            self.threads[tid] = Thread(tid)
        return self.threads[tid]

    # --- threads

    def running(self, cpu, pid, tid):
        """(pid, tid) of what runs: the event's context, or what was switched to."""
        if pid is not None:
            return int(pid), int(tid)
        tid = self.current.get(cpu, 0)
        return (self.thread(tid).pid if tid else 0), tid

    def sched_switch(self, ts, cpu, _ctx, f):
        what, since = self.idle.get(cpu, (None, None))
        if what is not None:
            self.cpu_times[cpu][what] += ts - since
        else:
            self.cpu_times[cpu] = {"known": ts, "run": 0, "idle": 0}
        self.idle[cpu] = ("run" if f["next_tid"] else "idle", ts)
        self.current[cpu] = f["next_tid"]
        state = f["prev_state"]
        involuntary = state == 0 or (state & 0xff) == 0 and state in (256, 512, 1024, 2048, 4096)
        if f["prev_tid"]:
            t = self.thread(f["prev_tid"])
            dead = state & 0x30
            t.enter("over" if dead else "preempted" if involuntary else "blocked", ts)
            t.end = ts if dead else None
            if dead and t.syscall:
                t.calls.setdefault(t.syscall[0], [0, 0, 0, 0])[3] += 1
                t.syscall = None
            t.culprit = self.thread(f["next_tid"]) if involuntary and f["next_tid"] else None
            t.preempted += t.culprit is not None
            t.prio = f["prev_prio"]
        if f["next_tid"]:
            t = self.thread(f["next_tid"])
            if t.state == "woken":
                t.latencies.append(ts - t.since)
            elif t.state == "preempted":
                self.preemption(t, ts - t.since, 0)
            t.culprit = None
            t.switches += 1
            t.prio = f["next_prio"]
            t.enter("run", ts)

    def preemption(self, t, took, is_open):
        if t.culprit is None:
            return
        p = self.preempt.setdefault((id(t), id(t.culprit)), [t, t.culprit, 0, 0, 0, 0])
        p[2] += 1
        p[3] += took
        p[4] = max(p[4], took)
        p[5] += is_open

    def cause(self, cpu, t):
        if self.hard.get(cpu):
            kind = self.hard[cpu][-1][0]
            if kind != "other":
                return kind
        elif self.soft.get(cpu):
            vec = self.soft[cpu][-1][0]
            if vec in (1, 8):
                return "timer"
            if vec in (2, 3):
                return "network"
            if vec == 4:
                return "disk"
        name = t.syscall[0] if t.syscall else None
        return {"futex": "futex", "clock_nanosleep": "timer"}.get(name, "other")

    def sched_wakeup(self, ts, cpu, _ctx, f):
        t = self.thread(f["tid"])
        if t.state in ("run", "woken", "preempted"):
            return
        if t.state == "blocked":
            t.causes[self.cause(cpu, t)] += ts - t.since
        t.enter("woken", ts)

    sched_wakeup_new = sched_wakeup

    def sched_migrate_task(self, _ts, _cpu, _ctx, f):
        self.thread(f["tid"]).migrations += 1

    def sched_process_fork(self, _ts, _cpu, _ctx, f):
        old = self.threads.pop(f["child_tid"], None)
        if old:
            self.gone.append(old)
        t = self.thread(f["child_tid"])
        t.pid = f["child_pid"]
        t.vtid = f["vtids"][-1]

    def lttng_statedump_process_state(self, ts, _cpu, _ctx, f):
        t = self.thread(f["tid"])
        t.pid = f["pid"]
        if t.state == "unknown" and f["status"] == 5:
            t.enter("blocked", ts)

    def lttng_statedump_process_pid_ns(self, _ts, _cpu, _ctx, f):
        t = self.thread(f["tid"])
        if t.vtid is None:    # the innermost namespace comes first
            t.vtid = f["vtid"]

    # --- interrupts

    def irq_handler_entry(self, ts, cpu, _ctx, f):
        kind = "disk" if re.match(r"virtio\d+-req", f["name"]) else \
            "network" if f["name"].endswith("-rx") else "other"
        self.hard.setdefault(cpu, []).append((kind, f["irq"], ts))

    def irq_handler_exit(self, ts, cpu, _ctx, f):
        _, irq, since = self.hard[cpu].pop()
        assert irq == f["irq"]
        span(self.irqs, irq, ts - since)

    def timer_hrtimer_expire_entry(self, ts, cpu, _ctx, _f):
        self.hard.setdefault(cpu, []).append(("timer", None, ts))

    def timer_hrtimer_expire_exit(self, _ts, cpu, _ctx, _f):
        self.hard[cpu].pop()

    def irq_softirq_entry(self, ts, cpu, _ctx, f):
        self.soft.setdefault(cpu, []).append((f["vec"], ts))

    def irq_softirq_exit(self, ts, cpu, _ctx, f):
        vec, since = self.soft[cpu].pop()
        assert vec == f["vec"]
        span(self.softs, vec, ts - since)

    # --- system calls

    def syscall(self, ts, tid, name, entry):
        t = self.thread(tid)
        if entry:
            t.syscall = (name, ts)
            return
        c = t.calls.setdefault(name, [0, 0, 0, 0])
        if t.syscall and t.syscall[0] == name:
            c[0] += 1
            c[1] += ts - t.syscall[1]
        else:
            c[2] += 1
        t.syscall = None

    # --- virtual CPUs

    def kvm_x86_entry(self, ts, _cpu, ctx, _f):
        t = self.thread(ctx[1])
        v = t.vcpu = t.vcpu or Vcpu()
        v.entries += 1
        if v.left:
            at, reason, times = v.left
            r = v.reasons.setdefault(reason, [0, 0, 0, 0, 0])
            r[0] += 1
            r[1] += ts - at
            for i, what in enumerate(("blocked", "woken", "preempted")):
                r[2 + i] += t.times[what] - times[what]
        v.entered = ts

    def kvm_x86_exit(self, ts, _cpu, ctx, f):
        t = self.thread(ctx[1])
        t.vcpu.exits += 1
        t.vcpu.guest += ts - t.vcpu.entered
        t.vcpu.left = (ts, f["exit_reason"], dict(t.times))

    # --- disks

    def block_rq_insert(self, ts, _cpu, ctx, f):
        self.requests[(f["dev"], f["sector"])] = {
            "queued": ts, "issued": None, "sectors": f["nr_sector"], "pid": ctx[0], "tid": f["tid"]}

    def block_rq_issue(self, ts, _cpu, ctx, f):
        key = (f["dev"], f["sector"])
        if key not in self.requests:
            self.block_rq_insert(ts, _cpu, ctx, f)
        self.requests[key]["issued"] = ts
        self.requests[key]["sectors"] = f["nr_sector"]

    def block_rq_merge(self, _ts, _cpu, _ctx, f):
        del self.requests[(f["dev"], f["sector"])]

    def block_rq_complete(self, ts, _cpu, _ctx, f):
        r = self.requests.pop((f["dev"], f["sector"]))
        rwbs, n = f["rwbs"], f["nr_sector"]
        op = "discard" if rwbs & 2 else "flush" if rwbs & (256 | 1024) and n == 0 else \
            "write" if rwbs & 1 else "read"
        s = self.io.setdefault((f["dev"], r["pid"], op), [0, 0, [], []])
        s[0] += 1
        s[1] += n * 512
        s[2].append(ts - r["queued"])
        s[3].append(ts - r["issued"])
        if n < r["sectors"]:
            r["sectors"] -= n
            self.requests[(f["dev"], f["sector"] + n)] = r

    # --- packets and pages

    def interface(self, name):
        return self.net.setdefault(name, [0, 0, 0, 0, 0])

    def net_if_receive_skb(self, _ts, _cpu, _ctx, f):
        i = self.interface(f["name"])
        i[0] += 1
        i[1] += f["len"]
        self.skbs[f["skbaddr"]] = f["name"]

    def net_dev_xmit(self, _ts, _cpu, _ctx, f):
        i = self.interface(f["name"])
        i[2] += 1
        i[3] += f["len"]
        self.skbs[f["skbaddr"]] = f["name"]

    def skb_kfree(self, _ts, _cpu, _ctx, f):
        self.interface(self.skbs[f["skbaddr"]])[4] += 1

    def kmem_mm_page_alloc(self, _ts, _cpu, ctx, f):
        self.pages.setdefault(ctx[0], [0, 0])[0] += 1 << f["order"]

    def kmem_mm_page_free(self, _ts, _cpu, ctx, f):
        self.pages.setdefault(ctx[0], [0, 0])[1] += 1 << f["order"]

    def finish(self):
        end = self.last
        for cpu, (what, since) in self.idle.items():
            self.cpu_times[cpu][what] += end - since
        for t in self.all_threads():
            if t.state in ("unknown", "over"):
                continue
            if t.state == "preempted":
                self.preemption(t, end - t.since, 1)
            if t.state == "blocked":
                t.open_ns = end - t.since
            t.end = end
            t.enter(t.state, end)
            if t.syscall:
                t.calls.setdefault(t.syscall[0], [0, 0, 0, 0])[3] += 1

    def all_threads(self):
        return self.gone + list(self.threads.values())


def span(sums, key, took):
    s = sums.setdefault(key, [0, 0, 0])
    s[0] += 1
    s[1] += took
    s[2] = max(s[2], took)


def read_trace(where, path):
    """Runs babeltrace2 and the pass over what it prints."""
    host = Host()
    with subprocess.Popen(["babeltrace2", "--clock-seconds", "--no-delta", path],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as bt:
        for line in bt.stdout:
            m = LINE.match(line)
            if not m:
                problem(where, f"a line that is not understood: {line[:200]!r}")
                break
            ts = int(m[1]) * 1000000000 + int(m[2])
            name = m[4]
            if ts <= host.last:
                problem(where, f"{name} at {ts} is not later than the event before")
            host.last = ts
            host.count += 1
            host.names[name] = host.names.get(name, 0) + 1
            ctx = host.running(int(m[5]), m[6], m[7])
            if name.startswith("syscall_"):
                _, kind, call = name.split("_", 2)
                host.syscall(ts, ctx[1], call, kind == "entry")
                continue
            handler = getattr(host, name, None)
            if handler and name != "syscall":
                fields = {k: t if n == "" else int(n, 0) for k, t, n in FIELD.findall(m[9])}
                if name == "sched_process_fork":
                    fields["vtids"] = [int(v) for v in re.findall(r"\[\d+\] = (\d+)", m[9])]
                handler(ts, int(m[5]), ctx, fields)
        errors = bt.stderr.read()
    if bt.returncode != 0:
        problem(where, f"babeltrace2 ended with {bt.returncode}: {errors.strip()[-300:]}")
    host.finish()
    return host, errors
