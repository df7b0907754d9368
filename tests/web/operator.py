#!/usr/bin/env python3
"""The pages of `neph serve`, used as an operator uses them, in a real browser.

usage: operator.py path/to/neph

Simulates clouds, makes a trace with hostile names, and hands them to operator.mjs, which
drives Debian's Chromium through playwright-core (from web/package.json).  Skips without them.
"""

import json
import os
import shutil
import subprocess
import sys

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
WEB = os.path.join(TOP, "web")
SHARED = os.path.join(os.path.dirname(TOP), "shared")
NAMES = {
    1: "<img src=x onerror=\"window.hacked=1\">",
    2: "vm-\u202egnp.exe\u0007\u001b[31m",
    3: "</title><script>window.hacked=2</script>",
    4: "'\"><svg/onload=window.hacked=3>%2f#?&=",
}


def skip(reason):
    print("skip web/operator: " + reason)
    sys.exit(0)


def hostile(path):
    """Instances whose names would be code where they are not taken for text; one fails."""
    start = 1700000000000000000
    with open(path, "w") as f:
        for n, name in NAMES.items():
            request = "req-0000000%d-0000-4000-8000-000000000001" % n
            for step, phase in enumerate(("start", "error" if n == 1 else "end")):
                said = {"event_type": "compute.instance.create." + phase,
                        "publisher_id": "compute.compute1", "request_id": request,
                        "instance": "0000000%d-aaaa-4aaa-8aaa-aaaaaaaaaaaa" % n,
                        "display_name": name, "state": "building" if not step else
                        "error" if n == 1 else "active", "host": "compute1",
                        "message": name, "exception": name}
                f.write(json.dumps({
                    "t_ns": start + n * 10**9 + step * 4 * 10**8, "host": "compute1", "cpu": 0,
                    "name": "lttng_python:event",
                    "fields": {"asctime": "", "msg": json.dumps(said),
                               "logger_name": "ostrace.notify", "funcName": name, "lineno": 1,
                               "int_loglevel": 40 if n == 1 else 20, "thread": n,
                               "threadName": name},
                    "context": {"vpid": 900, "vtid": 900, "procname": name[:15]}}) + "\n")


def packages():
    """Whether playwright-core is there; tries to get it."""
    if os.path.isdir(os.path.join(WEB, "node_modules", "playwright-core")):
        return True
    if not shutil.which("npm"):
        return False
    done = subprocess.run(["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts", "--silent"],
                          cwd=WEB, stdin=subprocess.DEVNULL, capture_output=True, timeout=200)
    return done.returncode == 0


def unpacked(name, tmp):
    """A real trace of the shared folder beside the project, unpacked; None without it."""
    folder = os.path.join(SHARED, "traces", "lab")
    for at in (os.path.join(folder, name), os.path.join(folder, name + ".tar.xz"),
               os.path.join(folder, name + ".tar.gz"), os.path.join(folder, name + ".tar.zst")):
        if os.path.isdir(at):
            inside = [x for x in os.listdir(at) if ".tar" in x]
            if not inside:
                return at
            at = os.path.join(at, inside[0])
        if os.path.isfile(at):
            to = os.path.join(tmp, name)
            os.makedirs(to, exist_ok=True)
            if subprocess.run(["tar", "-xf", at, "-C", to], capture_output=True).returncode == 0:
                return to
    return None


def main():
    neph = os.path.abspath(sys.argv[1])
    tmp = os.environ["TMPDIR"]
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if not shutil.which("node"):
        skip("no node")
    version = subprocess.run(["node", "--version"], capture_output=True, text=True).stdout.strip()
    if not version[1:].split(".")[0].isdigit() or int(version[1:].split(".")[0]) < 20:
        skip("node is %s, playwright-core needs 20" % (version or "broken"))
    if not chromium:
        skip("no chromium")
    if not packages():
        skip("playwright-core can't be had from npm")
    clouds = {}
    for name in ("migration-hogs", "small-cloud"):
        clouds[name] = os.path.join(tmp, name)
        subprocess.run([neph, "sim", os.path.join(TOP, "sim/scenarios", name + ".json"), "-o",
                        clouds[name]], check=True, capture_output=True, timeout=120)
    clouds["hostile"] = os.path.join(tmp, "hostile.jsonl")
    hostile(clouds["hostile"])
    for name in ("migration-vm", "openstack-zed"):
        at = unpacked(name, tmp)
        if at:
            clouds[name] = at
        else:
            print("skip web/operator/%s: no ../shared/traces/lab/%s" % (name, name))
    sys.stdout.flush()
    config = {"neph": neph, "chromium": chromium, "clouds": clouds, "names": list(NAMES.values()),
              "tmp": tmp}
    env = dict(os.environ, HOME=tmp)
    return subprocess.run(["node", os.path.join(TOP, "tests/web/operator.mjs"), WEB,
                           json.dumps(config)], env=env, timeout=280).returncode


if __name__ == "__main__":
    sys.exit(main())
