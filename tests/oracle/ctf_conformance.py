#!/usr/bin/env python3
"""Reads the public CTF conformance corpora: what must be read, is read, bit by
bit; what must be refused, is refused with a sentence, in bounded time and memory.

usage: ctf_conformance.py path/to/neph

The corpora are in ../shared/traces, next to the project: babeltrace's data and
ctf-testsuite with the number of events that other readers see (results.tsv), and
yactfr's cases with dumps of every element and its bit offset (.expect).  The
dumps are compared with those of ctf_elements, a small program over the reader's
own code, which is compiled here.  A real trace in CTF 1 and rewritten as CTF 2
must give the same events.

Where we differ from another reader on purpose, docs/ctf-differences.md says why.
"""

import csv
import os
import re
import resource
import shutil
import subprocess
import sys
import tarfile
import tempfile

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
TRACES = os.path.join(os.path.dirname(TOP), "shared", "traces")
MEMORY = 500000 << 10
SECONDS = 5

# Cases that other readers refuse and we read with a warning: (events, sentence)
READ_WITH_WARNING = {
    "bt/fail/invalid-packet-size/trace": (10, "only padding is missing"),
}
# A sentence must say where.
WHERE = re.compile(r"line \d+|byte \d+|metadata")

failed = 0


def say(ok, name, why=""):
    global failed
    print("%s %s%s" % ("ok" if ok else "not ok", name, ": " + why if why and not ok else ""))
    failed += not ok


def limit():
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))


def run(argv):
    try:
        p = subprocess.run(argv, capture_output=True, timeout=SECONDS, preexec_fn=limit)
    except subprocess.TimeoutExpired:
        return None, "", "over %d s" % SECONDS
    return p.returncode, p.stdout.decode("utf-8", "replace"), p.stderr.decode("utf-8", "replace")


def stats(neph, path):
    """(exit code, events, bad packets, stderr)"""
    code, out, err = run([neph, "stats", "-o", "json", path])

    def number(key):
        m = re.search(r'^  "%s": (\d+)' % key, out, re.M)
        return int(m.group(1)) if m else 0

    return code, number("events"), number("bad_packets"), err


def expected_events(row):
    """As the readers see it that finish: 2.1.1, else 1.5.11."""
    for code, lines in (("bt2.1.1_rc", "bt2.1.1_lines"), ("bt1.5.11_rc", "bt1_lines")):
        if row[code] == "0":
            return int(row[lines])
    return None


def check_pass(neph, name, path, row):
    code, events, bad, err = stats(neph, path)
    want = expected_events(row)
    why = ""
    if code != 0:
        why = "exit %s: %s" % (code, err.strip()[:200])
    elif want is not None and events != want:
        why = "%d events instead of %d" % (events, want)
    elif bad:
        why = "%d bad packets: %s" % (bad, err.strip()[:200])
    say(not why, name, why)


def read_refusals():
    """Words that a sentence must have, by case."""
    with open(os.path.join(TOP, "tests", "oracle", "ctf_refusals.txt")) as f:
        rows = [x.rstrip("\n").split("\t") for x in f if "\t" in x and not x.startswith("#")]
    return dict(rows)


REFUSALS = read_refusals()


def check_fail(neph, name, path, row):
    code, events, bad, err = stats(neph, path)
    why = ""
    if code not in (0, 3):
        why = "exit %s: %s" % (code, err.strip()[:200])
    elif name in READ_WITH_WARNING:
        want, sentence = READ_WITH_WARNING[name]
        if events != want or sentence not in err:
            why = "%d events, %s" % (events, err.strip()[:200])
    elif code == 0 and not bad:
        why = "read without a complaint, %d events" % events
    elif not WHERE.search(err):
        why = "does not say where: %s" % err.strip()[:200]
    elif REFUSALS.get(name, "") not in err:
        why = "says %s instead of: %s" % (err.strip()[:200], REFUSALS[name])
    say(not why, name, why)


def check_corpora(neph, root):
    with open(os.path.join(root, "results.tsv"), newline="") as f:
        for row in csv.DictReader(f, delimiter="\t"):
            name = row["set"] + "/" + row["trace"]
            path = os.path.join(root, row["set"], row["trace"])
            if not os.path.isdir(path):
                print("skip conformance/%s: not in the archive" % name)
            elif row["expected"] == "pass":
                check_pass(neph, name, path, row)
            else:
                check_fail(neph, name, path, row)


def build_helper(tmp, neph):
    """ctf_elements, linked with the library that neph was linked with."""
    build = os.path.dirname(os.path.abspath(neph))
    library = os.path.join(build, "libneph_core.a")
    if not os.path.exists(library):
        return None, "no " + library
    if not shutil.which(os.environ.get("CC", "cc")):
        return None, "no C compiler"
    out = os.path.join(tmp, "ctf_elements")
    # Meson makes thin archives: their paths are those of the build folder.
    cc = subprocess.run([os.environ.get("CC", "cc"), "-std=gnu17", "-O1", "-DCTF_ELEMENTS",
                         "-I", os.path.join(TOP, "src"), "-o", out,
                         os.path.join(TOP, "tests", "oracle", "ctf_elements.c"), library,
                         "-lxxhash", "-ljansson", "-lexpat", "-lm", "-lpthread"],
                        capture_output=True, text=True, cwd=build)
    return (out, "") if cc.returncode == 0 else (None, cc.stderr.strip()[-400:])


def split_dump(text):
    """Elements, and what ended them early ('' if nothing did)."""
    lines = text.splitlines()
    for i, line in enumerate(lines):
        if line.startswith("REFUSED") or not re.match(r" *\d+ +([A-Z]+\d*\b|\})", line):
            return lines[:i], line
    return lines, ""


def whole_events(lines):
    """Events whose end is there too."""
    closed, indent = 0, None
    for line in lines:
        m = re.match(r" *\d+( +)(ER \{|\})$", line)
        if m and m.group(2) != "}":
            indent = m.group(1)
        elif m and m.group(1) == indent:
            closed, indent = closed + 1, None
    return closed


def first_difference(ours, theirs):
    for i, (a, b) in enumerate(zip(ours, theirs)):
        if a != b:
            return "element %d: %s instead of %s" % (i + 1, a.strip(), b.strip())
    return "%d elements instead of %d" % (len(ours), len(theirs))


def blob_as_array(lines):
    """CTF 2 cases made from CTF 1 have the UUID as a blob; the dump, as an array."""
    out, i = [], 0
    while i < len(lines):
        m = re.match(r"( *)(\d+)( +)SLA:uuid \{$", lines[i])
        if not m:
            out.append(lines[i])
            i += 1
            continue
        values = [re.match(r" *\d+ +FLUI:(\d+)$", x) for x in lines[i + 1:i + 17]]
        if not all(values):
            out.append(lines[i])
            i += 1
            continue
        out.append("%s%s%sSLB:uuid:application/octet-stream {" % m.groups())
        out.append("%s%s%s  RD:16:%s" % (m.groups() + (
            "".join("%02x" % int(v.group(1)) for v in values),)))
        i += 17
    return out


def check_elements(helper, name, path, expect, is_translated):
    with open(expect) as f:
        theirs, their_end = split_dump(f.read())
    if is_translated:
        theirs = blob_as_array(theirs)
    code, out, err = run([helper, path])
    ours, our_end = split_dump(out)
    why = ""
    if code is None or code not in (0, 1):
        why = "exit %s: %s" % (code, err.strip()[:200])
    elif our_end.startswith("!"):
        why = our_end
    elif not their_end and (ours != theirs or our_end):
        why = our_end or first_difference(ours, theirs)
    elif their_end:
        # We refuse a whole event or packet; all before it must be the same.
        if not our_end.startswith("REFUSED"):
            why = "not refused; expected: " + their_end.strip()
        elif ours != theirs[:len(ours)] or whole_events(ours) != whole_events(theirs):
            why = first_difference(ours, theirs)
    say(not why, name, why)


def check_no_dump(neph, helper, name, path):
    """Without a dump: read or refused as the name says, and true to itself."""
    case = os.path.basename(path)
    code, out, err = run([helper, path])
    _, our_end = split_dump(out)
    why = ""
    if code is None or code not in (0, 1):
        why = "exit %s: %s" % (code, err.strip()[:200])
    elif "\n!" in out:
        why = [x for x in out.splitlines() if x.startswith("!")][0]
    elif case.startswith("pass") and our_end:
        why = our_end
    elif case.startswith("fail") and not our_end.startswith("REFUSED"):
        why = "not refused"
    say(not why, name, why)


def check_all_elements(neph, root, tmp):
    helper, why = build_helper(tmp, neph)
    if not helper:
        print("skip conformance/elements: " + why)
        return
    for folder, _, files in sorted(os.walk(os.path.join(root, "elements"))):
        if "metadata" not in files:
            continue
        name = os.path.relpath(folder, root)
        is_translated = "auto-translated" in name
        expect = folder + ".expect"
        if is_translated:
            expect = os.path.join(root, "elements", "ctf-1", os.path.basename(folder) + ".expect")
        if os.path.exists(expect):
            check_elements(helper, name, folder, expect, is_translated)
        else:
            check_no_dump(neph, helper, name, folder)


def read_all(neph, args):
    p = subprocess.run([neph] + args, capture_output=True, text=True)
    return p.returncode, p.stdout


def check_rewrite(neph, tmp):
    """One real trace in both versions of CTF."""
    archive = os.path.join(TRACES, "lttng-ust-2.13.tar.xz")
    if not os.path.exists(archive):
        print("skip conformance/ctf-2-rewrite: no " + archive)
        return
    unpack(archive, tmp)
    one = os.path.join(tmp, "ctf-ust", "ust-all")
    two = os.path.join(tmp, "ctf-ust", "ust-all-ctf2")
    a = read_all(neph, ["events", "-o", "jsonl", one])
    b = read_all(neph, ["events", "-o", "jsonl", two])
    say(a == b and a[0] == 0 and a[1].count("\n") == 13000, "conformance/ctf-2-rewrite/events",
        "exit %d and %d, %d and %d events" % (a[0], b[0], a[1].count("\n"), b[1].count("\n")))
    a = read_all(neph, ["stats", "-o", "json", one])[1].replace(one, "")
    b = read_all(neph, ["stats", "-o", "json", two])[1].replace(two, "")
    paths = re.compile(r'"path": "[^"]*"')
    say(paths.sub("", a) == paths.sub("", b), "conformance/ctf-2-rewrite/stats")


def unpack(archive, into):
    with tarfile.open(archive) as tar:
        tar.extractall(into)


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    neph = os.path.abspath(sys.argv[1])
    archive = os.path.join(TRACES, "ctf-conformance.tar.xz")
    tmp = tempfile.mkdtemp(prefix="ctf-conformance-")
    try:
        if os.path.exists(archive):
            unpack(archive, tmp)
            root = os.path.join(tmp, "ctf-conformance")
            check_corpora(neph, root)
            check_all_elements(neph, root, tmp)
        else:
            print("skip conformance: no " + archive)
        check_rewrite(neph, tmp)
    finally:
        shutil.rmtree(tmp, ignore_errors=True)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
