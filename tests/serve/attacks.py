#!/usr/bin/env python3
"""Bad requests, who may ask, slow clients, hostile names: each gets a sentence, none harms.

usage: attacks.py path/to/neph
"""

import json
import os
import random
import socket
import subprocess
import time

from _server import NEPH, Server, TMP, end, golden, quoted, report

HOSTILE = ["<script>alert(1)</script>", "a\u0000b".replace("\u0000", "\u0001"), "\u202egpj.exe",
           "\"'`;--", "../../etc/passwd", "vm:x#y", "a/b c%2F", "\u001b[31mred", "x" * 3000,
           "</title><img src=x onerror=alert(1)>", "\ud7ff\uffff", "%s%n%d", "-1", "null", "#", ":"]


def refuses(s, name, cases):
    """(target, status) or (method, target, body, status): an error in JSON, and the server lives."""
    problems = []
    for case in cases:
        method, target, body, status = case if len(case) == 4 else ("GET", case[0], None, case[1])
        r = s.request(method, target, body)
        if r.status != status:
            problems.append("%s %s: %d, not %d: %r" % (method, target[:80], r.status, status,
                                                        r.body[:120]))
            continue
        try:
            d = r.json()
            if set(d) != {"title", "detail"} or not d["detail"]:
                problems.append("%s: %r" % (target[:80], d))
        except ValueError:
            problems.append("%s: no JSON: %r" % (target[:80], r.body[:100]))
    if not s.alive():
        problems.append("the server is gone")
    report(name, problems)


def bad_arguments(s):
    row = "row=compute1/cpus/0/state"
    refuses(s, "arguments that make no sense", [
        ("/api/v1/strip?%s&px=0" % row, 400), ("/api/v1/strip?%s&px=9000" % row, 400),
        ("/api/v1/strip?%s&px=1e3" % row, 400), ("/api/v1/strip?%s&t0=5&t1=5" % row, 400),
        ("/api/v1/strip?%s&t0=-9223372036854775808" % row, 400),
        ("/api/v1/strip?%s&t1=9223372036854775807" % row, 400),
        ("/api/v1/strip?%s&t1=99999999999999999999" % row, 400),
        ("/api/v1/strip?" + "&".join(["row=x"] * 2049), 413),
        ("/api/v1/strip?" + "a=b&" * 1000, 400),
        ("/api/v1/at?row=nothing&t=1", 404), ("/api/v1/rows?scope=vm:nobody", 404),
        ("/api/v1/rows?scope=", 404), ("/api/v1/rows", 404), ("/api/v1/rows?scope=all:x", 404),
        ("/api/v1/list/nothing", 404), ("/api/v1/list/vms?limit=0", 400),
        ("/api/v1/list/vms?sort=nothing", 400), ("/api/v1/list/vms?columns=nothing", 400),
        ("/api/v1/list/vms?unknown=1", 400), ("/api/v1/list/vms?host=nobody", 400),
        ("/api/v1/list/vms?begin=yesterday", 400), ("/api/v1/list/vms?begin=%2B2s&end=%2B1s", 400),
        ("/api/v1/top/cpu?by=nothing", 400), ("/api/v1/top/cpu?vm=nobody", 404),
        ("/api/v1/top/nothing", 404), ("/api/v1/log/mem", 404),
        ("/api/v1/show/vm/nobody", 404), ("/api/v1/show/nothing/x", 404), ("/api/v1/show/vm", 404),
        ("/api/v1/rounds/nobody", 404), ("/api/v1/events?after=1", 400),
        ("/api/v1/events?limit=100000", 400), ("/api/v1/arrows?scope=all&limit=0", 400),
        ("/metrics", 404), ("/nothing", 404), ("/api/v1/%zz", 400), ("/api/v1/%00", 400),
        ("/api/v1/list/vms?vm=%2", 400), ("/" + "a/" * 200, 414), ("/../../etc/passwd", 404),
        ("/%2e%2e/%2e%2e/etc/passwd", 404),
        ("POST", "/api/v1/list/vms", b"", 405), ("DELETE", "/api/v1/findings", None, 405),
        ("PATCH", "/api/v1/findings", None, 501),
        ("POST", "/api/v1/strip", b"{", 400), ("POST", "/api/v1/strip", b"[1]", 400),
        ("POST", "/api/v1/strip", b"\xff\xfe", 400), ("POST", "/api/v1/strip", b"[" * 100000, 400),
        ("POST", "/api/v1/strip", b'{"px":1,"px":2}', 400),
        ("POST", "/api/v1/strip", b'{"t0":99999999999999999999999}', 400),
        ("POST", "/api/v1/strip", b'{"rows":' + json.dumps(["x"] * 5000).encode() + b"}", 413),
        ("POST", "/api/v1/strip", b" " * ((1 << 20) + 1), 413),
    ])


def raw_bytes(s):
    """Whatever bytes come, the server answers others."""
    host = b"Host: localhost:%d\r\n" % s.port
    rng = random.Random(7)
    cases = [b"", b"\r\n\r\n", b"GET\r\n\r\n", b"GET / HTTP/9.9\r\n" + host + b"\r\n",
             b"GET / HTTP/1.1\r\n" + host + b"Content-Length: 99999999999999999999\r\n\r\n",
             b"GET / HTTP/1.1\r\n" + host + b"Content-Length: -1\r\n\r\n",
             b"POST /api/v1/strip HTTP/1.1\r\n" + host + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
             b"POST /api/v1/strip HTTP/1.1\r\n" + host +
             b"Transfer-Encoding: chunked\r\n\r\n" + b"10000\r\n" + b"x" * 65536 + b"\r\n" * 5,
             b"GET /" + b"a" * 200000 + b" HTTP/1.1\r\n" + host + b"\r\n",
             b"GET / HTTP/1.1\r\n" + host + b"X: " + b"a" * 200000 + b"\r\n\r\n",
             b"GET / HTTP/1.1\r\n" + host + b"".join(b"H%d: x\r\n" % i for i in range(20000)) +
             b"\r\n", b"GET http://localhost/api/v1/experiment HTTP/1.1\r\n" + host + b"\r\n",
             b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\0" * 500]
    for _ in range(200):
        base = bytearray(b"GET /api/v1/strip?row=x&px=10 HTTP/1.1\r\n" + host + b"\r\n")
        for _ in range(rng.randrange(1, 6)):
            base[rng.randrange(len(base))] = rng.randrange(256)
        cases.append(bytes(base))
    for c in cases:
        s.raw(c, timeout=0.2)
    two = s.raw(b"GET /api/v1/experiment HTTP/1.1\r\n" + host + b"Host: evil.example\r\n\r\n",
                timeout=2)
    report("two names at once", [] if b" 400 " in two[:20] else [repr(two[:60])])
    report("any bytes", [] if s.alive() else ["the server is gone"])


def who_may_ask(s):
    problems = []
    own = "127.0.0.1:%d" % s.port
    cases = [({"Host": own}, 200), ({"Host": "localhost:1"}, 200), ({"Host": "[::1]"}, 200),
             ({"Host": "evil.example"}, 403), ({"Host": "127.0.0.1.evil.example"}, 403),
             ({"Host": ""}, 403), ({"Host": "evil.example:%d" % s.port}, 403),
             ({"Host": "neph.example"}, 200), ({"Host": own, "Origin": "http://" + own}, 200),
             ({"Host": own, "Origin": "http://evil.example"}, 403), ({"Host": own, "Origin": "null"}, 403),
             ({"Host": own, "Origin": "http://" + own + ".evil.example"}, 403),
             ({"Host": own, "Origin": "http://viewer.example:3000"}, 200),
             ({"Host": own, "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"}, 403),
             ({"Host": own, "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}, 200),
             ({"Host": own, "Sec-Fetch-Site": "same-origin"}, 200)]
    for headers, status in cases:
        r = s.request("GET", "/api/v1/experiment", None, headers)
        if r.status != status:
            problems.append("%r: %d, not %d" % (headers, r.status, status))
        cors = r.headers.get("access-control-allow-origin")
        if cors != ("http://viewer.example:3000" if "viewer" in headers.get("Origin", "") else None):
            problems.append("%r: Access-Control-Allow-Origin %r" % (headers, cors))
        for name, value in (("x-content-type-options", "nosniff"), ("x-frame-options", "DENY"),
                            ("referrer-policy", "no-referrer")):
            if r.headers.get(name) != value:
                problems.append("%s is %r" % (name, r.headers.get(name)))
        if "default-src 'none'" not in r.headers.get("content-security-policy", ""):
            problems.append("no content security policy")
    r = s.request("OPTIONS", "/tsp/api/traces", None, {"Origin": "http://viewer.example:3000"})
    if r.status != 204 or "POST" not in r.headers.get("access-control-allow-methods", ""):
        problems.append("preflight: %d %r" % (r.status, r.headers))
    report("only those ask who may", problems)


def token():
    problems = []
    path = os.path.join(TMP, "token")
    with open(path, "w") as f:
        f.write("0123456789abcdefXYZ\n")
    with Server("--token-file", path, golden("vm_migrating"), wait=False) as s:
        def status(headers=None, target="/api/v1/openapi.json", method="GET"):
            return s.request(method, target, None, headers).status
        bearer = {"Authorization": "Bearer 0123456789abcdefXYZ"}
        for what, got, want in (
                ("none", status(), 401), ("page", status(target="/"), 401), ("right", status(bearer), 200),
                ("wrong", status({"Authorization": "Bearer 0123456789abcdefXYA"}), 401),
                ("longer", status({"Authorization": "Bearer 0123456789abcdefXYZ0"}), 401),
                ("empty", status({"Authorization": "Bearer "}), 401),
                ("cookie", status({"Cookie": "a=b; neph_token=0123456789abcdefXYZ"}), 200),
                ("wrong cookie", status({"Cookie": "neph_token=0123456789abcdefXY"}), 401),
                ("other name", status(dict(bearer, Host="far.example")), 200),
                ("foreign page", status(dict(bearer, Origin="http://evil.example")), 403),
                ("tsp", status(target="/tsp/api/traces"), 401),
                ("post", status(None, "/api/v1/cancel", "POST"), 401)):
            if got != want:
                problems.append("%s: %d, not %d" % (what, got, want))
        r = s.get("/?token=0123456789abcdefXYZ")
        if r.status != 303 or r.headers.get("location") != "/" or \
                "HttpOnly" not in r.headers.get("set-cookie", ""):
            problems.append("the token in the address: %d %r" % (r.status, r.headers))
        r = s.get("//evil.example/?token=0123456789abcdefXYZ")
        if r.headers.get("location", "/") != "/":
            problems.append("leads to %r" % r.headers["location"])
        if s.get("/?token=wrong").status != 401:
            problems.append("a wrong token in the address")
    for args, code in ((["--token", "short"], 2), (["--token", "with blank in it 123456"], 2),
                       (["--token-file", path + "-none"], 2), (["--listen", "0.0.0.0:0"], 2),
                       (["--listen", "nowhere"], 2), (["--listen", "127.0.0.1:99999"], 2),
                       (["--listen", "[::]:0"], 2), (["--timeout", "99999"], 2)):
        p = subprocess.run([NEPH, "serve"] + args + [golden("vm_migrating")], capture_output=True,
                           stdin=subprocess.DEVNULL, timeout=60)
        if p.returncode != code or not p.stderr:
            problems.append("%r: exit %d: %r" % (args, p.returncode, p.stderr))
    for paths in (["/nowhere"], [os.path.join(TMP, "token")]):
        p = subprocess.run([NEPH, "serve", "--listen", "127.0.0.1:0"] + paths, capture_output=True,
                           stdin=subprocess.DEVNULL, timeout=60)
        if p.returncode != 3:
            problems.append("%r: exit %d: %r" % (paths, p.returncode, p.stderr))
    report("a token is asked for where it is set, and needed beyond this machine", problems)


def slow_clients(path):
    """Those that trickle are shut out; others are answered meanwhile."""
    problems = []
    with Server("--timeout", "1", path) as s:
        slow = [socket.create_connection(("127.0.0.1", s.port), 30) for _ in range(60)]
        for c in slow[:30]:
            c.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n")
        for c in slow[30:50]:
            c.sendall(b"POST /api/v1/strip HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n{")
        for i in range(4):
            if s.get("/api/v1/experiment").status != 200:
                problems.append("others wait")
            for c in slow[:50]:
                try:
                    c.sendall(b"X: y\r\n")
                except OSError:
                    pass
            time.sleep(0.6)  # a byte now and then must not keep the connection
        closed = 0
        for c in slow:
            c.settimeout(20)
            try:
                while c.recv(4096):
                    pass
                closed += 1
            except ConnectionError:
                closed += 1
            except OSError:
                pass
            c.close()
        if closed != len(slow):
            problems.append("%d of %d are still connected" % (len(slow) - closed, len(slow)))
        if not s.alive():
            problems.append("the server is gone")
        if s.stop() != 0:
            problems.append("exit %d" % s.p.returncode)
    report("slow clients are shut out", problems)


def hostile_trace():
    """Instances, requests, hosts and threads whose names are attacks."""
    path = os.path.join(TMP, "hostile.jsonl")
    with open(path, "w") as f:
        for i, name in enumerate(HOSTILE):
            for k, phase in enumerate(("start", "end")):
                msg = json.dumps({"event_type": "compute.instance.create." + phase,
                                  "instance": "%08d-aaaa-4aaa-8aaa-aaaaaaaaaaaa" % i,
                                  "display_name": name, "state": "active", "host": name,
                                  "request_id": "req-" + name})
                f.write(json.dumps({"t_ns": 10**18 + i * 10**6 + k * 1000, "host": HOSTILE[i % 5],
                                    "cpu": 0, "name": "lttng_python:event",
                                    "fields": {"asctime": "", "msg": msg, "funcName": name,
                                               "logger_name": "ostrace.notify", "lineno": 1,
                                               "int_loglevel": 40, "thread": 1, "threadName": "t"},
                                    "context": {"vpid": 1, "vtid": 1, "procname": name}}) + "\n")
            f.write(json.dumps({"t_ns": 10**18 + i * 10**6 + 5000, "host": HOSTILE[i % 5], "cpu": 0,
                                "name": "sched_switch",
                                "fields": {"prev_comm": name, "prev_tid": i + 10, "prev_prio": 20,
                                           "prev_state": 1, "next_comm": HOSTILE[-i - 1],
                                           "next_tid": i + 11, "next_prio": 20},
                                "context": {}}) + "\n")
    time.sleep(0.05)
    return path


def hostile_names():
    problems, targets = [], 0
    with Server(hostile_trace()) as s:
        names = {v["vm"] for v in s.get("/api/v1/list/vms").json()}
        for name in HOSTILE:
            if name not in names:
                problems.append("no instance %r" % name[:40])
            for target in ("/api/v1/show/vm/" + quoted(name), "/api/v1/rows?scope=vm:" + quoted(name),
                           "/api/v1/search?q=" + quoted(name[:200]),
                           "/api/v1/list/vms?vm=" + quoted(name),
                           "/api/v1/rows?scope=request:" + quoted("req-" + name)):
                r = s.get(target)
                targets += 1
                if r.status != 200 or r.headers["content-type"] != "application/json":
                    problems.append("%s: %d %r" % (target[:60], r.status, r.body[:100]))
                    continue
                r.json()
                if any(c < 32 for c in r.body):
                    problems.append("%s: a control character as it is" % target[:60])
            rows = s.get("/api/v1/rows?scope=vm:" + quoted(name)).json()["rows"]
            ids = [x["id"] for x in rows if x["type"] != "heading"]
            for x in s.post("/api/v1/strip", {"rows": ids, "px": 20}).json()["rows"] if ids else []:
                if x.get("missing"):
                    problems.append("row %r is not found again" % x["id"][:80])
        for host in set(HOSTILE[:5]):
            r = s.get("/api/v1/rows?scope=host:" + quoted(host))
            if r.status != 200 or not r.json()["rows"]:
                problems.append("host %r: %d" % (host, r.status))
        for out in ("cloud.vm.layers", "cloud.request.flow", "cloud.services",
                    "cloud.kernel.threads"):
            e = s.get("/tsp/api/experiments").json()[0]["UUID"]
            r = s.post("/tsp/api/experiments/%s/outputs/timeGraph/%s/tree" % (e, out), {})
            if r.status != 200 or not r.json()["model"]["entries"]:
                problems.append("%s: %r" % (out, r.body[:100]))
        if not s.alive():
            problems.append("the server is gone")
    report("hostile names are text", problems)


def main():
    path = golden("kernel_preemption")
    with Server("--name", "neph.example", "--origin", "http://viewer.example:3000", path) as s:
        bad_arguments(s)
        raw_bytes(s)
        who_may_ask(s)
        code = s.stop()
        report("ends with 0 after all that", [] if code == 0 else ["exit %d: %s" % (code, s.err)])
    token()
    slow_clients(path)
    hostile_names()
    end()


main()
