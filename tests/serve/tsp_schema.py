#!/usr/bin/env python3
"""Replies of the Trace Server Protocol fit the protocol's own description.

The description (API.yaml of github.com/eclipse-cdt-cloud/trace-server-protocol) is not ours to keep: NEPH_TSP_API
names it.  Skipped, with the reason, without it or without the Python modules yaml and jsonschema.

usage: NEPH_TSP_API=API.yaml tsp_schema.py path/to/neph
"""

import os
import re

from _server import Server, end, quoted, report, sim

KINDS = {"TIME_GRAPH": "timeGraph", "TREE_TIME_XY": "XY", "TREE_GENERIC_XY": "genericXY",
         "DATA_TREE": "data", "TABLE": "table"}


def load():
    """The description, and why there is none."""
    path = os.environ.get("NEPH_TSP_API", "")
    if not os.path.isfile(path):
        return None, "NEPH_TSP_API does not name the protocol's API.yaml"
    try:
        import jsonschema  # noqa: F401
        import yaml
    except ImportError as e:
        return None, "no Python module: %s" % e
    with open(path) as f:
        api = yaml.safe_load(f)
    # Two types of it contradict themselves: an object that is a text or a number; a whole number is a
    # number as well, so that it fits twice.
    for name in ("StyleValue", "MetadataValue"):
        one = api["components"]["schemas"][name]
        one.pop("type", None)
        one["anyOf"] = one.pop("oneOf")
    return api, None


class Checker:
    def __init__(self, s, api):
        import jsonschema
        self.s, self.api, self.n, self.problems, self.seen = s, api, 0, [], set()
        self.resolver = jsonschema.RefResolver("", api)
        self.paths = [(re.compile("^" + re.sub(r"\{[^}]*\}", "[^/]+", p) + "$"), p)
                      for p in sorted(api["paths"], key=lambda p: p.count("{"))]

    def call(self, method, path, body=None):
        import jsonschema
        r = self.s.request(method, "/tsp/api" + path, body)
        plain = path.split("?")[0]
        template = next((p for rx, p in self.paths
                         if rx.match(plain) and method.lower() in self.api["paths"][p]), None)
        if not template:
            self.problems.append("%s %s is not in the description" % (method, plain))
            return None
        answers = self.api["paths"][template][method.lower()]["responses"]
        about = answers.get(str(r.status), {})
        if "$ref" in about:
            about = self.resolver.resolve(about["$ref"])[1]
        schema = about.get("content", {}).get("application/json", {}).get("schema")
        self.n += 1
        self.seen.add((method, template))
        if str(r.status) not in answers:
            self.problems.append("%s %s: status %d is not described" % (method, template, r.status))
        if schema:
            check = jsonschema.Draft4Validator(schema, resolver=self.resolver)
            for e in list(check.iter_errors(r.json()))[:3]:
                self.problems.append("%s %s: %s: %s" % (method, template, list(e.absolute_path)[-4:],
                                                         e.message[:200]))
        return r.json() if r.body else None


def outputs(c, e):
    at = "/experiments/%s/outputs" % e["UUID"]
    window = {"start": e["start"], "end": e["end"], "nbTimes": 100, "nbSamples": 100}
    for o in c.call("GET", at):
        kind, oid = KINDS[o["type"]], quoted(o["id"])
        c.call("GET", "%s/%s" % (at, oid))
        if kind == "table":
            c.call("POST", "%s/table/%s/columns" % (at, oid), {"parameters": {}})
            c.call("POST", "%s/table/%s/lines" % (at, oid), {"parameters": {
                "requested_table_index": 0, "requested_table_count": 3}})
            c.call("POST", "%s/table/%s/lines" % (at, oid), {"parameters": {}})
            continue
        tree = c.call("POST", "%s/%s/%s/tree" % (at, kind, oid),
                      {"parameters": {"requested_timerange": window}})
        ids = [x["id"] for x in tree["model"]["entries"]][:30]
        asked = {"parameters": {"requested_timerange": window, "requested_items": ids}}
        if kind == "timeGraph":
            c.call("POST", "%s/timeGraph/%s/states" % (at, oid), asked)
            c.call("POST", "%s/timeGraph/%s/states" % (at, oid), {"parameters": {}})
            c.call("POST", "%s/timeGraph/%s/arrows" % (at, oid), asked)
            c.call("POST", "%s/timeGraph/%s/tooltip" % (at, oid), {"parameters": {
                "requested_times": [(e["start"] + e["end"]) // 2], "requested_items": ids[:1],
                "requested_element": {"elementType": "state", "time": e["start"], "duration": 1}}})
            c.call("POST", "%s/%s/style" % (at, oid), {"parameters": {}})
            c.call("GET", "%s/%s/annotations?markerSetId=findings" % (at, oid))
            c.call("POST", "%s/%s/annotations" % (at, oid), asked)
            c.call("GET", "%s/%s/configTypes" % (at, oid))
        elif kind != "data":
            c.call("POST", "%s/%s/%s/xy" % (at, kind, oid), asked)
    c.call("GET", at + "/markerSets")
    c.call("GET", at + "/nothing")


def main():
    api, why = load()
    if why:
        print("skip the protocol's description: " + why)
        return
    with Server(sim("migration-hogs")) as s:
        c = Checker(s, api)
        c.call("GET", "/health")
        c.call("GET", "/identifier")
        t = c.call("GET", "/traces")[0]
        c.call("GET", "/traces/" + t["UUID"])
        c.call("GET", "/traces/nothing")
        c.call("POST", "/traces", {"parameters": {"uri": t["path"]}})
        c.call("POST", "/traces", {"parameters": {"uri": "/nothing"}})
        e = c.call("GET", "/experiments")[0]
        c.call("POST", "/experiments", {"parameters": {"name": "e", "traces": [t["UUID"]]}})
        c.call("POST", "/experiments", {"parameters": {"name": "e", "traces": []}})
        c.call("GET", "/experiments/" + e["UUID"])
        c.call("GET", "/experiments/nothing")
        outputs(c, e)
        vm = s.get("/api/v1/list/migrations").json()[0]["vm"]
        body = {"name": "one", "description": "", "sourceTypeId": "neph.scope",
                "parameters": {"scope": "vm:" + vm}}
        at = "/experiments/%s/outputs/cloud.vm.layers" % e["UUID"]
        d = c.call("POST", at, body)
        c.call("DELETE", at + "/" + quoted(d["id"]))
        kind = c.call("GET", "/config/types")[0]["id"]
        c.call("GET", "/config/types/" + kind)
        k = c.call("POST", "/config/types/%s/configs" % kind, body)
        c.call("GET", "/config/types/%s/configs" % kind)
        one = "/config/types/%s/configs/%s" % (kind, quoted(k["id"]))
        c.call("GET", one)
        c.call("PUT", one, body)
        c.call("DELETE", one)
        for x in c.call("GET", "/experiments"):
            c.call("DELETE", "/experiments/" + x["UUID"])
        c.call("DELETE", "/traces/" + t["UUID"])
        if c.n < 80:
            c.problems.append("only %d replies" % c.n)
        report("%d replies of %d calls fit the protocol's description" % (c.n, len(c.seen)),
               c.problems)
    end()


main()
