#!/usr/bin/env python3
"""Do all forms of QEMU's trace events tell the same?

usage: qemu_sources.py path/to/neph

With the traces of ../shared/traces, of two live migrations each:
- LTTng's trace of QEMU and its binary of the backend `simple`, of one run: the same events, in
  the same order, with the same fields, at the same times.
- the log of QEMU against a parser of ten lines of Python: names, times, threads, texts, order.
- the log of QMP against what json.loads() finds in it, and against the log of QEMU: states of the
  migration, passes, when the guest stopped and went on.
- the logs of other programs are not taken for QEMU's.
"""

import collections
import glob
import json
import os
import re
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from _helper import report  # noqa: E402

TRACES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "..", "shared",
                      "traces", "lab")
NEPH = ""
TEXT_MAX = 512  # bytes of a text in the binary
TIMES_DIFFER_NS = 20 * 10**6  # a thread may lose its CPU between two tracers


def unpack(name, tmp, *members):
    archive = os.path.join(TRACES, name + ".tar.xz")
    if not os.path.exists(archive):
        print("skip %s: ../shared/traces/lab/%s.tar.xz is not there" % (name, name))
        return None
    subprocess.run(["tar", "-xf", archive, "-C", tmp, "--wildcards", *members], check=True)
    return tmp


def events_of(path, *options):
    p = subprocess.run([NEPH, "events", "-q", "-o", "jsonl", *options, path], capture_output=True,
                       check=True)
    return [json.loads(x) for x in p.stdout.splitlines()]


def value(v):
    return v[:TEXT_MAX] if isinstance(v, str) else v


def sequence(events, names):
    return [(e["t_ns"], e["name"]) for e in events if e["name"] in names]


def check_binary(name, ust, offset, path):
    """Each event of the binary is in LTTng's trace of the same process."""
    ours = events_of(path)
    pid = max(e["context"].get("pid", 0) for e in ours)
    names = {e["name"] for e in ours} & {e["name"] for e in ust} # both were asked for
    theirs = [e for e in ust if e["context"]["vpid"] == pid and e["name"] in names]
    problems = [] if len(names) > 10 else ["only %r are in both" % names]
    for (ns, a), (_, b) in zip(sequence(ours, names), sequence(theirs, names)):
        if a != b:
            problems.append("order at %d: %s, LTTng's: %s" % (ns, a, b))
            break
    for what in sorted(names):
        a = [(e["t_ns"], {k: value(v) for k, v in e["fields"].items()}) for e in ours
             if e["name"] == what]
        b = [(e["t_ns"] - offset, {k: value(v) for k, v in e["fields"].items()}) for e in theirs
             if e["name"] == what]
        if len(a) != len(b):
            problems.append("%s: %d events, %d of LTTng" % (what, len(a), len(b)))
        problems += ["%s: %r, LTTng's: %r" % (what, x, y) for x, y in zip(a, b)
                     if x[1] != y[1] or abs(x[0] - y[0]) > TIMES_DIFFER_NS]
    report(name, problems)


def check_host(tmp):
    for folder in sorted(glob.glob(os.path.join(tmp, "migration-host-ust", "exp*"))):
        exp = os.path.basename(folder)
        trace = os.path.join(folder, "ust-trace")
        p = subprocess.run([NEPH, "info", "-q", "-o", "json", trace], capture_output=True,
                           check=True)
        offset = json.loads(p.stdout)[0]["clock_offset_ns"]
        ust = events_of(trace, "-n", "qemu:*")
        for end in "src", "dst":
            check_binary("%s: binary of %s and LTTng" % (exp, end), ust, offset,
                         os.path.join(folder, "qemu-%s.log" % end))
        for end in "src", "dst":
            check_qmp("%s: QMP of %s" % (exp, end), os.path.join(folder, "qmp-%s.jsonl" % end))


# --- logs ---------------------------------------------------------------------------------


def text_of(e):
    """The fields of an event, one after the other."""
    return "".join(v if isinstance(v, str) else str(v) for v in e["fields"].values())


def squeezed(event, text):
    """Values of a line without words between them, for events where that is simple."""
    if event in ("migrate_pending", "migrate_transferred", "migration_bitmap_sync_end",
                 "kvm_run_exit", "ram_load_complete", "migration_rate_limit_pre",
                 "ram_save_iterate_big_wait", "qemu_loadvm_state_section"):
        return "".join(re.findall(r"-?\d+", text))
    if event in ("handle_qmp_command", "migrate_set_state"):
        return text.split(": " if event == "handle_qmp_command" else "state ", 1)[1]
    return None


def check_log(name, path):
    form = re.compile(r"(\d+)@(\d+)\.(\d{6}):(\w+) (.*)")
    theirs = []
    with open(path, encoding="utf-8") as f:
        for line in f:
            m = form.fullmatch(line.rstrip("\n"))
            theirs.append((int(m[2]) * 10**9 + int(m[3]) * 1000, int(m[1]), "qemu:" + m[4], m[5]))
    ours = events_of(path)
    theirs.sort(key=lambda x: x[0])
    problems = ["%r, it is %r" % (a, b[:3]) for a, b in
                zip(((e["t_ns"], e["context"]["tid"], e["name"]) for e in ours), theirs)
                if a != b[:3]]
    if len(ours) != len(theirs):
        problems.append("%d events of %d" % (len(ours), len(theirs)))
    for e, t in zip(ours, theirs):
        expected = squeezed(t[2][5:], t[3])
        got = text_of(e)
        if t[2] == "qemu:handle_qmp_command":
            got = e["fields"]["req"]
        if expected is not None and got != expected:
            problems.append("%s: %r of %r" % (t[2], got, t[3]))
        if "text" in e["fields"]:
            problems.append("%s: unknown form: %r" % (t[2], t[3]))
    report(name, problems)
    return ours


def flat(v, path=""):
    if isinstance(v, (dict, list)):
        members = v.items() if isinstance(v, dict) else enumerate(v)
        found = {}
        for key, x in members:
            found.update(flat(x, "%s.%s" % (path, key) if path else str(key)))
        return found
    if v is None:
        return {}
    known = {"total-time": "total_time_ms", "downtime": "downtime_ms", "setup-time": "setup_ms",
             "expected-downtime": "expected_downtime_ms"}
    return {known.get(path, path): int(v) if isinstance(v, bool) else v}


def check_qmp(name, path):
    theirs = []
    with open(path, encoding="utf-8") as f:
        for line in map(json.loads, f):
            d, t, what = line["data"], line["real_ns"], line["kind"]
            if what == "event" and "event" in d: # else the client tells of the end
                t = d["timestamp"]["seconds"] * 10**9 + d["timestamp"]["microseconds"] * 1000
                what, d = d["event"], d.get("data", {})
            theirs.append((t, "qmp:" + what, flat(d)))
    theirs.sort(key=lambda x: x[0])
    ours = [(e["t_ns"], e["name"], e["fields"]) for e in events_of(path)]
    problems = ["%r, it is %r" % (a, b) for a, b in zip(ours, theirs) if a != b]
    if len(ours) != len(theirs) or not ours:
        problems.append("%d events of %d" % (len(ours), len(theirs)))
    report(name, problems)
    return ours


def check_together(name, log, qmp):
    """What a source says twice, once in its log and once over QMP."""
    problems = []
    states = [e["fields"]["new_state"] for e in log if e["name"] == "qemu:migrate_set_state"]
    said = [f["status"] for _, n, f in qmp if n == "qmp:MIGRATION"]
    if states != said or not said:
        problems.append("states: %r, %r over QMP" % (states, said))
    syncs = sum(e["name"] == "qemu:migration_bitmap_sync_end" for e in log)
    told = [f["ram.dirty-sync-count"] for _, n, f in qmp
            if n.startswith("qmp:query-migrate") and "ram.dirty-sync-count" in f]
    if told and max(told) != syncs:
        problems.append("%d syncs, %d over QMP" % (syncs, max(told)))
    for event, running in ("STOP", 0), ("RESUME", 1):
        a = [e["t_ns"] for e in log if e["name"] == "qemu:vm_state_notify" and
             e["fields"]["running"] == running]
        b = [t for t, n, _ in qmp if n == "qmp:" + event]
        if any(min(abs(t - x) for x in a or [0]) > 10**8 for t in b):
            problems.append("%s: %r, %r in the log" % (event, b, a))
    report(name, problems)


def check_machines(tmp):
    for folder in sorted(glob.glob(os.path.join(tmp, "migration", "exp*"))):
        exp = os.path.basename(folder)
        for host in "compute1", "compute2":
            log = check_log("%s: log of %s" % (exp, host),
                            os.path.join(folder, "qemu-%s.log" % host))
            qmp = check_qmp("%s: QMP of %s" % (exp, host),
                            os.path.join(folder, "qmp-%s.jsonl" % host))
            if host == "compute1":
                check_together("%s: log and QMP" % exp, log, qmp)
        p = subprocess.run([NEPH, "info", "-q", "-o", "json", folder], capture_output=True,
                           check=True)
        hosts = collections.defaultdict(set)
        for row in json.loads(p.stdout):
            hosts[row["host"]].add(row["domain"])
        report("%s: hosts" % exp, [] if dict(hosts) == {"compute1": {"kernel", "qemu"},
                                                        "compute2": {"kernel", "qemu"}}
               else ["%r" % dict(hosts)])


def check_others(tmp):
    files = [p for p in glob.glob(os.path.join(tmp, "**", "*"), recursive=True)
             if os.path.isfile(p)]
    taken = [p for p in files if subprocess.run([NEPH, "info", "-q", p],
                                                capture_output=True).returncode == 0]
    report("logs of other programs", ["%s is taken for a trace" % p for p in taken]
           or ([] if len(files) > 10 else ["only %d files" % len(files)]))


def main():
    global NEPH
    NEPH = os.path.abspath(sys.argv[1])
    with tempfile.TemporaryDirectory(prefix="neph-qemu-") as tmp:
        parts = (("migration-host-ust", ["*/ust-trace/*", "*/q*"], check_host),
                 ("migration-vm", ["*/lttng-*", "*/q*"], check_machines),
                 ("openstack-zed", ["*/libvirt-livemigrate/logs/*", "*/rabbitmq-firehose.jsonl"],
                  check_others))
        for name, members, check in parts:
            to = os.path.join(tmp, name + ".d")
            os.mkdir(to)
            if unpack(name, to, *members):
                check(to)
    return 0


if __name__ == "__main__":
    sys.exit(main())
