#!/usr/bin/env python3
"""What neph says, and how it exits, when it is given something that it can't read.

usage: bad_input.py path/to/neph
"""

import json
import os
import shutil
import struct
import subprocess
import sys
import tempfile

TYPES = """/* CTF 1.8 */
typealias integer { size = 8; align = 8; } := u8;
typealias integer { size = 32; align = 8; } := u32;
typealias integer { size = 64; align = 8; } := u64;
"""
TRACE = TYPES + """trace { major = %s; minor = %s; byte_order = le;
  uuid = "00010203-0405-0607-0809-0a0b0c0d0e0f";
  packet.header := struct { u32 magic; u8 uuid[16]; u32 stream_id; }; };
env { hostname = "h1"; domain = "ust"; };
clock { name = "c"; freq = 1000000000; offset_s = 1; };
typealias integer { size = 64; align = 8; map = clock.c.value; } := t64;
stream { id = 0;
  packet.context := struct { u64 timestamp_begin; u64 timestamp_end; u64 content_size;
    u64 packet_size; u64 events_discarded; u64 packet_seq_num; u32 cpu_id; };
  event.header := struct { u32 id; t64 timestamp; }; };
event { name = "tick"; id = 0; stream_id = 0; fields := struct { u32 n; string s; }; };
"""
METADATA = TRACE % (1, 8)


def packet(events, begin=0, discarded=0, seq=0, magic=0xC1FC1FC1):
    body = b"".join(struct.pack("<IQI", 0, t, n) + s + b"\0" for t, n, s in events)
    bits = (76 + len(body)) * 8
    return (struct.pack("<I16sI", magic, bytes(range(16)), 0) +
            struct.pack("<QQQQQQI", begin, begin + 100, bits, bits, discarded, seq, 1) + body)


STREAM = packet([(1, 10, b"one"), (2, 11, b"two")]) + packet([(200, 12, b"three")], 150, 0, 1)


class Tests:
    def __init__(self, neph, tmp):
        self.neph, self.tmp, self.n = neph, tmp, 0

    def trace(self, metadata=METADATA, stream=STREAM):
        """A folder with a trace; None leaves a file out."""
        self.n += 1
        path = os.path.join(self.tmp, "t%d" % self.n)
        os.mkdir(path)
        for name, data in (("metadata", metadata), ("stream_0", stream)):
            if data is not None:
                with open(os.path.join(path, name), "wb") as f:
                    f.write(data.encode() if isinstance(data, str) else data)
        return path

    def run(self, args, **more):
        return subprocess.run([self.neph] + args, stdin=subprocess.DEVNULL, capture_output=True,
                              timeout=60, **more)

    def check(self, name, args, code, *words, out=None, silent=False, **more):
        """Runs; the exit code must be 'code', stderr must say all 'words'."""
        p = self.run(args, **more)
        said = p.stderr.decode("utf-8", "replace")
        problems = []
        if p.returncode != code:
            problems.append("exit %d, not %d" % (p.returncode, code))
        problems += ["stderr does not say %r" % w for w in words if w not in said]
        if code and not said.startswith("neph: "):
            problems.append("stderr does not start with 'neph: '")
        if silent and said:
            problems.append("stderr is not silent")
        if out is not None and p.stdout.decode() != out:
            problems.append("stdout is %r, not %r" % (p.stdout.decode()[:300], out))
        self.report(name, problems, said)
        return p

    def report(self, name, problems, said=""):
        print("%s %s" % ("not ok" if problems else "ok", name))
        for x in problems + (["stderr: " + said.strip()] if problems else []):
            print("# " + x.replace("\n", "\n# "))


def jsonl(*events):
    return "".join('{"t_ns":%d,"host":"h1","cpu":1,"name":"tick","fields":{"n":%d,"s":"%s"},'
                   '"context":{}}\n' % (1000000000 + t, n, s) for t, n, s in events)


ALL = jsonl((1, 10, "one"), (2, 11, "two"), (200, 12, "three"))


def not_traces(t):
    empty = os.path.join(t.tmp, "empty")
    os.mkdir(empty)
    text = os.path.join(t.tmp, "notes.txt")
    with open(text, "w") as f:
        f.write("not a trace\n")
    archive = os.path.join(t.tmp, "traces.tar.gz")
    with open(archive, "wb") as f:
        f.write(b"\x1f\x8b\x08")
    t.check("a path that is not there", ["events", t.tmp + "/nowhere"], 3, "/nowhere: No such file")
    t.check("an empty folder", ["events", empty], 3, "no trace here or below",
            "a folder with a file named 'metadata'")
    t.check("a text file", ["stats", text], 3, "notes.txt: ")
    t.check("an archive", ["events", archive], 3, "is an archive: unpack it and give the folder")
    t.check("a device", ["stats", "/dev/null"], 3, "/dev/null: ")
    trace = t.trace()
    t.check("a stream instead of its folder", ["events", trace + "/stream_0"], 3,
            trace + "/stream_0: ")
    t.check("the metadata instead of its folder", ["events", trace + "/metadata"], 3,
            trace + "/metadata: ")
    t.check("a good and a missing path", ["events", trace, t.tmp + "/nowhere"], 3, "No such file")


def shortened(t):
    """A stream file is cut off while its events are written to somebody slow."""
    events = [(k * 1000 + i, i, b"text" * 20) for k in range(3000) for i in range(20)]
    trace = t.trace(stream=b"".join(packet(events[i:i + 20], events[i][0], 0, i // 20)
                                    for i in range(0, len(events), 20)))
    path = os.path.join(trace, "stream_0")
    p = subprocess.Popen([t.neph, "events", "-o", "jsonl", trace], stdin=subprocess.DEVNULL,
                         stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    p.stdout.read(1)  # it has begun, and waits for us now
    os.truncate(path, 4096)
    said = p.communicate(timeout=60)[1].decode()
    problems = [] if p.returncode == 3 else ["exit %d, not 3" % p.returncode]
    if path + ": the file was shortened while it was read" not in said:
        problems.append("does not say which file was shortened")
    t.report("a file that is shortened while it is read", problems, said)


def bad_metadata(t):
    t.check("empty metadata", ["stats", t.trace(metadata="")], 3, "the metadata is empty")
    t.check("garbage as metadata", ["stats", t.trace(metadata=b"\x01\x02\0\x03" * 99)], 3,
            "neither CTF packets nor text")
    t.check("other text as metadata", ["stats", t.trace(metadata="hello world\n")], 3,
            "line 1, column 1", "expected trace, env, clock, stream, event or a type")
    t.check("truncated metadata", ["stats", t.trace(metadata=METADATA[:-20])], 3, "line ",
            "metadata: ")
    t.check("CTF of the future", ["stats", t.trace(metadata=TRACE % (3, 1))], 3,
            "CTF version 3.1", "this program reads 1.8")
    t.check("JSON metadata without a trace",
            ["stats", t.trace(metadata='\x1e{"type":"preamble","version":3}')], 3, "metadata: ")
    t.check("metadata is a folder", ["stats", folder_as_metadata(t)], 3, "no trace here")


def folder_as_metadata(t):
    path = t.trace(metadata=None)
    os.mkdir(os.path.join(path, "metadata"))
    return path


def bad_streams(t):
    t.check("a good trace", ["events", "-o", "jsonl", t.trace()], 0, out=ALL, silent=True)
    t.check("no stream", ["events", "-o", "jsonl", t.trace(stream=None)], 0, out="", silent=True)
    first = len(STREAM) - len(packet([(200, 12, b"three")]))
    cut = t.trace(stream=STREAM[:first - 3])
    t.check("a truncated stream", ["events", "-o", "jsonl", cut], 0, "lost", "it was truncated",
            out=jsonl((1, 10, "one")))
    t.check("the same, strict", ["events", "-o", "jsonl", "--strict", cut], 4, "it was truncated",
            out=jsonl((1, 10, "one")))
    t.check("the same, quiet", ["events", "-o", "jsonl", "-q", cut], 0, out=jsonl((1, 10, "one")),
            silent=True)
    t.check("a stream of garbage", ["stats", t.trace(stream=bytes(range(256)) * 20)], 3,
            "nothing could be read", "magic number")
    broken = packet([(1, 10, b"x")], magic=0xC1FC1FC2) + packet([(200, 12, b"three")], 150)
    t.check("a bad packet before a good one", ["events", "-o", "jsonl", t.trace(stream=broken)], 0,
            "magic number 0xc1fc1fc2", "skipped ", out=jsonl((200, 12, "three")))
    lossy = packet([(1, 10, b"x")]) + packet([(200, 12, b"y")], 150, 70, 5)
    p = t.check("losses", ["stats", "-o", "json", t.trace(stream=lossy)], 0,
                "the tracer discarded 70 events", "4 packets of this stream were overwritten")
    got = json.loads(p.stdout)
    t.report("losses are counted", [] if (got["events"], got["discarded_events"],
                                          got["lost_packets"]) == (2, 70, 4) else [str(got)])
    t.check("losses, strict", ["stats", "--strict", t.trace(stream=lossy)], 4)
    p = t.run(["doctor", "--fail-on", "warning", t.trace(stream=lossy)])
    t.report("doctor --fail-on, with losses", [] if p.returncode == 1 and not p.stderr else
             ["exit %d" % p.returncode], p.stderr.decode())
    t.check("doctor --fail-on, without", ["doctor", "--fail-on", "lost", t.trace()], 0, silent=True)
    both = os.path.dirname(t.trace(metadata="hello", stream=STREAM))
    good = t.trace()
    keep = os.path.join(t.tmp, "both")
    os.mkdir(keep)
    shutil.move(good, os.path.join(keep, "good"))
    shutil.move(os.path.join(both, "t%d" % (t.n - 1)), os.path.join(keep, "bad"))
    t.check("one of two traces", ["events", "-o", "jsonl", keep], 0, "lost", "bad/metadata",
            out=ALL)
    t.check("one of two traces, strict", ["events", "--strict", keep], 4, "bad/metadata")


def many_notes(t):
    """At most five lines, and where to find the rest."""
    path = os.path.join(t.tmp, "many")
    os.mkdir(path)
    for i in range(9):
        shutil.move(t.trace(stream=STREAM[:-2]), os.path.join(path, "t%d" % i))
    p = t.run(["stats", path])
    lines = p.stderr.decode().splitlines()
    t.report("many notes are cut", [] if len(lines) == 6 and lines[-1].startswith("neph: 4 more: "
             "neph doctor ") else ["\n".join(lines)])


def ftrace(t):
    """What is wrong with a file of ftrace is said with its place; the rest is read."""
    def check(name, data, code, *words, **more):
        path = os.path.join(t.tmp, "ftrace")
        with open(path, "wb") as f:
            f.write(data)
        t.check(name, ["events", "-o", "jsonl", path], code, *words, **more)

    magic = b"\x17\x08\x44tracing"
    line = b"a-1 [000] 5.000001: tick: n=%d s=x y\n"
    event = '{"t_ns":5000001000,"host":"%s","cpu":0,"name":"tick","fields":{"n":%%d,"s":"x y"},' \
            '"context":{"tid":1,"procname":"a"}}\n' % os.path.basename(t.tmp)
    check("a trace.dat of another version", magic + b"9\0", 3, "version '9'; 6 and 7 can be read")
    check("a trace.dat that is cut off", magic + b"6\0\0\x08\0\x10\0\0header_page\0", 3,
          "damaged or cut off at byte")
    check("a trace.dat of another packer", magic + b"7\0\0\x08\0\x10\0\0zlib\0" + bytes(9), 3,
          "compressed with 'zlib'", "trace-cmd convert")
    check("a text of ftrace", line % 1 + line % 2, 0, out=event % 1 + event % 2, silent=True)
    check("a text with other lines in it", line % 1 + b"\xff\x00\n" + b"x" * 99 + b"\n" + line % 2, 0,
          "lost: ", "the first is line 2", out=event % 1 + event % 2)


def no_permission(t):
    """As another user: root reads everything.  In a folder that the other can reach."""
    before = t.tmp
    with tempfile.TemporaryDirectory(prefix="neph-bad-input-", dir="/tmp") as t.tmp:
        os.chmod(t.tmp, 0o755)
        as_other_user(t)
    t.tmp = before


def as_other_user(t):
    uid = 65534
    trace = t.trace()
    secret = t.trace()
    os.chmod(os.path.join(secret, "metadata"), 0)
    if os.getuid() == 0:
        probe = subprocess.run([t.neph, "version"], preexec_fn=lambda: os.setuid(uid),
                               capture_output=True)
        if probe.returncode != 0:
            print("skip no permission: another user can't run neph here")
            return
        more = {"preexec_fn": lambda: os.setuid(uid)}
    else:
        more = {}
    t.check("metadata without permission", ["stats", secret], 3, "Permission denied", **more)
    os.chmod(os.path.join(trace, "stream_0"), 0)
    t.check("a stream without permission", ["stats", trace], 3, "cannot be read",
            "Permission denied", **more)
    os.chmod(trace, 0)
    t.check("a folder without permission", ["stats", trace], 3, "Permission denied", **more)
    os.chmod(trace, 0o755)
    os.chmod(os.path.join(trace, "stream_0"), 0o644)


def usage(t):
    trace = t.trace()
    t.check("no argument", [], 2, "what is missing")
    t.check("no path", ["events"], 2, "what is missing: PATH...")
    t.check("an unknown option", ["events", "--nonsense", trace], 2, "there is no option --nonsense")
    t.check("an option without its value", ["events", trace, "--limit"], 2, "--limit needs a value")
    t.check("a number that is none", ["events", "--limit", "x", trace], 2, "takes a whole number")
    t.check("an option of another command", ["events", "--sort", "n", trace], 2,
            "--sort has no meaning here")
    t.check("an unknown format", ["events", "-o", "yaml", trace], 2, "-o takes text|jsonl")
    t.check("an unknown column", ["stats", "-c", "nope", trace], 2, "nope")
    t.check("an unknown command", ["evnts", trace], 2, "did you mean 'events'?")
    t.check("a bad time", ["events", "-b", "yesterday", trace], 2, "--begin: 'yesterday' is not a time")
    t.check("a bad range", ["events", "-r", "+1s", trace], 2, "two times with a comma")
    t.check("an empty range", ["events", "-r", "+2s,+1s", trace], 2, "ends before it begins")
    t.check("an unknown host", ["events", "--host", "nobody", trace], 5, "no host 'nobody'", "h1")
    for expr, column in (("n ==", 5), ("(n == 1", 8), ("n = 1", 3), ("n == 'x", 6), ("n == 1 2", 8),
                         ("&& n", 1), ("n =~ 5", 6), ("a[x] == 1", 3), ("", 1), ("n == 0x1g", 6)):
        t.check("the filter %r" % expr, ["events", "-f", expr, trace], 2,
                "--filter: column %d: " % column)


def filters(t):
    """What filters select; here because the trace is."""
    trace = t.trace()
    for expr, expected in (("n == 10", (10,)), ("n != 10", (11, 12)), ("n >= 11 && n < 0xc", (11,)),
                           ("s =~ 't*'", (11, 12)), ('s =~ "hr"', (12,)), ("!(n == 10)", (11, 12)),
                           ("n == 10 || s == 'three'", (10, 12)), ("fields.n == 12", (12,)),
                           ("context.n == 12", ()), ("missing != 1", ()), ("!missing", (10, 11, 12)),
                           ("cpu == 1 && host == 'h1' && name =~ 'ti'", (10, 11, 12)),
                           ("t_ns > 1000000002", (12,)), ("10.5 < n", (11, 12)), ("s", (10, 11, 12)),
                           ("n == 'one'", ()), ("s < 'three'", (10,))):
        p = t.run(["events", "-o", "jsonl", "-f", expr, trace])
        got = tuple(json.loads(x)["fields"]["n"] for x in p.stdout.splitlines())
        t.report("the filter %r selects" % expr, [] if got == expected and p.returncode == 0 else
                 ["%r, not %r; exit %d" % (got, expected, p.returncode)], p.stderr.decode())
    for args, expected in ((["-b", "+1ns"], (11, 12)), (["-e", "+1ns"], (10,)),
                           (["-r", "+1ns,+199ns"], (11,)), (["--limit", "2"], (10, 11)),
                           (["-b", "1970-01-01 00:00:01.000000200"], (12,)),
                           (["-n", "x*", "-n", "tick"], (10, 11, 12)), (["-n", "x*"], ())):
        p = t.run(["events", "-o", "jsonl", trace] + args)
        got = tuple(json.loads(x)["fields"]["n"] for x in p.stdout.splitlines())
        t.report("events %s" % " ".join(args), [] if got == expected else [repr(got)],
                 p.stderr.decode())


def kernel_file(t, name, *events):
    """A file of events of a kernel: (ns, name of the event, its fields)."""
    path = os.path.join(t.tmp, name)
    with open(path, "w") as f:
        for at, event, fields in events:
            f.write(json.dumps({"t_ns": at, "host": "compute1", "cpu": 0, "name": event,
                                "fields": fields}) + "\n")
    return path


def switch(at, prev, state, following):
    return at, "sched_switch", {"prev_comm": "CPU 0/KVM", "prev_tid": prev, "prev_state": state,
                                "next_comm": "CPU 0/KVM", "next_tid": following, "next_prio": 20}


def kernel(t):
    """What the commands that measure are asked, and can't know."""
    at = 1700000000 * 10**9
    trace = kernel_file(t, "kernel.jsonl", switch(at, 0, 0, 501), switch(at + 30, 501, 256, 601),
                        switch(at + 80, 601, 1, 501), switch(at + 95, 501, 1, 0))
    other = kernel_file(t, "other.jsonl", (at, "tick", {}), (at + 9, "tick", {}))
    views = (["top"], ["log"], ["freq"], ["stats"])
    kernel_usage(t, trace, views)
    for view in views:
        name, cpu = view[0], view + ["cpu", trace, "--no-headers"]
        t.check("%s of a path that is not there" % name, view + ["cpu", t.tmp + "/nowhere"], 3,
                "/nowhere: No such file")
        t.check("%s of an unknown host" % name, cpu + ["--host", "nobody"], 5, "no host 'nobody'",
                "there is compute1")
        t.check("%s without a kernel" % name, view + ["cpu", other, "--no-headers"], 0,
                "sched_switch is not recorded", "lttng enable-event -k sched_switch", out="")
        for what, args, code in (("an empty window", ["-r", "+1s,+2s"], 0),
                                 ("an unknown instance", ["--vm", "nobody"], 5),
                                 ("an unknown service", ["--service", "nobody"], 5),
                                 ("an unknown tid", ["--thread", "4711"], 5),
                                 ("a tid that is no number", ["--thread", "9" * 20], 5),
                                 ("an unknown thread", ["--thread", "nobody*"], 5)):
            t.check("%s of %s" % (name, what), cpu + args, code,
                    args[1] if code else "no kernel was traced in this window", out="")
            p = t.run(cpu + args + ["-o", "json"])
            t.report("%s of %s, as JSON" % (name, what), [] if p.returncode == code and
                     p.stdout.split() in ([b"[]"], []) else ["exit %d" % p.returncode,
                                                             repr(p.stdout)], p.stderr.decode())
    p = t.run(["top", "cpu", "--no-headers", "-o", "value", "-c", "tid,run_ns", "--by", "thread",
               trace])
    t.report("the same, known", [] if p.stdout == b"601\t50\n501\t45\n" else [repr(p.stdout)],
             p.stderr.decode())
    kernel_critical(t, trace, other)


def kernel_usage(t, trace, views):
    for view in views:
        name = view[0]
        t.check("%s without a measure" % name, view, 2, "what is missing")
        t.check("%s of an unknown column" % name, view + ["cpu", trace, "-c", "nope"], 2,
                "there is no column 'nope'", "the columns are ")
        t.check("%s sorted by an unknown column" % name, view + ["cpu", trace, "--sort", "nope"], 2,
                "there is no column 'nope'")
        t.check("%s with a filter" % name, view + ["cpu", trace, "-f", "a == "], 2,
                "there is no option -f")
        t.check("%s of a bad window" % name, view + ["cpu", trace, "-r", "+50ns,+40ns"], 2,
                "ends before it begins")
        t.check("%s by something unknown" % name, view + ["cpu", trace, "--by", "nobody"], 2,
                "owner|process|thread, not 'nobody'")
        t.check("%s with a limit that is none" % name, view + ["cpu", trace, "--limit", "-3"], 2,
                "--limit takes a whole number")
    for name in ("top", "log", "freq"):
        t.check("%s without a path" % name, [name, "cpu"], 2, "what is missing: MEASURE PATH...")
        t.check("%s of an unknown measure" % name, [name, "cpux", trace], 2,
                "there is no measure 'cpux'", "cpu|preempt|wait|sched|io|net|irq|syscall|exits|mem")
    t.check("stats of an unknown measure", ["stats", "cpux", trace], 3, "cpux: No such file")
    for by in ("type", "host", "trace"):
        t.check("stats of a measure by %s" % by, ["stats", "cpu", trace, "--by", by], 2,
                "a measure has owner, process or thread")
    for name in ("log", "freq", "stats"):
        t.check("%s of memory" % name, [name, "mem", trace], 2, "only `neph top mem`")


def kernel_critical(t, trace, other):
    for name, args, code, words in (
            ("nobody", [], 2, "give --thread or --task"),
            ("an unknown tid", ["--thread", "4711"], 5, "no thread '4711'"),
            ("a negative tid", ["--thread", "-5"], 5, "no thread '-5'"),
            ("the idle thread", ["--thread", "0"], 5, "no thread '0'"),
            ("a tid that is no number", ["--thread", "9" * 20], 5, "no thread '999"),
            ("several threads", ["--thread", "CPU*"], 2, "2 fit: "),
            ("an unknown task", ["--task", "nothing"], 5, "nothing"),
            ("an unknown host", ["--thread", "501", "--host", "nobody"], 5, "no host 'nobody'"),
            ("an unknown instance", ["--thread", "501", "--vm", "nobody"], 5, "no thread '501'"),
            ("an empty window", ["--thread", "501", "-r", "+1s,+2s"], 5, "nothing of that time"),
            ("a bad window", ["--thread", "501", "-r", "+2s,+1s"], 2, "ends before it begins"),
            ("an unknown column", ["--thread", "501", "-c", "nope"], 2, "no column 'nope'")):
        t.check("critical of %s" % name, ["critical", trace] + args, code, words)
    t.check("critical without a kernel", ["critical", other, "--thread", "501"], 5,
            "its kernel was not traced")
    t.check("critical of a path that is not there",
            ["critical", t.tmp + "/nowhere", "--thread", "501"], 3, "/nowhere: No such file")


def clocks(t):
    """What is said of hosts and their clocks, and can't be so."""
    trace = t.trace()
    path = os.path.join(t.tmp, "clocks.json")

    def check(name, text, code, *words):
        with open(path, "w") as f:
            f.write(text)
        t.check("--sync with %s" % name, ["sync", trace, "--no-cache", "--sync", path], code, *words)

    def host(**more):
        return json.dumps({"reference": "h1", "hosts": [dict({"host": "h1"}, **more)]})

    check("an empty file", "", 3, "clocks.json: line 1")
    check("something else than JSON", "hosts: []\n", 3, "clocks.json: line 1, column ")
    check("two JSON documents", "{} {}", 3, "clocks.json: line 1")
    check("a list", "[]", 3, "clocks.json: ", 'no array "hosts"')
    check("no hosts", "{}", 3, 'no array "hosts"')
    check("hosts that are no list", '{"hosts": {}}', 3, 'no array "hosts"')
    check("a host without a name", '{"hosts": [{}]}', 3, 'has no "host"')
    check("a host that is none", '{"hosts": [7]}', 3, 'has no "host"')
    check("hosts of other traces", '{"reference": "x", "hosts": [{"host": "x", "slope": 1}]}', 0)
    check("a slope that no clock has", host(slope=7), 3, "slope of host h1 is 7")
    check("a slope that is no number", host(slope="fast"), 3, 'slope')
    check("an offset beyond time", host(offset_ns=1e19), 3, "leaves the years")
    for name, knots in (("too short", [[1, 2]]), ("no list", [7]), ("of texts", [["a"] * 4]),
                        ("with fractions", [[1, 1.5, 1, 2]]),
                        ("before its bound", [[1, 2, 3, 4]]), ("after its bound", [[1, 5, 3, 4]]),
                        ("without a time", [[None, 2, 2, 2]]),
                        ("that goes back", [[5, 5, 5, 5], [4, 6, 6, 6]]),
                        ("of one time", [[5, 5, 5, 5], [5, 6, 6, 6]]),
                        ("shown back", [[5, 5, 5, 5], [6, 4, 4, 5]])):
        check("a knot %s" % name, host(knots=knots), 3, "knot ", "of host h1 makes no sense")
    check("knots that are no list", host(knots={"a": 1}), 3, "knots")
    check("two hosts of one name", '{"hosts": [{"host": "h1"}, {"host": "h1"}]}', 3, "twice")
    check("open bounds", host(knots=[[1, 2, None, 12], [9, 10, None, None]]), 0)
    check("an unknown quality", host(quality="perfect"), 3, "perfect")
    t.check("--sync with a file that is not there", ["sync", trace, "--sync", t.tmp + "/none.json"],
            2, "none.json: No such file")
    t.check("--sync with a folder", ["sync", trace, "--no-cache", "--sync", t.tmp], 3, t.tmp)
    t.check("--reference of an unknown host", ["sync", trace, "--no-cache", "--reference", "moon"],
            3, "no host 'moon'")
    for value in ("-1", "x", "nan", "1e9"):
        t.check("--wander %s" % value, ["sync", trace, "--no-cache", "--wander", value], 2,
                "--wander")
    t.check("--host with a path that is not there", ["sync", trace, "--host", "a=/nowhere/at/all"],
            3, "/nowhere/at/all: No such file")
    t.check("--host with a folder without traces", ["sync", trace, "--no-cache", "--host",
                                                    "a=" + folder_of_nothing(t)], 3,
            "no trace here")
    t.check("--at that is no time", ["sync", trace, "--no-cache", "--at", "noon"], 2,
            "--at: 'noon' is not a time")


def folder_of_nothing(t):
    path = os.path.join(t.tmp, "nothing")
    os.mkdir(path)
    return path


def output(t):
    """stdout that goes away, or is full."""
    trace = t.trace(stream=b"".join(packet([(200 * i + k, k, b"x" * 50) for k in range(100)],
                                           200 * i, 0, i) for i in range(200)))
    p = subprocess.Popen([t.neph, "events", trace], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    p.stdout.readline()
    p.stdout.close()
    said = p.stderr.read().decode()
    t.report("a reader that goes away", [] if p.wait() == 0 and not said else
             ["exit %d" % p.returncode], said)
    if not os.path.exists("/dev/full"):
        print("skip a full disk: there is no /dev/full")
        return
    for args in (["events", trace], ["stats", trace], ["stats", "-o", "json", trace], ["help"],
                 ["version"], ["events", "--help"], ["completion", "bash"]):
        with open("/dev/full", "w") as full:
            p = subprocess.run([t.neph] + args, stdout=full, stderr=subprocess.PIPE)
        said = p.stderr.decode()
        t.report("a full disk: " + " ".join(args[:3]).replace(t.tmp, ""),
                 [] if p.returncode == 3 and said == "neph: the output could not be written: No space "
                 "left on device\n" else ["exit %d" % p.returncode], said)


def escapes(t):
    """Nothing of a trace reaches the terminal as it is."""
    evil = b"\x1b[31mred\x07\xff"
    p = t.run(["events", t.trace(stream=packet([(1, 1, evil)]))])
    t.report("control characters in text", [] if b"\x1b" not in p.stdout and b'\\e[31mred\\a' in
             p.stdout else [repr(p.stdout)])
    p = t.run(["events", "-o", "jsonl", t.trace(stream=packet([(1, 1, evil)]))])
    ok = json.loads(p.stdout)["fields"]["s"] == "\x1b[31mred\x07\ufffd"
    t.report("control characters in JSON", [] if ok else [repr(p.stdout)])
    for word in ("GET /x X-Auth-Token: gAAAAABkqwertyuiopasdfghjklzxcvbnmqwertyuiopasdfghjkl",):
        trace = t.trace(stream=packet([(1, 1, word.encode())]))
        p = t.run(["events", trace])
        shown = t.run(["events", "--show-secrets", trace])
        t.report("secrets are masked", [] if b"gAAAAAB" not in p.stdout and b"***" in p.stdout and
                 b"gAAAAAB" in shown.stdout else [repr(p.stdout), repr(shown.stdout)])


def main():
    neph = os.path.abspath(sys.argv[1])
    with tempfile.TemporaryDirectory(prefix="neph-bad-input-") as tmp:
        t = Tests(neph, tmp)
        for group in (not_traces, shortened, bad_metadata, bad_streams, many_notes, ftrace,
                      no_permission, usage, filters, kernel, clocks, output, escapes):
            if len(sys.argv) > 2 and group.__name__ not in sys.argv[2:]:
                continue
            group(t)
    return 0


if __name__ == "__main__":
    sys.exit(main())
