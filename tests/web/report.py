#!/usr/bin/env python3
"""`neph report html` as who gets it sees it: a file, opened in a browser without a network.

usage: report.py path/to/neph

Makes reports on a simulated migration and on instances with hostile names, and hands them to
report.mjs.  Skips without a browser and node.
"""

import json
import os
import subprocess
import sys

from _browser import TOP, WEB, need, simulated


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
    neph, chromium = os.path.abspath(sys.argv[1]), need()
    tmp = os.environ["TMPDIR"]
    clouds = simulated(neph, ("migration-hogs",))
    reports = [made(neph, tmp, "migration", clouds["migration-hogs"]),
               made(neph, tmp, "hostile", clouds["hostile"])]
    config = {"chromium": chromium, "reports": reports}
    return subprocess.run(["node", os.path.join(TOP, "tests/web/report.mjs"), WEB,
                           json.dumps(config)], env=dict(os.environ, HOME=tmp),
                          timeout=200).returncode


if __name__ == "__main__":
    sys.exit(main())
