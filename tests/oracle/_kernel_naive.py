#!/usr/bin/env python3
"""What the kernel events of a trace say, computed again in the plainest way.

usage: _kernel_naive.py TRACE...

The events are read from the text of babeltrace2, or of babeltrace 1 where
babeltrace2 gives up (it does on packets that overlap in time, as old tracers
wrote them).  Each figure has a class of its own that sees the events in their
order and keeps nothing but what its definition needs; nothing is shared with the
programs under test.  analyse(path) returns a dict; run as a program, it is
printed as JSON.

Times are nanoseconds.  tid 0 is no thread.  At the borders:

- A thread's states count from the first event that tells one: a switch, a
  wake-up, a fork, a state dump that finds it asleep, or the context of a CPU's
  first event.  First seen as prev_tid without any context, it was running since
  nobody knows when, and that counts nowhere.  Dumped as runnable (status 1 and 2 both
  mean "runnable or running"), it is still unknown.
- sched_waking makes a thread ready only where neither sched_wakeup nor
  sched_wakeup_new is recorded.
- A forked thread waits from its sched_wakeup_new; where that is not recorded, from
  the fork.
- What is open at the end lasts until the last event of the trace.
- A thread that is switched out without having been switched in (it was woken,
  or dumped as asleep, while it ran already) has been running: the wait or sleep
  that was assumed counts nowhere.
- A thread ends with the switch out whose prev_state is dead (16), zombie (32) or
  64 (dead before Linux 4.14; a parked kernel thread since, whose time is then
  unknown until it is woken).  sched_process_exit comes before that and ends
  nothing.  A fork gives a new life to its tid.
- An exit pairs with the innermost open entry of its number on the CPU; entries
  above that one have lost their exit.
"""

import collections
import functools
import json
import re
import subprocess
import sys

LINE = re.compile(r"\[(\d+)\.(\d{9})\] \(\+[^)]*\) (?:\S+ )?(\S+): "
                  r"stream\.packet\.context = \{(.*)$")
FLAT = re.compile(r'(\w+) = ("(?:[^"\\]|\\.)*"|[^\s,{}\[\]()]+)')
TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\]()=:,]|[^\s{}\[\]()=:,]+')
CPU = re.compile(r"\bcpu_id = (\d+)")
SYSCALL = re.compile(r"(?:compat_)?(syscall_entry_|syscall_exit_|sys_)(\w+)|exit_syscall")
READERS = (("babeltrace2", "--names=scope,payload,context"),
           ("babeltrace", "--names", "scope,payload,context"))
WAKEUPS = ("sched_wakeup", "sched_wakeup_new")
EARLY_WAKEUPS = ("sched_waking",) + WAKEUPS  # what lttng-analyses takes for one
ENDED = 16 | 32 | 64  # prev_state: dead, zombie, dead (or parked)
ASLEEP = 5  # status of lttng_statedump_process_state
WOKEN, PREEMPTED, GAVE_WAY = "woken", "pre-empted", "gave way"  # it waits for a CPU
RUNNING, BLOCKED = "running", "blocked"


class Event:
    """One event; fields are parsed when they are asked for."""

    __slots__ = ("t", "name", "cpu", "context_text", "payload_text", "known")

    def __init__(self, t, name, cpu, context_text, payload_text):
        self.t, self.name, self.cpu = t, name, cpu
        self.context_text, self.payload_text = context_text, payload_text
        self.known = None

    @property
    def fields(self):
        if self.known is None:
            self.known = parse(self.payload_text)
        return self.known

    def number(self, *names):
        """The first of these fields that the event has, or None."""
        for name in names:
            if name in self.fields:
                return number(self.fields[name])
        return None

    def text(self, name):
        value = self.fields.get(name)
        return None if value is None else value[1:-1]


def number(text):
    return int(text, 16) if text[:2] == "0x" else int(text)


def parse(text):
    """{name: text of the value, or a nested dict or list} of one structure's inside."""
    if not any(c in text for c in "{[("):
        return dict(FLAT.findall(text))
    tokens = collections.deque(TOKEN.findall(text))
    fields = {}
    while tokens:
        if tokens[0] in ",}":
            tokens.popleft()
            continue
        name = tokens.popleft()
        if not tokens or tokens[0] != "=":
            break
        tokens.popleft()
        fields[name] = parse_value(tokens)
    return fields


def parse_value(tokens):
    """One value from the tokens: a text, a list, a dict, or a list for ( "label" : x = 1 )."""
    first = tokens.popleft() if tokens else ""
    close = {"{": "}", "[": "]", "(": ")"}.get(first)
    if close is None:
        return first
    named, plain, words = {}, [], []
    while tokens and tokens[0] != close:
        token = tokens.popleft()
        if token == "=":
            named[words.pop() if words else ""] = parse_value(tokens)
        elif token in ("{", "[", "("):
            tokens.appendleft(token)
            plain.append(parse_value(tokens))
            if token == "[" and isinstance(plain[-1], list) and tokens and tokens[0] == "=":
                words.append("[%s]" % "".join(str(x) for x in plain.pop()))
        elif token not in ",:":
            words.append(token)
    if tokens:
        tokens.popleft()
    return named or plain + words


def parse_line(line):
    """The event that a line of babeltrace's text with --names=scope,... tells."""
    m = LINE.match(line)
    if not m:
        raise ValueError("this line of babeltrace is not understood: " + line)
    head, _, payload = m.group(4).partition(", event.fields = {")
    cpu = CPU.search(head)
    return Event(int(m.group(1)) * 1000000000 + int(m.group(2)), m.group(3),
                 int(cpu.group(1)) if cpu else None, head, payload)


def read(path, argv):
    """The events of a trace in the order in which the reader gives them."""
    p = subprocess.Popen(list(argv) + ["--clock-seconds", path], stdout=subprocess.PIPE,
                         stderr=subprocess.DEVNULL, encoding="utf-8", errors="replace")
    with p.stdout:
        for line in p.stdout:
            yield parse_line(line)
    if p.wait() != 0:
        raise EOFError("%s gave up on %s" % (argv[0], path))


def nearest_rank(values, percent):
    ordered = sorted(values)
    return ordered[max(0, -(-percent * len(ordered) // 100) - 1)] if ordered else None


class Statistics:
    """count, total, min, max of durations.  What is open at the end counts in count, total
    and max."""

    def __init__(self):
        self.values, self.open = [], []

    def add(self, value):
        self.values.append(value)

    def result(self):
        v, all_of = self.values, self.values + self.open
        return {"count": len(all_of), "total_ns": sum(all_of), "min_ns": min(v, default=None),
                "max_ns": max(all_of, default=None), "p50_ns": nearest_rank(v, 50),
                "p99_ns": nearest_rank(v, 99), "open": len(self.open), "open_ns": self.open}


class Who:
    """Which thread is on which CPU, to which process a thread belongs, its last name."""

    CONTEXT = re.compile(r"event\.context = \{ (.*)$")

    def __init__(self, facts):
        self.on_cpu, self.comm, self.disks, self.facts = {}, {}, {}, facts
        self.pid = {}

    @staticmethod
    @functools.lru_cache(maxsize=None)
    def context(text):
        """(tid, pid, procname) of an event's context, each None if it is not there."""
        m = Who.CONTEXT.search(text)
        fields = parse(m.group(1)) if m else {}
        return (number(fields["tid"]) if "tid" in fields else None,
                number(fields["pid"]) if "pid" in fields else None,
                fields["procname"][1:-1] if "procname" in fields else None)

    def tid(self, e):
        """The thread that was on the CPU when the event was written, or None."""
        tid = self.context(e.context_text)[0]
        if tid is not None:
            if self.on_cpu.get(e.cpu, tid) != tid:
                self.facts["context's tid is not the one switched in on that CPU"] += 1
            return tid
        return self.on_cpu.get(e.cpu)

    def see(self, e):
        """Learns from an event before the others see it."""
        tid, pid, comm = self.context(e.context_text)
        if tid and pid is not None:
            self.pid[tid] = pid
        if tid and comm is not None:
            self.comm[tid] = comm
        if e.name == "lttng_statedump_process_state":
            self.pid[e.number("tid")] = e.number("pid")
            self.comm[e.number("tid")] = e.text("name")
        elif e.name == "lttng_statedump_block_device":
            self.disks[e.number("dev")] = e.text("diskname")
        elif e.name == "sched_process_fork":
            child = e.number("child_tid")
            self.comm[child] = e.text("child_comm")
            self.pid[child] = e.number("child_pid") if "child_pid" in e.fields else child
        elif e.name == "sched_switch":
            for side in ("prev", "next"):
                self.comm[e.number(side + "_tid")] = e.text(side + "_comm")
        elif e.name in ("sched_wakeup", "sched_wakeup_new", "sched_waking"):
            self.comm[e.number("tid")] = e.text("comm")

    def process(self, tid):
        """Its process; a thread of which nothing tells that is taken for a process of its own."""
        return self.pid.get(tid, tid)

    def switched(self, e):
        """After the others saw a switch."""
        if self.on_cpu.get(e.cpu, e.number("prev_tid")) != e.number("prev_tid"):
            self.facts["switch away from a thread that was not switched in on that CPU"] += 1
        self.on_cpu[e.cpu] = e.number("next_tid")


class Life:
    """A thread from its fork, or from when it was first seen, to its end."""

    def __init__(self, tid):
        self.tid, self.state, self.since = tid, None, None
        self.first, self.last = None, None  # what told of it first; its state at the end
        self.run_ns = self.wait_ns = self.blocked_ns = 0
        self.latency, self.culprit, self.just_forked = Statistics(), None, False
        self.preemptions = []  # (culprit, duration, is open)
        self.waits = []  # (begin, end, tid, since it was forked): each latency

    def leave(self, t, is_open=False):
        """The state ends here and counts."""
        lasted = t - self.since if self.state else 0
        if self.state == RUNNING:
            self.run_ns += lasted
        elif self.state == BLOCKED:
            self.blocked_ns += lasted
        elif self.state in (WOKEN, PREEMPTED, GAVE_WAY):
            self.wait_ns += lasted
        if self.state == WOKEN and not is_open:
            self.latency.add(lasted)
            self.waits.append((self.since, t, self.tid, self.just_forked))
        if self.state == PREEMPTED:
            self.preemptions.append((self.culprit, lasted, is_open))
        self.state, self.just_forked = None, False

    def enter(self, state, t):
        self.state, self.since = state, t
        self.first = self.first or state


def involuntary(prev_state):
    """Could the thread have gone on?  Bits above 0xff only say that it was pre-empted."""
    return prev_state & 0xff == 0


class Scheduling:
    """Who ran, waited, slept; who pre-empted whom; how long from wake-up to run."""

    def __init__(self, facts, who, wakeups):
        self.facts, self.threads, self.lives, self.seen = facts, {}, [], set()
        self.who, self.wakeups = who, wakeups

    def life(self, tid):
        if tid not in self.threads:
            self.threads[tid] = Life(tid)
            self.lives.append(self.threads[tid])
        return self.threads[tid]

    def event(self, e):
        if e.cpu not in self.seen:
            self.first_of_cpu(e)
        if e.name == "sched_switch":
            self.switch(e, e.number("prev_tid"), e.number("next_tid"), e.number("prev_state"))
        elif e.name in self.wakeups:
            if e.number("success") == 0:
                self.facts["wake-up without success"] += 1
            else:
                self.wake(e.t, e.number("tid"), e.name == "sched_wakeup_new")
        elif e.name == "sched_process_fork":
            self.fork(e.t, e.number("child_tid"))
        elif e.name == "lttng_statedump_process_state":
            self.dump(e)

    def first_of_cpu(self, e):
        """The context tells who ran when the CPU's first event was written."""
        self.seen.add(e.cpu)
        tid = self.who.tid(e)
        if tid and self.life(tid).state != RUNNING:
            self.facts["running by the context of a CPU's first event, before: %s" %
                       self.life(tid).state] += 1
            self.life(tid).enter(RUNNING, e.t)
            self.life(tid).first = "context"

    def switch(self, e, prev, following, prev_state):
        if prev != 0:
            self.facts["prev_state %d" % prev_state] += 1
            self.switch_out(e.t, self.life(prev), following, prev_state)
        if following != 0:
            life = self.life(following)
            if life.state in (BLOCKED, RUNNING):
                self.facts["switched in while " + life.state] += 1
            elif life.state is None:
                self.facts["first state is a switch in"] += 1
            life.leave(e.t)
            life.enter(RUNNING, e.t)

    def switch_out(self, t, life, following, prev_state):
        if life.state == RUNNING:
            life.leave(t)
        elif life.state is not None:
            self.facts["switched out while %s: forgotten" % life.state] += 1
            life.state = None
        else:
            self.facts["first state is a switch out"] += 1
            life.first = life.first or "switch out"
        if involuntary(prev_state):
            life.enter(PREEMPTED if following != 0 else GAVE_WAY, t)
            life.culprit = following
            self.facts["switched out runnable: " + life.state] += 1
        elif prev_state & ENDED:
            del self.threads[life.tid]
        else:
            life.enter(BLOCKED, t)

    def wake(self, t, tid, is_new):
        if tid == 0:
            return
        life = self.life(tid)
        if is_new and life.just_forked:
            life.enter(WOKEN, t)  # not at the fork
            life.just_forked = False
        elif life.state in (None, BLOCKED):
            if life.state is None:
                self.facts["first state is a wake-up"] += 1
            life.leave(t)
            life.enter(WOKEN, t)
        else:
            self.facts["wake-up while " + life.state] += 1

    def fork(self, t, tid):
        if tid in self.threads:
            self.facts["fork of a tid that lives, last state %s" % self.threads[tid].state] += 1
            del self.threads[tid]
        self.life(tid).enter(WOKEN, t)
        self.life(tid).just_forked = True

    def dump(self, e):
        tid, status = e.number("tid"), e.number("status")
        state = self.threads[tid].state if tid in self.threads else None
        self.facts["dumped with status %d, state %s" % (status, state)] += 1
        if status == ASLEEP and tid != 0 and state is None:
            self.life(tid).enter(BLOCKED, e.t)

    def end(self, t):
        for life in self.threads.values():
            life.last = life.state
            life.leave(t, True)
        lives = collections.Counter(x.tid for x in self.lives)
        self.facts["tids with several lives"] = sum(n > 1 for n in lives.values())

    def result(self, who):
        return {"threads": self.result_threads(who), "preemptions": self.result_preemptions(who),
                "processes": self.result_processes(who),
                "latencies": sorted(w for life in self.lives for w in life.waits)}

    def result_threads(self, who):
        out = {}
        for life in self.lives:
            row = out.setdefault(life.tid, {
                "tid": life.tid, "pid": who.process(life.tid), "comm": who.comm.get(life.tid),
                "run_ns": 0, "wait_ns": 0, "blocked_ns": 0, "latencies": [],
                "first": life.first})
            row["last"] = life.last
            for key in ("run_ns", "wait_ns", "blocked_ns"):
                row[key] += getattr(life, key)
            row["latencies"] += life.latency.values
        for row in out.values():
            values = Statistics()
            values.values = row.pop("latencies")
            row["latency"] = values.result()
        return [out[tid] for tid in sorted(out)]

    def result_preemptions(self, who):
        out = {}
        for life in self.lives:
            for culprit, lasted, is_open in life.preemptions:
                row = out.setdefault((life.tid, culprit), {
                    "victim_tid": life.tid, "victim": who.comm.get(life.tid),
                    "culprit_tid": culprit, "culprit": who.comm.get(culprit),
                    "count": 0, "total_ns": 0, "longest_ns": 0, "open": 0})
                row["count"] += 1
                row["total_ns"] += lasted
                row["longest_ns"] = max(row["longest_ns"], lasted)
                row["open"] += is_open
        return [out[key] for key in sorted(out)]

    def result_processes(self, who):
        out = {}
        for life in self.lives:
            pid = who.process(life.tid)
            row = out.setdefault(pid, {"pid": pid, "comm": who.comm.get(pid), "run_ns": 0,
                                       "wait_ns": 0, "blocked_ns": 0})
            for key in ("run_ns", "wait_ns", "blocked_ns"):
                row[key] += getattr(life, key)
        return [out[pid] for pid in sorted(out)]


class Interrupts:
    """Durations of interrupt handlers and softirqs, what they interrupt included."""

    NAMES = {"irq_handler_entry": ("irq", True), "irq_handler_exit": ("irq", False),
             "irq_softirq_entry": ("softirq", True), "irq_softirq_exit": ("softirq", False),
             "softirq_entry": ("softirq", True), "softirq_exit": ("softirq", False)}

    def __init__(self, facts):
        self.facts, self.open, self.found, self.names = facts, {}, {}, {}

    def event(self, e):
        if e.name not in self.NAMES:
            return
        kind, is_entry = self.NAMES[e.name]
        n = e.number("irq" if kind == "irq" else "vec")
        if kind == "irq" and is_entry:
            self.names[n] = e.text("name")
        stack = self.open.setdefault((e.cpu, kind), [])
        if is_entry:
            stack.append((n, e.t))
            if len(stack) > 1:
                self.facts["%s in a %s" % (kind, kind)] += 1
        elif n not in [x for x, _ in stack]:
            self.facts[kind + " exit without entry"] += 1
        else:
            while stack[-1][0] != n:
                self.facts[kind + " entry without exit"] += 1
                stack.pop()
            self.found.setdefault((kind, n), Statistics()).add(e.t - stack.pop()[1])

    def end(self, _):
        for (_, kind), stack in self.open.items():
            self.facts[kind + " entry without exit"] += len(stack)

    def result(self, _):
        return {"irqs": [dict(s.result(), kind=kind, number=n,
                              name=self.names.get(n) if kind == "irq" else None)
                         for (kind, n), s in sorted(self.found.items())]}


class Syscalls:
    """Durations of system calls per thread and name."""

    def __init__(self, facts, who):
        self.facts, self.who, self.open, self.found = facts, who, {}, {}
        self.unmatched = collections.Counter()

    def event(self, e):
        m = SYSCALL.fullmatch(e.name)
        if m:
            tid = self.who.tid(e)
            if tid is None:
                self.facts["system call on a CPU whose thread is unknown"] += 1
                return
            old = self.open.pop(tid, None)
            if m.group(1) in ("syscall_entry_", "sys_"):
                if old:
                    self.lost_exit(tid, old)
                self.open[tid] = (m.group(2), e.t)
            else:
                self.leave(e.t, tid, old, m.group(2) or old and old[0])
        elif e.name == "sched_process_fork":
            self.forget(e.number("child_tid"))
        elif e.name == "sched_switch" and e.number("prev_state") & ENDED:
            self.forget(e.number("prev_tid"))

    def forget(self, tid):
        old = self.open.pop(tid, None)
        if old:
            self.lost_exit(tid, old)

    def lost_exit(self, tid, old):
        self.facts["system call without exit: " + old[0]] += 1
        self.unmatched[tid, old[0]] += 1

    def leave(self, t, tid, old, name):
        if old and old[0] == name:
            self.found.setdefault((tid, name), Statistics()).add(t - old[1])
            return
        if old:
            self.lost_exit(tid, old)
        self.facts["system call without entry: %s" % name] += 1
        self.unmatched[tid, name] += 1

    def end(self, t):
        for tid, (name, since) in self.open.items():
            self.found.setdefault((tid, name), Statistics()).open.append(t - since)

    def result(self, who):
        rows = [dict(self.found.get(key, Statistics()).result(), tid=key[0], name=key[1],
                     pid=who.process(key[0]), unmatched=self.unmatched[key])
                for key in set(self.found) | set(self.unmatched)]
        return {"syscalls": sorted(rows, key=lambda r: (r["tid"], r["name"] or ""))}


class Blocks:
    """Requests of block devices from insert, or issue, to completion."""

    WRITE, DISCARD = 1, 2

    def __init__(self, facts, who):
        self.facts, self.who, self.open, self.done = facts, who, {}, {}

    def op(self, rwbs, sectors):
        if rwbs & self.DISCARD:
            return "discard"
        if sectors == 0:
            return "flush"
        return "write" if rwbs & self.WRITE else "read"

    def event(self, e):
        if e.name in ("block_rq_insert", "block_rq_issue"):
            self.begin(e, e.name == "block_rq_issue")
        elif e.name == "block_rq_merge":
            self.facts["block_rq_merge"] += 1
            self.open.pop((e.number("dev"), e.number("sector")), None)
        elif e.name == "block_rq_complete":
            self.complete(e)

    def begin(self, e, is_issue):
        key = e.number("dev"), e.number("sector")
        request = self.open.get(key)
        if request and is_issue and request["issued"] is None:
            request["issued"], request["sectors"] = e.t, e.number("nr_sector")
            return
        if request:
            self.facts["%s of a (dev, sector) that is open" % e.name] += 1
        if is_issue:
            self.facts["block request issued without insert"] += 1
        tid = e.number("tid") if "tid" in e.fields else self.who.tid(e)
        self.open[key] = {"queued": e.t, "issued": e.t if is_issue else None, "tid": tid,
                          "sectors": e.number("nr_sector"), "rwbs": e.number("rwbs")}
        self.facts["block request rwbs %d nr_sector%s0" %
                   (e.number("rwbs"), "=>"[e.number("nr_sector") > 0])] += 1

    def complete(self, e):
        dev, sector, sectors = e.number("dev"), e.number("sector"), e.number("nr_sector")
        request = self.open.pop((dev, sector), None)
        if request is None:
            self.facts["block completion without request"] += 1
            return
        if sectors != request["sectors"]:
            self.facts["block completion of %s sectors than issued" %
                       ("fewer" if sectors < request["sectors"] else "more")] += 1
        if sectors < request["sectors"]:
            rest = dict(request, sectors=request["sectors"] - sectors)
            self.open[dev, sector + sectors] = rest
        key = dev, self.op(request["rwbs"], request["sectors"]), request["tid"]
        row = self.done.setdefault(key, [Statistics(), Statistics(), 0])
        row[0].add(e.t - request["queued"])
        if request["issued"] is None:
            self.facts["block completion of a request that was not issued"] += 1
        else:
            row[1].add(e.t - request["issued"])
        row[2] += sectors * 512

    def end(self, _):
        self.facts["block requests open at the end"] = len(self.open)

    def result(self, who):
        return {"blocks": [dict(latency.result(), dev=dev, op=op, tid=tid, pid=who.process(tid),
                                comm=who.comm.get(tid), bytes=size, driver=driver.result(),
                                latencies=sorted(latency.values))
                           for (dev, op, tid), (latency, driver, size) in
                           sorted(self.done.items(), key=str)]}


class Packets:
    """Packets and bytes per interface: taken by the driver (rc 0), given to the stack."""

    def __init__(self, facts):
        self.facts, self.found = facts, {}

    def event(self, e):
        if e.name in ("net_dev_xmit", "netif_receive_skb", "net_if_receive_skb"):
            way = "tx" if e.name == "net_dev_xmit" else "rx"
            if way == "tx" and e.number("rc") != 0:
                self.facts["net_dev_xmit with rc %d" % e.number("rc")] += 1
                return
            row = self.found.setdefault((e.text("name"), way), [0, 0])
            row[0] += 1
            row[1] += e.number("len")
        elif e.name in ("net_dev_queue", "net_if_rx", "netif_rx"):
            self.facts["%s on %s" % (e.name, e.text("name"))] += 1

    def end(self, _):
        pass

    def result(self, _):
        return {"packets": [{"interface": name, "direction": way, "packets": n, "bytes": size}
                            for (name, way), (n, size) in sorted(self.found.items())]}


def analyse_events(source):
    """All figures of events in order of time, as a dict."""
    facts = collections.Counter()
    who = Who(facts)
    early = Scheduling(collections.Counter(), who, EARLY_WAKEUPS)
    names = set()
    parts = [Scheduling(facts, who, WAKEUPS), Interrupts(facts), Syscalls(facts, who),
             Blocks(facts, who), Packets(facts)]
    first = last = last_cpu = None
    events = 0
    for e in source:
        events += 1
        first = e.t if first is None else first
        if last is not None and e.t < last:
            facts["time goes back"] += 1
        if e.t == last and e.cpu != last_cpu:
            facts["events of the same time on two CPUs"] += 1
        last, last_cpu = e.t if last is None else max(last, e.t), e.cpu
        names.add(e.name)
        who.see(e)
        for part in parts:
            part.event(e)
        early.event(e)
        if e.name == "sched_switch":
            who.switched(e)
    out = {"events": events, "first_ns": first, "last_ns": last,
           "disks": [{"dev": dev, "name": name} for dev, name in sorted(who.disks.items())]}
    early.end(last)
    for part in parts:
        part.end(last)
        out.update(part.result(who))
    if not names.intersection(WAKEUPS):  # sched_waking is all there is
        out.update(early.result(who))
    out["early_latencies"] = early.result(who)["latencies"]
    out["facts"] = dict(sorted(facts.items()))
    return out


def analyse(path):
    """All figures of one trace as a dict."""
    for argv in READERS:
        try:
            return dict(analyse_events(read(path, argv)), path=path, reader=argv[0])
        except EOFError as e:
            problem = e
    raise problem


def main():
    for path in sys.argv[1:]:
        out = analyse(path)
        del out["early_latencies"], out["latencies"]  # one row for each
        json.dump(out, sys.stdout, indent=1)
        print()
    return 0


if __name__ == "__main__":
    sys.exit(main())
