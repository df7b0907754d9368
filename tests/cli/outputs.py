#!/usr/bin/env python3
"""Findings for other programs: Nagios, Alertmanager, JSON lines, CSV; and limits from a file.

usage: outputs.py path/to/neph

What Alertmanager takes is written down here from its OpenAPI document (api/v2, postableAlerts) and
its rules for labels; what Nagios takes from its plugin guidelines.
"""

import csv
import io
import json
import os
import re
import subprocess
import sys
import tempfile

NEPH = os.path.abspath(sys.argv[1])
TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
GOLDEN = os.path.join(TOP, "tests", "golden")
RFC3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")
PLUGIN = re.compile(r"NEPH (OK|WARNING|CRITICAL|UNKNOWN) - [^|\n]+(\|[^|\n]+)?\n")
FIGURE = re.compile(r"[a-z_]+=[\d.]+(s|ms|us|%|B|KB|MB|c)?(;[\d.]*){0,4}")
STATES = ["OK", "WARNING", "CRITICAL", "UNKNOWN"]
# A bar, a line end, an escape sequence and a mark that turns the text; in JSON within JSON.
HOSTILE = b"web|x=1;2\\\\n\\\\u001b[31m'$(id)`\xe2\x80\xae"


def run(*args, config=None):
    env = dict(os.environ)
    if config is not None:
        env["XDG_CONFIG_HOME"] = config
    return subprocess.run([NEPH] + list(args), stdin=subprocess.DEVNULL, capture_output=True,
                          text=True, timeout=300, env=env)


def report(name, problems):
    print("%s %s" % ("not ok" if problems else "ok", name))
    for x in problems:
        print("# " + x)


def golden(name):
    folder = os.path.join(GOLDEN, name)
    return os.path.join(folder, [f for f in os.listdir(folder) if f.startswith("in.")][0])


def plugin_problems(p, state):
    problems = []
    if not PLUGIN.fullmatch(p.stdout):
        problems.append("no line of a plugin: %r" % p.stdout)
    elif p.stdout.split()[1] != state:
        problems.append("%s, not %s: %r" % (p.stdout.split()[1], state, p.stdout))
    if p.returncode != STATES.index(state):
        problems.append("exit code %d for %s" % (p.returncode, state))
    if len(p.stdout.encode()) > 1024:
        problems.append("%d bytes" % len(p.stdout.encode()))
    if not all(c.isprintable() or c == "\n" for c in p.stdout):
        problems.append("not printable: %r" % p.stdout)
    for figure in p.stdout.partition("|")[2].split():
        if not FIGURE.fullmatch(figure):
            problems.append("no figure: %r" % figure)
    return problems


def alert_problems(alert):
    problems = ["key %r" % k for k in alert
                if k not in ("labels", "annotations", "startsAt", "endsAt", "generatorURL")]
    for part in ("labels", "annotations"):
        for name, value in alert[part].items():
            if not re.fullmatch("[a-zA-Z_][a-zA-Z0-9_]*", name):
                problems.append("name of a label: %r" % name)
            if not isinstance(value, str) or not value:
                problems.append("value of %s: %r" % (name, value))
            if not all(c.isprintable() for c in value):
                problems.append("%s is not printable: %r" % (name, value))
    for key in ("alertname", "severity", "rule"):
        if key not in alert["labels"]:
            problems.append("no label " + key)
    for key in ("summary", "description", "remedy"):
        if key not in alert["annotations"]:
            problems.append("no annotation " + key)
    times = [alert[k] for k in ("startsAt", "endsAt") if k in alert]
    problems += ["no RFC 3339: %r" % t for t in times if not RFC3339.fullmatch(t)]
    return problems


def alerts_problems(text):
    alerts = json.loads(text)
    problems = [x for a in alerts for x in alert_problems(a)]
    known = [tuple(sorted(a["labels"].items())) for a in alerts]
    if len(set(known)) != len(known):
        problems.append("two alerts of the same labels")
    return problems


def test_nagios(bad, good, empty, hostile):
    report("nagios: a finding", plugin_problems(run("diagnose", "--format", "nagios", bad),
                                                "CRITICAL"))
    report("nagios: none", plugin_problems(run("diagnose", "-o", "nagios", good), "OK"))
    for name, args in (("no such path", ["/nonexistent/x"]), ("nothing understood", [empty]),
                       ("--strict", ["--strict", good]), ("an option that is none", ["--nonsense"]),
                       ("a limit that is none", ["--set", "a.b=1", good])):
        report("nagios: " + name, plugin_problems(run("diagnose", "-o", "nagios", *args),
                                                  "UNKNOWN"))
    p = run("-q", "-o", "nagios", hostile)
    problems = plugin_problems(p, "WARNING")
    if "web/x=1" not in p.stdout:
        problems.append("the name is not there: %r" % p.stdout)
    report("nagios: hostile names", problems)


def test_alertmanager(bad, good, hostile):
    p = run("-q", "-o", "alertmanager", bad)
    problems = alerts_problems(p.stdout)
    first = json.loads(p.stdout)[0]["labels"]
    if (first["alertname"], first["severity"]) != ("NephMigrationNeverEnds", "critical"):
        problems.append("first: %r" % first)
    if first.get("host") != "compute1" or "evidence" not in json.loads(p.stdout)[0]["annotations"]:
        problems.append("no host or no evidence: %r" % p.stdout)
    report("alertmanager: findings", problems)
    p = run("-q", "-o", "alertmanager", good)
    report("alertmanager: none", [] if json.loads(p.stdout) == [] else [p.stdout])
    p = run("-q", "-o", "alertmanager", hostile)
    problems = alerts_problems(p.stdout)
    if not any("web|x=1" in a["labels"].get("vm", "") for a in json.loads(p.stdout)):
        problems.append("the name is in no label: %r" % p.stdout)
    report("alertmanager: hostile names", problems)


def test_rows(bad, hostile):
    for name, path in (("findings", bad), ("hostile names", hostile)):
        whole = json.loads(run("-q", "-o", "json", path).stdout)["findings"]
        lines = [json.loads(x) for x in run("-q", "-o", "jsonl", path).stdout.splitlines()]
        report("jsonl: " + name, [] if lines == whole and whole else ["%r\n%r" % (lines, whole)])
        rows = list(csv.DictReader(io.StringIO(run("-q", "-o", "csv", path).stdout)))
        same = [(r["rank"], r["rule"], r["severity"]) for r in rows] == \
               [(str(f["rank"]), f["rule"], f["severity"]) for f in whole]
        report("csv: " + name, [] if same else ["%r" % rows])


def test_config(slow, folder):
    """The rule speaks only when its limit lets it."""
    def rules(*args):
        p = run("-q", "-o", "json", *args, slow, config=folder)
        return {f["rule"] for f in json.loads(p.stdout)["findings"]}

    os.makedirs(os.path.join(folder, "neph"))
    own = os.path.join(folder, "neph", "config")
    off = "external-wait.min-wait"
    limits = run("explain", "external-wait").stdout
    problems = [] if off in limits else ["there is no limit %s:\n%s" % (off, limits)]
    if not problems:
        if "external-wait" not in rules():
            problems.append("without a file it says nothing")
        with open(own, "w") as f:
            f.write("# of this cloud\n\n  %s =  1000000 # never\n" % off)
        if "external-wait" in rules():
            problems.append("the user's file has no say")
        if "external-wait" not in rules("--set", off + "=1"):
            problems.append("--set does not count over the file")
        other = os.path.join(folder, "other")
        open(other, "w").close()
        if "external-wait" not in rules("--config", other):
            problems.append("--config does not replace the user's file")
    report("config: limits", problems)
    for name, text, said in (("rule", b"\nno-rule.x = 1\n", "line 2: there is no rule 'no-rule'"),
                             ("limit", b"vm-starved.x = 1\n", "line 1: rule vm-starved has no"),
                             ("number", b"vm-starved.min-wait = much", "line 1: 'much' is not"),
                             ("empty number", b"vm-starved.min-wait =", "line 1: '' is not"),
                             ("line", b"# fine\nfoo\n", "line 2: 'foo' is not RULE.LIMIT"),
                             ("bytes", b"\0\xff=\0\n" * 1000, "line 1: ")):
        with open(own, "wb") as f:
            f.write(text)
        p = run("diagnose", slow, config=folder)
        ok = p.returncode == 2 and said in p.stderr and not p.stdout
        report("config: no such " + name, [] if ok else [p.stderr])
    p = run("diagnose", "--config", "/nonexistent/config", slow)
    report("config: no such file", [] if p.returncode == 2 and "/nonexistent" in p.stderr
           else [p.stderr])


def main():
    bad, good = golden("diagnose_never_ends"), golden("diagnose_nothing_found")
    with tempfile.TemporaryDirectory() as folder:
        slow = golden("vif_plug_timeout")
        with open(slow, "rb") as f:
            text = f.read()
        hostile = os.path.join(folder, "hostile.jsonl")
        with open(hostile, "wb") as f:
            f.write(text.replace(b"vm-1\\", HOSTILE + b"\\"))
        test_nagios(bad, good, golden("unknown_event_only"), hostile)
        test_alertmanager(bad, good, hostile)
        test_rows(bad, hostile)
        test_config(slow, os.path.join(folder, "config"))


main()
