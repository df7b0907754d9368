#!/usr/bin/env python3
"""`neph report html` as who gets it sees it: a file, opened in a browser without a network.

usage: report.py path/to/neph

Makes reports on a simulated migration and on instances with hostile names, and hands them to
report.mjs.  Skips without what operator.py needs.
"""

import importlib.util
import json
import os
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
WEB = os.path.join(TOP, "web")


def skip(reason):
    print("skip web/report: " + reason)
    sys.exit(0)


def made(neph, tmp, name, trace):
    """A report, and what should be seen of it."""
    out = os.path.join(tmp, name + ".html")
    subprocess.run([neph, "report", "html", trace, "-q", "-o", out], check=True, timeout=120)
    with open(out, encoding="utf-8") as f:
        lines = f.read().split("\n")
    answers = {}
    for line in lines:
        if line.startswith('<script type="application/json" data-answer="'):
            head, rest = line.split('">', 1)
            answers[head.split('data-answer="')[1]] = rest[:-len("</script>")]
    charts = json.loads(answers["report"])["charts"]
    return {"name": name, "file": out, "charts": sum(c["kind"] == "time" for c in charts),
            "titles": len(json.loads(answers["findings"])["findings"])}


def main():
    neph = os.path.abspath(sys.argv[1])
    tmp = os.environ["TMPDIR"]
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    spec = importlib.util.spec_from_file_location("operator_page", os.path.join(HERE, "operator.py"))
    operator = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(operator)
    if not shutil.which("node"):
        skip("no node")
    if not chromium:
        skip("no chromium")
    if not operator.packages():
        skip("playwright-core can't be had from npm")
    cloud = os.path.join(tmp, "migration-hogs")
    subprocess.run([neph, "sim", os.path.join(TOP, "sim/scenarios/migration-hogs.json"), "-o", cloud],
                   check=True, capture_output=True, timeout=120)
    hostile = os.path.join(tmp, "hostile.jsonl")
    operator.hostile(hostile)
    reports = [made(neph, tmp, "migration", cloud), made(neph, tmp, "hostile", hostile)]
    config = {"chromium": chromium, "reports": reports}
    return subprocess.run(["node", os.path.join(HERE, "report.mjs"), WEB, json.dumps(config)],
                          env=dict(os.environ, HOME=tmp), timeout=200).returncode


if __name__ == "__main__":
    sys.exit(main())
