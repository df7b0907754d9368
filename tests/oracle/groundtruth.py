#!/usr/bin/env python3
"""Compares what neph says of the published traces with facts found by hand.

usage: groundtruth.py path/to/neph

The traces and the facts are in ../shared, next to the project: the facts were
computed from a text dump of the traces in two independent ways.  Every task,
state, call, command, lock, filter and name is compared, to the nanosecond.
"""

import collections
import json
import os
import subprocess
import sys
import tarfile
import tempfile

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SHARED = os.path.join(os.path.dirname(TOP), "shared")
VIF_PLUGGED = "network-vif-plugged-9e66f286-0b80-447c-b6c0-15487485e655"
NOVA = "nova-2016.tar"
CINDER = "cinder-2016.tar"
SWITCH = "ovs-nova-20160803.tar"


def neph(args):
    p = subprocess.run([NEPH] + args, capture_output=True, text=True)
    if p.returncode != 0:
        raise RuntimeError("neph %s: exit %d: %s" % (" ".join(args), p.returncode, p.stderr))
    return p.stdout


class Trace:
    """One trace and its facts; listings are made once."""

    def __init__(self, path, facts, name):
        self.path, self.facts, self.name = path, facts, name
        self.derived = facts["derived"]
        self.lists = {}

    def list(self, what):
        if what not in self.lists:
            self.lists[what] = json.loads(neph(["list", what, "-o", "json", self.path]))
        return self.lists[what]

    def steps(self, *kinds):
        return [s for s in self.list("steps") if s["kind"] in kinds]

    def events(self):
        lines = neph(["events", "-o", "jsonl", self.path]).splitlines()
        return [e for e in map(json.loads, lines) if e["name"] == "lttng_python:event"]


def check(name, got, want):
    """Equal, or a line per difference."""
    if got == want:
        print("ok %s" % name)
        return
    print("not ok %s" % name)
    if isinstance(got, list) and isinstance(want, list):
        for x in want:
            if x not in got:
                print("# missing: %s" % (x,))
        for x in got:
            if x not in want:
                print("# too much: %s" % (x,))
        if sorted(map(str, got)) == sorted(map(str, want)):
            print("# the order differs")
    else:
        print("# got %s\n# not %s" % (got, want))


def ns(text):
    return int(round(float(text) * 1e3)) * 1000000


def known(text):
    """'None' and '' both mean that nothing is known."""
    return None if text in (None, "", "None") else text


# --- one comparison per kind of fact -----------------------------------------


def events(t):
    seen = t.events()
    f = t.facts
    check(t.name + " events", len(seen), f["n_events"])
    check(t.name + " first and last event", [seen[0]["t_ns"], seen[-1]["t_ns"]],
          [f["first_ns"], f["last_ns"]])
    counts = collections.Counter("%s|%d" % (e["fields"]["logger_name"], e["fields"]["int_loglevel"])
                                 for e in seen)
    check(t.name + " events per logger and level", dict(counts), f["logger_levels"])


def tasks(t):
    got = sorted([x["start_ns"], x["task"], x["entity"], x["request_id"], x["end_ns"],
                  x["duration_ns"], x["thread"], x["logger"], x["status"]] for x in t.list("tasks"))
    want = sorted([x["start"], x["task"], known(x["entity"]), known(x["request_id"]), x["end"],
                   x["dur"], x["thread"], x["logger"], "done"] for x in t.facts["tasks"])
    check(t.name + " tasks", got, want)
    check(t.name + " tasks of services", sum(s["tasks"] for s in t.list("services")), len(want))


def states(t):
    for name, vm in t.facts["vms"].items():
        rows = [v for v in t.list("vms") if v["vm"] == name]
        want = []
        for at, _, state, task, host, request in vm["states"]:
            row = [at, state, known(task), known(host), known(request)]
            # the same state told again is not a new one
            if not want or [w for w in want[-1][1:4]] != row[1:4]:
                want.append(row)
        got = [[s["start_ns"], s["state"], s["task_state"], s["host"], s["request_id"]]
               for v in rows for s in v["states"]]
        check("%s states of %s" % (t.name, name), got, want)
        check("%s project of %s" % (t.name, name), [v["project"] for v in rows],
              [vm["project_id"]])
        check("%s life cycle of %s" % (t.name, name), [v["violations"] for v in rows], [0])
    check(t.name + " instances", sorted(v["vm"] for v in t.list("vms")), sorted(t.facts["vms"]))


def http(t):
    got = [[s["start_ns"], s["end_ns"], s["thread"], s["name"], s["code"], s["child_request_id"]]
           for s in t.steps("http")]
    want = [[h["start"], h["end"], h["thread"], h["method"] + " " + h["url"], h["status"],
             known(h["request_id"])] for h in t.derived["http"]]
    check(t.name + " calls", sorted(got), sorted(want))
    for h in t.derived["http"]:
        rows = [r for r in t.list("requests") if r["request_id"] == h["request_id"]]
        if [[r["start_ns"], r["end_ns"], r["outcome"]] for r in rows] != [[h["start"], h["end"],
                                                                            "ok"]]:
            check("%s request %s" % (t.name, h["request_id"]), rows, h)


def commands(t):
    got = [[s["start_ns"], s["end_ns"], s["thread"], s["name"], s["code"], s["reported_ns"],
            s["status"]] for s in t.steps("command")]
    want = [[c["start"], c["end"], c["thread"], c["cmd"], c["rc"], ns(c["reported_s"]),
             "failed" if c["rc"] else "ok"] for c in t.derived["commands"]]
    check(t.name + " commands", sorted(got), sorted(want))


def locks(t):
    got = [[s["start_ns"], s["end_ns"], s["thread"], s["name"], s["detail"], s["reported_ns"]]
           for s in t.steps("lock") if s["end_ns"]]
    want = [[x["acquired"], x["released"], x["thread"], x["lock"], x["owner"], ns(x["held_s"])]
            for x in t.derived["locks"]]
    check(t.name + " locks", sorted(got), sorted(want))
    check(t.name + " locks never released", len([s for s in t.steps("lock") if not s["end_ns"]]),
          len(t.derived["locks_never_released"]))
    got = [[s["start_ns"], s["end_ns"], s["thread"], s["name"]] for s in t.steps("semaphore")]
    want = [[x["acquired"], x["released"], x["thread"], x["name"]]
            for x in t.derived.get("semaphores", [])]
    check(t.name + " semaphores", sorted(got), sorted(want))


def scheduling(t):
    rows = t.list("schedule")
    got = [[r["start_ns"], r["filter"], r["hosts_left"]] for r in rows
           if r["what"] == "sched-filter"]
    want = [[x["ts"], x["filter"], x["hosts"]] for x in t.derived["filters"]]
    check(t.name + " filters in order", got, want)
    got = [[r["start_ns"], r["chosen_host"], r["chosen_node"], r["ram_mb"], r["disk_mb"],
            r["io_ops"], r["instances"], float(r["weight"])] for r in rows
           if r["what"] == "sched-selected" and r["ram_mb"] is not None]
    want = [[x["ts"], x["host"], x["node"], x["ram"], x["disk"], x["io_ops"], x["instances"],
             float(x["weight"])] for x in t.derived.get("selected_host", [])]
    check(t.name + " selected host", got, want)


def resources(t):
    rows = t.list("resources")
    got = [[r["start_ns"], r["node"], r["ram_total_mb"], r["ram_used_mb"], r["disk_total_gb"],
            r["disk_used_gb"], r["vcpus_total"], r["vcpus_used"]] for r in rows
           if r["view"] == "final"]
    want = [[x["ts"], x["node"], x["phys_ram_mb"], x["used_ram_mb"], x["phys_disk_gb"],
             x["used_disk_gb"], x["total_vcpus"], x["used_vcpus"]]
            for x in t.derived["resource_view"]]
    check(t.name + " final resources", got, want)
    got = [[r["start_ns"], r["ram_free_mb"], r["vcpus_free"]] for r in rows if r["view"] == "free"]
    want = [[x["ts"], x["free_ram_mb"], x["free_vcpus"]] for x in t.derived["hypervisor_view"]]
    check(t.name + " free resources", got, want)


def claims(t):
    rows = [m for m in t.list("marks") if m["kind"] == "claim"]
    want = [[c["ts"], c.get("result", "try"), c.get("memory_mb"), c.get("disk_gb")]
            for c in t.derived["claims"]]
    check(t.name + " claims", [[m["start_ns"], m["name"], m["numbers"].get("memory_mb"),
                                m["numbers"].get("disk_gb")] for m in rows], want)


def domains(t):
    for d in t.derived["domains"]:
        rows = [v for v in t.list("vms") if v["uuid"] == d["uuid"]]
        fields = ["vm", "libvirt_name", "flavor", "user", "user_name", "project", "image", "macs",
                  "taps"]
        want = [d["vmname"], d["libvirt_name"], d["flavor"], d["user"], d["user_name"],
                d["project"], d["image"], d["macs"], d["taps"]]
        check("%s domain %s" % (t.name, d["libvirt_name"]), [[v[f] for f in fields] for v in rows],
              [want])
        check("%s disks of %s" % (t.name, d["libvirt_name"]), sorted(rows[0]["disks"]),
              sorted(d["disks"]))


def lifecycle(t):
    got = [[m["start_ns"], m["subject"], m["name"]] for m in t.list("marks")
           if m["kind"] == "lifecycle"]
    want = [[x["ts"], x["uuid"], x["event"]] for x in t.derived["lifecycle"]]
    check(t.name + " life-cycle events", got, want)
    got = []
    for v in t.list("vms"):
        page = json.loads(neph(["show", "vm", v["uuid"], "-o", "json", t.path]))
        got += [[o["start_ns"], o["event"], o["state"], o["task_state"], o["power_state"]]
                for o in page["observed"]]
    want = [[x["ts"], x["event"], x["vm_state"], known(x["task_state"]), x["vm"]]
            for x in t.derived["power_sync"]]
    check(t.name + " power states", got, want)


def external(t):
    """A wait goes from the first line that prepares to the first that has the event."""
    first = {}
    for x in t.derived["external_event"]:
        times = first.setdefault(x["event"], {})
        what = x.get("what") or "Received"
        times.setdefault("start" if what.startswith("Preparing") else "end", x["ts"])
    got = [[s["start_ns"], s["end_ns"], s["name"], s["status"]] for s in t.steps("external-event")]
    want = [[v["start"], v["end"], k, "ok"] for k, v in first.items() if "start" in v]
    check(t.name + " external events", got, want)


def networks(t):
    rows = {n["id"]: n for n in t.list("networks")}
    for kind, key in (("network", "api_network"), ("port", "api_port"), ("subnet", "api_subnet")):
        last = {}
        for x in t.derived.get(key, []):
            last.setdefault(x["id"], {}).update({k: v for k, v in x.items() if v})
        got, want = [], []
        for i, x in sorted(last.items()):
            n = rows.get(i, {})
            ips = x.get("fixed_ips") or ([x["cidr"]] if x.get("cidr") else [])
            got.append([i, n.get("kind"), n.get("name"), n.get("network"), n.get("mac"),
                        n.get("segmentation_id"), n.get("device"),
                        sorted((n.get("addresses") or "").split(", "))])
            want.append([i, kind, known(x.get("name")), x.get("network_id"), x.get("mac"),
                         x.get("segmentation_id"), known(x.get("device_id")), sorted(ips or [""])])
        check("%s %ss" % (t.name, kind), got, want)
    ports = {m["subject"] for m in t.list("marks") if m["kind"] == "port"}
    made = [p["port"] for p in t.derived["ports_created"]]
    check(t.name + " created ports", [p for p in made if p in ports], made)


# --- what is particular to one trace -------------------------------------------


def nova_particular(t):
    rows = {x["task"]: x for x in t.list("tasks")}
    create = rows["compute.instance.create"]
    with open(os.path.join(SHARED, "groundtruth", "author_state_machine.json")) as f:
        author = json.load(f)["nova"]["nova.compute.manager"]["visible_intervals"]
    shown = {code: took for code, _, _, took in author}
    check("one value per logger shows 0.600 s of the create", shown[10], 600098423)
    check("the create is 5.876 s", create["duration_ns"], 5876072629)
    check("the delete is 1.369 s", rows["compute.instance.delete"]["duration_ns"], 1369435056)
    part = create["parts"][0]
    check("the longest part of the create", [part["kind"], part["name"], part["wait"],
                                             part["duration_ns"] // 1000000],
          ["external-event", VIF_PLUGGED, True, 4753])
    says = "waits 4.754 s of 5.876 s (80 %) for external-event network-vif-plugged-9e66f286"
    check("the listing says so", says in create["longest_part"], True)
    check("the summary says so", "compute.instance.create vm-26009 waits 4.754 s of 5.876 s" in
          neph(["summary", t.path]), True)
    requests = t.list("requests")
    check("16 requests", len({r["request_id"] for r in requests}), 16)
    lengths = [s["duration_ns"] for s in t.steps("http")]
    check("14 calls of 794.905 ms, the longest 348.979 ms",
          [len(lengths), sum(lengths) // 1000, max(lengths) // 1000], [14, 794905, 348978])
    runs = t.steps("command")
    longest = max(runs, key=lambda s: s["duration_ns"])
    check("32 commands, all with rc 0", [len(runs), {s["code"] for s in runs}], [32, {0}])
    check("the longest command", [longest["duration_ns"] // 1000, "ip link delete" in
                                  longest["name"]], [120040, True])
    # 14 calls belong to the two requests that made them
    parents = collections.Counter(r["parent"] for r in requests if r["parent"])
    check("every call has a parent", sum(parents.values()), 14)
    check("and it is one of the two", set(parents),
          {"req-2274bd7a-e7a3-4284-a44b-5dd843edf212", "req-73c53069-8b34-4101-8ed0-9b93fcc51f87"})


def cinder_particular(t):
    want = collections.OrderedDict()
    for x in t.derived["taskflow"]:
        flow = want.setdefault(x["id"], [x["kind"], x["name"], x["ts"], x["ts"], [x["frm"]]])
        flow[3] = x["ts"]
        flow[4].append(x["to"])
    kinds = {"Flow": "flow", "Task": "flow-task"}
    want = [[kinds[k], n, a, b, i, ">".join(s)] for i, (k, n, a, b, s) in want.items()]
    got = [[s["kind"], s["name"], s["start_ns"], s["end_ns"], s["detail"], s["status"]]
           for s in t.steps("flow", "flow-task")]
    check("cinder flows and their steps", sorted(got), sorted(want))
    check("cinder transitions", sum(s["status"].count(">") for s in t.steps("flow", "flow-task")),
          12)
    rows = [m for m in t.list("marks") if m["kind"] == "volume-space"]
    check("cinder space", [[m["subject"], m["numbers"]["requested_gb"],
                            m["numbers"]["available_mb"]] for m in rows],
          [["controller@lvmdriver-1#lvmdriver-1", 1, 9010],
           ["controller@lvmdriver-1#lvmdriver-1", 1, 10010]])
    check("cinder volumes", sorted(v["volume"] for v in t.list("volumes")),
          sorted({x["entity"] for x in t.facts["tasks"] if x["task"] == "volume.create"}))


def unpack(archive, folder):
    with tarfile.open(os.path.join(SHARED, "traces", archive)) as tar:
        tar.extractall(folder)
    return folder


def load(tmp, archive, facts, name):
    with open(os.path.join(SHARED, "groundtruth", facts)) as f:
        return Trace(unpack(archive, os.path.join(tmp, name)), json.load(f), name)


def main():
    if not os.path.isdir(os.path.join(SHARED, "groundtruth")):
        print("skip groundtruth: ../shared/groundtruth is not there")
        return 0
    with tempfile.TemporaryDirectory(prefix="neph-truth-") as tmp:
        nova = load(tmp, NOVA, "nova.json", "nova")
        cinder = load(tmp, CINDER, "cinder.json", "cinder")
        switch = load(tmp, SWITCH, "ovsswitch_ust.json", "ovs-switch")
        for t in (nova, cinder, switch):
            events(t)
            tasks(t)
            states(t)
            locks(t)
            scheduling(t)
            resources(t)
        for t in (nova, switch):
            http(t)
            commands(t)
            claims(t)
            domains(t)
            lifecycle(t)
            external(t)
            networks(t)
        nova_particular(nova)
        cinder_particular(cinder)
    return 0


if __name__ == "__main__":
    NEPH = os.path.abspath(sys.argv[1])
    sys.exit(main())
