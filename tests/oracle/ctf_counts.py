#!/usr/bin/env python3
"""Counts of real traces: events, discarded events, lost packets, bad packets.

usage: ctf_counts.py path/to/neph

The numbers are those that several readers agree on, or that follow from the counters
in the packets' headers where they do not: babeltrace2 2.0.4 stops in the two
`scp` traces at events 11,682 and 11,679, and adds up the counter of `ust-overwrite`,
which goes back, to 18,446,744,073,709,489,204 lost events (2.1.1: 240,777).  The same must
come out of the packet-parallel pass that `neph stats` makes and of the merged one that
`neph events` makes, and the losses that `neph doctor` lists, with the time in which
each lies, must add up to them.
"""

import json
import os
import subprocess
import sys
import tempfile

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
TRACES = os.path.join(os.path.dirname(TOP), "shared", "traces")

# archive: folder in it, events, discarded events, lost packets
COUNTS = {
    "lttng-ust-2.13.tar.xz": [
        ("ctf-ust/ust-all", 13000, 0, 0),
        ("ctf-ust/ust-all-ctf2", 13000, 0, 0),
        ("ctf-ust/ust-lost", 10244, 789756, 0),
        ("ctf-ust/ust-overwrite", 6447, 178365, 1077),
        ("ctf-ust/ust-python", 4020, 0, 0),
        ("ctf-ust/ust-sessrot", 18200, 0, 0),
        ("ctf-ust/ust-tfrot", 13355, 91287, 0),
    ],
    "scp-two-hosts.tar.xz": [
        ("synctraces/scp_src", 110771, 0, 0),
        ("synctraces/scp_dest", 85729, 0, 0),
    ],
    "many-threads.tar.xz": [("many-threads", 240644, 0, 0)],
    "lab/kernel-small.tar.xz": [("kernel-small", 309328, 0, 0)],
}


def check(neph, path, name, events, discarded, lost):
    p = subprocess.run([neph, "stats", "-q", "-o", "json", path], capture_output=True, text=True)
    seen = json.loads(p.stdout) if p.returncode == 0 else {}
    got = tuple(seen.get(k) for k in ("events", "discarded_events", "lost_packets", "bad_packets"))
    want = (events, discarded, lost, 0)
    merged = subprocess.Popen([neph, "events", "-q", "-o", "jsonl", path],
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    lines = sum(block.count(b"\n") for block in iter(lambda: merged.stdout.read(1 << 20), b""))
    merged.wait()
    good = got == want and lines == events
    print("%s counts/%s" % ("ok" if good else "not ok", name))
    if not good:
        print("# %r instead of %r; %d lines of events" % (got, want, lines))
    return good


def check_losses(neph, path, name, discarded, lost):
    p = subprocess.run([neph, "doctor", "-q", "-o", "json", path], capture_output=True, text=True)
    losses = json.loads(p.stdout)["losses"]
    sums = tuple(sum(x[k] for x in losses) for k in ("events", "packets"))
    odd = [x for x in losses if x["from_ns"] is not None and x["from_ns"] > x["to_ns"]]
    good = sums == (discarded, lost) and not odd
    print("%s losses/%s" % ("ok" if good else "not ok", name))
    if not good:
        print("# %r instead of %r; end before they begin: %r" % (sums, (discarded, lost), odd[:3]))
    return good


def main():
    neph = os.path.abspath(sys.argv[1])
    good = True
    for archive, rows in COUNTS.items():
        path = os.path.join(TRACES, archive)
        if not os.path.exists(path):
            print("skip counts/%s: no ../shared/traces/%s" % (archive.split(".")[0], archive))
            continue
        with tempfile.TemporaryDirectory(prefix="neph-counts-") as tmp:
            subprocess.run(["tar", "-xf", path, "-C", tmp], check=True)
            for folder, events, discarded, lost in rows:
                good &= check(neph, os.path.join(tmp, folder), folder, events, discarded, lost)
                good &= check_losses(neph, os.path.join(tmp, folder), folder, discarded, lost)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
