#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
#
# sim_babeltrace.py -- are the simulator's traces what its truth says, in the
# eyes of babeltrace2?  For every scenario: the traces read without a warning
# (but for losses that the truth knows), every count is exact, every announced
# start and end stands in the trace at its nanosecond, and a second run gives
# the same bytes.
#
# Mistakes in a scenario are told with their place.
#
# Usage: sim_babeltrace.py BUILD_DIR/neph [SCENARIO ...]
"""Checks `neph sim` against babeltrace2 and against itself."""
import filecmp
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
SCENARIOS = os.path.join(HERE, "..", "..", "sim", "scenarios")
LINE = re.compile(
    r'^\[(\d+)\.(\d{9})\] \(\S+\) (\S+) lttng_python:event: \{ cpu_id = (\d+) \}, '
    r'(?:\{ vpid = (\d+), vtid = \d+, procname = "([^"]*)" \}, )?'
    r'\{ asctime = "(.*?)", msg = "(.*)", logger_name = "(.*?)", funcName = "(.*?)", '
    r'lineno = \d+, int_loglevel = (\d+), thread = (\d+), threadName = "(.*?)" \}$')
LOST_EVENTS = re.compile(r"Tracer discarded (\d+) events?")
LOST_PACKETS = re.compile(r"Tracer discarded (\d+) packets?")
# of a stream's first packet, where babeltrace2 has nothing to subtract from
LOST_UNCOUNTED = re.compile(r"Tracer may have discarded events")

problems = []


def problem(where, text):
    problems.append(f"{where}: {text}")
    print(f"# {where}: {text}")


def verdict(name, before):
    """Prints the result of a test that began with 'before' problems."""
    print(f"{'ok' if len(problems) == before else 'not ok'} {name}")


def run_sim(neph, scenario, out, extra=()):
    done = subprocess.run([neph, "sim", scenario, "-o", out, *extra], capture_output=True, text=True,
                          check=False)
    if done.returncode != 0:
        problem(os.path.basename(scenario), f"neph sim: {done.stderr.strip()}")
    return done.returncode == 0


def same_files(a, b):
    """The paths under 'a' and 'b' that differ."""
    differing = []
    for folder, _, files in os.walk(a):
        other = os.path.join(b, os.path.relpath(folder, a))
        if not os.path.isdir(other) or sorted(os.listdir(folder)) != sorted(os.listdir(other)):
            differing.append(folder)
            continue
        differing += [os.path.join(folder, f) for f in files
                      if not filecmp.cmp(os.path.join(folder, f), os.path.join(other, f), False)]
    return differing


def unescape(text):
    """Undoes babeltrace2's escapes, which are those of C."""
    return re.sub(r"\\(.)", lambda m: {"n": "\n", "t": "\t"}.get(m.group(1), m.group(1)), text)


def read_trace(name, path):
    """Events of one host, by babeltrace2, as (ns, cpu, pid, message, thread)."""
    done = subprocess.run(["babeltrace2", "--clock-seconds", path], capture_output=True, check=False)
    errors = done.stderr.decode("utf-8", "replace").splitlines()
    events = []
    if done.returncode != 0:
        problem(name, f"babeltrace2 failed: {errors[:2]}")
    for line in done.stdout.decode("utf-8", "replace").splitlines():
        m = LINE.match(line)
        if not m:
            problem(name, f"unexpected line: {line[:160]}")
            continue
        ns = int(m.group(1)) * 1000000000 + int(m.group(2))
        events.append((ns, int(m.group(4)), m.group(5), unescape(m.group(8)), int(m.group(12)),
                       m.group(9)))
    return events, errors


def check_losses(name, host, errors):
    lost_events = sum(int(n) for e in errors for n in LOST_EVENTS.findall(e))
    lost_packets = sum(int(n) for e in errors for n in LOST_PACKETS.findall(e))
    uncounted = any(LOST_UNCOUNTED.search(e) for e in errors)
    others = [e for e in errors if e.strip() and not LOST_EVENTS.search(e) and
              not LOST_PACKETS.search(e) and not LOST_UNCOUNTED.search(e)]
    dropped = sum(s["packets_dropped"] for s in host["streams"])
    if others:
        problem(name, f"babeltrace2 warns: {others[0][:200]}")
    if lost_events != host["discarded"] and not (uncounted and lost_events < host["discarded"]):
        problem(name, f"{lost_events} events discarded, the truth says {host['discarded']}")
    if lost_packets != dropped:
        problem(name, f"{lost_packets} packets discarded, the truth says {dropped}")


def check_counts(name, host, events):
    per_cpu = {}
    for event in events:
        per_cpu[event[1]] = per_cpu.get(event[1], 0) + 1
    if len(events) != host["events"]:
        problem(name, f"{len(events)} events, the truth says {host['events']}")
    for stream in host["streams"]:
        if per_cpu.get(stream["cpu"], 0) != stream["events"]:
            problem(name, f"CPU {stream['cpu']}: {per_cpu.get(stream['cpu'], 0)} events, "
                          f"the truth says {stream['events']}")
    if len({e[0] for e in events}) != len(events):
        problem(name, "two events share an instant")


def is_edge(message, names, suffixes):
    """Does the message announce one of these names with one of the suffixes?"""
    for n in names:
        for s in suffixes:
            if f"'event_type':'{n}.{s}'" in message or f"'event_type':{n}.{s}," in message or \
                    f'"event_type":"{n}.{s}"' in message:
                return True
    return False


def check_tasks(name, truth, by_host):
    checked = 0
    for task in truth["tasks"]:
        at = by_host[task["host"]]
        for edge, suffixes in (("start", ("start",)), ("end", ("end", "error"))):
            if not task[f"{edge}_told"]:
                continue
            event = at.get(task[f"host_{edge}_ns"])
            if task[f"{edge}_lost"]:
                if event:
                    problem(name, f"lost {edge} of {task['task']} is in the trace")
                continue
            checked += 1
            if not event:
                problem(name, f"no event at the {edge} of {task['task']} {task['host_' + edge + '_ns']}")
            elif not is_edge(event[3], task["announced_as"], suffixes):
                problem(name, f"{edge} of {task['task']}: {event[3][:120]}")
            elif event[4] != task["thread"]:
                problem(name, f"{edge} of {task['task']} on thread {event[4]}")
        if task["outcome"] == "unfinished":
            problem(name, f"task {task['task']} never ended")
        if not task["start_ns"] <= task["end_ns"]:
            problem(name, f"task {task['task']} ends before it starts")
    return checked


def count_told(truth, edge):
    """How many announcements of this edge the traces must hold, per name."""
    want = {}
    for task in truth["tasks"]:
        if task[f"{edge}_told"] and not task[f"{edge}_lost"]:
            for n in task["announced_as"]:
                want[n] = want.get(n, 0) + 1
    return want


def check_census(name, truth, by_host):
    """Without losses, no announcement stands in the traces that the truth does not know."""
    if truth["totals"]["discarded"] or truth["totals"]["dropped"]:
        return
    have = {}
    for events in by_host.values():
        for event in events.values():
            m = re.match(r"""lttng_trace:\{'event_type':'?([\w.-]+?)\.start'?,""", event[3]) or \
                re.match(r"""\{"event_type":"([\w.-]+)\.start",""", event[3])
            if m and event[5] != "ostrace.rpc":
                have[m.group(1)] = have.get(m.group(1), 0) + 1
    want = count_told(truth, "start")
    if truth["dialect"] == "zed":
        # one name can be a notification and a span, or plain and versioned
        have = {n: c for n, c in have.items() if c != want.get(n)}
        have = {n: c for n, c in have.items() if n not in want or c % want[n] != 0}
    else:
        have = {n: c for n, c in have.items() if c != want.get(n, 0)}
    if have:
        problem(name, f"announcements that the truth does not count: {have}")


def check_requests(name, truth):
    for request in truth["requests"]:
        if request["outcome"] == "unfinished":
            problem(name, f"request {request['number']} ({request['name']}) never ended")
    for fault in truth["faults"]:
        if not fault["applied"]:
            problem(name, f"fault not applied: {fault}")


def check_json(name, events):
    """Every message of the Zed helpers must be one JSON object."""
    for event in events:
        if event[5].startswith("ostrace."):
            try:
                json.loads(event[3])
            except ValueError as why:
                problem(name, f"not JSON ({why}): {event[3][:160]}")


def check_scenario(neph, path, work):
    name = os.path.basename(path)
    before = len(problems)
    first, second = os.path.join(work, "a"), os.path.join(work, "b")
    if not run_sim(neph, path, first) or not run_sim(neph, path, second):
        verdict(name, before)
        return
    differing = same_files(first, second)
    if differing:
        problem(name, f"two runs differ: {differing[0]}")
    with open(os.path.join(first, "truth.json"), encoding="utf-8") as f:
        truth = json.load(f)
    check_requests(name, truth)
    text = ""
    if shutil.which("babeltrace2"):
        by_host = {}
        for host in truth["hosts"]:
            where = f"{name} {host['name']}"
            events, errors = read_trace(where, os.path.join(first, host["trace"]))
            check_losses(where, host, errors)
            check_counts(where, host, events)
            check_json(where, events)
            by_host[host["name"]] = {e[0]: e for e in events}
        edges = check_tasks(name, truth, by_host)
        check_census(name, truth, by_host)
        text = f", {edges} task edges at their nanosecond"
    totals = truth["totals"]
    print(f"# {name}: {totals['events']} events, {totals['discarded']} discarded, "
          f"{totals['dropped']} dropped, {totals['requests']} requests, {totals['tasks']} "
          f"tasks{text}")
    verdict(name, before)
    shutil.rmtree(first)
    shutil.rmtree(second)


def check_refusal(neph, work):
    """A folder that is not empty is refused with a sentence."""
    before = len(problems)
    full = os.path.join(work, "full")
    os.mkdir(full)
    with open(os.path.join(full, "mine"), "w", encoding="utf-8") as f:
        f.write("precious\n")
    done = subprocess.run([neph, "sim", os.path.join(SCENARIOS, "healthy.json"), "-o", full],
                          capture_output=True, text=True, check=False)
    if done.returncode == 0 or "not empty" not in done.stderr or os.listdir(full) != ["mine"]:
        problem("refusal", f"a full folder was accepted: {done.stderr.strip()}")
    verdict("a folder that is not empty is refused", before)


def check_seed(neph, work):
    """Another seed gives another cloud."""
    before = len(problems)
    first, second = os.path.join(work, "s1"), os.path.join(work, "s2")
    healthy = os.path.join(SCENARIOS, "healthy.json")
    if run_sim(neph, healthy, first, ("--seed", "1")) and \
            run_sim(neph, healthy, second, ("--seed", "2")) and not same_files(first, second):
        problem("seed", "two seeds give the same bytes")
    verdict("another seed gives another cloud", before)


BASE = {"dialect": "2016", "duration_s": 10,
        "hosts": [{"name": "ctl", "roles": ["controller", "compute"]}]}
BOOT = {"at_s": 1, "do": "boot", "vm": "a"}
# what is wrong in the file, and what the sentence must say
MISTAKES = [
    ({"colour": 1}, "colour: unknown key"),
    ({"duration_s": "ten"}, "duration_s: must be a number"),
    ({"duration_s": 0}, "duration_s: must be between"),
    ({"dialect": "kilo"}, 'dialect: must be "2016" or "zed"'),
    ({"start": "soon"}, "start: must be a time"),
    ({"hosts": []}, "hosts: there must be one controller"),
    ({"hosts": [{"name": "c", "roles": ["boss"]}]}, "hosts[0].roles: must hold"),
    ({"hosts": [{"name": "../c", "roles": ["controller"]}]}, "hosts[0].name: must be a host name"),
    ({"hosts": [{"name": "c", "roles": ["controller", "compute"], "cpus": 1.5}]},
     "hosts[0].cpus: must be a whole number"),
    ({"services": {"nova-cat": {"workers": 2}}}, 'services: "nova-cat" is no service'),
    ({"operations": {}}, "operations: must be a list"),
    ({"operations": [BOOT, BOOT]}, 'operations[1].vm: an earlier operation makes "a" already'),
    ({"operations": [{"at_s": 1, "do": "stop", "vm": "a"}]},
     'operations[0].vm: no earlier operation makes "a"'),
    ({"operations": [{"at_s": 1, "do": "explode", "vm": "a"}]}, "operations[0].do: unknown"),
    ({"operations": [dict(BOOT, fault={"kind": "abort"})]},
     "operations[0].fault.kind: this operation cannot have that fault"),
    ({"operations": [dict(BOOT, fault={"kind": "slow"})]},
     "operations[0].fault.step: is missing"),
    ({"operations": [dict(BOOT, fault={"kind": "slow", "step": "lunch"})]},
     'operations[0].fault.step: "lunch" never ran'),
    ({"operations": [dict(BOOT, fault={"kind": "slow", "step": "claim", "factor": -1})]},
     "operations[0].fault.factor: must be between"),
    ({"operations": [{"do": "boot", "vm": "a"}]}, "operations[0].at_s: is missing"),
    ({"operations": [{"do": "boot", "vm": "a", "after": "b"}]},
     "operations[0].after: no earlier operation"),
    ({"workload": {"vms": 1000000}}, "workload.vms: must be between"),
    ({"faults": [{"kind": "lock_hog", "host": "ctl", "at_s": 1, "for_s": 1}]},
     "faults[0].lock: is missing"),
    ({"faults": [{"kind": "lost_events", "host": "moon", "for_s": 1}]}, "faults[0].host: no such"),
    ({"faults": [{"kind": "idle_worker", "host": "ctl", "service": "nova-scheduler"}]},
     "all workers of nova-scheduler on ctl are idle"),
]


def check_mistakes(neph, work):
    """Every mistake in a scenario is told with its place."""
    before = len(problems)
    path, out = os.path.join(work, "wrong.json"), os.path.join(work, "wrong")
    for change, sentence in MISTAKES:
        with open(path, "w", encoding="utf-8") as f:
            json.dump(dict(BASE, **change), f)
        done = subprocess.run([neph, "sim", path, "-o", out], capture_output=True, text=True,
                              check=False)
        if done.returncode == 0 or sentence not in done.stderr:
            problem("mistake", f"{change}: wanted '{sentence}', got '{done.stderr.strip()}'")
        shutil.rmtree(out, ignore_errors=True)
    with open(path, "w", encoding="utf-8") as f:
        f.write('{ "dialect": ')
    done = subprocess.run([neph, "sim", path, "-o", out], capture_output=True, text=True,
                          check=False)
    if done.returncode == 0 or "line 1" not in done.stderr:
        problem("mistake", f"broken JSON: {done.stderr.strip()}")
    verdict("mistakes in a scenario are told with their place", before)


def has_services(path):
    """Is there an application layer?  sim_kernel.py looks at the others."""
    with open(path, encoding="utf-8") as f:
        return not json.load(f).get("kernel", {}).get("only")


def main():
    if len(sys.argv) < 2:
        print(f"usage: {sys.argv[0]} BUILD_DIR/neph [SCENARIO ...]", file=sys.stderr)
        return 2
    neph = os.path.abspath(sys.argv[1])
    paths = sys.argv[2:] or sorted(os.path.join(SCENARIOS, f) for f in os.listdir(SCENARIOS)
                                   if f.endswith(".json") and
                                   has_services(os.path.join(SCENARIOS, f)))
    if not shutil.which("babeltrace2"):
        print("skip babeltrace2: not installed; only determinism and the truth are checked")
    with tempfile.TemporaryDirectory() as work:
        check_refusal(neph, work)
        check_seed(neph, work)
        check_mistakes(neph, work)
        for path in paths:
            check_scenario(neph, path, work)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
