#!/usr/bin/env python3
"""The Trace Server Protocol: every call, and what clients of it trip over.

usage: tsp.py path/to/neph
"""

import json
import re

from _server import Server, end, golden, quoted, report, sim

KINDS = {"TIME_GRAPH": "timeGraph", "TREE_TIME_XY": "XY", "TREE_GENERIC_XY": "genericXY",
         "DATA_TREE": "data", "TABLE": "table"}
API = "/tsp/api"


class Client:
    def __init__(self, s, problems):
        self.s, self.problems = s, problems
        self.e = self.call("GET", "/experiments")[0]
        self.at = "/experiments/" + self.e["UUID"]

    def call(self, method, path, body=None, status=200):
        r = self.s.request(method, API + path, body)
        if r.status != status:
            self.problems.append("%s %s: %d, not %d: %r" % (method, path[-80:], r.status, status,
                                                             r.body[:150]))
            return None
        if r.status == 204:
            return None
        if r.headers.get("content-type") != "application/json":
            self.problems.append("%s: Content-Type %r" % (path, r.headers.get("content-type")))
        for number in re.findall(rb'(?<=[:\[,])-?\d[\d.eE+-]*(?=[,\]}])',
                                 re.sub(rb'"(?:[^"\\]|\\.)*"', b'""', r.body)):
            is_int = number.lstrip(b"-").isdigit()
            if not is_int and len(number) > 15:
                self.problems.append("%s: the double %r" % (path, number))
        return r.json()

    def out(self, kind, output, call, parameters=None, status=200):
        body = {} if parameters is None else {"parameters": parameters}
        return self.call("POST", "%s/outputs/%s%s/%s" % (self.at, kind + "/" if kind else "", output,
                                                         call), body, status)


def nulls(value, where, problems):
    """Absent members are left out."""
    if isinstance(value, dict):
        for k, v in value.items():
            if v is None:
                problems.append("%s.%s is null" % (where, k))
            nulls(v, where + "." + k, problems)
    elif isinstance(value, list):
        for v in value[:50]:
            nulls(v, where + "[]", problems)


def traces(s):
    p = []
    c = Client(s, p)
    ident = c.call("GET", "/identifier")
    if ident["tspVersion"] != "0.6.0" or not all(ident[k] for k in (
            "version", "os", "osArch", "osVersion", "cpuCount", "maxMemory", "productId")):
        p.append(ident)
    if c.call("GET", "/health/") != {"status": "UP"}:
        p.append("health")
    t = c.call("GET", "/traces")[0]
    for key, kind in (("UUID", str), ("name", str), ("path", str), ("start", int), ("end", int),
                      ("nbEvents", int), ("indexingStatus", str), ("properties", dict)):
        if not isinstance(t.get(key), kind):
            p.append("trace.%s is %r" % (key, t.get(key)))
    if t["nbEvents"] >= 1 << 53 or t["start"] < 1 << 53:
        p.append("times are %r, events %r" % (t["start"], t["nbEvents"]))
    for uri in (t["path"], t["path"] + "/", "file://" + t["path"], t["path"]):
        if c.call("POST", "/traces", {"parameters": {"uri": uri, "name": "x"}}) != t:
            p.append("opening %s again gives another trace" % uri)
    c.call("POST", "/traces", {"parameters": {"uri": "/nowhere"}}, 404)
    c.call("POST", "/traces", {}, 400)
    c.call("GET", "/traces/nobody", None, 404)
    c.call("GET", "/traces/" + t["UUID"])
    e = c.call("POST", "/experiments", {"parameters": {"name": "mine", "traces": [t["UUID"]]}})
    same = c.call("POST", "/experiments", {"parameters": {"name": "mine", "traces": [t["UUID"]]}})
    if e["UUID"] != same["UUID"] or e["traces"] != [t]:
        p.append("an experiment twice")
    c.call("POST", "/experiments", {"parameters": {"name": "mine", "traces": []}}, 409)
    c.call("POST", "/experiments", {"parameters": {"name": "mine(1)", "traces": []}})
    c.call("POST", "/experiments", {"parameters": {"name": "m", "traces": ["nobody"]}}, 204)
    c.call("POST", "/experiments", {"parameters": {}}, 400)
    if c.call("PUT", "/experiments/" + e["UUID"], {"parameters": {"name": "ours"}})["name"] != "ours":
        p.append("the new name")
    c.call("DELETE", "/traces/%s?deleteTrace=true&removeCache=true" % t["UUID"], None, 409)
    for x in c.call("GET", "/experiments"):
        c.call("DELETE", "/experiments/" + x["UUID"])
    c.call("GET", "/experiments/" + e["UUID"], None, 404)
    c.call("DELETE", "/traces/" + t["UUID"], {"deleteTrace": True})
    c.call("GET", "/traces/" + t["UUID"], None, 404)
    c.call("POST", "/traces", {"parameters": {"uri": t["path"]}})
    c.call("POST", "/experiments", {"parameters": {"name": "again", "traces": [t["UUID"]]}})
    report("traces and experiments", p)


def filters(c, o, names, window, rows):
    """States that lack a text are dimmed, or left out."""
    labels = [x["label"] for r in rows for x in r["states"] if "label" in x]
    texts = [labels[0][:3], labels[0][2:]] if labels else []

    def fits(x, row):
        return all(t in x.get("label", "") or t in names[row["entryId"]] for t in texts)

    for key in ("1", "4"):
        found = c.out("timeGraph", o, "states", {
            "requested_timerange": window, "requested_items": [r["entryId"] for r in rows],
            "filter_query_parameters": {"filter_expressions_map": {key: texts}}})["model"]["rows"]
        want = [dict(r, states=[dict(x) if fits(x, r) else dict(x, tags=1) for x in r["states"]
                                if key == "1" or fits(x, r)]) for r in rows]
        if found != want:
            c.problems.append("%s: the filter %s of %r" % (o, key, texts))


def deep(c, o, window, rows):
    """What is shorter than a sample is found if it is searched for deeply."""
    def of(strategy, key, text, n):
        return c.out("timeGraph", o, "states", {
            "requested_timerange": dict(window, nbTimes=n), "requested_items": [r["entryId"] for r in rows],
            "filter_query_parameters": {"strategy": strategy, "filter_expressions_map": {key: [text]}}}
        )["model"]["rows"]

    labels = sorted({x["label"] for r in rows for x in r["states"] if "label" in x})
    found = 0
    for text in labels[:8]:
        sampled, excluded, dimmed = (of(*x, text, 3) for x in (("SAMPLED", "4"), ("DEEP", "4"), ("DEEP", "1")))
        for fine, a, b, d in zip(rows, sampled, excluded, dimmed):
            has = any(text in x.get("label", "") for x in fine["states"])
            found += len(b["states"]) > len(a["states"])
            if has and not b["states"] or any(text not in x["label"] and not a["states"] for x in b["states"]):
                c.problems.append("%s: deeply, row %d, %s: %r" % (o, fine["entryId"], text, b["states"]))
            if any(x["end"] > y["start"] for x, y in zip(d["states"], d["states"][1:])) or [
                    x for x in b["states"] if x not in d["states"]]:
                c.problems.append("%s: dimmed deeply, row %d, %s" % (o, fine["entryId"], text))
            if len(b["states"]) > 6:
                c.problems.append("%s: %d states for 3 samples" % (o, len(b["states"])))
    return found


def graph(c, o, entries):
    t0, t1 = c.e["start"], c.e["end"]
    ids = [x["id"] for x in entries if x.get("hasData")][:50]
    window = {"start": t0, "end": t1, "nbTimes": 100}
    model = c.out("timeGraph", o, "states", {"requested_timerange": window,
                                             "requested_items": ids})["model"]
    states = 0
    if [r["entryId"] for r in model["rows"]] != ids:
        c.problems.append("%s: rows of other entries" % o)
    styles = c.out("", o, "style")["model"]["styles"]
    for row in model["rows"]:
        last = t0
        if len(row["states"]) > 100:
            c.problems.append("%s: %d states for 100 samples" % (o, len(row["states"])))
        for x in row["states"]:
            states += 1
            if not last <= x["start"] < x["end"] <= t1:
                c.problems.append("%s: %r after %d" % (o, x, last))
            last = x["end"]
            if "style" in x and x["style"]["parentKey"] not in styles:
                c.problems.append("%s: no style %s" % (o, x["style"]["parentKey"]))
    arrows = c.out("timeGraph", o, "arrows", {"requested_timerange": window})["model"]
    if len(arrows) > 200:
        c.problems.append("%s: %d arrows" % (o, len(arrows)))
    for a in arrows:
        if not {a["sourceId"], a["targetId"]} <= {x["id"] for x in entries}:
            c.problems.append("%s: an arrow between %r" % (o, a))
    tip = {"requested_times": [(t0 + t1) // 2], "requested_items": ids[:1] or [1],
           "requested_element": {"elementType": "state", "time": t0, "duration": 1}}
    if ids and not all(isinstance(v, str) for v in
                       c.out("timeGraph", o, "tooltip", tip)["model"].values()):
        c.problems.append("%s: tooltip" % o)
    filters(c, o, {x["id"]: x["labels"][0] for x in entries}, window, model["rows"])
    found = deep(c, o, window, model["rows"])
    if o == "cloud.kernel.threads" and ids and not found:
        c.problems.append("%s: a deep search found nothing more" % o)
    c.out("timeGraph", o, "states", {"requested_items": ids}, 400)
    c.out("timeGraph", o, "states", {"requested_timerange": {"start": t1, "end": t0}}, 400)
    far = {"start": -(1 << 62), "end": (1 << 62), "nbTimes": 1 << 40}
    c.out("timeGraph", o, "states", {"requested_timerange": far, "requested_items": ids[:2]})
    return states


def curve(c, o, kind, entries):
    window = {"start": c.e["start"], "end": c.e["end"], "nbTimes": 64, "nbSamples": 64}
    ids = [x["id"] for x in entries if x.get("hasData")]
    model = c.out(kind, o, "xy", {"requested_timerange": window, "requested_items": ids})["model"]
    for x in model["series"]:
        xs = x.get("xValues") or x.get("xRanges")
        unit = x["yValuesDescription"]["unit"]
        if len(xs) != len(x["yValues"]) or len(xs) > 64 or not x["seriesName"] or \
                (unit and not x["seriesName"].endswith("(%s)" % unit)):
            c.problems.append("%s: a series of %d and %d" % (o, len(xs), len(x["yValues"])))
    if len({x["seriesName"] for x in model["series"]}) != len(model["series"]):
        c.problems.append("%s: two series of one name" % o)
    if len({x["labels"][1] for x in entries if x.get("isDefault") and len(x["labels"]) > 1}) > 1:
        c.problems.append("%s: curves of several units are chosen at first" % o)
    for x in model["series"] if kind == "XY" and ids else ():
        t = x["xValues"][40]
        tip = c.call("GET", "%s/outputs/XY/%s/tooltip?xValue=%d&seriesId=%d" %
                     (c.at, o, t, x["seriesId"]))["model"]
        if set(tip) - {"Time", x["seriesName"]} or "Time" not in tip or (
                x["seriesName"] not in tip and x["yValues"][40] and o.startswith("cloud.migr")):
            c.problems.append("%s: at %d %r" % (o, t, tip))
    times = [c.e["start"] + i * (c.e["end"] - c.e["start"]) // 9 for i in range(10)]
    old = c.out(kind, o, "xy", {"requested_times": times, "requested_items": ids})["model"]
    if len(old["series"]) != len(model["series"]):
        c.problems.append("%s: by requested_times" % o)
    return len(model["series"])


def table(c, o):
    columns = c.out("table", o, "columns")["model"]
    ids = [x["id"] for x in columns]
    first = c.out("table", o, "lines", {"requested_table_index": 0,
                                        "requested_table_count": 5})["model"]
    if first["columnIds"] != ids or any(len(x["cells"]) != len(ids) for x in first["lines"]):
        c.problems.append("%s: columns" % o)
    if [x["index"] for x in first["lines"]] != list(range(min(5, first["size"]))):
        c.problems.append("%s: lines %r" % (o, [x["index"] for x in first["lines"]]))
    some = c.out("table", o, "lines", {"requested_table_index": 3, "requested_table_count": 2,
                                       "requested_table_column_ids": [ids[1]]})["model"]
    if [x["cells"] for x in some["lines"]] != [[x["cells"][1]] for x in first["lines"][3:5]]:
        c.problems.append("%s: one column from 3 on" % o)
    last = c.out("table", o, "lines", {"requested_table_index": first["size"] - 1,
                                       "requested_table_count": 10})["model"]
    if len(last["lines"]) != 1:
        c.problems.append("%s: the last line: %d" % (o, len(last["lines"])))
    if o == "events":
        name = first["lines"][2]["cells"][3]["content"]
        got = c.out("table", o, "lines", {
            "requested_table_index": 0, "requested_table_count": 1, "table_search_direction": "NEXT",
            "table_search_expressions": {"3": "^%s$" % re.escape(name)}})["model"]
        if got["lines"][0]["cells"][3]["content"] != name or got["lines"][0].get("tags") != 8:
            c.problems.append("%s: searched %s, found %r" % (o, name, got["lines"]))
        got = c.out("table", o, "lines", {
            "requested_table_index": 0, "requested_table_count": 5,
            "table_search_expressions": {"3": "^%s$" % re.escape(name)}})["model"]
        if [x["cells"] for x in got["lines"]] != [x["cells"] for x in first["lines"]] or any(
                (x.get("tags") == 8) != (x["cells"][3]["content"] == name) for x in got["lines"]):
            c.problems.append("%s: marked %s: %r" % (o, name, got["lines"]))
        none = c.out("table", o, "lines", {
            "requested_table_index": 0, "requested_table_count": 5, "table_search_direction": "NEXT",
            "table_search_expressions": {"3": "no such event"}})["model"]
        if none["lines"]:
            c.problems.append("%s: found what is not there" % o)
    times = [int(x["cells"][-1]["content"]) for x in first["lines"]]
    if columns[-1]["name"] != "Timestamp ns" or not all(
            c.e["start"] <= t <= c.e["end"] for t in times):
        c.problems.append("%s: times %r" % (o, times))
    at = c.out("table", o, "lines", {"requested_times": [max(times)],
                                     "requested_table_count": 1})["model"]["lines"]
    if at and int(at[0]["cells"][-1]["content"]) < max(times):
        c.problems.append("%s: at %d there is %r" % (o, max(times), at))
    for bad in ({"requested_table_index": -1, "requested_table_count": 1}, {},
                {"requested_table_index": 0, "requested_table_count": 1000000},
                {"requested_table_index": 0, "requested_table_count": 1,
                 "table_search_expressions": {"1": "(a{1,255}){1,255}"}},
                {"requested_table_index": 0, "requested_table_count": 1,
                 "table_search_expressions": {"1": "("}}):
        c.out("table", o, "lines", bad, 400)


def outputs(s, name, needs):
    p = []
    c = Client(s, p)
    outs = c.call("GET", c.at + "/outputs")
    if outs[0]["type"] != "TREE_TIME_XY":
        p.append("the first output is no curve")
    if not any(x["name"] == "Histogram" for x in outs):
        p.append("no Histogram")
    had = {}
    for o in outs:
        oid, kind = o["id"], KINDS[o["type"]]
        if c.call("GET", c.at + "/outputs/" + quoted(oid)) != o:
            p.append("%s alone is another" % oid)
        if kind == "table":
            table(c, oid)
            continue
        tree = c.out(kind, oid, "tree")["model"]
        for other in ("timeGraph", "XY", "data"):  # a client asks any family for a tree
            c.out(other, oid, "tree", {"requested_timerange": {"start": 0, "end": 1}})
        entries = tree["entries"]
        known = {-1} | {x["id"] for x in entries}
        nulls(tree, oid, p)
        if any(x["parentId"] not in known for x in entries) or len(known) != len(entries) + 1:
            p.append("%s: entries without parents, or two of one id" % oid)
        if kind == "timeGraph":
            had[oid] = graph(c, oid, entries)
        elif kind in ("XY", "genericXY"):
            had[oid] = curve(c, oid, kind, entries)
    p += ["%s is empty" % x for x in needs if not had.get(x)]
    sets = c.call("GET", c.at + "/outputs/markerSets")["model"]
    cat = c.call("GET", c.at + "/outputs/%s/annotations?markerSetId=%s" %
                 (outs[2]["id"], sets[0]["id"]))["model"]["annotationCategories"]
    marks = c.out("", outs[2]["id"], "annotations", {
        "requested_timerange": {"start": c.e["start"], "end": c.e["end"], "nbTimes": 10},
        "requested_marker_categories": cat})["model"]["annotations"]
    findings = s.get("/api/v1/findings").json()["findings"]
    for severity in cat:
        if [x["label"] for x in reversed(marks[severity])] != [
                f["title"] for f in findings if f["severity"] == severity and f["t0_ns"] is not None]:
            p.append("annotations are not the findings: %r" % marks)
    c.call("GET", c.at + "/outputs/nothing", None, 404)
    c.call("POST", c.at + "/outputs/timeGraph/nothing/tree", {}, 404)
    c.call("POST", "/experiments/nothing/outputs/timeGraph/cloud.vm.layers/tree", {}, 404)
    report(name + ": all outputs", p)


def made_by_clients(s, scope):
    p = []
    c = Client(s, p)
    t = c.call("GET", "/config/types/")[0]
    at = c.at + "/outputs/cloud.vm.layers"
    if c.call("GET", "/config/types/%s/" % t["id"]) != t or \
            c.call("GET", at + "/configTypes") != [t] or c.call("GET", at + "/configTypes/" + t["id"]) != t:
        p.append("types differ")
    body = {"name": "one", "sourceTypeId": t["id"], "parameters": {"scope": scope}}
    d = c.call("POST", at, body)
    if d["parentId"] != "cloud.vm.layers" or not d["capabilities"]["canDelete"]:
        p.append(d)
    if d not in c.call("GET", c.at + "/outputs"):
        p.append("it is not listed")
    if not c.out("timeGraph", quoted(d["id"]), "tree")["model"]["entries"]:
        p.append("it has no entries")
    c.call("POST", at, dict(body, parameters={"scope": "vm:nobody"}), 400)
    c.call("POST", at, {"name": "x"}, 400)
    if c.call("DELETE", at + "/" + quoted(d["id"])) != d:
        p.append("what was deleted is another")
    c.call("DELETE", at + "/" + quoted(d["id"]), None, 404)
    for path in ("/configs", ""):
        k = c.call("POST", "/config/types/%s%s" % (t["id"], path), body)
        one = "/config/types/%s/configs/%s" % (t["id"], quoted(k["id"]))
        if c.call("GET", one) != k or k not in c.call("GET", "/config/types/%s/configs" % t["id"]):
            p.append("a configuration is not kept")
        if c.call("PUT", one, dict(body, name="two"))["name"] != "two":
            p.append("it does not change")
        c.call("DELETE", one)
        c.call("GET", one, None, 404)
    c.call("GET", "/config/types/nothing", None, 404)
    report("outputs that clients make", p)


def main():
    with Server(sim("migration-hogs")) as s:
        outputs(s, "migration", ("cloud.migration.dirtypages", "cloud.vm.layers",
                                 "cloud.migration.stages", "cloud.kernel.threads"))
        vm = s.get("/api/v1/list/migrations").json()[0]["vm"]
        made_by_clients(s, "vm:" + vm)
        traces(s)
        report("ends with 0", [] if s.stop() == 0 else ["exit %d: %s" % (s.p.returncode, s.err)])
    with Server(sim("small-cloud")) as s:
        outputs(s, "cloud", ("cloud.request.flow", "cloud.services"))
        origin = {"Origin": "http://elsewhere.example"}
        r = s.request("OPTIONS", API + "/traces", None, origin)
        report("a page that is not listed may not ask", [] if r.status == 403 else [r.status])
    end()


main()
