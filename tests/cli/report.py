#!/usr/bin/env python3
"""The report in one file: well formed, whole, bounded, and deaf to what names say.

usage: report.py path/to/neph
"""

import html.parser
import base64
import hashlib
import json
import os
import re
import subprocess
import sys

NEPH = os.path.abspath(sys.argv[1])
TMP = os.environ.get("TMPDIR", "/tmp")
TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
START = 1700000000000000000
BOUND = 5 << 20
NAMES = ["</script><script>alert(1)</script>", "<!--<script>", "vm-\u202egnp.exe\u0007\u001b[31m",
         "a\u2028b\u2029c", "'\"><svg/onload=alert(2)>%2f#?&=", "&lt;b&gt;", "]]>"]
VOID = {"meta", "link", "br", "hr", "img", "input"}

failed = 0


def say(ok, name, why=""):
    global failed
    print("%s report/%s%s" % ("ok" if ok else "not ok", name, ": " + str(why) if why and not ok else ""))
    failed += not ok


def run(*args, **more):
    return subprocess.run([NEPH, "report"] + list(args), stdin=subprocess.DEVNULL, capture_output=True,
                          timeout=300, **more)


class Page(html.parser.HTMLParser):
    """Elements in order, each with its attributes and its text."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.at, self.open, self.trouble, self.into = [], [], [], None
        self.feed(text)
        self.close()
        self.trouble += ["<%s> is not closed" % x for x in self.open]

    def handle_starttag(self, tag, attrs):
        if len(dict(attrs)) != len(attrs):
            self.trouble.append("an attribute twice in <%s>" % tag)
        self.into = [tag, dict(attrs), ""]
        self.at.append(self.into)
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        self.into = None
        if not self.open or self.open.pop() != tag:
            self.trouble.append("</%s> closes nothing" % tag)

    def handle_data(self, text):
        if self.into:
            self.into[2] += text

    def all(self, tag):
        return [x for x in self.at if x[0] == tag]


def answers(page):
    return {a["data-answer"]: json.loads(text) for _, a, text in page.all("script") if "data-answer" in a}


def allowed(page):
    """The Content-Security-Policy as {directive: sources}."""
    said = [a["content"] for _, a, _ in page.all("meta") if a.get("http-equiv") == "Content-Security-Policy"]
    return dict(x.strip().split(" ", 1) for x in said[0].split(";")) if len(said) == 1 else {}


def digest(text):
    return "'sha256-%s'" % base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def simulated(name):
    to = os.path.join(TMP, name)
    subprocess.run([NEPH, "sim", os.path.join(TOP, "sim/scenarios", name + ".json"), "-o", to], check=True,
                   capture_output=True, timeout=120)
    return to


def failures(path, names, each=1):
    """Instances whose creation fails, as Nova announces it."""
    with open(path, "w") as f:
        for n in range(len(names) * each):
            name = names[n % len(names)]
            for step, phase in enumerate(("start", "error")):
                said = {"event_type": "compute.instance.create." + phase, "publisher_id": "compute.c1",
                        "request_id": "req-%08d-0000-4000-8000-000000000001" % n,
                        "instance": "%08d-aaaa-4aaa-8aaa-aaaaaaaaaaaa" % n, "display_name": name,
                        "state": "error" if step else "building", "host": "c1", "message": name,
                        "exception": name}
                f.write(json.dumps({
                    "t_ns": START + n * 10**9 + step * 4 * 10**8, "host": "c1", "cpu": 0,
                    "name": "lttng_python:event",
                    "fields": {"asctime": "", "msg": json.dumps(said), "logger_name": "ostrace.notify",
                               "funcName": name, "lineno": 1, "int_loglevel": 40, "thread": n,
                               "threadName": name},
                    "context": {"vpid": 900, "vtid": 900, "procname": name[:15]}}) + "\n")
    return path


def check_file(name, path):
    """What is true of every report.  Returns its answers."""
    out = os.path.join(TMP, name + ".html")
    done = run("html", path, "-o", out, "-q")
    if done.returncode:
        say(False, name + "/made", done.stderr)
        return {}
    with open(out, encoding="utf-8", newline="") as f:
        text = f.read()
    page = Page(text)
    say(not page.trouble, name + "/well-formed", page.trouble[:3])
    say(len(text.encode()) < BOUND, name + "/bounded", len(text))
    loads = [x[:2] for x in page.at if set(x[1]) & {"src", "srcset", "action", "poster", "background"}
             or (x[0] == "link" and not x[1]["href"].startswith("data:"))]
    style = "".join(x[2] for x in page.all("style"))
    say(not loads and not re.search(r"@import|url\((?!['\"]?data:)", style), name + "/loads-nothing", loads)
    outside = re.findall(r"(?:https?:)?//[\w.-]+", "".join(x[2] for x in page.all("style")) +
                         " ".join(v or "" for x in page.at for v in x[1].values()))
    say(not outside, name + "/names-no-address", outside[:3])
    runs = [x for x in page.all("script") if x[1].get("type") != "application/json"]
    policy = allowed(page)
    say(len(runs) == 1 and policy.get("script-src") == digest(runs[0][2]) and
        policy.get("style-src") == digest(style) and policy.get("default-src") == "'none'",
        name + "/only-its-script-may-run", policy)
    say(not any(k.startswith("on") for x in page.at for k in x[1]), name + "/no-handlers")
    found = answers(page)
    say({"experiment", "findings", "report"} <= set(found), name + "/has-answers", sorted(found)[:5])
    missing = [c for c in found["report"]["charts"] if c["path"] not in found or c.get("rows", c["path"]) not in found]
    say(not missing, name + "/every-chart-has-its-answer", missing[:1])
    again = run("html", path, "-q")
    say(again.returncode == 0 and again.stdout.decode() == text, name + "/same-on-stdout")
    return found


def diagnosed(path):
    done = subprocess.run([NEPH, "diagnose", path, "-q", "-o", "json"], capture_output=True, timeout=300)
    return json.loads(done.stdout)


def check_migration():
    cloud = simulated("migration-hogs")
    found = check_file("migration", cloud)
    truth = diagnosed(cloud)
    say([f["title"] for f in found["findings"]["findings"]] == [f["title"] for f in truth["findings"]] and
        found["findings"]["blind_spots"] == truth["blind_spots"], "migration/says-what-diagnose-says")
    kinds = {c["kind"] for c in found["report"]["charts"]}
    say({"time", "migration", "table"} <= kinds, "migration/charts", kinds)
    worst = found["findings"]["findings"][0]
    lines = [c for c in found["report"]["charts"] if c["rank"] == 1 and c["kind"] == "time"]
    say(len(lines) > 0, "migration/the-first-finding-is-drawn")
    for c in lines:
        strip, rows = found[c["path"]], found[c["rows"]]
        drawn = {r["id"] for r in strip["rows"] if r["runs"] and not r.get("missing")}
        say(drawn and drawn <= {r["id"] for r in rows["rows"]}, "migration/rows-of-" + c["scope"], len(drawn))
        t0 = int(found["experiment"]["t0"])
        say(c["t0"] <= worst["t0_ns"] - t0 and worst["t1_ns"] - t0 <= c["t1"], "migration/window-of-" + c["scope"])


def check_names():
    path = failures(os.path.join(TMP, "hostile.jsonl"), NAMES)
    found = check_file("hostile", path)
    told = json.dumps(found["findings"], ensure_ascii=False)
    lost = [n for n in NAMES if json.dumps(n, ensure_ascii=False)[1:-1] not in told and
            n.replace("\u001b", "\\u001b") not in told]
    say(len(lost) == 0, "hostile/names-are-told-as-they-are", lost)


def check_many():
    path = failures(os.path.join(TMP, "many.jsonl"), ["vm-%d" % i + "x" * 200 for i in range(700)])
    found = check_file("many", path)
    n, all_n = len(found["findings"]["findings"]), len(diagnosed(path)["findings"])
    left = " ".join(found["report"]["left_out"])
    say(n == min(200, all_n), "many/findings-are-bounded", (n, all_n))
    say(all_n <= 15 or "charts of the findings after" in left, "many/says-what-is-left-out", left)
    say(all_n <= 200 or "%d of %d findings" % (all_n - 200, all_n) in left, "many/says-how-many", left)


def check_exits():
    cloud = os.path.join(TMP, "migration-hogs")
    there = os.path.join(TMP, "there.html")
    with open(there, "w") as f:
        f.write("before")
    cases = [
        ("unknown-kind", ["pdf", cloud], 2, b"there is no report of the kind 'pdf'"),
        ("no-path", ["html"], 2, b""),
        ("no-trace", ["html", os.path.join(TMP, "nowhere"), "-o", there], 3, b"nowhere"),
        ("no-folder", ["html", cloud, "-o", os.path.join(TMP, "none", "x.html")], 3, b"No such file"),
        ("a-folder", ["html", cloud, "-o", TMP], 3, b"directory"),
        ("full-disk", ["html", cloud, "-o", "/dev/full"], 3, b"No space left"),
    ]
    for name, args, code, sentence in cases:
        done = run(*args)
        say(done.returncode == code and sentence in done.stderr, "exit/" + name, (done.returncode, done.stderr[-200:]))
    with open(there) as f:
        say(f.read() == "before", "exit/what-was-there-stays")
    new = os.path.join(TMP, "new.html")
    run("html", os.path.join(TMP, "nowhere"), "-o", new)
    say(not os.path.exists(new), "exit/leaves-no-empty-file")
    with open(there, "w") as f:
        f.write("x" * (BOUND * 2))
    run("html", cloud, "-q", "-o", there)
    say(os.path.getsize(there) < BOUND, "exit/replaces-the-whole-file", os.path.getsize(there))


check_migration()
check_names()
check_many()
check_exits()
sys.exit(1 if failed else 0)
