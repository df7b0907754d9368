#!/usr/bin/env python3
"""Compares what neph says of an OpenStack Zed cloud with what was done to it.

usage: openstack_zed.py path/to/neph

The archive ../shared/traces/lab/openstack-zed.tar.xz has, per scenario, one
trace per host, the services' own log files, and timeline.jsonl: when each API
call was made, when it returned, when its effect was there, and its request id.
The records in the traces are paired here once more, in another way.

The second live migration really failed: Neutron could not activate the port's
binding on the destination (PortBindingActivationFailed) after the instance had
moved, Nova set the instance to ERROR, and only the API call looked well.  So
its request is an error here.
"""

import collections
import glob
import json
import os
import re
import subprocess
import sys
import tarfile
import tempfile

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
ARCHIVE = os.path.join(os.path.dirname(TOP), "shared", "traces", "lab", "openstack-zed.tar.xz")
MS = 1000000
S = 1000 * MS

# scenario: records that are notifications, counted in the broker as well
NOTIFICATIONS = {"nova-lifecycle": 125, "nova-novalidhost": 12, "neutron": 48, "cinder": 72,
                 "libvirt-livemigrate": 98}
FAILED = {("nova-novalidhost", "server create vm-huge"),
          ("libvirt-livemigrate", "live-migrate vm-web-frontend-01 compute2->compute1")}

# names of versioned notifications that do not just lack "compute."
VERSIONED = {
    "instance.volume_attach": "compute.instance.volume.attach",
    "instance.volume_detach": "compute.instance.volume.detach",
    "instance.resize_prep": "compute.instance.resize.prep",
    "instance.resize_finish": "compute.instance.finish_resize",
    "instance.resize_confirm": "compute.instance.resize.confirm",
    "instance.live_migration_pre": "compute.instance.live_migration.pre",
    "instance.live_migration_post": "compute.instance.live_migration._post",
    "instance.live_migration_post_dest": "compute.instance.live_migration.post.dest",
}

# log file: service
LOGS = {"neutron-ovs-agent": "neutron-openvswitch-agent"}

# what one live migration is made of, in ms, as its spans measured it
STAGES = {
    "scheduler.select_destinations": 806,
    "compute.live_migration.check_dest": 695,
    "compute.live_migration.check_source": 186,
    "compute.instance.live_migration.pre": 10429,
    "libvirt.live_migration.operation": 4991,
    "libvirt.live_migration_monitor": 16710,
    "compute.instance.live_migration._post": 11784,
    "compute.instance.live_migration.post.dest": 6526,
    "compute.live_migration.do": 28809,
}

SECRET = re.compile(r"gAAAA[A-Za-z0-9_-]{16}|"
                    r"(?i:(?:password|x-auth-token|x-subject-token|secret)[\\'\"]*\s*[:=]\s*"
                    r"[\\'\"]*(?!\*\*\*|None|null|True|False|<)[A-Za-z0-9{])")


def neph(args):
    p = subprocess.run([NEPH] + args, capture_output=True, text=True)
    if p.returncode != 0:
        raise RuntimeError("neph %s: exit %d: %s" % (" ".join(args), p.returncode, p.stderr))
    return p.stdout


def listing(what, path):
    return json.loads(neph(["list", what, "-o", "json", path]))


def check(name, got, want):
    if got == want:
        print("ok %s" % name)
    else:
        print("not ok %s\n# got %s\n# not %s" % (name, got, want))


def report(name, problems):
    """One test that passes when nothing was found."""
    print("%s %s" % ("not ok" if problems else "ok", name))
    for p in problems:
        print("# %s" % p)


def read_records(path):
    """(event, record) of every line that is a JSON object with an event_type."""
    out = []
    for line in neph(["events", "-o", "jsonl", "--show-secrets", path]).splitlines():
        e = json.loads(line)
        msg = e["fields"].get("msg", "") if e["name"] == "lttng_python:event" else ""
        if msg.startswith("{") and '"event_type"' in msg:
            out.append((e, json.loads(msg)))
    return out


# --- requests ---------------------------------------------------------------------


def requests(name, folder):
    rows = {r["request_id"]: r for r in listing("requests", folder + "/ctf")}
    problems = []
    with open(folder + "/timeline.jsonl") as f:
        calls = [json.loads(line) for line in f]
    for c in calls:
        for _, url, _, request in c["requests"]:
            r = rows.get(request)
            if not r:
                problems.append("%s: %s is not listed" % (c["what"], request))
                continue
            want = "error" if (name, c["what"]) in FAILED else "ok"
            if r["outcome"] != want:
                problems.append("%s (%s): outcome %s, not %s" % (c["what"], url, r["outcome"], want))
            if r["start_ns"] < c["t_start"] - 50 * MS:
                problems.append("%s: begins %d ms before the call" %
                                (c["what"], (c["t_start"] - r["start_ns"]) // MS))
            # what follows from a call may go on after its effect is there
            if r["duration_ns"] > c["t_done"] - c["t_start"] + 3 * S:
                problems.append("%s: lasts %d ms, the call with its effect %d ms" %
                                (c["what"], r["duration_ns"] // MS,
                                 (c["t_done"] - c["t_start"]) // MS))
    report("%s: %d calls" % (name, len(calls)), problems)


# --- tasks --------------------------------------------------------------------------


def canonical(base):
    if base in VERSIONED:
        return VERSIONED[base]
    if base.startswith("instance."):
        return "compute." + base
    if base.startswith("compute_task.build_instances"):
        return "conductor.build_instance"
    return base


def entity(d):
    for key in ("instance", "volume_id", "snapshot_id", "port_id", "network_id"):
        if key in d and not (key == "volume_id" and "snapshot_id" in d) and \
           not (key == "network_id" and not d["event_type"].startswith("network.")):
            return d[key]
    for key in ("network", "subnet", "port", "router"):
        if isinstance(d.get(key), dict) and d[key].get("id"):
            return d[key]["id"]
    return None


def pairs(records):
    """Pairs of a start and an end of one kind of notification.  The end has the
    start's request, or its entity: attachments end in another service."""
    open_, done = [], []
    for e, d in records:
        base, _, phase = d["event_type"].rpartition(".")
        if "publisher_id" not in d or phase not in ("start", "end"):
            continue
        kind = "versioned" if "versioned" in d else "notification"
        if phase == "start":
            open_.append((e["t_ns"], kind, base, d))
            continue
        fits = [o for o in open_ if o[1] == kind and o[2] == base and
                (o[3].get("request_id") == d.get("request_id") or
                 (entity(d) and entity(o[3]) == entity(d)))]
        if fits:
            start = fits[-1]
            open_.remove(start)
            done.append((kind, canonical(base), start[0], e["t_ns"], start[3].get("request_id")))
    return done, open_


def tasks(name, folder, records):
    rows = listing("tasks", folder + "/ctf")
    done, left = pairs(records)
    problems, told = [], set()
    for kind, task, start, end, request in done:
        # the versioned notification comes after the other one, so it may end after the task
        fits = [i for i, t in enumerate(rows)
                if t["task"] == task and t["request_id"] == request and t["start_ns"] and
                t["end_ns"] and t["start_ns"] <= start and end <= t["end_ns"] + S and
                kind in t["sources"].split("+")]
        if len(fits) != 1:
            # volume.attach ends in cinder-api, after cinder-volume's own span
            fits = [i for i, t in enumerate(rows) if t["task"] == task and
                    t["request_id"] == request and t["start_ns"] <= start]
        if len(fits) != 1:
            problems.append("%s %s at %d: %d tasks fit" % (kind, task, start, len(fits)))
            continue
        t = rows[fits[0]]
        told.add(fits[0])
        if t["sources"].split("+")[0] == kind and \
           [t["start_ns"], t["end_ns"], t["duration_ns"]] != [start, end, end - start]:
            problems.append("%s: %d to %d, not %d to %d" % (task, t["start_ns"], t["end_ns"], start,
                                                           end))
    report("%s: %d pairs of notifications are tasks" % (name, len(done)), problems)
    # and no task is told twice
    seen = collections.Counter((t["host"], t["pid"], t["thread"], t["task"], t["start_ns"])
                               for t in rows)
    overlap = []
    for i, a in enumerate(rows):
        for b in rows[i + 1:]:
            if a["task"] == b["task"] and a["uuid"] and a["uuid"] == b["uuid"] and \
               a["host"] == b["host"] and a["pid"] == b["pid"] and a["start_ns"] and \
               a["end_ns"] and b["start_ns"] and b["start_ns"] < a["end_ns"]:
                overlap.append("%s %s at %d and %d" % (a["task"], a["uuid"], a["start_ns"],
                                                       b["start_ns"]))
    report("%s: no task twice" % name, [str(k) for k, n in seen.items() if n > 1] + overlap)
    unfinished = sorted(t["task"] for t in rows if t["status"] in ("open", "aborted"))
    starts = collections.Counter()
    for e, d in records:
        base, _, phase = d["event_type"].rpartition(".")
        if phase in ("start", "end", "error") and not base.startswith("rpc."):
            starts[base, "versioned" in d] += 1 if phase == "start" else -1
    # an end may be missing because an exception took its place
    failed = {t["task"] for t in rows if t["status"] == "error"}
    missing = {canonical(base) for (base, _), n in starts.items() if n > 0} - failed
    check("%s: what has no end is not closed" % name, unfinished, sorted(missing))
    return rows, left


def stages(rows):
    first = {}
    for t in rows:
        if t["task"] in STAGES and t["request_id"] == "req-bf705607-13a1-40f4-846d-ff3a4e1ce1db":
            first.setdefault(t["task"], (t["duration_ns"] + MS // 2) // MS)
    check("libvirt-livemigrate: stages of the first migration", first, STAGES)


# --- states -------------------------------------------------------------------------


def changes(states):
    out = []
    for s in states:
        if not out or out[-1] != s:
            out.append(s)
    return out


def states(scenarios):
    def of(name):
        (vm,) = listing("vms", scenarios[name] + "/ctf")
        return vm

    vm = of("nova-lifecycle")
    check("nova-lifecycle: states", changes(s["state"] for s in vm["states"]),
          ["building", "active", "stopped", "active", "resized", "active", "paused", "active",
           "deleted"])
    check("nova-lifecycle: hosts", [vm["hosts"], changes(s["host"] for s in vm["states"])],
          [["compute1", "compute2"], [None, "compute1", "compute2"]])
    check("nova-lifecycle: reboot and resize as tasks", [x for x in changes(
        s["task_state"] for s in vm["states"]) if x and x.startswith(("reboot", "resize"))],
          ["rebooting_hard", "reboot_pending_hard", "reboot_started_hard", "resize_prep",
           "resize_migrating", "resize_migrated", "resize_finish"])
    vm = of("nova-novalidhost")
    check("nova-novalidhost: states", changes(s["state"] for s in vm["states"]),
          ["error", "deleted"])
    vm = of("libvirt-livemigrate")
    check("libvirt-livemigrate: states and hosts",
          changes((s["state"], s["host"]) for s in vm["states"] if s["host"]),
          [("building", "compute1"), ("active", "compute1"), ("migrating", "compute1"),
           ("active", "compute2"), ("migrating", "compute2"), ("active", "compute1"),
           ("error", "compute1"), ("deleted", "compute1")])
    check("libvirt-livemigrate: names", [vm["vm"], vm["libvirt_name"], vm["user_name"],
                                         vm["project_name"], vm["flavor"], vm["taps"]],
          ["vm-web-frontend-01", "vm-web-frontend-01", "admin", "admin", "m1.nano",
           ["tapf4c5eb9c-0c"]])
    for name in scenarios:
        bad = [v["vm"] for v in listing("vms", scenarios[name] + "/ctf") if v["violations"]]
        check("%s: life cycle" % name, bad, [])


def volumes(folder):
    rows = {v["kind"]: v for v in listing("volumes", folder + "/ctf")}
    vm = listing("vms", folder + "/ctf")
    vm = [v for v in vm if v["vm"] == "vm-vol"][0]
    v = rows["volume"]
    check("cinder: states of the volume", [s["state"] for s in v["states"]],
          ["creating", "available", "reserved", "in-use", "detaching", "available", "extending",
           "available", "deleting", "deleted"])
    check("cinder: the volume", [v["name"], v["size_gb"], v["attached_to"]],
          ["vol1", 2, [vm["uuid"]]])
    check("cinder: the instance has the volume", vm["volumes"], [v["volume"]])
    check("cinder: tasks of the volume", [t["task"] for t in v["tasks"]],
          ["scheduler.create_volume", "volume.create", "volume.attach", "volume.detach",
           "volume.resize", "volume.delete"])
    check("cinder: they end well", {t["status"] for t in v["tasks"]}, {"done"})
    v = rows["snapshot"]
    check("cinder: states of the snapshot", [s["state"] for s in v["states"]],
          ["creating", "available", "deleting", "deleted"])


def network_tasks(folder, rows):
    by = collections.Counter((t["task"], t["service"]) for t in rows)
    want = {("network.create", "neutron-server"): 1, ("network.create", "neutron-dhcp-agent"): 1,
            ("network.update", "neutron-server"): 1, ("network.update", "neutron-dhcp-agent"): 1,
            ("network.delete", "neutron-server"): 1, ("network.delete", "neutron-dhcp-agent"): 1,
            ("subnet.update", "neutron-server"): 1, ("subnet.update", "neutron-dhcp-agent"): 2,
            ("subnet.delete", "neutron-server"): 1, ("subnet.delete", "neutron-dhcp-agent"): 1,
            ("port.create", "neutron-server"): 1, ("port.create", "neutron-dhcp-agent"): 3,
            ("port.delete", "neutron-server"): 2, ("port.delete", "neutron-dhcp-agent"): 5,
            ("router.create", "neutron-server"): 1, ("router.create", "neutron-l3-agent"): 1,
            ("router.update", "neutron-server"): 1, ("router.update", "neutron-l3-agent"): 2,
            ("router.remove", "neutron-l3-agent"): 1,
            ("router.delete", "neutron-server"): 1, ("router.delete", "neutron-l3-agent"): 1}
    check("neutron: tasks of server and agents", {k: by[k] for k in want}, want)
    gone = {n["kind"]: n["state"] for n in listing("networks", folder + "/ctf") if n["name"] in
            ("netA2", "subA", "rB")}
    check("neutron: what was deleted", gone,
          {"network": "deleted", "subnet": "deleted", "router": "deleted"})


# --- services, notifications, secrets ------------------------------------------------


def services(name, folder):
    """The log files say which process is which service."""
    truth = {}
    for path in glob.glob(folder + "/logs/*.log"):
        _, _, service = os.path.basename(path)[:-len(".log")].partition("-")
        with open(path, errors="replace") as f:
            for line in f:
                m = re.match(r"\d{4}-\d\d-\d\d \S+ (\d+) [A-Z]+ ", line)
                if m:
                    truth.setdefault(int(m.group(1)), set()).add(LOGS.get(service, service))
    rows = listing("services", folder + "/ctf")
    problems = ["%s@%s pid %s should be %s" % (r["service"], r["host"], r["pid"], truth[r["pid"]])
                for r in rows if r["pid"] in truth and r["service"] not in truth[r["pid"]]]
    twice = collections.Counter((r["host"], r["pid"]) for r in rows)
    problems += ["%s has %d services" % (k, n) for k, n in twice.items() if n > 1]
    known = sum(r["pid"] in truth for r in rows)
    if known < len(rows) // 2:
        problems.append("only %d of %d processes are in the log files" % (known, len(rows)))
    report("%s: services of %d processes" % (name, len(rows)), problems)


def notifications(name, folder, records):
    check("%s: notifications" % name, sum("publisher_id" in d for _, d in records),
          NOTIFICATIONS[name])
    lines = neph(["events", "-o", "jsonl", "--filter",
                  'msg =~ "publisher_id" && logger_name == "ostrace.notify"',
                  folder + "/ctf"]).splitlines()
    check("%s: notifications by --filter" % name, len(lines), NOTIFICATIONS[name])


def secrets(name, folder):
    path = folder + "/ctf"
    outputs = [["events", "-o", "jsonl", path], ["summary", path], ["summary", "-o", "json", path]]
    for what in ("vms", "volumes", "networks", "requests", "services", "tasks", "hosts",
                 "durations", "steps", "schedule", "resources", "marks"):
        outputs.append(["list", what, "-o", "json", path])
    problems = []
    for args in outputs:
        m = SECRET.search(neph(args))
        if m:
            problems.append("neph %s: %s" % (" ".join(args[:-1]), m.group(0)[:40]))
    report("%s: no secret in %d outputs" % (name, len(outputs)), problems)


def main():
    if not os.path.isfile(ARCHIVE):
        print("skip openstack-zed: ../shared/traces/lab is not there")
        return 0
    with tempfile.TemporaryDirectory(prefix="neph-zed-") as tmp:
        with tarfile.open(ARCHIVE) as tar:
            tar.extractall(tmp)
        scenarios = {n: os.path.join(tmp, "openstack-zed", n) for n in NOTIFICATIONS}
        for name, folder in scenarios.items():
            records = read_records(folder + "/ctf")
            notifications(name, folder, records)
            requests(name, folder)
            services(name, folder)
            rows, _ = tasks(name, folder, records)
            if name == "libvirt-livemigrate":
                stages(rows)
            if name == "neutron":
                network_tasks(folder, rows)
            secrets(name, folder)
        volumes(scenarios["cinder"])
        states({n: f for n, f in scenarios.items() if n not in ("neutron", "cinder")})
    return 0


if __name__ == "__main__":
    NEPH = os.path.abspath(sys.argv[1])
    sys.exit(main())
