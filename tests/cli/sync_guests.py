#!/usr/bin/env python3
"""Clocks by packets of guests: through a tunnel, over taps, with and without headers.

usage: sync_guests.py path/to/neph

Two hosts carry what their guests say to each other: a packet is received from the sender's tap, sent
into the tunnel, received from it at the other host and sent to the receiver's tap.  A host did not
send what it hands to its guest, and did not receive from another host what its guest gave it;
whoever takes it so finds clocks that are wrong by the whole way.
"""

import json
import os
import subprocess
import sys
import tempfile

NEPH = os.path.abspath(sys.argv[1])
START = 1700000000 * 10**9
OFFSET = 5 * 10**6  # of b's clock against a's
WAY = 200000  # ns from host to host
NEAR = 3000  # from one device of a host to the next


def report(name, problems):
    print("%s %s" % ("not ok" if problems else "ok", name))
    for x in problems:
        print("# " + x)


def packet(host, t, name, dev, seq, back, headers):
    at = START + t + (OFFSET if host == "b" else 0)
    fields = {"skbaddr": 4096 + seq * 64, "len": 152, "name": dev}
    if headers:
        a, b = [192, 168, 0, 1], [192, 168, 0, 2]
        fields["network_header_type"] = 1
        fields["network_header"] = {
            "version": 4, "ihl": 5, "tot_len": 140, "id": (seq * 7 + back) & 0xffff, "ttl": 64,
            "saddr": b if back else a, "daddr": a if back else b,
            "transport_header": {"source_port": 80 if back else 40000,
                                 "dest_port": 40000 if back else 80, "seq": seq * 100,
                                 "ack_seq": seq * 100, "data_offset": 5, "flags": 24}}
    return {"t_ns": at, "host": host, "cpu": 0, "name": name, "fields": fields, "context": {}}


def cross(t, seq, back, headers_of, bridge):
    """One packet from guest to guest; headers_of(host, dev): does a reception have them?"""
    here, there = ("b", "a") if back else ("a", "b")
    rx, tx = "net_if_receive_skb", "net_dev_queue"
    far = t + NEAR + WAY
    yield packet(here, t, rx, "tap1", seq, back, headers_of(here, "tap1"))
    if bridge:
        yield packet(here, t + NEAR // 2, rx, "qbr1", seq, back, headers_of(here, "qbr1"))
    yield packet(here, t + NEAR, tx, "vxlan_sys_4789", seq, back, True)
    yield packet(there, far, rx, "vxlan_sys_4789", seq, back, headers_of(there, "vxlan_sys_4789"))
    yield packet(there, far + NEAR, tx, "tap2", seq, back, True)


def sync(headers_of, bridge=False):
    events = []
    for i in range(400):
        events += cross(i * 10**7, i, 0, headers_of, bridge)
        events += cross(i * 10**7 + 4 * 10**6, i, 1, headers_of, bridge)
    events.sort(key=lambda e: e["t_ns"])
    with tempfile.TemporaryDirectory() as tmp:
        path = os.path.join(tmp, "in.jsonl")
        with open(path, "w") as f:
            for e in events:
                f.write(json.dumps(e) + "\n")
        run = [NEPH, "sync", "-q", "--no-cache", "--reference", "a", "-o", "json"]
        p = subprocess.run(run + [path], capture_output=True, text=True, timeout=60)
        if p.returncode != 0:
            raise RuntimeError(p.stderr)
        at = subprocess.run(run + ["--at", str(START + 2 * 10**9), path], capture_output=True,
                            text=True, timeout=60)
        return json.loads(p.stdout), json.loads(at.stdout)


def error(at):
    """Problems of the bound at the instant asked for: is the truth outside?"""
    bound = [h for h in at["hosts"] if h["host"] == "b"][0]["bound_ns"]
    lo, hi = bound["lo"], bound["hi"]
    # In the reference's time b shows OFFSET too much.
    if (lo is None or lo <= -OFFSET) and (hi is None or -OFFSET <= hi):
        return []
    return ["%r to %r, true is %r" % (lo, hi, -OFFSET)]


def quality(r):
    return [h for h in r["hosts"] if h["host"] == "b"][0]["quality"]


def main():
    r, at = sync(lambda host, dev: True)
    pair = r["pairs"][0] if r["pairs"] else {"used": 0}
    problems = error(at)
    if quality(r) != "exact" or pair["used"] < 700:
        problems.append("quality %s, used %s" % (quality(r), pair["used"]))
    report("tunnel, all headers", problems)
    for name, has in (("tap alone has headers", lambda host, dev: dev.startswith("tap")),
                      ("no headers at all", lambda host, dev: False),
                      ("one host has headers", lambda host, dev: host == "a"),
                      ("the tunnel alone has headers", lambda host, dev: dev.startswith("vx"))):
        for bridge in (False, True):
            r, at = sync(has, bridge)
            report("tunnel, %s%s: %s" % (name, ", a bridge" if bridge else "", quality(r)),
                   error(at))


main()
