#!/usr/bin/env python3
"""How fast the server answers: strips, fifty viewers at once, and how much memory it takes.

usage: bench/serve.py path/to/neph [TRACE...]      (without traces: a simulated cloud)

Server time is what the server says of itself (Server-Timing), by the clock and of a CPU; the rest is
seen by the clients, which run on the same machine and take their share of it.
"""

import http.client
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
ROWS, PX, VIEWERS, ASKS, WINDOWS = 100, 1400, 50, 40, 60


class Server:
    def __init__(self, neph, paths):
        begin = time.time()
        self.p = subprocess.Popen([neph, "serve", "--listen", "127.0.0.1:0"] + paths,
                                  stderr=subprocess.PIPE, text=True)
        self.port = int(self.p.stderr.readline().rstrip().rstrip("/").rsplit(":", 1)[1])
        self.ask(self.connect(), "GET", "/api/v1/progress")
        self.ready = time.time() - begin

    def connect(self):
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=300)

    def ask(self, c, method, path, body=None):
        c.request(method, path, json.dumps(body) if body else None,
                  {"Content-Type": "application/json"} if body else {})
        r = c.getresponse()
        data = r.read()
        timing = r.getheader("Server-Timing", "app;dur=0, cpu;dur=0")
        if r.status != 200:
            raise RuntimeError("%s: %d %r" % (path, r.status, data[:200]))
        return data, [float(x.split("=")[1]) for x in timing.split(",")]

    def memory(self):
        with open("/proc/%d/status" % self.p.pid) as f:
            return int([x for x in f if x.startswith("VmHWM")][0].split()[1]) // 1024

    def stop(self):
        self.p.terminate()
        self.p.wait(60)


def median(v):
    return sorted(v)[len(v) // 2]


def percentile(v, p):
    return sorted(v)[min(len(v) - 1, int(len(v) * p))]


def rows_of(s, c):
    """The rows that change most."""
    exp = json.loads(s.ask(c, "GET", "/api/v1/experiment")[0])
    ids = []
    for h in exp["hosts"]:
        rows = json.loads(s.ask(c, "GET", "/api/v1/rows?scope=host:" +
                                urllib.parse.quote(h["name"]))[0])["rows"]
        ids += [r["id"] for r in rows if r["type"] == "state" and "#" not in r["id"]]
    busy = []
    for i in range(0, len(ids), 500):
        strip = json.loads(s.ask(c, "POST", "/api/v1/strip", {"rows": ids[i:i + 500], "px": 200})[0])
        busy += [(len(r["runs"]), r["id"]) for r in strip["rows"]]
    return exp, [x[1] for x in sorted(busy, reverse=True)[:ROWS]]


def strips(s, c, exp, rows):
    for zoom in (1, 10, 100, 1000, 100000):
        took, cpu, kb, runs = [], [], 0, 0
        length = max(exp["length_ns"] // zoom, PX)
        for i in range(WINDOWS):
            t0 = (exp["length_ns"] - length) * i // WINDOWS
            data, ms = s.ask(c, "POST", "/api/v1/strip",
                             {"rows": rows, "t0": t0, "t1": t0 + length, "px": PX})
            took.append(ms[0])
            cpu.append(ms[1])
            kb = max(kb, len(data) // 1024)
            runs = max(runs, data.count(b"],["))
        print("strip  %d rows x %d px  1/%-6d of the time  median %6.2f ms (%6.2f of "
              "CPU)  worst %6.2f ms  up to %d kB, %d runs" %
              (len(rows), PX, zoom, median(took), median(cpu), max(took), kb, runs))


def viewers(s, exp, rows):
    took, lock = [], threading.Lock()

    def view(n):
        c, mine = s.connect(), []
        for i in range(ASKS):
            length = exp["length_ns"] // (1 + (n + i) % 50)
            t0 = (exp["length_ns"] - length) * ((n * 13 + i * 7) % 100) // 100
            path, body = "/api/v1/strip", {"rows": rows[:40], "t0": t0, "t1": t0 + length, "px": PX}
            if i % 8 == 7:
                path, body = ("/api/v1/findings", "/api/v1/list/vms", "/api/v1/experiment")[n % 3], None
            begin = time.time()
            s.ask(c, "POST" if body else "GET", path, body)
            mine.append((time.time() - begin) * 1e3)
            time.sleep(0.2)  # who looks at what was drawn
        with lock:
            took.extend(mine)

    threads = [threading.Thread(target=view, args=(n,)) for n in range(VIEWERS)]
    begin = time.time()
    for t in threads:
        t.start()
        time.sleep(0.004)
    for t in threads:
        t.join()
    print("viewers  %d, %d answers in %.1f s  p50 %.1f ms  p99 %.1f ms  worst %.1f ms" %
          (VIEWERS, len(took), time.time() - begin, percentile(took, 0.5), percentile(took, 0.99),
           max(took)))


def main():
    neph, paths = os.path.abspath(sys.argv[1]), sys.argv[2:]
    with tempfile.TemporaryDirectory() as tmp:
        if not paths:
            paths = [os.path.join(tmp, "cloud")]
            subprocess.run([neph, "sim", os.path.join(TOP, "sim", "scenarios", "cloud-kernel.json"),
                            "-o", paths[0]], check=True, capture_output=True)
        Server(neph, paths).stop()  # its histories are there now
        s = Server(neph, paths)
        try:
            c = s.connect()
            begin = time.time()
            s.ask(c, "GET", "/api/v1/findings")
            print("ready after %.0f ms, findings after %.0f ms more" %
                  (s.ready * 1e3, (time.time() - begin) * 1e3))
            exp, rows = rows_of(s, c)
            strips(s, c, exp, rows)
            viewers(s, exp, rows)
            print("memory  at most %d MB" % s.memory())
        finally:
            s.stop()


main()
