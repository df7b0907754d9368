#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What neph says of hosts' clocks, against clouds whose clocks are known.

usage: sync_truth.py path/to/neph

Simulated clouds: truth.json has each host's clock, so the time of the reference is known for
every instant of every host.  The bounds must hold it, messages must not go back in time, the
order of events must be right or said to be unknown.  Recorded ones: clocks that were measured
from outside while the traces were taken, and results that others have published.
"""

import bisect
import csv
import glob
import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile

from _helper import report

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SCENARIOS = os.path.join(TOP, "sim", "scenarios")
TRACES = os.path.join(os.path.dirname(TOP), "shared", "traces")
SEEDS = (1, 2, 3)
MS = 1000000
S = 1000 * MS


class Clock:
    """A host's clock, as truth.json has it: exact, as the simulator rounds."""

    def __init__(self, pieces):
        self.pieces = pieces

    @staticmethod
    def at(p, t):
        ahead = (t - p["from_ns"]) * p["drift_ppb"]
        return p["local_ns"] + t - p["from_ns"] + (abs(ahead) // S if ahead >= 0 else
                                                   -(abs(ahead) // S))

    def local(self, t):
        before = [p for p in self.pieces if p["from_ns"] <= t] or self.pieces[:1]
        return self.at(before[-1], t)

    def true(self, local):
        """The first instant at which it shows that, or more."""
        i = max([k for k, p in enumerate(self.pieces) if p["local_ns"] <= local] or [0])
        p = self.pieces[i]
        t = p["from_ns"] + (local - p["local_ns"]) * S // (S + p["drift_ppb"]) - 2
        while self.at(p, t) < local:
            t += 1
        after = self.pieces[i + 1]["from_ns"] if i + 1 < len(self.pieces) else t
        return min(t, after)


class Bounds:
    """The knots of one host of `neph sync -o json`."""

    def __init__(self, host):
        self.quality = host["quality"]
        self.knots = host["knots"]
        self.at_ns = [k[0] for k in self.knots]

    def of(self, local):
        """(shown, earliest, latest) between the knots; None outside and where it is open."""
        i = bisect.bisect_right(self.at_ns, local)
        i -= i == len(self.knots) and self.at_ns[-1:] == [local]
        if i == 0 or i == len(self.knots):
            return None
        a, b = self.knots[i - 1], self.knots[i]
        if None in a or None in b:
            return None
        return [a[k] + (b[k] - a[k]) * (local - a[0]) // (b[0] - a[0]) for k in (1, 2, 3)]


class Cloud:
    """One simulated cloud and what neph says of it."""

    def __init__(self, neph, work, name, scenario):
        self.neph, self.name = neph, name
        path = os.path.join(work, "scenario.json")
        self.dir = os.path.join(work, name.replace(" ", "-").replace(",", ""))
        with open(path, "w", encoding="utf-8") as f:
            json.dump(scenario, f)
        done = subprocess.run([neph, "sim", "-q", path, "-o", self.dir], capture_output=True,
                              text=True, check=False)
        if done.returncode:
            raise RuntimeError(name + ": " + done.stderr)
        with open(os.path.join(self.dir, "truth.json"), encoding="utf-8") as f:
            self.truth = json.load(f)
        self.clocks = {h["name"]: Clock(h["clock"]) for h in self.truth["hosts"]}
        self.made = {}

    def run(self, *args):
        if args not in self.made:
            done = subprocess.run([self.neph, *args, "-q", self.dir], capture_output=True,
                                  text=True, check=False)
            if done.returncode:
                raise RuntimeError("%s: %s: %s" % (self.name, args, done.stderr))
            self.made[args] = done.stdout
        return self.made[args]

    def sync(self, *args):
        return json.loads(self.run("sync", "-o", "json", *args))

    def events(self, *args):
        if ("events", args) not in self.made:
            text = self.run("events", "-o", "jsonl", *args)
            self.made["events", args] = [json.loads(x) for x in text.splitlines()]
        return self.made["events", args]

    def done(self):
        shutil.rmtree(self.dir, ignore_errors=True)

    def in_reference(self, host, local, reference):
        """What the reference's clock really showed when the host's showed 'local'."""
        return self.clocks[reference].local(self.clocks[host].true(local))

    def span(self, host):
        own = [e["t_ns"] for e in self.events("--sync", "none") if e["host"] == host]
        return own[0], own[-1]


def scenario_of(name):
    with open(os.path.join(SCENARIOS, name + ".json"), encoding="utf-8") as f:
        return json.load(f)


# --- simulated clouds ------------------------------------------------------------------


def check_bounds(c, doc, problems):
    """All over each history, by the knots: 200 instants of each host."""
    n = 0
    for h in doc["hosts"]:
        if h["quality"] not in ("exact", "one-way"):
            continue
        b = Bounds(h)
        first, last = c.span(h["host"])
        for i in range(201):
            local = first + (last - first) * i // 200
            got = b.of(local)
            real = c.in_reference(h["host"], local, doc["reference"])
            if got and not got[1] - 1 <= real <= got[2] + 1:
                problems.append("%s at %d: %d is not from %d to %d" %
                                (h["host"], local, real, got[1], got[2]))
            n += got is not None
    return n


def check_at(c, reference, problems):
    """neph sync --at: at the beginning, in the middle, at the end."""
    first, last = c.span(reference)
    for t in (first, (first + last) // 2, last):
        for h in c.sync("--at", str(t), "--reference", reference)["hosts"]:
            lo, hi = h["bound_ns"]["lo"], h["bound_ns"]["hi"]
            real = c.in_reference(h["host"], h["local_ns"], reference) - h["local_ns"]
            if (lo is not None and real < lo - 1) or (hi is not None and real > hi + 1):
                problems.append("--at %d, %s: %d is not from %s to %s" % (t, h["host"], real, lo, hi))
            if h["corrected_ns"] != t:
                problems.append("--at %d: shown as %d" % (t, h["corrected_ns"]))


def packet_of(e):
    h = e["fields"]["network_header"]
    t = h.get("transport_header", {}) if isinstance(h, dict) else {}
    if "seq" not in t:
        return None
    return (tuple(h["saddr"]), tuple(h["daddr"]), t["source_port"], t["dest_port"], t["seq"],
            t["ack_seq"], h["id"], h["ttl"])


def check_messages(c, problems):
    """No packet is received before it was sent; nor does the first byte of a merged one."""
    sent, n = {}, 0
    for e in c.events():
        if e["name"] == "net_dev_queue" and packet_of(e):
            sent.setdefault(packet_of(e), e["t_ns"])
    for e in c.events():
        if e["name"] == "net_if_receive_skb" and packet_of(e) in sent:
            n += 1
            if e["t_ns"] < sent[packet_of(e)]:
                problems.append("received %d ns before it was sent" %
                                (sent[packet_of(e)] - e["t_ns"]))
    return n


def pairs_of_events(c, *args):
    """Each event as it is shown, with the host's own time of it."""
    own = {}
    for e in c.events("--sync", "none"):
        own.setdefault(e["host"], []).append(e)
    place = dict.fromkeys(own, 0)
    for e in c.events(*args):
        mine = own[e["host"]][place[e["host"]]]
        place[e["host"]] += 1
        if mine["name"] != e["name"] or mine["fields"] != e["fields"]:
            raise RuntimeError("%s: another order within %s" % (c.name, e["host"]))
        yield e, mine["t_ns"]


def check_order(c, doc, problems):
    """Events come in order of what is shown; two that are the wrong way round are closer than
    their bounds."""
    bounds = {h["host"]: Bounds(h) for h in doc["hosts"]}
    before, latest, wrong = None, None, 0
    for e, own in pairs_of_events(c):
        shown, host = e["t_ns"], e["host"]
        real = c.in_reference(host, own, doc["reference"])
        if before is not None and shown < before:
            problems.append("%d is shown after %d" % (shown, before))
        before = shown
        got = [shown, shown, shown] if host == doc["reference"] else bounds[host].of(own)
        if not got:
            continue
        if abs(shown - got[0]) > 1 or not got[1] - 1 <= real <= got[2] + 1:
            problems.append("%s at %d: shown %d, really %d, bound %s" % (host, own, shown, real, got))
        if latest and latest[2] != host and latest[0] > real:
            wrong += 1
            if latest[1] < got[1]:  # said to be certainly earlier than this one
                problems.append("%s at %d: certainly after what came later" % (host, own))
        if not latest or real > latest[0]:
            latest = (real, got[2], host)
    return wrong


def check_flow(c, doc, problems):
    """In the flow of each request: what is not "order unknown" is in true order."""
    own, n = {}, [0, 0]
    for e, t in pairs_of_events(c):
        own[e["host"], e["t_ns"]] = t
    for r in json.loads(c.run("list", "requests", "-o", "json")):
        try:
            shown = json.loads(c.run("show", "request", "-o", "json", r["request_id"]))
        except RuntimeError as e:
            problems.append(str(e))
            continue
        last = None
        for row in shown["flow"]:
            t = own.get((row["host"], row["start_ns"]))
            real = None if t is None else c.clocks[row["host"]].true(t)
            if row["order"]:
                n[1] += 1
            elif last is not None and real is not None:
                n[0] += 1
                if real < last - 1:
                    problems.append("%s: %s %s is %d ns before the row above" %
                                    (r["request_id"], row["what"], row["name"], last - real))
            last = real
    return n


def check_calls(c, problems):
    """There and back take their time, and the time they took."""
    served, own, n = {}, {}, 0
    for e, t in pairs_of_events(c):
        own[e["host"], e["t_ns"]] = t
        if e["fields"].get("logger_name") == "ostrace.rpc":
            record = json.loads(e["fields"]["msg"])
            if record["event_type"] == "rpc.server.start":
                served[record["msg_id"] if "msg_id" in record else record["unique_id"]] = (e, t)
    for call in json.loads(c.run("list", "calls", "-o", "json")):
        for way in ("there_ns", "back_ns"):
            if call[way] is not None and call[way] < 0:
                problems.append("%s %s: %d" % (call["name"], way, call[way]))
        asked = own.get((call["client_host"], call["start_ns"]))
        if call["id"] not in served or asked is None or call["there_ns"] is None:
            continue
        e, t = served[call["id"]]
        real = c.clocks[e["host"]].true(t) - c.clocks[call["client_host"]].true(asked)
        n += 1
        # rates differ by less than 1000 ppm
        if abs(call["there_ns"] - real) > (call["bound_ns"] or 0) + real // 1000 + 2:
            problems.append("%s: %d there, really %d, bound %s" %
                            (call["name"], call["there_ns"], real, call["bound_ns"]))
    return n


def check_references(c, doc, problems):
    """Every host can be the reference, and all say the same of each other."""
    names = [h["host"] for h in doc["hosts"]]
    by = {r: c.sync("--reference", r) for r in names}
    for r, d in by.items():
        if d["reference"] != r:
            problems.append("--reference %s: %s" % (r, d["reference"]))
        check_bounds(c, d, problems)
        check_at(c, r, problems)
    for a in names:
        for b in names:
            ha = [h for h in by[b]["hosts"] if h["host"] == a][0]
            hb = [h for h in by[a]["hosts"] if h["host"] == b][0]
            if a >= b or "exact" not in (ha["quality"], hb["quality"]):
                continue
            middle = (ha["knots"][0][0] + ha["knots"][-1][0]) // 2
            there = Bounds(ha).of(middle)
            back = Bounds(hb).of(there[0]) if there else None
            if not back or abs(back[0] - middle) > (there[2] - there[1]) + (back[2] - back[1]):
                problems.append("%s to %s and back: %s" %
                                (a, b, None if not back else back[0] - middle))


def check_file(c, doc, problems):
    """--sync FILE says what auto says."""
    path = os.path.join(c.dir, "..", "clocks.json")
    with open(path, "w", encoding="utf-8") as f:
        f.write(c.run("sync", "-o", "json"))
    for args in (("events", "-o", "jsonl"), ("list", "requests", "-o", "json"),
                 ("list", "calls", "-o", "json"), ("sync", "-o", "json", "--at", "+5s")):
        if c.run(*args) != c.run(*args, "--sync", path):
            problems.append("%s is another with --sync FILE" % " ".join(args))
    again = c.sync("--sync", path)
    for a, b in zip(doc["hosts"], again["hosts"]):
        for key in ("host", "quality", "knots", "drift_ppm", "bound_ns", "kept"):
            if a[key] != b[key]:
                problems.append("%s: %s is %s, was %s" % (a["host"], key, str(b[key])[:60],
                                                          str(a[key])[:60]))


def three_hosts(seed):
    """Shorter than the scenario's: Python reads every event."""
    scenario = dict(scenario_of("three-clocks"), seed=seed, duration_s=12)
    scenario["kernel"]["duration_s"] = 12
    return scenario


def three_clocks(neph, work):
    for seed in SEEDS:
        scenario = three_hosts(seed)
        c = Cloud(neph, work, "three clocks, seed %d" % seed, scenario)
        doc, problems = c.sync(), []
        if {h["quality"] for h in doc["hosts"]} != {"reference", "exact"}:
            problems.append(str([h["quality"] for h in doc["hosts"]]))
        n = check_bounds(c, doc, problems)
        check_at(c, doc["reference"], problems)
        report("%s: the truth is in all bounds (%d)" % (c.name, n), problems)
        problems = []
        n = check_messages(c, problems)
        report("%s: no message goes back in time (%d)" % (c.name, n), problems or
               ([] if n > 500 else ["only %d" % n]))
        problems = []
        check_order(c, doc, problems)
        report("%s: the order of events" % c.name, problems)
        problems = []
        known, unknown = check_flow(c, doc, problems)
        report("%s: the order within requests (%d known, %d not)" % (c.name, known, unknown),
               problems or ([] if known > 50 else ["only %d" % known]))
        problems = []
        n = check_calls(c, problems)
        report("%s: ways of calls (%d)" % (c.name, n), problems or
               ([] if n > 5 else ["only %d" % n]))
        problems = []
        check_references(c, doc, problems)
        report("%s: every host as the reference" % c.name, problems)
        problems = []
        check_file(c, doc, problems)
        report("%s: --sync FILE" % c.name, problems)
        c.done()


def services_alone(neph, work):
    """Only the services' records tie the hosts; both dialects."""
    for name, dialect in (("zed-small", "zed"), ("small-cloud", "2016")):
        for seed in SEEDS:
            scenario = dict(scenario_of(name), seed=seed, rpc_lines=True)
            scenario.pop("faults", None)
            c = Cloud(neph, work, "services of %s alone, seed %d" % (dialect, seed), scenario)
            doc, problems = c.sync(), []
            if {h["quality"] for h in doc["hosts"]} != {"reference", "exact"}:
                problems.append(str([h["quality"] for h in doc["hosts"]]))
            check_bounds(c, doc, problems)
            check_at(c, doc["reference"], problems)
            check_order(c, doc, problems)
            check_flow(c, doc, problems)
            check_calls(c, problems)
            check_file(c, doc, problems)
            report(c.name, problems)
            c.done()


def steps(neph, work):
    for seed in SEEDS:
        c = Cloud(neph, work, "a step, seed %d" % seed, dict(scenario_of("clock-step"), seed=seed))
        for reference in ("controller", "compute1"):
            doc, problems = c.sync("--reference", reference), []
            if doc["pairs"][0]["pieces"] != 2:
                problems.append("%d pieces" % doc["pairs"][0]["pieces"])
            check_bounds(c, doc, problems)
            check_at(c, reference, problems)
            report("%s: seen from %s" % (c.name, reference), problems)
        problems = []
        check_messages(c, problems)
        report("%s: no message goes back in time" % c.name, problems)
        c.done()
    scenario = scenario_of("clock-step")
    scenario["hosts"][1]["clock_changes"] = [{"at_s": 750, "drift_ppm": 60}]
    c = Cloud(neph, work, "a new rate", scenario)
    doc, problems = c.sync(), []
    if doc["pairs"][0]["pieces"] < 2:
        problems.append("%d pieces" % doc["pairs"][0]["pieces"])
    check_bounds(c, doc, problems)
    check_at(c, doc["reference"], problems)
    report(c.name, problems)
    c.done()


def qualities(neph, work):
    for seed in SEEDS:
        c = Cloud(neph, work, "one way, seed %d" % seed, dict(scenario_of("one-way"), seed=seed))
        doc, problems = c.sync(), []
        if sorted(h["quality"] for h in doc["hosts"]) != ["one-way", "reference"]:
            problems.append(str([h["quality"] for h in doc["hosts"]]))
        for reference in ("controller", "compute1"):
            check_at(c, reference, problems)
        if not any("one direction" in s["advice"] for s in doc["suggestions"]):
            problems.append("nothing is suggested")
        report(c.name, problems)
        c.done()
        c = Cloud(neph, work, "no packets, seed %d" % seed,
                  dict(scenario_of("no-packets"), seed=seed))
        doc, problems = c.sync("--reference", "controller"), []
        got = {h["host"]: h["quality"] for h in doc["hosts"]}
        if got != {"controller": "reference", "compute1": "exact", "compute2": "none"}:
            problems.append(str(got))
        check_bounds(c, doc, problems)
        check_at(c, "controller", problems)
        if not any(s["host"] == "compute2" and "no packets" in s["advice"]
                   for s in doc["suggestions"]):
            problems.append("nothing is suggested for compute2")
        report(c.name, problems)
        c.done()


def hours_apart(neph, work):
    scenario = three_hosts(1)
    scenario["hosts"][1]["clock_offset_ms"] = 9 * 3600e3
    scenario["hosts"][2]["clock_offset_ms"] = -20 * 3600e3
    c = Cloud(neph, work, "clocks that are hours apart", scenario)
    doc, problems = c.sync(), []
    check_bounds(c, doc, problems)
    check_order(c, doc, problems)
    check_messages(c, problems)
    if [h["quality"] for h in doc["hosts"]].count("exact") != 2:
        problems.append(str([h["quality"] for h in doc["hosts"]]))
    report(c.name, problems)
    c.done()


def clocks_of(doc):
    return [(h["host"], h["quality"], h["slope"], h["offset_ns"], h["knots"]) for h in doc["hosts"]]


def same_names(neph, work):
    """A host that is given twice is one; two machines of one name are two."""
    c = Cloud(neph, work, "hosts of one name", scenario_of("no-packets"))
    once = c.sync("--reference", "controller")
    twice = subprocess.run([neph, "sync", "-q", "-o", "json", "--reference", "controller", c.dir,
                            os.path.join(c.dir, "compute1")], capture_output=True, text=True,
                           check=False)
    report("a host that is given twice", [] if twice.returncode == 0 and
           clocks_of(json.loads(twice.stdout)) == clocks_of(once) else
           [twice.stderr or "other clocks"])
    where = os.path.join(c.dir, "compute1")
    other = os.path.join(c.dir, "compute2", "kernel", "metadata")
    with open(other, "rb") as f:
        data = f.read()
    with open(other, "wb") as f:
        f.write(data.replace(b'hostname = "compute2"', b'hostname = "compute1"'))
    done = subprocess.run([neph, "sync", "-o", "json", "--reference", "controller", c.dir],
                          capture_output=True, text=True, check=False)
    hosts = [h["host"] for h in json.loads(done.stdout or '{"hosts":[]}')["hosts"]]
    report("two machines of one name", [] if len(hosts) == 3 and hosts.count("controller") == 1 and
           len(set(hosts)) == 3 else [str(hosts), done.stderr])
    done = subprocess.run([neph, "sync", "-o", "json", "-q", "--reference", "controller", "--host",
                           "second=" + os.path.join(c.dir, "compute2"), c.dir],
                          capture_output=True, text=True, check=False)
    got = {h["host"]: h["quality"] for h in json.loads(done.stdout or '{"hosts":[]}')["hosts"]}
    report("--host NAME=PATH for one of them", [] if got == {
        "controller": "reference", "compute1": "exact", "second": "none"} else
        [str(got), done.stderr, where])
    c.done()


# --- recorded clouds -------------------------------------------------------------------


def unpack(archive, work):
    path = os.path.join(TRACES, archive)
    if not os.path.exists(path):
        print("skip %s: it is not here" % archive)
        return False
    with tarfile.open(path) as t:
        t.extractall(work)
    return True


def sync_of(neph, path, *args):
    done = subprocess.run([neph, "sync", "-q", "-o", "json", *args, path], capture_output=True,
                          text=True, check=False)
    if done.returncode:
        raise RuntimeError("%s: %s" % (path, done.stderr))
    return json.loads(done.stdout)


def host_of(doc, name):
    return [h for h in doc["hosts"] if h["host"] == name][0]


def scp(neph, work):
    """What Trace Compass finds (its test of the fully incremental algorithm)."""
    if not unpack("scp-two-hosts.tar.xz", work):
        return
    with open(os.path.join(TOP, "..", "shared", "groundtruth", "scp-matches.tsv"),
              encoding="utf-8") as f:
        rows = list(csv.DictReader(f, delimiter="\t"))
    doc, problems = sync_of(neph, os.path.join(work, "synctraces")), []
    h = [h for h in doc["hosts"] if h["quality"] == "exact"][0]
    b = Bounds(h)
    if doc["pairs"][0]["used"] != len(rows) or len(rows) != 46:
        problems.append("%d messages, not 46" % doc["pairs"][0]["used"])
    if abs(h["slope"] - 0.99994137837031390) > 1.2e-16:
        problems.append("slope %r" % h["slope"])
    if abs(h["offset_ns"] - 79796507913179.33) > 0.01:
        problems.append("offset %r" % h["offset_ns"])
    # the host whose clock is near 856 s is that which is corrected; none goes back
    for r in rows:
        src, dst = int(r["src_ns"]), int(r["dst_ns"])
        ours = src > dst  # it was sent by the host that is corrected
        got = b.of(src if ours else dst)
        if not got or (got[0] > dst + 1 if ours else got[0] < src - 1):
            problems.append("%s: %s" % (r, got))
    report("scp-two-hosts: messages, slope and offset as in Trace Compass", problems)


def exchanges(*paths):
    """(compute1's time, least and most that compute2 is ahead), of each exchange."""
    for path in paths:
        with open(path, encoding="utf-8") as f:
            for r in csv.DictReader(f):
                t1, t2, t3, t4 = (int(r["t%dr" % k]) for k in (1, 2, 3, 4))
                yield (t2 + t3) // 2, t1 - t2, t4 - t3


def measured(neph, work, folder, name, slack):
    """Exchanges over UDP, measured outside of the traces: what they allow and what the bounds
    allow must have something in common, everywhere."""
    doc = sync_of(neph, os.path.join(work, folder), "--reference", "compute2")
    h, problems, n = host_of(doc, "compute1"), [], 0
    b = Bounds(h)
    for t, least, most in exchanges(*glob.glob(os.path.join(work, name, "clock-*.csv"))):
        got = b.of(t)
        if not got:
            continue
        n += 1
        if t + most + slack < got[1] or t + least - slack > got[2]:
            problems.append("at %d: %d .. %d, measured %d .. %d" %
                            (t, got[1] - t, got[2] - t, least, most))
    return h, problems, n


def labs(neph, work):
    if unpack("lab/two-nodes.tar.xz", work):
        h, problems, n = measured(neph, work, "two-nodes", "two-nodes", 0)
        b = Bounds(h)
        least = 1 << 62
        for k in range(h["knots"][0][0], h["knots"][-1][0], S // 4):
            got = b.of(k)
            real = k + 5856842922 + (k - 1795348891392701270) * 80560 // S
            if got and (got[1] > real + 640851 or got[2] < real - 642038):
                problems.append("at %d: %d .. %d, really %d" % (k, got[1] - k, got[2] - k, real - k))
            least = min(least, got[2] - got[1]) if got else least
        if least > 600000:
            problems.append("no bound is closer than %d ns" % least)
        report("two-nodes: %d exchanges; the closest bound is %d us" % (n, least // 1000), problems)
    if unpack("lab/two-nodes-groff.tar.xz", work):
        h, problems, n = measured(neph, work, "two-nodes-groff", "two-nodes-groff", 0)
        report("two-nodes-groff: %d exchanges; bounds of %s" % (n, h["bound_ns"]), problems)
    if unpack("lab/migration-vm.tar.xz", work):
        h, problems, n = measured(neph, work, "migration", "migration", 0)
        b = Bounds(h)
        for k in range(h["knots"][0][0], h["knots"][-1][0], S // 4):
            got, real = b.of(k), k + 4915957009 - (k - 1795349026189930610) * 150 // S
            n += got is not None
            if got and (got[1] > real + 663513 or got[2] < real - 608762):
                problems.append("at %d: %d .. %d, really %d" % (k, got[1] - k, got[2] - k, real - k))
        report("migration-vm: %d instants; bounds of %s" % (n, h["bound_ns"]), problems)
    if unpack("lab/openstack-zed.tar.xz", work):
        for path in sorted(glob.glob(os.path.join(work, "openstack-zed", "*", "ctf"))):
            problems, n = [], 0
            doc = sync_of(neph, path)
            for h in doc["hosts"]:  # all were containers of one machine
                b = Bounds(h)
                for k in h["knots"]:
                    got = b.of(k[0])
                    n += got is not None
                    if got and not got[1] <= k[0] <= got[2]:
                        problems.append("%s at %d: %s" % (h["host"], k[0], got))
            report("openstack-zed, %s: one clock (%d knots)" %
                   (os.path.basename(os.path.dirname(path)), n), problems)


def main():
    neph = os.path.abspath(sys.argv[1])
    tests = (three_clocks, services_alone, steps, qualities, hours_apart, same_names, scp, labs)
    for test in tests:
        if len(sys.argv) > 2 and test.__name__ not in sys.argv[2:]:
            continue
        with tempfile.TemporaryDirectory() as work:
            try:
                test(neph, work)
            except (RuntimeError, LookupError, TypeError, ValueError) as e:
                report(test.__name__, ["%s: %s" % (type(e).__name__, e)])
    return 0


if __name__ == "__main__":
    sys.exit(main())
