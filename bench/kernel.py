"""The kernel layer from end to end: reading, all states and records, the history on disk.

usage: kernel.py BUILD [TRACE...]

Each trace is analysed RUNS times on one thread and on two (NEPH_THREADS); what opening it alone
takes (`neph info`) is told apart and not taken off.  The yardstick, in the same run, is
babeltrace2, which only decodes (`-o dummy`).  Medians.  Histories of one and of two threads must
be equal, or the program fails.
"""

import hashlib
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
RUNS = 5
THREADS = [100, 1000, 10000, 50000]
EVENTS = 3000000  # a trace of so many, about: what runs once must not count


def measured(argv, env):
    """(seconds by the clock, CPU seconds, resident KB) of a command."""
    t0 = time.monotonic()
    p = subprocess.Popen(argv, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(p.pid, 0)
    if status:
        sys.exit("%s: status %d" % (" ".join(argv), status))
    return time.monotonic() - t0, usage.ru_utime + usage.ru_stime, usage.ru_maxrss


def medians(argv, env):
    runs = [measured(argv, env) for _ in range(RUNS)]
    return [statistics.median(r[i] for r in runs) for i in range(3)]


def digest(neph, path):
    """In pieces: what this process holds, its children are counted as resident too."""
    p = subprocess.Popen([neph, "history", "dump", "-o", "jsonl", path], stdout=subprocess.PIPE)
    h = hashlib.sha256()
    while piece := p.stdout.read(1 << 20):
        h.update(piece)
    if p.wait():
        sys.exit("neph history dump %s: status %d" % (path, p.returncode))
    return h.hexdigest()


def bench(neph, name, trace, folder):
    events = json.loads(subprocess.run([neph, "stats", "-q", "-o", "json", trace], check=True,
                                       capture_output=True).stdout)["events"]
    got, sums = {}, {}
    for threads in 1, 2:
        history = os.path.join(folder, "history-%d" % threads)
        env = dict(os.environ, NEPH_THREADS=str(threads),
                   NEPH_CACHE=os.path.join(folder, "cache"))
        # A listing that is empty: what is measured is the analysis.
        got[threads] = medians([neph, "list", "vms", "-q", "--history", history, "--rebuild", trace],
                               env)
        files = [f for f in os.listdir(history) if f.endswith(".neph")]
        sums[threads] = [digest(neph, os.path.join(history, f)) for f in sorted(files)]
        size = sum(os.path.getsize(os.path.join(history, f)) for f in files)
        shutil.rmtree(history)
    if sums[1] != sums[2]:
        sys.exit("%s: the histories of one and two threads differ" % name)
    rival = None
    if shutil.which("babeltrace2"):
        rival = medians(["babeltrace2", trace, "-o", "dummy"], dict(os.environ))[1]
    print("%-24s %9d  %6.2f  %6.2f  %5.2fx  %6.0f  %5.1f  %8s  %s" % (
        name, events, events / got[1][1] / 1e6, events / got[1][0] / 1e6, got[1][0] / got[2][0],
        got[1][2] / 1024, size / events,
        "-" if rival is None else "%.2f" % (events / rival / 1e6),
        "-" if rival is None else "%.1fx" % (rival / got[1][1])))
    sys.stdout.flush()


def simulate(neph, threads, folder):
    with open(os.path.join(TOP, "sim", "scenarios", "kernel-threads.json"), encoding="utf-8") as f:
        scenario = json.load(f)
    scenario["kernel"]["hosts"][0]["threads_extra"]["count"] = threads
    path, trace = os.path.join(folder, "scenario.json"), os.path.join(folder, "trace")
    scale = max(1, EVENTS // (200000 + 45 * threads))
    with open(path, "w", encoding="utf-8") as f:
        json.dump(scenario, f)
    subprocess.run([neph, "sim", path, "-o", trace, "--scale", str(scale)], check=True,
                   capture_output=True)
    return trace


def main():
    neph = os.path.join(sys.argv[1], "neph")
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    print("million events a second; M/CPU-s: per CPU second of one thread, M/s: by the clock; two: how "
          "much faster on two threads")
    print("%-24s %9s  %6s  %6s  %6s  %6s  %5s  %8s  %s" % (
        "trace", "events", "M/CPU-s", "M/s", "two", "MB", "B/ev", "bt2 M/s", "ratio"))
    for trace in sys.argv[2:]:
        with tempfile.TemporaryDirectory(prefix="neph-bench-") as folder:
            bench(neph, os.path.basename(os.path.normpath(trace)), trace, folder)
    for threads in [] if sys.argv[2:] else THREADS:
        with tempfile.TemporaryDirectory(prefix="neph-bench-") as folder:
            bench(neph, "%d threads" % threads, simulate(neph, threads, folder), folder)


main()
