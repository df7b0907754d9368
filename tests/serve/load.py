#!/usr/bin/env python3
"""Many at a time, while histories are made, and when it ends: everybody gets a whole answer.

usage: load.py path/to/neph
"""

import json
import os
import shutil
import signal
import socket
import subprocess
import threading
import time

from _server import NEPH, TMP, Server, end, golden, quoted, report, sim


def many(path):
    """Viewers that ask for different things at once; equal questions have equal answers."""
    problems, answers, lock = [], {}, threading.Lock()
    with Server(path) as s:
        exp = s.get("/api/v1/experiment").json()
        rows = [r["id"] for r in s.get("/api/v1/rows?scope=host:compute1").json()["rows"]
                if r["type"] == "state"][:40]
        questions = [("GET", t, None) for t in
                     ("/api/v1/experiment", "/api/v1/findings", "/api/v1/list/vms",
                      "/api/v1/list/migrations", "/api/v1/top/cpu", "/api/v1/rows?scope=all",
                      "/api/v1/search?q=vm", "/api/v1/events?limit=3", "/tsp/api/traces",
                      "/api/v1/arrows?scope=vms&limit=5", "/api/v1/list/nothing")]
        questions += [("POST", "/api/v1/strip",
                       {"rows": rows, "px": 200, "t0": i * exp["length_ns"] // 10,
                        "t1": (i + 1) * exp["length_ns"] // 10}) for i in range(9)]

        def viewer(n):
            for k in range(30):
                method, target, body = questions[(n * 7 + k) % len(questions)]
                r = s.request(method, target, body)
                key = target + json.dumps(body)
                with lock:
                    if r.status != (404 if "nothing" in target else 200):
                        problems.append("%s: %d %r" % (target, r.status, r.body[:100]))
                    elif answers.setdefault(key, r.body) != r.body:
                        problems.append("%s: two answers" % target)

        threads = [threading.Thread(target=viewer, args=(n,)) for n in range(50)]
        for t in threads:
            t.start()
        for t in threads:
            t.join(300)
        if len(answers) < len(questions) - 1:
            problems.append("only %d questions" % len(answers))
        if s.memory_kb() > 300 * 1024 and "san" not in os.environ.get("NEPH_BUILD", ""):
            problems.append("%d kB" % s.memory_kb())
        if s.stop() != 0:
            problems.append("exit %d: %s" % (s.p.returncode, s.err))
    report("50 viewers at once", problems)


def connections(path):
    """More connections than there is room for: those that are let in are answered."""
    problems = []
    with Server(path) as s:
        held = []
        for _ in range(700):
            c = socket.socket()
            c.settimeout(20)
            try:
                c.connect(("127.0.0.1", s.port))
                held.append(c)
            except OSError:
                c.close()
        for c in held:
            c.close()
        if not s.alive():
            problems.append("the server is gone")
        if s.stop() != 0:
            problems.append("exit %d" % s.p.returncode)
    report("too many connections", problems)


def huge_answers(path):
    """What would be more than anybody can look at is refused, or thinned out."""
    problems = []
    with Server(path) as s:
        rows = [r["id"] for r in s.get("/api/v1/rows?scope=threads").json()["rows"]
                if r["type"] == "state"]
        many = (rows * 2048)[:2048]
        r = s.post("/api/v1/strip", {"rows": many, "px": 8192})
        if r.status != 413 or "together" not in r.json()["detail"]:
            problems.append("strip: %d %r" % (r.status, r.body[:100]))
        e = s.get("/tsp/api/experiments").json()[0]
        r = s.post("/tsp/api/experiments/%s/outputs/timeGraph/cloud.kernel.threads/states" % e["UUID"],
                   {"parameters": {"requested_items": list(range(1, len(rows) + 1)) * 200,
                                   "requested_timerange": {"start": e["start"], "end": e["end"],
                                                           "nbTimes": 100000}}})
        if r.status != 200 or len(r.body) > 64 << 20:
            problems.append("states: %d, %d bytes" % (r.status, len(r.body)))
        if s.memory_kb() > 300 * 1024 and "san" not in os.environ.get("NEPH_BUILD", ""):
            problems.append("%d kB" % s.memory_kb())
        if s.stop() != 0:
            problems.append("exit %d" % s.p.returncode)
    report("answers have an end", problems)


def etags(path):
    problems = []
    with Server(path) as s:
        for target in ("/api/v1/findings", "/"):
            r = s.get(target)
            again = s.request("GET", target, None, {"If-None-Match": r.headers.get("etag", "")})
            if again.status != 304 or again.body:
                problems.append("%s: %d" % (target, again.status))
            if s.request("GET", target, None, {"If-None-Match": '"x"'}).status != 200:
                problems.append("%s: another tag" % target)
        r = s.request("HEAD", "/api/v1/findings")
        if r.status != 200 or r.body:
            problems.append("HEAD: %d %r" % (r.status, r.body[:50]))
    report("what a client has is not sent again", problems)


def large():
    """Events enough that making the history takes a while."""
    path = os.path.join(TMP, "large.jsonl")
    with open(path, "w") as f:
        for i in range(150000):
            f.write('{"t_ns":%d,"host":"h","cpu":0,"name":"sched_switch","fields":{"prev_comm":"a",'
                    '"prev_tid":%d,"prev_prio":20,"prev_state":1,"next_comm":"b","next_tid":%d,'
                    '"next_prio":20},"context":{}}\n' % (10**18 + i * 1000, i % 50 + 1,
                                                         (i + 1) % 50 + 1))
    time.sleep(0.05)
    return path


def progress(path):
    problems = []
    with Server(path, "--rebuild", wait=False) as s:
        if s.get("/").status != 200 or s.get("/api/v1/openapi.json").status != 200:
            problems.append("the page is not there at once")
        r = s.get("/api/v1/findings")
        if r.status == 503 and (r.headers.get("retry-after") != "1" or
                                "progress" not in r.json()["detail"]):
            problems.append("meanwhile: %r" % r.body)
        if r.status not in (200, 503):
            problems.append("meanwhile: %d" % r.status)
        told = s.wait_ready()
        if told[-1]["status"] != "COMPLETED":
            problems.append("progress: %r" % told)
        if s.get("/api/v1/findings").status != 200:
            problems.append("not ready after the progress said so")
        if s.stop(signal.SIGINT) != 0:
            problems.append("exit %d" % s.p.returncode)
    report("the page is there while histories are made", problems)


def cancelled(path):
    problems = []
    with Server(path, "--rebuild", wait=False) as s:
        r = s.request("POST", "/api/v1/cancel")
        last = s.wait_ready()[-1]
        if r.status != 200 or last["status"] not in ("CANCELLED", "COMPLETED"):
            problems.append("%d %r" % (r.status, last))
        if last["status"] == "CANCELLED":
            r = s.get("/api/v1/findings")
            if r.status != 503 or "cancelled" not in r.json()["detail"]:
                problems.append("%d %r" % (r.status, r.body))
        if s.stop() != 0:
            problems.append("exit %d: %s" % (s.p.returncode, s.err))
    report("making histories can be cancelled", problems)
    with Server(path, "--rebuild", wait=False) as s:
        code = s.stop()
        report("it can be ended while histories are made",
               [] if code == 0 else ["exit %d: %s" % (code, s.err)])


def ends_well(path):
    """Who was let in before the end has a whole answer or none."""
    problems, whole, lock = [], [], threading.Lock()
    s = Server(path)
    go = threading.Event()

    def ask():
        while not go.is_set():
            r = s.get("/api/v1/list/tasks?limit=%d" % (len(whole) % 500 + 1))
            with lock:
                if r.status == 200:
                    json.loads(r.body)
                    whole.append(1)
                elif r.status not in (0, 503):
                    problems.append("%d %r" % (r.status, r.body[:100]))

    threads = [threading.Thread(target=ask) for _ in range(10)]
    for t in threads:
        t.start()
    while len(whole) < 50:
        time.sleep(0.01)
    follower = socket.create_connection(("127.0.0.1", s.port))
    code = s.stop()
    go.set()
    for t in threads:
        t.join(60)
    follower.close()
    if code != 0:
        problems.append("exit %d: %s" % (code, s.err))
    report("it ends while it is asked", problems)


def tsp_states(s):
    """What a viewer of the protocol draws."""
    e = s.get("/tsp/api/experiments").json()[0]
    at = "/tsp/api/experiments/%s/outputs/timeGraph/cloud.vm.layers" % e["UUID"]
    entries = s.post(at + "/tree", {}).json()["model"]["entries"]
    return s.post(at + "/states", {"parameters": {
        "requested_timerange": {"start": e["start"], "end": e["end"], "nbTimes": 300},
        "requested_items": [x["id"] for x in entries]}}).body


def history_gone(path):
    """Histories are removed, and built anew, behind its back: it goes on with what it has."""
    problems = []
    with Server(path) as s:
        before = s.get("/api/v1/list/vms?limit=500").body
        drawn = tsp_states(s)
        shutil.rmtree(os.environ["NEPH_CACHE"], ignore_errors=True)
        for target in ("/api/v1/list/vms?limit=501", "/api/v1/list/tasks?limit=502",
                       "/api/v1/rows?scope=vms", "/api/v1/events?limit=2"):
            r = s.get(target)
            if r.status != 200:
                problems.append("%s: %d %r" % (target, r.status, r.body[:100]))
        if s.get("/api/v1/list/vms?limit=501").body != before:
            problems.append("another answer")
        subprocess.run([NEPH, "summary", "--rebuild", path], capture_output=True, timeout=300)
        if s.get("/api/v1/list/vms?limit=503").body != before:
            problems.append("another answer after it was built anew")
        if tsp_states(s) != drawn or b'"states":[{' not in drawn:
            problems.append("other states after it was built anew")
        if s.stop() != 0:
            problems.append("exit %d: %s" % (s.p.returncode, s.err))
    report("histories that vanish", problems)


def main():
    many(sim("migration-hogs"))
    connections(golden("vm_migrating"))
    huge_answers(sim("migration-hogs"))
    etags(golden("vm_migrating"))
    path = large()
    progress(path)
    cancelled(path)
    ends_well(sim("small-cloud"))
    history_gone(sim("small-cloud"))
    end()


main()
