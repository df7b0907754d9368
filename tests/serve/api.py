#!/usr/bin/env python3
"""/api/v1: every route answers what its description says, and what the commands say.

usage: api.py path/to/neph
"""

import json

from _server import Server, end, golden, neph, quoted, report, sim


def fits(value, schema, where, problems):
    """What of a value contradicts a JSON schema, as openapi.json uses it."""
    types = schema.get("type")
    names = {"string": str, "integer": int, "number": (int, float), "boolean": bool, "array": list,
             "object": dict, "null": type(None)}
    if types:
        allowed = [types] if isinstance(types, str) else types
        if not any(isinstance(value, names[t]) and
                   not (isinstance(value, bool) and t in ("integer", "number")) for t in allowed):
            problems.append("%s: %r is no %s" % (where, str(value)[:60], "/".join(allowed)))
            return
    if isinstance(value, dict):
        for name in schema.get("required", ()):
            if name not in value:
                problems.append("%s lacks %s" % (where, name))
        for name, v in value.items():
            if name in schema.get("properties", {}):
                fits(v, schema["properties"][name], where + "." + name, problems)
            elif "additionalProperties" in schema:
                fits(v, schema["additionalProperties"], where + "." + name, problems)
            elif "properties" in schema:
                problems.append("%s has %s, which is not described" % (where, name))
    if isinstance(value, list) and "items" in schema:
        for i, v in enumerate(value):
            fits(v, schema["items"], "%s[%d]" % (where, i), problems)


def first(s, scope):
    """A row of each type."""
    rows = s.get("/api/v1/rows?scope=" + quoted(scope)).json()["rows"]
    return {t: [r["id"] for r in rows if r["type"] == t] for t in ("state", "curve")}


def a_thread(s):
    """One that ran, of a host whose kernel was traced: its query; None if there is none."""
    for r in s.get("/api/v1/top/cpu?by=thread&limit=5").json():
        if r["tid"]:
            return "host=%s&thread=%d" % (quoted(r["host"]), r["tid"])
    return None


def fill(path, s, args):
    """A path of the description with its holes filled."""
    for hole, value in args.items():
        path = path.replace("{%s}" % hole, quoted(value))
    return path


def every_route(s, name, holes, scope):
    doc = s.get("/api/v1/openapi.json").json()
    rows = first(s, scope)
    query = {"/api/v1/rows": "scope=" + quoted(scope),
             "/api/v1/strip": "px=50&row=" + quoted(rows["state"][0]),
             "/api/v1/curve": "px=50&row=" + quoted((rows["curve"] or rows["state"])[0]),
             "/api/v1/at": "t=1000&row=" + quoted(rows["state"][0]),
             "/api/v1/arrows": "scope=" + quoted(scope),
             "/api/v1/critical": a_thread(s),
             "/api/v1/search": "q=c"}
    problems, called = [], 0
    for path, methods in doc["paths"].items():
        for method, about in methods.items():
            if path == "/api/v1/cancel" or query.get(path, "") is None:
                continue
            target = fill(path, s, dict(holes, kind="vm", rule="vm-starved", other=holes["id"]))
            if path in query:
                target += "?" + query[path]
            r = s.request(method.upper(), target)
            called += 1
            content = about["responses"]["200"]["content"]
            if "text/event-stream" in content:
                if not r.body.startswith(b"retry:"):
                    problems.append("%s: %r" % (target, r.body[:100]))
                continue
            if r.status != 200 or r.headers["content-type"] != "application/json":
                problems.append("%s %s: %d %r" % (method, target, r.status, r.body[:200]))
                continue
            fits(r.json(), content["application/json"]["schema"], target, problems)
    if called < 40:
        problems.append("only %d routes" % called)
    report(name + ": every route of openapi.json answers as described", problems)


def same_as_commands(s, path, name, vm, by):
    problems = []
    for what in s.get("/api/v1/experiment").json()["lists"]:
        mine, theirs = s.get("/api/v1/list/%s" % what).json(), neph("list", what, path, "-o", "json")
        if mine != theirs:
            problems.append("list %s differs" % what)
    for view in ("top", "stats", "log", "freq"):
        for measure in ("cpu", "sched", "io"):
            mine = s.get("/api/v1/%s/%s" % (view, measure)).json()
            if mine != neph(view, measure, path, "-o", "json", "--limit", "10000"):
                problems.append("%s %s differs" % (view, measure))
    threads = s.get("/api/v1/top/cpu?by=thread").json()
    alone = [r for r in threads if r["tid"] and [x["tid"] for x in threads].count(r["tid"]) == 1]
    if by and not alone:
        problems.append("no thread whose number only one host has")
    for r in alone[:3]:  # not by --host: one host alone has no other's clock
        mine = s.get("/api/v1/critical?host=%s&thread=%d" % (quoted(r["host"]), r["tid"])).json()
        theirs = neph("critical", path, "--thread", str(r["tid"]), "-o", "json")
        if not mine or mine != theirs["flat"]:
            problems.append("critical of %d differs" % r["tid"])
    if s.get("/api/v1/findings").json() != neph("diagnose", path, "-o", "json"):
        problems.append("findings differ")
    if s.get("/api/v1/show/vm/" + quoted(vm)).json() != neph("show", "vm", vm, path, "-o", "json"):
        problems.append("show vm differs")
    for window in ("begin=%2B1s", "begin=%2B1s&end=%2B2s"):
        args = ["-b", "+1s"] + (["-e", "+2s"] if "end" in window else [])
        if s.get("/api/v1/list/tasks?" + window).json() != neph("list", "tasks", path, "-o", "json",
                                                                *args):
            problems.append("tasks within %s differ" % window)
    if s.get("/api/v1/explain").json() != neph("explain", "-o", "json"):
        problems.append("explain differs")
    for part, theirs in neph("doctor", path, "-o", "json").items():
        if part != "cache" and s.get("/api/v1/doctor").json()[part] != theirs:
            problems.append("doctor: %s differs" % part)
    if s.get("/api/v1/sync").json() != neph("sync", path, "-o", "json"):
        problems.append("sync differs")
    if by:
        ids = [m["id"] for m in s.get("/api/v1/list/migrations").json()]
        target = "/api/v1/compare/%s/%s" % (quoted(ids[0]), quoted(ids[-1]))
        if s.get(target).json() != neph("compare", ids[0], ids[-1], path, "-o", "json"):
            problems.append("compare differs")
        for m in s.get("/api/v1/list/migrations").json():
            target = "/api/v1/rounds/" + quoted(m["id"])
            if m["round_count"] and s.get(target).json() != neph("rounds", m["id"], path, "-o",
                                                                 "json"):
                problems.append("rounds %s differ" % m["id"])
    report(name + ": answers are those of the commands", problems)


def strips(s, path, name):
    """Runs are what `neph timeline -o json` has in its columns."""
    problems, n = [], 0
    exp = s.get("/api/v1/experiment").json()
    told = neph("timeline", "*/state", path, "-w", "60", "-o", "json")
    for a in told:
        row = "%s/%s" % (a["host"] or "", a["attribute"])
        t0, t1 = a["begin_ns"] - exp["t0_ns"], a["end_ns"] - exp["t0_ns"]
        r = s.get("/api/v1/strip?row=%s&t0=%d&t1=%d&px=60" % (quoted(row), t0, t1)).json()["rows"][0]
        if r.get("missing"):
            problems.append("no row " + row)
            continue
        cells = [None] * 60
        for run in r["runs"]:
            for i in range(run[0], run[1]):
                cells[i] = run
        legend = {}
        for i, px in enumerate(a["pixels"]):
            n += 1
            run = cells[i]
            if (px["value"] is None) != (run is None or run[2] < 0):
                problems.append("%s pixel %d: %r, not %r" % (row, i, run, px["value"]))
            elif px["value"] is not None:
                if legend.setdefault(run[2], px["value"]) != px["value"]:
                    problems.append("%s pixel %d: value %d is %s and %s" %
                                    (row, i, run[2], legend[run[2]], px["value"]))
    if n < 60:
        problems.append("only %d pixels compared" % n)
    report(name + ": strips have the values of neph timeline", problems)


def bad_states_stay(s):
    """However far one zooms out, a bad state within a pixel is flagged."""
    problems, seen = [], 0
    length = s.get("/api/v1/experiment").json()["length_ns"]
    reply = s.get("/api/v1/rows?scope=host:compute1").json()
    legend = reply["legends"]["threads/{tid}/state"]
    rows = [r["id"] for r in reply["rows"] if r["kind"] in ("thread", "vcpu")]
    wide = s.post("/api/v1/strip", {"rows": rows, "px": 4000}).json()
    px, wide = wide["px"], wide["rows"]
    one = s.post("/api/v1/strip", {"rows": rows, "px": 1}).json()["rows"]
    for row, far in zip(wide, one):
        bad = [r for r in row["runs"] if r[2] >= 0 and legend[r[2]]["bad"]]
        if not bad:
            continue
        seen += 1
        if len(far["runs"]) != 1 or not (far["runs"][0][3] & 2 or
                                         legend[far["runs"][0][2]]["bad"]):
            problems.append("%s in one pixel: %r" % (row["id"], far["runs"]))
        t = (bad[0][0] + bad[0][1]) * length // (2 * px)
        at = s.get("/api/v1/at?row=%s&t=%d" % (quoted(row["id"]), t)).json()
        if not at["bad"] or not at["t0"] <= t < at["t1"] or not at["evidence"]:
            problems.append("at: %r" % at)
    if not seen:
        problems.append("no bad state in the trace")
    report("bad states do not vanish, and say who did it", problems)


def events(s, path):
    """Pages of events, forwards and backwards, are the events."""
    import subprocess
    from _server import NEPH
    p = subprocess.run([NEPH, "events", path, "-o", "jsonl"], capture_output=True, timeout=60)
    all_events = [json.loads(x) for x in p.stdout.splitlines()]
    problems, got, page = [], [], s.get("/api/v1/events?limit=7").json()
    while True:
        got += page["events"]
        if not page["more"] or len(got) > len(all_events):
            break
        page = s.get("/api/v1/events?limit=7&after=" + page["after"]).json()
    if got != all_events:
        problems.append("forwards: %d events, not %d" % (len(got), len(all_events)))
    last = page
    got = list(page["events"])
    while len(got) <= len(all_events):
        page = s.get("/api/v1/events?limit=5&before=" + page["before"]).json()
        got = page["events"] + got
        if not page["more"]:
            break
    if got != all_events:
        problems.append("backwards: %d events, not %d" % (len(got), len(all_events)))
    if s.get("/api/v1/events?after=" + last["after"]).json()["events"]:
        problems.append("something is behind the last")
    if s.get("/api/v1/events?filter=" + quoted("name ==")).status != 400:
        problems.append("a bad filter is no error")
    name = all_events[0]["name"]
    page = s.get("/api/v1/events?limit=5000&filter=" + quoted('name == "%s"' % name)).json()
    if page["events"] != [e for e in all_events if e["name"] == name]:
        problems.append("filtered: %d" % len(page["events"]))
    report("events come in pages", problems)


def tracks(s):
    """Records are rows: what a page of a migration and a request shows is there."""
    problems = []
    m = s.get("/api/v1/list/migrations").json()[0]
    for scope, kinds in (("migration:" + m["id"], ("stage", "curve", "vcpu")),
                         ("vm:" + m["vm"], ("stage", "vcpu"))):
        reply = s.get("/api/v1/rows?scope=" + quoted(scope)).json()
        have = {r["kind"] for r in reply["rows"]}
        problems += ["%s has no %s" % (scope, k) for k in kinds if k not in have]
        for r in reply["rows"]:
            if r["legend"] and r["legend"] not in reply["legends"]:
                problems.append("%s: no legend %s" % (r["id"], r["legend"]))
            if r["parent"] and r["parent"] not in {x["id"] for x in reply["rows"]}:
                problems.append("%s: no parent %s" % (r["id"], r["parent"]))
        ids = [r["id"] for r in reply["rows"] if r["type"] == "state"]
        strip = s.post("/api/v1/strip", {"rows": ids, "px": 300}).json()
        if [r["id"] for r in strip["rows"]] != ids or any(r.get("missing") for r in strip["rows"]):
            problems.append("%s: rows are missing" % scope)
        if not any(r["runs"] for r in strip["rows"]):
            problems.append("%s: all strips are empty" % scope)
        for r in strip["rows"]:
            end_px = 0
            for run in r["runs"]:
                if not end_px <= run[0] < run[1] <= 300:
                    problems.append("%s: run %r" % (r["id"], run))
                end_px = run[1]
                if len(run) > 4 and not 0 <= run[4] < len(r["labels"]):
                    problems.append("%s: label %r" % (r["id"], run))
    curves = [r["id"] for r in s.get("/api/v1/rows?scope=" + quoted("migration:" + m["id"])).json()
              ["rows"] if r["type"] == "curve"]
    for r in s.post("/api/v1/curve", {"rows": curves, "px": 100}).json()["rows"]:
        n = {len(r[k]) for k in ("min", "max", "last", "mean")}
        if n != {100} or any((a is None) != (b is None) or (a is not None and a > b)
                             for a, b in zip(r["min"], r["max"])):
            problems.append("%s: points %r" % (r["id"], n))
    report("migrations are rows and curves", problems)


def arrows_of_calls(s, path):
    """Arrows of a request are its calls, with the latencies and bounds of `neph list calls`."""
    problems, seen, between = [], 0, 0
    calls = neph("list", "calls", path, "-o", "json")
    for request in sorted({c["request_id"] for c in calls if c["request_id"]}):
        reply = s.get("/api/v1/arrows?limit=20000&scope=" + quoted("request:" + request))
        if reply.status != 200:
            continue
        rows = s.get("/api/v1/rows?scope=" + quoted("request:" + request)).json()["rows"]
        host = {r["id"]: r["host"] for r in rows}
        found = [(a["label"], host[a["from"]], host[a["to"]], a["t_to"] - a["t_from"],
                  a["bound_ns"]) for a in reply.json()["arrows"] if a["kind"] in ("call", "cast")]
        told = [(c["name"], c["client_host"], c["server_host"], c["there_ns"], c["bound_ns"])
                for c in calls if c["request_id"] == request]
        problems += ["%s: no arrow for %r" % (request, c) for c in told if c not in found]
        problems += ["%s: an arrow %r" % (request, a) for a in found if a not in told]
        seen += len(found)
        between += sum(1 for a in found if a[1] != a[2] and a[4])
        for a in reply.json()["arrows"]:
            if a["order_known"] and (a["bound_ns"] is None or
                                     a["t_to"] - a["t_from"] < -a["bound_ns"]):
                problems.append("an order that clocks can't know: %r" % a)
    if seen < 10 or between < 3:
        problems.append("only %d arrows, %d between hosts" % (seen, between))
    report("calls are arrows, with their bounds", problems)


def arrows_of_migrations(s):
    """What went to the destination: the guest's arrow is as long as it stood still."""
    problems = []
    for m in s.get("/api/v1/list/migrations").json():
        show = s.get("/api/v1/show/migration/" + quoted(m["id"])).json()["migration"][0]
        down = [d for d in show["downtimes"] if d["source"] == "states"][0]
        for scope in ("migration:" + m["id"], "vm:" + m["vm"]):
            rows = {r["id"]: r for r in
                    s.get("/api/v1/rows?scope=" + quoted(scope)).json()["rows"]}
            all_arrows = s.get("/api/v1/arrows?limit=20000&scope=" + quoted(scope)).json()["arrows"]
            mine = [a for a in all_arrows if a["kind"] == "migration"]
            if len(mine) != 2:
                problems.append("%s: %r" % (scope, mine))
                continue
            for a in mine:
                ends = (rows[a["from"]]["host"], rows[a["to"]]["host"])
                if ends != (m["source"], m["destination"]):
                    problems.append("%s: from %s to %s" % (scope, *ends))
            a = mine[1]
            if (a["t_to"] - a["t_from"], a["bound_ns"]) != (down["duration_ns"], down["bound_ns"]):
                problems.append("%s: %r is not %r" % (scope, a, down))
    report("a migration leads from host to host", problems)


def losses(s):
    """Losses are told trace by trace, with their CPU and time."""
    problems = []
    told = s.get("/api/v1/doctor").json()
    traces = [t for h in told["hosts"] for t in h["traces"]]
    for t in traces:
        own = [x for x in told["losses"] if x["stream"].startswith(t["path"] + "/")]
        if sum(x["events"] for x in own) != t["discarded_events"]:
            problems.append("%s: %d lost, %r" % (t["path"], t["discarded_events"], own))
        if any(x["cpu"] is None or x["from_ns"] >= x["to_ns"] for x in own):
            problems.append("no CPU or time: %r" % own)
    if not told["losses"]:
        problems.append("nothing was lost")
    missing = s.get("/api/v1/missing").json()["missing"]
    if not any("compute1" in m["hosts"] and m["measures"] for m in missing):
        problems.append("missing: %r" % missing)
    report("losses are told trace by trace", problems)


def main():
    path = sim("migration-hogs")
    with Server(path) as s:
        m = s.get("/api/v1/list/migrations").json()[0]
        every_route(s, "migration", {"id": m["vm"]}, "vm:" + m["vm"])
        same_as_commands(s, path, "migration", m["vm"], True)
        strips(s, path, "migration")
        tracks(s)
        arrows_of_migrations(s)
        code = s.stop()
        report("ends with 0", [] if code == 0 else ["exit %d: %s" % (code, s.err)])
    path = sim("small-cloud")
    with Server(path) as s:
        vm = s.get("/api/v1/list/vms").json()[0]["vm"]
        same_as_commands(s, path, "cloud", vm, False)
        strips(s, path, "cloud")
        ids = [x["request_id"] for x in s.get("/api/v1/list/requests").json() if x["tasks"]]
        rows = s.get("/api/v1/rows?scope=request:" + quoted(ids[0])).json()["rows"]
        report("a request has lanes of tasks",
               [] if any(r["kind"] == "task" for r in rows) else [rows])
    path = sim("cloud-kernel")
    with Server(path) as s:
        arrows_of_calls(s, path)
    with Server(sim("kernel-lost")) as s:
        losses(s)
    with Server(golden("kernel_preemption")) as s:
        bad_states_stay(s)
        events(s, golden("kernel_preemption"))
    end()


main()
