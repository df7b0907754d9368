#!/usr/bin/env python3
"""Migrations: what is told of one that can't end and of one that does, and what neph says when
it is asked for something else.

usage: migrations.py path/to/neph

Two logs of QEMU's trace events are written here, with rounds whose numbers can be computed by
hand: 25600 pages of 4 KiB are sent at 10 MiB/s; the first guest dirties 10240 pages in each round
however short, the second ever less.
"""

import json
import os
import subprocess
import sys
import tempfile

NEPH = os.path.abspath(sys.argv[1])
PAGE = 4096
RATE = 10 * 1024 * 1024  # bytes a second
MEMORY = 25600  # pages
START = 1795375800.0


def log(dirtied, end, start=START, pid=700):
    """A log of the 'log' backend: rounds that dirty so many pages each, then 'end'."""
    lines = []

    def say(t, text):
        lines.append("%d@%.6f:%s" % (pid, t, text))

    say(start, "migrate_set_state new state setup")
    say(start + 0.01, "migration_bitmap_sync_start ")
    say(start + 0.011, "migration_bitmap_sync_end dirty_pages %d" % MEMORY)
    say(start + 0.012, "migrate_set_state new state active")
    t, rest = start + 0.011, MEMORY
    for pages in dirtied:
        took = rest * PAGE / RATE
        steps = max(1, int(took / 0.1))
        for i in range(steps):
            ms = took / steps * 1000
            say(t + (i + 1) * took / steps - 1e-5,
                "migrate_transferred transferred %d time_spent %d bandwidth %d max_size %d" %
                (RATE * ms / 1000, ms, RATE / 1000, RATE * 0.3))
        t += took
        say(t - 5e-6, "migration_bitmap_sync_start ")
        say(t, "migration_bitmap_sync_end dirty_pages %d" % pages)
        rest = pages
    if end == "completed":
        say(t + 0.001, "vm_state_notify running 0 reason 6 (finish-migrate)")
        t += rest * PAGE / RATE
    say(t + 0.002, "migrate_set_state new state %s" % end)
    return "\n".join(lines) + "\n"


def run(*args):
    return subprocess.run([NEPH] + list(args), stdin=subprocess.DEVNULL, capture_output=True,
                          text=True, timeout=120)


def report(name, problems, p=None):
    print("%s %s" % ("not ok" if problems else "ok", name))
    for x in problems:
        print("# " + x)
    if problems and p:
        print("# stderr: " + p.stderr[:500].replace("\n", "\n# "))


def load(*args):
    p = run(*args, "-o", "json")
    return json.loads(p.stdout) if p.returncode == 0 else None


def near(a, b, share=0.02):
    return a is not None and abs(a - b) <= share * abs(b)


def check_never(path):
    row = load("list", "migrations", path)[0]
    problems = []
    p = row["prediction"]
    for key in ("stages", "rounds", "disturbed_by", "downtimes", "unknown"):
        if not isinstance(row[key], list):
            problems.append("%s is no list" % key)
    for key, want in (("outcome", "cancelled"), ("ends", "never"), ("kind", "pre-copy")):
        if row[key] != want:
            problems.append("%s is %r, not %r" % (key, row[key], want))
    if p["ends"] is not False:
        problems.append("prediction.ends is %r" % p["ends"])
    # The working set is what every round dirties, at once: nothing ends below it.
    for key, want in (("bandwidth", RATE), ("working_set", 10240 * PAGE),
                      ("rest_bytes", 10240 * PAGE), ("limit_bytes", RATE * 0.3)):
        if not near(p[key], want, 0.05):
            problems.append("prediction.%s is %r, not about %r" % (key, p[key], want))
    # All of the working set has to be sent within the downtime.
    if not near(p["needed"]["downtime_ns"], 10240 * PAGE / RATE * 1e9, 0.05):
        problems.append("needed.downtime_ns is %r" % p["needed"]["downtime_ns"])
    report("one that never ends", problems)
    rounds = row["rounds"]
    problems = []
    if [r["dirty_pages"] for r in rounds][1:3] != [10240, 10240]:
        problems.append("dirty pages: %r" % [r["dirty_pages"] for r in rounds])
    if rounds[1]["prediction"]["ends"] is not False:
        problems.append("it is not known after round 2")
    if not near(rounds[1]["end_ns"] - rounds[1]["start_ns"], 4e9):
        problems.append("round 2 takes %r" % (rounds[1]["end_ns"] - rounds[1]["start_ns"]))
    if not near(rounds[1]["transfer_rate"], RATE) or not near(rounds[1]["dirty_rate"], RATE):
        problems.append("rates of round 2: %r" % rounds[1])
    report("its rounds", problems)
    return row["id"]


def check_rounds(path, name, rows):
    """`rounds` says what `list` says."""
    table = load("rounds", name, path)
    nested = [r for r in rows if r["id"] == name][0]["rounds"]
    problems = []
    for a, b in zip(table, nested):
        problems += ["round %d: %s differs" % (b["n"], k) for k in b if a.get(k) != b[k]]
    if len(table) != len(nested) or not table:
        problems.append("%d rounds, not %d" % (len(table), len(nested)))
    p = run("rounds", name, path)
    for word in ("was to move", "It was cancelled", "never ends", "####", "|",
                 "Each of these alone would let it end"):
        if word not in p.stdout:
            problems.append("the text does not say %r" % word)
    report("rounds: as in the list", problems, p)


def check_ends(path):
    row = load("list", "migrations", path)[0]
    problems = []
    if (row["outcome"], row["ends"], row["prediction"]["ends"]) != ("completed", "yes", True):
        problems.append("outcome %r, ends %r" % (row["outcome"], row["ends"]))
    if any(v is not None for v in row["prediction"]["needed"].values()):
        problems.append("needs something to end: %r" % row["prediction"]["needed"])
    if not row["rounds"][-1]["stopped"]:
        problems.append("the guest is not stopped in the last round")
    p = run("show", "migration", row["id"], path)
    if "Rounds, and what could be foreseen" not in p.stdout or "moved from" not in p.stdout:
        problems.append("show: %r" % p.stdout[:300])
    report("one that ends", problems, p)


def check_compare(path, a, b):
    s = load("compare", a, b, path)
    times = {(r["what"], r["layer"]): r for r in s["times"]}
    total = times[("total", "all")]
    problems = []
    if total["b_ns"] - total["a_ns"] != total["difference_ns"]:
        problems.append("total: %r" % total)
    both = [abs(r["difference_ns"]) for r in s["times"] if r["difference_ns"] is not None]
    if both != sorted(both, reverse=True):
        problems.append("not by the difference: %r" % both)
    first = times.get(("pre-copy", "qemu"))
    if not first or first["remark"] not in ("within the noise (5 %)", "the same"):
        problems.append("the first round is the same in both: %r" % first)
    report("compare", problems)
    s = load("compare", a, a, path)
    problems = ["%s: %r" % (r["what"], r["remark"]) for r in s["times"] + s["amounts"]
                if r["remark"] != "the same"]
    report("compare with itself", problems)


def check_fails(name, args, code, *said):
    p = run(*args)
    problems = [] if p.returncode == code else ["exit %d, not %d" % (p.returncode, code)]
    problems += ["stderr does not say %r" % w for w in said if w not in p.stderr]
    if p.stdout:
        problems.append("it prints %r" % p.stdout[:200])
    report(name, problems, p)


def check_bad(both, ids, empty):
    for cmd in (["rounds"], ["show", "migration"]):
        what = " ".join(cmd)
        check_fails(what + ": unknown id", cmd + ["nobody", both], 5, "no migration 'nobody'",
                    ids[0], ids[1])
        check_fails(what + ": none at all", cmd + ["x", empty], 5, "no migration")
        check_fails(what + ": empty id", cmd + ["", both], 5, "neph: ")
        check_fails(what + ": odd id", cmd + ["\x1b[31m%s%n", both], 5, "no migration")
        check_fails(what + ": no path", cmd + ["x"], 2)
    check_fails("compare: first unknown", ["compare", "a", ids[0], both], 5, "no migration 'a'")
    check_fails("compare: second unknown", ["compare", ids[0], "b", both], 5, "no migration 'b'")
    check_fails("compare: one id", ["compare", ids[0], both], 2)
    check_fails("rounds: unknown column", ["rounds", ids[0], both, "-c", "nothing"], 2, "nothing",
                "dirty_pages")
    check_fails("compare: no csv", ["compare", ids[0], ids[1], both, "-o", "csv"], 2)
    check_fails("show: unknown thing", ["show", "round", ids[0], both], 2, "migration")


def main():
    with tempfile.TemporaryDirectory() as tmp:
        def write(name, text):
            folder = os.path.join(tmp, name)
            os.makedirs(folder, exist_ok=True)
            path = os.path.join(folder, "qemu-%s.log" % name)
            with open(path, "w") as f:
                f.write(text)
            return path

        never = write("never", log([10240] * 4, "cancelled"))
        ends = write("ends", log([5000, 900, 100], "completed"))
        both = write("both", log([10240] * 4, "cancelled") +
                     log([5000, 900, 100], "completed", START + 60, 701))
        empty = os.path.join(tmp, "empty.jsonl")
        with open(empty, "w") as f:
            f.write('{"t_ns":1000000001,"host":"h1","cpu":0,"name":"tick","fields":{"n":1}}\n')
        name = check_never(never)
        check_rounds(never, name, load("list", "migrations", never))
        check_ends(ends)
        rows = load("list", "migrations", both)
        report("both are found", [] if len(rows) == 2 else ["%d rows" % len(rows)])
        if len(rows) == 2:
            check_compare(both, rows[0]["id"], rows[1]["id"])
            check_bad(both, [r["id"] for r in rows], empty)
    return 0


if __name__ == "__main__":
    sys.exit(main())
