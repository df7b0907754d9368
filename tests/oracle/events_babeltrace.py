#!/usr/bin/env python3
"""Compares `neph events -o jsonl` with libbabeltrace2, value by value.

usage: events_babeltrace.py path/to/neph

The traces are those of the archives in ../shared/traces, next to the project,
those that `neph sim` writes, and one that perf records where it can.  The other side is bt2_jsonl, a small program
that prints the events as libbabeltrace2 sees them in the same form; events of
the same time may come in any order.

No difference is accepted.  babeltrace2 2.0.4 shows the text of an older event
where a string is empty; its length is 0 all the same, so bt2_jsonl sees the
truth.  The number of such strings is printed.

Where libbabeltrace2 gives up half way, what it read until then must be what we
read; where it refuses a trace, we must read it or say why not.
"""

import collections
import glob
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
TRACES = os.path.join(os.path.dirname(TOP), "shared", "traces")
SCENARIOS = os.path.join(TOP, "sim", "scenarios")
SHOWN = 5  # differences per trace

# archive, and the folders in it that are read together ("": all of it)
SETS = [
    ("nova-2016.tar", [""]),
    ("cinder-2016.tar", [""]),
    ("ovs-nova-20160803.tar", [""]),
    ("lab/openstack-zed.tar.xz", ["*/*/ctf"]),
    ("many-threads.tar.xz", [""]),
    ("scp-two-hosts.tar.xz", ["*/*"]),
    ("lttng-ust-2.13.tar.xz", ["*/*"]),
    ("lab/kernel-small.tar.xz", [""]),
    ("lab/two-nodes.tar.xz", [""]),
    ("lab/two-nodes-groff.tar.xz", [""]),
    ("lab/ovs-bpf.tar.xz", [""]),
    ("lab/migration-vm.tar.xz", ["*/*"]),
    ("lab/migration-host-ust.tar.xz", ["*/*"]),
]


def helper(tmp):
    """bt2_jsonl: from the build folder, or compiled here.  None if that can't be."""
    built = os.path.join(os.environ.get("NEPH_BUILD", "build"), "tests", "oracle", "bt2_jsonl")
    source = os.path.join(TOP, "tests", "oracle", "bt2_jsonl.c")
    if os.path.exists(built) and os.path.getmtime(built) >= os.path.getmtime(source):
        return built
    flags = subprocess.run(["pkg-config", "--cflags", "--libs", "babeltrace2"],
                           capture_output=True, text=True)
    if flags.returncode != 0:
        return None
    out = os.path.join(tmp, "bt2_jsonl")
    cc = subprocess.run([os.environ.get("CC", "cc"), "-O2", "-I", TOP, "-o", out, source] +
                        flags.stdout.split(), capture_output=True, text=True)
    if cc.returncode != 0:
        print("# " + cc.stderr.replace("\n", "\n# "))
        return None
    return out


def trace_folders(path):
    return sorted(d for d, _, files in os.walk(path) if "metadata" in files)


class Reader:
    """Lines of a program, in groups of equal time."""

    def __init__(self, argv, tmp):
        self.err = tempfile.TemporaryFile(dir=tmp)
        self.p = subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=self.err,
                                  bufsize=1 << 20)
        self.lines = self.p.stdout
        self.held = None
        self.count = 0

    def group(self):
        """(time, lines), or (None, [])."""
        line = self.held or self.lines.readline()
        self.held = None
        if not line:
            return None, []
        t = line[8:line.index(b",")]
        found = [line]
        head = line[:8] + t + b","
        while True:
            line = self.lines.readline()
            if not line.startswith(head):
                self.held = line or None
                break
            found.append(line)
        self.count += len(found)
        return t, found

    def close(self):
        self.lines.close()
        code = self.p.wait()
        self.err.seek(0)
        text = self.err.read().decode("utf-8", "replace")
        self.err.close()
        return code, text


def differences(ours, theirs, path):
    """Where two values differ, as (path, ours, theirs)."""
    if isinstance(ours, dict) and isinstance(theirs, dict):
        if list(ours) != list(theirs):
            return [(path, "names " + ",".join(ours), "names " + ",".join(theirs))]
        return [d for k in ours for d in differences(ours[k], theirs[k],
                                                     path + "." + k if path else k)]
    if isinstance(ours, list) and isinstance(theirs, list) and len(ours) == len(theirs):
        return [d for i, o in enumerate(ours)
                for d in differences(o, theirs[i], "%s[%d]" % (path, i))]
    if type(ours) is type(theirs) and ours == theirs:
        return []
    return [(path, ours, theirs)]


def compare_group(ours, theirs, result):
    """Two lists of lines of the same time: each must have its twin."""
    if ours == theirs:
        return
    left = collections.Counter(theirs)
    odd = []
    for line in ours:
        if left[line] > 0:
            left[line] -= 1
        else:
            odd.append(line)
    rest = [line for line, n in left.items() for _ in range(n)]
    if len(odd) != len(rest):
        result.bad("%d of our events, %d of theirs have no twin: %r" %
                   (len(odd), len(rest), (odd + rest)[0][:300]))
        return
    events = [json.loads(x) for x in rest]
    for line in odd:
        ev = json.loads(line)
        best, best_i = None, 0
        for i, other in enumerate(events):
            if other["host"] == "":  # the trace does not tell: ours is made from its path
                other["host"] = ev["host"]
            found = differences(ev, other, "")
            if best is None or len(found) < len(best):
                best, best_i = found, i
        events.pop(best_i)
        for d in best:
            result.bad("%s at %d: %s: %r is ours, %r is theirs" %
                       ((ev["name"], ev["t_ns"]) + d))


class Result:
    def __init__(self):
        self.problems, self.more = [], 0

    def bad(self, text):
        if len(self.problems) < SHOWN:
            self.problems.append(text)
        else:
            self.more += 1


def count_events(neph, *paths):
    p = subprocess.run([neph, "stats", "-q", "-o", "json", *paths], capture_output=True, text=True)
    return json.loads(p.stdout)["events"] if p.returncode == 0 else 0


def walk(ours, theirs, result):
    """Compares the two until one ends; returns the times where they stopped."""
    while True:
        t, a = ours.group()
        u, b = theirs.group()
        if t is None or u is None:
            return t, u
        if t != u:
            result.bad("our next event is at %s, theirs at %s: %r, %r" %
                       (t.decode(), u.decode(), a[0][:200], b[0][:200]))
            return t, u
        compare_group(a, b, result)
        if len(result.problems) >= SHOWN:
            return t, u


def compare(neph, bt2, name, path, tmp):
    folders = trace_folders(path)
    result = Result()
    total = count_events(neph, *folders)  # some have traces of other formats beside them
    ours = Reader([neph, "events", "-q", "--sync", "none", "--show-secrets", "-o", "jsonl"] + folders, tmp)
    theirs = Reader([bt2] + folders, tmp)
    t, u = walk(ours, theirs, result)
    ours_code, ours_text = ours.close()
    code, theirs_text = theirs.close()
    gave_up = code == 3
    if result.problems:
        pass  # both were stopped half way
    elif u is not None:
        result.bad("we end before their event at %s: exit %d %s" %
                   (u.decode(), ours_code, ours_text))
    elif code not in (0, 3):
        result.bad("bt2_jsonl: exit %d: %s" % (code, theirs_text[:300]))
    elif t is not None and not gave_up:
        result.bad("they end before our event at %s" % t.decode())
    elif t is None and (ours_code not in (0, 3) or (ours_code == 3 and not ours_text)):
        result.bad("neph: exit %d, says %r" % (ours_code, ours_text[:300]))
    elif not gave_up and ours.count != theirs.count:
        result.bad("%d events are ours, %d theirs" % (ours.count, theirs.count))

    text = "%s: %d events in %d trace%s" % (name, total, len(folders), "s"[len(folders) == 1:])
    if gave_up and total:
        text += "; babeltrace2 gave up after %d" % theirs.count
    elif gave_up:
        text += "; babeltrace2 refuses it, and so do we: " + ours_text.strip()
    stale = re.search(r"^stale (\d+)$", theirs_text, re.MULTILINE)
    if stale:
        text += "; %s empty strings that babeltrace2 shows as older ones" % stale.group(1)
    report(name, text, result)


def compare_forms(neph, name, path, original, tmp):
    """A trace that was rewritten as CTF 2, and the trace that it was made of."""
    if count_events(neph, path) == 0:
        print("skip %s as its original: this neph does not read CTF 2" % name)
        return
    result = Result()
    one, two = (Reader([neph, "events", "-q", "-o", "jsonl", p], tmp) for p in (path, original))
    t, u = walk(one, two, result)
    one.close()
    two.close()
    if not result.problems and (t is not None or u is not None):
        result.bad("%d events, %d in the original" % (one.count, two.count))
    report(name + " as its original", "%s: %d events" % (name, one.count), result)


def report(name, text, result):
    print("%s %s" % ("not ok" if result.problems else "ok", name))
    print("# " + text)
    for p in result.problems:
        print("# " + p)
    if result.more:
        print("# and %d more" % result.more)
    sys.stdout.flush()


def check_ourselves():
    """Does the comparison see what it must?"""
    line = (b'{"t_ns":5,"host":"h","cpu":1,"name":"e","fields":{"a":1,"s":"","l":[1,{"x":2.5}]},'
            b'"context":{"vtid":7}}\n')
    twins = [(b'"vtid":7', b'"vtid":8'), (b'"a":1', b'"a":1.0'), (b'"a":1', b'"b":1'),
             (b'2.5', b'2.25'), (b'"cpu":1', b'"cpu":null'), (b'"name":"e"', b'"name":"f"'),
             (b'"a":1,"s":""', b'"s":"","a":1'), (b'""', b'"old"')]
    missed = [new for old, new in twins if not problems([line], [line.replace(old, new)])]
    missed += [x for x, y in (([line], []), ([line, line], [line])) if not problems(x, y)]
    other = line.replace(b'"a":1', b'"a":3')
    if problems([line, other], [other, line]) or problems([line], [line]):
        missed.append("the order of events of one time matters")
    print("%s the comparison itself" % ("not ok" if missed else "ok"))
    for x in missed:
        print("# not seen: %r" % (x,))


def problems(ours, theirs):
    result = Result()
    compare_group(ours, theirs, result)
    return result.problems


def units(archive, patterns, tmp):
    """Unpacks; (name, path) of the folders to read."""
    stem = os.path.basename(archive).split(".tar")[0]
    to = os.path.join(tmp, stem)
    os.mkdir(to)
    subprocess.run(["tar", "-xf", os.path.join(TRACES, archive), "-C", to], check=True)
    found = []
    for pattern in patterns:
        for path in sorted(glob.glob(os.path.join(to, pattern))) if pattern else [to]:
            if trace_folders(path):
                rest = os.path.relpath(path, to)
                found.append((stem if rest == "." else stem + "/" + rest, path))
    return to, found


def check_archives(neph, bt2, tmp):
    for archive, patterns in SETS:
        if not os.path.exists(os.path.join(TRACES, archive)):
            print("skip %s: ../shared/traces/%s is not there" % (archive.split(".")[0], archive))
            continue
        to, found = units(archive, patterns, tmp)
        for name, path in found:
            compare(neph, bt2, name, path, tmp)
            if path.endswith("-ctf2"):
                compare_forms(neph, name, path, path[:-len("-ctf2")], tmp)
        shutil.rmtree(to)


def check_simulated(neph, bt2, tmp):
    scenarios = sorted(glob.glob(os.path.join(SCENARIOS, "*")))[:3]
    known = subprocess.run([neph, "help", "sim"], capture_output=True).returncode == 0
    if not scenarios or not known:
        print("skip sim: there is no scenario, or no `neph sim`")
        return
    for scenario in scenarios:
        name = "sim/" + os.path.splitext(os.path.basename(scenario))[0]
        out = os.path.join(tmp, "sim")
        p = subprocess.run([neph, "sim", scenario, "-o", out, "--seed", "7"],
                           capture_output=True, text=True)
        if p.returncode != 0:
            print("not ok %s\n# %s" % (name, p.stderr.strip()))
            continue
        compare(neph, bt2, name, out, tmp)
        shutil.rmtree(out)


def check_perf(neph, bt2, tmp):
    """perf's dialect of CTF, recorded here."""
    data, out = os.path.join(tmp, "perf.data"), os.path.join(tmp, "perf")
    if not shutil.which("perf"):
        print("skip perf: there is no perf (package linux-perf)")
        return
    record = ["perf", "record", "-q", "-a", "-e", "sched:sched_switch,sched:sched_waking",
              "-o", data, "--", "sleep", "0.2"]
    for argv in (record, ["perf", "data", "convert", "-i", data, "--to-ctf=" + out]):
        p = subprocess.run(argv, capture_output=True, text=True)
        if p.returncode != 0:
            print("skip perf: `%s` cannot run here: %s"
                  % (" ".join(argv[:3]), " ".join(p.stderr.split())[:200]))
            return
    compare(neph, bt2, "perf", out, tmp)


def main():
    neph = os.path.abspath(sys.argv[1])
    check_ourselves()
    with tempfile.TemporaryDirectory(prefix="neph-oracle-") as tmp:
        bt2 = helper(tmp)
        if not bt2:
            print("skip events: libbabeltrace2-dev is not installed")
            return 0
        if os.path.isdir(TRACES):
            check_archives(neph, bt2, tmp)
        else:
            print("skip archives: ../shared/traces is not there")
        check_simulated(neph, bt2, tmp)
        check_perf(neph, bt2, tmp)
    return 0


if __name__ == "__main__":
    sys.exit(main())
