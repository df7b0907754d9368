#!/usr/bin/env python3
"""Are events of trace.dat, of ftrace's text and of perf what others say they are?

usage: ftrace_readers.py path/to/neph

- A trace.dat of ../shared/traces against what `trace-cmd report` once wrote of it (and
  writes of it now, if it is installed: to the nanosecond, in both versions of the file),
  and against LTTng's trace of the same run: every switch of threads.
- Texts of ftrace against a parser of ten lines of Python: counts, times, CPUs, threads,
  and the time that each thread ran.
- What lab/ftrace/record.sh records of this machine, where that can be: text and binary.
- What perf records of this machine, against `perf script`.
"""

import collections
import gzip
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
TRACES = os.path.join(os.path.dirname(TOP), "shared", "traces")
RECORD = os.path.join(TOP, "lab", "ftrace", "record.sh")
LINE = re.compile(rb" *(.*)-(\d+) +(?:\( *(\d+|-+)\) )?\[(\d+)\] (?:[^ :]+ +| *)(\d+)\.(\d+): "
                  rb"(\w+): *(.*)")
SWITCH = re.compile(rb"prev_comm=(.*) prev_pid=(\d+) prev_prio=(\d+) prev_state=(\S+) ==> "
                    rb"next_comm=(.*) next_pid=(\d+) next_prio=(\d+)")
PLUGIN = re.compile(rb"(.*):(\d+) \[(\d+)\] (\S+) ==> (.*):(\d+) \[(\d+)\]")
NEPH = None


def report(name, problems, text=""):
    print("%s %s" % ("not ok" if problems else "ok", name))
    for line in ([text] if text else []) + problems[:8]:
        print("# " + line.replace("\n", "\n# ")[:1000])
    sys.stdout.flush()


def events_of(*paths):
    p = subprocess.run([NEPH, "events", "-q", "-o", "jsonl", *paths], capture_output=True)
    if p.returncode != 0:
        raise RuntimeError("neph events: exit %d: %s" % (p.returncode, p.stderr.decode()))
    return [json.loads(line) for line in p.stdout.splitlines()]


def text_events(lines):
    """(time in ns, cpu, tid, comm, name, the rest) of lines of ftrace."""
    found = []
    for line in lines:
        m = LINE.fullmatch(line)
        if m:
            ns = int(m[5]) * 10**9 + int(m[6].ljust(9, b"0"))
            found.append((ns, int(m[4]), int(m[2]), m[1], m[7].decode(), m[8]))
    return found


def text(s):
    return s.decode("utf-8", "replace")


def switch_of(rest):
    """(prev_comm, prev_pid, next_comm, next_pid) in either form of the text."""
    m = SWITCH.fullmatch(rest) or PLUGIN.fullmatch(rest)
    return (text(m[1]), int(m[2]), text(m[5]), int(m[6])) if m else None


def switch_fields(event):
    f = event["fields"]
    return tuple(f[k] for k in ("prev_comm", "prev_pid", "next_comm", "next_pid"))


def compare(ours, theirs, digits, comms=True):
    """Problems: events one by one; times are compared to 'digits' of a second."""
    unit = 10 ** (9 - digits)
    problems = []
    if len(ours) != len(theirs):
        problems.append("%d events, not %d" % (len(ours), len(theirs)))
    for e, (ns, cpu, tid, comm, name, rest) in zip(ours, theirs):
        t = (e["t_ns"] + unit // 2) // unit * unit if unit > 1 else e["t_ns"]
        context = e["context"]
        got = (t, e["cpu"], context["tid"], e["name"])
        want = (ns, cpu, tid, name)
        if comms:
            got += (context.get("procname", "<...>"),)
            want += (text(comm),)
        if got != want:
            problems.append("%r is ours, %r theirs" % (got, want))
        if name == "sched_switch" and switch_fields(e) != switch_of(rest):
            problems.append("%r is ours, %r theirs" % (switch_fields(e), rest))
        if len(problems) > 8:
            break
    return problems


def run_times(switches):
    """{tid: ns} from (ns, cpu, prev, next) in order of time."""
    since, total = {}, collections.Counter()
    for ns, cpu, prev, then in switches:
        if cpu in since and since[cpu][0] == prev and prev:
            total[prev] += ns - since[cpu][1]
        since[cpu] = (then, ns)
    return total


def check_text(name, path):
    """A text of the kernel, against the naive parser."""
    with open(path, "rb") as f:
        lines = f.read().splitlines()
    ours, theirs = events_of(path), text_events(lines)
    problems = compare(ours, theirs, 6)
    # grep's way: what stands behind the time, whatever stands before
    words = collections.Counter(m[1].decode() for m in
                                (re.search(rb"\] .{5,7} *\d+\.\d{6}: (\w+): ", x) for x in lines)
                                if m)
    counts = collections.Counter(e["name"] for e in ours)
    if counts != words:
        problems.append("counts: %r is ours, %r theirs" % (counts - words, words - counts))
    mine = run_times((e["t_ns"], e["cpu"], e["fields"]["prev_pid"], e["fields"]["next_pid"])
                     for e in ours if e["name"] == "sched_switch")
    naive = run_times((x[0], x[1]) + switch_of(x[5])[1::2]
                      for x in theirs if x[4] == "sched_switch")
    if mine != naive or not naive:
        problems.append("run times of %d threads differ" % len(set(mine.items()) ^
                                                               set(naive.items())))
    header = next((x for x in lines[:20] if b"entries-in-buffer" in x), b"")
    kept = re.search(rb": (\d+)/", header)
    if not kept or int(kept[1]) != len(ours):
        problems.append("%d events; the header says: %s" % (len(ours), text(header)))
    report(name, problems, "%d events, %d threads that ran" % (len(ours), len(naive)))


def check_dat(name, path, tmp, comms, convert):
    """A trace.dat, and what trace-cmd makes of it, against `trace-cmd report`."""
    p = subprocess.run(["trace-cmd", "report", "-t", "-i", path], capture_output=True)
    theirs = text_events(p.stdout.splitlines())
    ours = events_of(path)
    report(name, compare(ours, theirs, 9, comms) or [] if theirs else ["no report"],
           "%d events" % len(ours))
    if not convert:
        return
    for version in "6", "7":
        other = os.path.join(tmp, "converted-%s.dat" % version)
        argv = ["trace-cmd", "convert", "-i", path, "-o", other, "--file-version", version]
        if version == "7":
            argv += ["--compression", "none"]
        p = subprocess.run(argv, capture_output=True, text=True)
        if p.returncode != 0 or not os.path.exists(other):
            print("skip %s as version %s: %s" % (name, version, p.stderr.strip()[-200:]))
            continue
        again = events_of(other)
        report("%s as version %s" % (name, version),
               [] if again == ours else ["%d events, %d in the original" % (len(again), len(ours))])
        os.unlink(other)


def by_cpu(events, offset, names):
    found = collections.defaultdict(list)
    for e in events:
        if e["name"] == "sched_switch":
            f = e["fields"]
            found[e["cpu"]].append((e["t_ns"] - offset, (f[names[0]], f[names[1]], f["prev_state"],
                                                         f["prev_comm"], f["next_comm"])))
    return found


def check_lttng(name, dat, ctf):
    """Switches of threads of one run, by two tracers: the same ones in the same order."""
    p = subprocess.run([NEPH, "info", "-q", "-o", "json", ctf], capture_output=True, text=True)
    offset = json.loads(p.stdout)[0]["clock_offset_ns"]
    ours = by_cpu(events_of(dat), 0, ("prev_pid", "next_pid"))
    theirs = by_cpu(events_of(ctf), offset, ("prev_tid", "next_tid"))
    problems, count = [], 0
    for cpu in theirs:
        a, b = ours[cpu], theirs[cpu]
        # Both probes run at each switch, so that from the first of the later tracer on ...
        first = next((i for i, x in enumerate(a) if [y[1] for y in a[i:i + 20]] ==
                      [y[1] for y in b[:20]]), None)
        if first is None:
            problems.append("CPU %d: the first switches of LTTng are not there" % cpu)
            continue
        pairs = list(zip(a[first:], b))
        wrong = [(x, y) for x, y in pairs if x[1] != y[1] or abs(x[0] - y[0]) > 10**8]
        count += len(pairs)
        if wrong or len(pairs) < 1000:
            problems.append("CPU %d: %d of %d differ: %r" % (cpu, len(wrong), len(pairs), wrong[:1]))
    report(name, problems, "%d switches" % count)


def unpack(archive, tmp):
    path = os.path.join(TRACES, archive)
    if not os.path.exists(path):
        print("skip %s: ../shared/traces/%s is not there" % (archive.split("/")[-1], archive))
        return None
    to = os.path.join(tmp, os.path.basename(archive).split(".tar")[0])
    os.mkdir(to)
    subprocess.run(["tar", "-xf", path, "-C", to], check=True)
    return to


def check_archives(tmp):
    to = unpack("lab/ovs-bpf.tar.xz", tmp)
    if to:
        folder = os.path.join(to, "ovs-bpf")
        dat = os.path.join(folder, "ovs-trace.dat")
        with gzip.open(os.path.join(folder, "ovs-trace.report.txt.gz")) as f:
            lines = f.read()
        written = os.path.join(to, "report.txt")
        with open(written, "wb") as f:
            f.write(lines)
        theirs = text_events(lines.splitlines())
        report("trace.dat as it was reported", compare(events_of(dat), theirs, 6),
               "%d events" % len(theirs))
        report("the report as a text", compare(events_of(written), theirs, 6))
        check_lttng("trace.dat and LTTng", dat, os.path.join(folder, "trace"))
        if shutil.which("trace-cmd"):
            check_dat("trace.dat", dat, tmp, True, True)
        else:
            print("skip trace.dat: there is no trace-cmd")
        shutil.rmtree(to)
    to = unpack("lab/migration-host-ust.tar.xz", tmp)
    if to:
        check_text("text of a host", os.path.join(to, "migration-host-ust", "exp1-idle",
                                                  "host-kernel.ftrace.txt"))
        shutil.rmtree(to)


def check_recorded(tmp):
    folder, dat = os.path.join(tmp, "lab"), os.path.join(tmp, "lab.dat")
    p = subprocess.run([RECORD, folder, "1", dat], capture_output=True, text=True, timeout=120)
    if p.returncode == 4:
        print("skip recorded: " + p.stderr.strip())
        return
    if p.returncode != 0:
        report("recorded", ["record.sh: exit %d: %s" % (p.returncode, p.stderr)])
        return
    written = os.path.join(folder, "kernel.ftrace.txt")
    check_text("text of this machine", written)
    with open(os.path.join(folder, "threads.txt")) as f:
        threads = [line.split(None, 2) for line in f.read().splitlines()]
    names = {int(tid): name for _, tid, name in threads}
    ran = {e["fields"]["next_pid"]: e["fields"]["next_comm"] for e in events_of(written)
           if e["name"] == "sched_switch"}
    wrong = ["thread %d is %r, not %r" % (t, ran[t], names[t]) for t in names
             if t in ran and ran[t] != names[t]]
    if threads:
        report("threads of this machine", wrong if set(names) & set(ran) else ["none ran"],
               "%d of %d ran" % (len(set(names) & set(ran)), len(names)))
    else:
        print("skip threads of this machine: " + p.stderr.strip())
    if not os.path.exists(dat):
        print("skip trace.dat of this machine: %s" % (p.stderr.strip() or "no trace-cmd"))
        return
    # trace-cmd can't convert what it has restored, and took no names of threads.
    check_dat("trace.dat of this machine", dat, tmp, False, False)
    with open(written, "rb") as f:
        theirs = text_events(f.read().splitlines())
    # The text of the kernel has microseconds, rounded to the nearest.
    report("trace.dat of this machine and its text", compare(events_of(dat), theirs, 6, False))


def check_perf(tmp):
    data, out = os.path.join(tmp, "perf.data"), os.path.join(tmp, "perf")
    record = ["perf", "record", "-q", "-a", "-e", "sched:sched_switch,irq:softirq_entry",
              "-o", data, "--", "sleep", "0.3"]
    if not shutil.which("perf"):
        print("skip perf: there is no perf (package linux-perf)")
        return
    for argv in (record, ["perf", "data", "convert", "-i", data, "--to-ctf=" + out]):
        p = subprocess.run(argv, capture_output=True, text=True)
        if p.returncode != 0:
            print("skip perf: `%s` cannot run here: %s"
                  % (" ".join(argv[:3]), " ".join(p.stderr.split())[:200]))
            return
    p = subprocess.run(["perf", "script", "-i", data, "--ns", "-F", "tid,cpu,time,event,trace"],
                       capture_output=True)
    form = re.compile(rb" *(-?\d+) \[(\d+)\] +(\d+)\.(\d+): +(\w+:\w+): (.*)")
    theirs = []
    for m in (form.fullmatch(line) for line in p.stdout.splitlines()):
        if m:
            s = SWITCH.fullmatch(m[6])
            theirs.append((int(m[3]) * 10**9 + int(m[4]), int(m[2]), int(m[1]), m[5].decode(),
                           (text(s[1]), int(s[2]), text(s[5]), int(s[6])) if s else None))
    ours = [(e["t_ns"], e["cpu"], e["fields"]["perf_tid"], e["name"],
             switch_fields(e) if "prev_pid" in e["fields"] else None) for e in events_of(out)]
    odd = sorted(set(ours) ^ set(theirs), key=str)
    report("perf", ["%r" % (x,) for x in odd] or ([] if theirs else ["no events"]),
           "%d events" % len(ours))
    p = subprocess.run([NEPH, "info", "-q", "-o", "json", out], capture_output=True, text=True)
    host = json.loads(p.stdout)[0]["host"]
    report("perf's host", [] if host == os.uname().nodename else ["it is called " + host])


def main():
    global NEPH
    NEPH = os.path.abspath(sys.argv[1])
    with tempfile.TemporaryDirectory(prefix="neph-ftrace-") as tmp:
        check_archives(tmp)
        check_recorded(tmp)
        check_perf(tmp)
    return 0


if __name__ == "__main__":
    sys.exit(main())
