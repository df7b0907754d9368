#!/usr/bin/env python3
"""Histories that are kept: does a history give the answer that the traces gave, and
only as long as they are the same?

usage: history_cache.py path/to/neph
"""

import base64
import fcntl
import glob
import json
import os
import random
import re
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
COMMANDS = (["summary"], ["summary", "--strict"], ["list", "vms", "-o", "json"],
            ["list", "tasks", "-o", "jsonl"], ["list", "requests", "-o", "csv"],
            ["state", "-t", "+1s", "--all"], ["timeline", "*", "-w", "40"],
            ["stats", "-o", "json"], ["list", "hosts", "-q"])
METADATA = """/* CTF 1.8 */
typealias integer { size = 8; align = 8; } := u8;
typealias integer { size = 32; align = 8; } := u32;
typealias integer { size = 64; align = 8; } := u64;
trace { major = 1; minor = 8; byte_order = le;
  uuid = "00010203-0405-0607-0809-0a0b0c0d0e0f";
  packet.header := struct { u32 magic; u8 uuid[16]; u32 stream_id; }; };
env { hostname = "h1"; domain = "ust"; };
clock { name = "c"; freq = 1000000000; offset_s = 1; };
typealias integer { size = 64; align = 8; map = clock.c.value; } := t64;
stream { id = 0;
  packet.context := struct { u64 timestamp_begin; u64 timestamp_end; u64 content_size;
    u64 packet_size; u64 events_discarded; u64 packet_seq_num; u32 cpu_id; };
  event.header := struct { u32 id; t64 timestamp; }; };
event { name = "lttng_python:event"; id = 0; stream_id = 0;
  fields := struct { string asctime; string msg; string logger_name; string funcName; u32 lineno;
    u32 int_loglevel; u64 thread; string threadName; }; };
"""


def event(t, msg, logger="nova.compute.manager", level=20):
    texts = [x.encode() + b"\0" for x in ("", msg, logger, "f", "MainThread")]
    return (struct.pack("<IQ", 0, t) + b"".join(texts[:4]) +
            struct.pack("<IIQ", 12, level, 7) + texts[4])


def packet(events, begin, discarded, seq, magic=0xC1FC1FC1):
    body = b"".join(events)
    bits = (76 + len(body)) * 8
    return (struct.pack("<I16sI", magic, bytes(range(16)), 0) +
            struct.pack("<QQQQQQI", begin, begin + 10**9, bits, bits, discarded, seq, 1) + body)


def record(kind, name, t):
    return event(t, json.dumps({"event_type": "compute.instance." + kind, "instance":
                                "00000001-aaaa-4aaa-8aaa-aaaaaaaaaaaa", "display_name": name,
                                "state": "active", "request_id": "req-1", "host": "h1"}),
                 "ostrace.notify")


class Tests:
    def __init__(self, neph, tmp):
        self.neph, self.tmp, self.n = neph, tmp, 0

    def new(self, name):
        self.n += 1
        return os.path.join(self.tmp, "%s%d" % (name, self.n))

    def run(self, args, cache, **env):
        return subprocess.run([self.neph] + args, stdin=subprocess.DEVNULL, capture_output=True,
                              timeout=120, env=dict(os.environ, NEPH_CACHE=cache, **env))

    def report(self, name, problems):
        print("%s %s" % ("not ok" if problems else "ok", name))
        for x in problems:
            print("# " + x)

    def trace(self):
        """A trace with all that can be noted: a lost packet, a bad one, discarded events."""
        path = self.new("trace")
        os.mkdir(path)
        with open(os.path.join(path, "metadata"), "w") as f:
            f.write(METADATA)
        first = [record("create.start", "vm-1", 10), event(20, "no secret", level=40),
                 record("create.end", "vm-1", 10**9 + 5)]
        with open(os.path.join(path, "stream_0"), "wb") as f:
            f.write(packet(first, 0, 0, 0) + packet([event(2 * 10**9, "later")], 2 * 10**9, 3, 2) +
                    packet([event(4 * 10**9, "torn")], 4 * 10**9, 3, 3)[:-6])
        time.sleep(0.05)  # files that were written just now are not trusted
        return path

    def jsonl(self, events):
        path = self.new("many") + ".jsonl"
        with open(path, "w") as f:
            for i in range(events):
                msg = json.dumps({"event_type": "compute.instance.reboot.%s" %
                                  ("end" if i % 2 else "start"), "display_name": "vm-%d" % (i // 2),
                                  "request_id": "req-%d" % (i // 2), "state": "active"})
                f.write(json.dumps({"t_ns": 10**18 + i * 1000, "host": "big", "cpu": 0,
                                    "name": "lttng_python:event",
                                    "fields": {"asctime": "", "msg": msg, "funcName": "f",
                                               "logger_name": "ostrace.notify", "lineno": 1,
                                               "int_loglevel": 20, "thread": 1,
                                               "threadName": "t"},
                                    "context": {"vpid": 1, "vtid": 1, "procname": "p"}}) + "\n")
        time.sleep(0.05)
        return path

    def how(self, args, cache, **env):
        """What -v says of each history: {"h1": "built"}."""
        p = self.run(["-v"] + args, cache, **env)
        return dict(re.findall(r"neph: info: (.*?): history (built|used again): ",
                               p.stderr.decode())), p

    # --- the same answer -----------------------------------------------------------

    def same_answer(self, path, name):
        for args in COMMANDS:
            cache = self.new("cache")
            where = args[1:2] + [path] + args[2:] if args[0] == "timeline" else args[1:] + [path]
            runs = [self.run([args[0]] + where, cache) for _ in range(2)]
            runs.append(self.run([args[0]] + where + ["--no-cache"], cache))
            runs.append(self.run([args[0]] + where + ["--rebuild"], cache))
            a = runs[0]
            problems = ["run %d differs: exit %d not %d\n%s" %
                        (i, b.returncode, a.returncode, b.stderr.decode("utf-8", "replace"))
                        for i, b in enumerate(runs) if (a.returncode, a.stdout, a.stderr) !=
                        (b.returncode, b.stdout, b.stderr)]
            if not a.stdout:
                problems.append("nothing is written: " + a.stderr.decode())
            self.report("%s: %s gives the same from a history" % (name, " ".join(args)), problems)

    def notes_are_kept(self):
        path = self.trace()
        cache = self.new("cache")
        runs = [self.run(["summary", "--strict", path], cache) for _ in range(2)]
        text = runs[1].stderr.decode()
        problems = [] if runs[1].returncode == 4 else ["exit %d" % runs[1].returncode]
        problems += ["no note on '%s': %s" % (w, text) for w in ("stream_0", "discarded")
                     if w not in text]
        moved = self.new("moved")
        shutil.move(path, moved)
        how, p = self.how(["summary", "--strict", moved], cache)
        text = p.stderr.decode()
        if how.get("h1") != "used again":
            problems.append("a moved trace is read again: %s" % text)
        if path in text or moved not in text:
            problems.append("the notes name the old place: %s" % text)
        self.report("notes, totals and exit codes are kept, and name the trace where it is",
                    problems)

    # --- when it is used -------------------------------------------------------------

    def used_when_equal(self):
        path, cache = self.trace(), self.new("cache")
        problems = []

        def expect(what, want, args):
            how, p = self.how(args, cache)
            if how.get("h1") != want or how.get("all hosts") != want:
                problems.append("%s: %r\n%s" % (what, how, p.stderr.decode()))

        expect("first", "built", ["summary", path])
        expect("second", "used again", ["list", "tasks", path])
        copy = self.new("copy")
        shutil.copytree(path, copy)
        time.sleep(0.05)
        expect("a copy", "used again", ["list", "vms", copy])
        expect("--rebuild", "built", ["list", "vms", copy, "--rebuild"])
        with open(os.path.join(copy, "stream_0"), "r+b") as f:
            data = f.read()
            f.seek(data.index(b"secret"))
            f.write(b"S")
        time.sleep(0.05)
        expect("a changed byte", "built", ["list", "vms", copy])
        expect("the first again", "used again", ["list", "vms", path])
        os.rename(os.path.join(copy, "stream_0"), os.path.join(copy, "stream_1"))
        time.sleep(0.05)
        expect("a renamed file", "built", ["list", "vms", copy])
        self.report("a history is used for equal content, and for nothing else", problems)

    def not_kept(self):
        path, cache = self.trace(), self.new("cache")
        how, p = self.how(["summary", path, "--no-cache"], cache)
        problems = ["--no-cache makes the cache"] if os.path.exists(cache) else []
        p = self.run(["summary", path, "--no-cache", "--history", cache], cache)
        if p.returncode != 2:
            problems.append("--no-cache and --history: exit %d" % p.returncode)
        self.report("--no-cache keeps nothing", problems)

    def own_folder(self):
        path, cache, folder = self.trace(), self.new("cache"), self.new("mine")
        problems = []
        for want in ("built", "used again"):
            how, p = self.how(["summary", path, "--history", folder], cache)
            if how.get("h1") != want:
                problems.append("%r\n%s" % (how, p.stderr.decode()))
        names = sorted(os.listdir(folder))
        if [n for n in names if n.endswith(".neph")] != ["cloud.neph", "h1.neph"]:
            problems.append("in the folder are %r" % names)
        if os.path.exists(cache):
            problems.append("the cache is made as well")
        other = os.path.join(folder, "kept-by-hand.neph")
        shutil.copy(os.path.join(folder, "h1.neph"), other)
        p = self.run(["history", "clear", "--history", folder], cache)
        if p.returncode or os.listdir(folder) != ["kept-by-hand.neph"]:
            problems.append("after clear: %r\n%s" % (os.listdir(folder), p.stderr.decode()))
        self.report("--history keeps the files in the user's folder", problems)

    def private(self):
        path, cache = self.trace(), self.new("cache")
        self.run(["summary", path], cache)
        problems = []
        for where, dirs, files in os.walk(cache):
            for x in [where] + [os.path.join(where, f) for f in files]:
                if os.stat(x).st_mode & 0o077:
                    problems.append("%s: %o" % (x, os.stat(x).st_mode))
        self.report("others cannot read what is kept", problems)

    # --- folders that cannot be used --------------------------------------------------

    def fall_back(self):
        path, tmp = self.trace(), self.new("tmp")
        os.mkdir(tmp)
        file = self.new("file")
        open(file, "w").close()
        problems, good = [], self.run(["summary", path, "--no-cache"], "/nonexistent")
        for folder in (file, os.path.join(file, "below"), "/proc/neph"):
            p = self.run(["summary", path], folder, TMPDIR=tmp)
            text = p.stderr.decode()
            ours = os.path.join(tmp, "nephoscope-%d" % os.geteuid())
            if p.returncode or p.stdout != good.stdout:
                problems.append("%s: exit %d, or another answer" % (folder, p.returncode))
            if folder not in text or ours not in text:
                problems.append("%s: %s" % (folder, text))
        self.report("a folder that cannot be written is replaced, and both are named", problems)
        p = self.run(["summary", path], file, TMPDIR=file)
        text = p.stderr.decode()
        problems = [] if p.returncode == 0 and p.stdout == good.stdout else ["another answer"]
        if "in memory" not in text or file not in text:
            problems.append(text)
        shutil.rmtree(tmp)
        os.mkdir(tmp)
        os.mkdir(os.path.join(tmp, "nephoscope-%d" % os.geteuid()), 0o777)
        os.chmod(os.path.join(tmp, "nephoscope-%d" % os.geteuid()), 0o777)
        p = self.run(["summary", path], file, TMPDIR=tmp)
        if "in memory" not in p.stderr.decode():
            problems.append("a folder that anybody can write is used: " + p.stderr.decode())
        self.report("without any folder, histories are in memory", problems)

    def disk_full(self):
        name = "a full disk ends in another folder, with the same answer"
        small, tmp = self.new("small"), self.new("tmp")
        os.mkdir(small), os.mkdir(tmp)
        mount = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "none", small],
                               capture_output=True, text=True) if shutil.which("mount") else None
        if not mount or mount.returncode:
            print("skip %s: a small file system cannot be mounted here" % name)
            return
        try:
            path = self.jsonl(20000)
            good = self.run(["list", "vms", path, "--no-cache"], "/nonexistent")
            p = self.run(["list", "vms", path], small, TMPDIR=tmp)
            text = p.stderr.decode()
            problems = [] if p.stdout == good.stdout and p.returncode == 0 else [
                "exit %d, or another answer" % p.returncode]
            if small not in text or tmp not in text or "No space left" not in text:
                problems.append(text)
            how, p = self.how(["list", "vms", path], small, TMPDIR=tmp)
            if how.get("big") != "used again" or p.stdout != good.stdout:
                problems.append("next time: %r\n%s" % (how, p.stderr.decode()))
            self.report(name, problems)
        finally:
            subprocess.run(["umount", small], check=False)

    # --- writers that meet, or die -----------------------------------------------------

    def two_at_once(self):
        path, cache = self.jsonl(60000), self.new("cache")
        good = self.run(["list", "vms", path, "--no-cache"], cache)
        both = [subprocess.Popen([self.neph, "list", "vms", path], stdout=subprocess.PIPE,
                                 stderr=subprocess.PIPE, env=dict(os.environ, NEPH_CACHE=cache))
                for _ in range(2)]
        problems = []
        for p in both:
            out, err = p.communicate(timeout=120)
            if p.returncode or out != good.stdout:
                problems.append("exit %d, or another answer: %s" % (p.returncode, err.decode()))
        how, p = self.how(["list", "vms", path], cache)
        if how.get("big") != "used again" or p.stdout != good.stdout:
            problems.append("afterwards: %r\n%s" % (how, p.stderr.decode()))
        self.report("two processes at once give the right answer", problems)

    def busy(self):
        path, cache = self.trace(), self.new("cache")
        good = self.run(["list", "tasks", path], cache)
        file = glob.glob(cache + "/*/h1.neph")[0]
        with open(file, "r+b") as f:
            fcntl.flock(f, fcntl.LOCK_EX)
            f.truncate(0)
            how, p = self.how(["list", "tasks", path], cache)
            text = p.stderr.decode()
            problems = [] if p.stdout == good.stdout else ["another answer"]
            if "another process writes" not in text or file not in text or \
                    "h1: history built: in memory" not in text:
                problems.append(text)
            if os.path.getsize(file):
                problems.append("the file of the other process was written to")
        self.report("what another process writes is in memory, with a note", problems)

    def large_damaged(self):
        """Large histories are not read whole before they are used."""
        chance, path, cache = random.Random(1), self.new("large") + ".jsonl", self.new("cache")
        with open(path, "w") as f:
            for i in range(80000):
                msg = base64.b64encode(chance.randbytes(230)).decode()
                f.write(json.dumps({"t_ns": 10**18 + i * 1000, "host": "h1", "cpu": 0,
                                    "name": "lttng_python:event",
                                    "fields": {"asctime": "", "msg": msg, "funcName": "f",
                                               "logger_name": "nova.compute.manager", "lineno": 1,
                                               "int_loglevel": 40, "thread": 1,
                                               "threadName": "t"},
                                    "context": {"vpid": 1, "vtid": 1, "procname": "p"}}) + "\n")
        time.sleep(0.05)
        good = self.run(["summary", "-o", "json", path], cache)
        file = glob.glob(cache + "/*/h1.neph")[0]
        size = os.path.getsize(file)
        problems = [] if size > 16 << 20 else ["the history has only %d bytes" % size]
        with open(file, "r+b") as f:
            f.seek(size // 2)
            f.write(b"\xa5" * 20000)
        p = self.run(["summary", "--strict", "-o", "json", path], cache)
        text = p.stderr.decode()
        if p.returncode != 4 or "lost" not in text or "built again next time" not in text:
            problems.append("exit %d: %s" % (p.returncode, text))
        if os.path.exists(file):
            problems.append("it is still there")
        p = self.run(["summary", "-o", "json", path], cache)
        if (p.stdout, p.stderr) != (good.stdout, good.stderr):
            problems.append("next time: " + p.stderr.decode())
        self.report("a large history that is damaged is told of, and built again", problems)

    def killed(self):
        path, cache = self.jsonl(100000), self.new("cache")
        p = subprocess.Popen([self.neph, "list", "vms", path], stdout=subprocess.DEVNULL,
                             env=dict(os.environ, NEPH_CACHE=cache))
        end = time.monotonic() + 60
        while time.monotonic() < end and p.poll() is None:
            if glob.glob(cache + "/*/big.neph"):
                time.sleep(0.1)
                break
            time.sleep(0.002)
        p.send_signal(signal.SIGKILL)
        if p.wait() != -signal.SIGKILL:
            print("skip a killed writer: it was done before it could be killed")
            return
        problems = []
        good = self.run(["list", "vms", path, "--no-cache"], cache)
        again = self.run(["list", "vms", path], cache)
        text = again.stderr.decode()
        if again.stdout != good.stdout or again.returncode:
            problems.append("another answer")
        if "built again" not in text or "big.neph" not in text:
            problems.append("no note: " + text)
        how, p = self.how(["list", "vms", path], cache)
        if how.get("big") != "used again" or p.stdout != good.stdout:
            problems.append("next time: %r\n%s" % (how, p.stderr.decode()))
        self.report("what a killed writer left is noted and built again", problems)

    def damaged(self):
        path = self.trace()
        problems = []
        good = self.run(["list", "tasks", path, "--no-cache"], self.new("cache"))

        def half(data):
            return data[:len(data) // 2]

        def flip(data):
            at = len(data) // 2
            return data[:at] + bytes([data[at] ^ 0x40]) + data[at + 1:]

        def version(data):
            return data[:8] + b"\xff\xff\xff\xff" + data[12:]

        for name, change in (("cut", half), ("flipped", flip), ("empty", lambda d: b""),
                             ("foreign", lambda d: b"something else\n"), ("version", version)):
            cache = self.new("cache")
            self.run(["list", "tasks", path], cache)
            file = glob.glob(cache + "/*/h1.neph")[0]
            with open(file, "rb") as f:
                data = f.read()
            with open(file, "wb") as f:
                f.write(change(data))
            how, p = self.how(["list", "tasks", path], cache)
            text = p.stderr.decode()
            if p.stdout != good.stdout or p.returncode != good.returncode:
                problems.append("%s: another answer" % name)
            if how.get("h1") != "built" or file not in text or "built again" not in text:
                problems.append("%s: %r\n%s" % (name, how, text))
            how, p = self.how(["list", "tasks", path], cache)
            if how.get("h1") != "used again" or "built again" in p.stderr.decode():
                problems.append("%s, next time: %r\n%s" % (name, how, p.stderr.decode()))
        self.report("a damaged history is noted and built again", problems)

    # --- looking after it --------------------------------------------------------------

    def limit(self):
        cache, problems = self.new("cache"), []
        paths = [self.jsonl(2000 + i) for i in range(3)]
        for path in paths:
            self.run(["list", "vms", path], cache)
            time.sleep(0.05)
        self.run(["list", "vms", paths[0]], cache)  # the second is the oldest now
        time.sleep(0.05)
        sizes = [os.path.getsize(f) for f in glob.glob(cache + "/*/*.neph")]
        how, p = self.how(["list", "vms", self.jsonl(2010)], cache,
                          NEPH_CACHE_BYTES=str(sum(sizes) + 1))
        if "not used for longest" not in p.stderr.decode():
            problems.append(p.stderr.decode())
        for i, want in ((0, "used again"), (1, "built")):
            how, p = self.how(["list", "vms", paths[i]], cache)
            if how.get("big") != want:
                problems.append("%d: %r" % (i, how))
        self.report("the cache is kept small: what was not used for longest goes", problems)

    def commands(self):
        path, cache, problems = self.trace(), self.new("cache"), []
        p = self.run(["history", "list", "-o", "json"], cache)
        if p.returncode or json.loads(p.stdout) != []:
            problems.append("an empty cache: %s %s" % (p.stdout, p.stderr))
        self.run(["summary", path], cache)
        rows = json.loads(self.run(["history", "list", "-o", "json"], cache).stdout)
        if sorted(os.path.basename(r["file"]) for r in rows) != ["cloud.neph", "h1.neph"] or \
                any(r["hosts"] != ["h1"] or not r["finished"] for r in rows):
            problems.append("list: %r" % rows)
        file = [r["file"] for r in rows if r["file"].endswith("h1.neph")][0]
        info = json.loads(self.run(["history", "info", file, "-o", "json"], cache).stdout)
        if info["history"][0]["host"] != "h1" or not info["history"][0]["finished"] or \
                info["contents"][0]["records"] < 3 or not info["blocks"]:
            problems.append("info: %r" % info)
        p = self.run(["history", "verify"] + [r["file"] for r in rows], cache)
        if p.returncode:
            problems.append("verify: exit %d: %s" % (p.returncode, p.stdout))
        lines = self.run(["history", "dump", file, "-o", "jsonl"], cache).stdout.splitlines()
        got = [json.loads(x) for x in lines]
        if not any(x.get("table") == "task" for x in got) or \
                sum("table" in x for x in got) != info["contents"][0]["records"]:
            problems.append("dump: %r" % got)
        with open(file, "r+b") as f:
            f.seek(os.path.getsize(file) // 2)
            f.write(b"\xa5" * 16)
        p = self.run(["history", "verify", file], cache)
        if p.returncode != 3:
            problems.append("verify finds nothing: exit %d: %s" % (p.returncode, p.stdout))
        p = self.run(["history", "info", path], cache)
        if p.returncode != 3 or not p.stderr:
            problems.append("info of a folder: exit %d: %s" % (p.returncode, p.stderr))
        kept = os.path.join(cache, "note.txt")
        open(kept, "w").close()
        p = self.run(["history", "clear"], cache)
        if p.returncode or os.listdir(cache) != ["note.txt"]:
            problems.append("clear leaves %r: %s" % (os.listdir(cache), p.stderr))
        doctor = json.loads(self.run(["doctor", path, "-o", "json"], cache).stdout)["cache"]
        if doctor["folder"] != cache or doctor["writable"] is not True:
            problems.append("doctor: %r" % doctor)
        self.report("neph history lists, tells, verifies, dumps and clears", problems)


def main():
    tmp = tempfile.mkdtemp(prefix="history-")
    t = Tests(os.path.abspath(sys.argv[1]), tmp)
    os.environ.pop("NEPH_CACHE_BYTES", None)
    try:
        t.same_answer(t.trace(), "a trace with losses")
        t.same_answer(os.path.join(TOP, "tests/golden/request_over_three_hosts/in.jsonl"),
                      "three hosts")
        t.notes_are_kept()
        t.used_when_equal()
        t.not_kept()
        t.own_folder()
        t.private()
        t.fall_back()
        t.disk_full()
        t.two_at_once()
        t.busy()
        t.killed()
        t.damaged()
        t.large_damaged()
        t.limit()
        t.commands()
    finally:
        shutil.rmtree(tmp, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
