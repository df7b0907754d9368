#!/usr/bin/env python3
"""The protocol's client in TypeScript, from npm: its own tests, and every call against the server.

Skipped, with the reason, where node or the package can't be had.  What was had is kept in the build folder.

usage: tsp_client.py path/to/neph
"""

import json
import os
import shutil
import subprocess

from _server import TMP, Server, end, report, sim

PACKAGE = {"name": "tsp-client-test", "private": True,
           "dependencies": {"tsp-typescript-client": "0.9.0", "jest": "28.1.3",
                            "jest-environment-jsdom": "28.1.3"},
           # It names a commit on GitHub, which can't always be had.
           "overrides": {"json-bigint": "1.0.0"}}
# With that version of json-bigint, a number of more than 15 characters is an integer even if it has a point:
# the answer of one test's fixture is lost whole.  The server sends no such number (tsp.py).
OWN_TESTS, OWN_FAILURES = 53, ["HttpTspClient Deserialization fetchXY"]

LIVE = r"""
const { HttpTspClient } = require('tsp-typescript-client/lib/protocol/http-tsp-client');
const { Query } = require('tsp-typescript-client/lib/models/query/query');
const q = o => new Query(o);
(async () => {
    const c = new HttpTspClient(process.argv[2] + '/tsp/api');
    const scope = process.argv[3];
    const failed = [];
    const called = new Set();
    const call = async (name, check, ...args) => {
        called.add(name);
        try {
            const r = await c[name](...args);
            if (!r.isOk()) throw new Error('status ' + r.getStatusCode());
            const m = r.getModel();
            if (m === undefined) throw new Error('no model');
            if (!check(m)) throw new Error('model ' + JSON.stringify(m, (k, v) =>
                typeof v === 'bigint' ? String(v) : v).slice(0, 200));
            return m;
        } catch (e) {
            failed.push(name + ': ' + e.message);
        }
    };
    const list = n => m => Array.isArray(m) && m.length >= n;
    const model = f => m => m.status === 'COMPLETED' && f(m.model);
    await call('checkHealth', m => m.status === 'UP');
    await call('fetchIdentifier', m => m.tspVersion === '0.6.0');
    const traces = await call('fetchTraces', list(1));
    const t = traces[0];
    await call('fetchTrace', m => m.UUID === t.UUID && typeof m.start === 'bigint', t.UUID);
    await call('openTrace', m => m.UUID === t.UUID, q({ uri: t.path, name: 'x' }));
    await call('fetchExperiments', list(1));
    const e = await call('createExperiment', m => m.name === 'live',
                         q({ name: 'live', traces: [t.UUID] }));
    await call('fetchExperiment', m => m.UUID === e.UUID, e.UUID);
    await call('updateExperiment', m => m.UUID === e.UUID, e.UUID, q({ name: 'live' }));
    const outs = await call('experimentOutputs', list(10), e.UUID);
    const range = { start: e.start, end: e.end, nbTimes: 200, nbSamples: 200 };
    for (const o of outs.filter(o => o.type === 'TIME_GRAPH')) {
        const tree = await call('fetchTimeGraphTree', model(m => m.entries), e.UUID, o.id,
                                q({ requested_timerange: range }));
        const ids = tree.model.entries.map(x => x.id).slice(0, 40);
        const all = q({ requested_timerange: range, requested_items: ids });
        await call('fetchTimeGraphStates', model(m => m.rows.length === ids.length), e.UUID, o.id, all);
        await call('fetchTimeGraphArrows', model(list(0)), e.UUID, o.id, all);
        await call('fetchStyles', model(m => Object.keys(m.styles).length > 5), e.UUID, o.id, q({}));
        if (ids.length)
            await call('fetchTimeGraphTooltip', model(m => m.Row), e.UUID, o.id, q({
                requested_times: [(e.start + e.end) / 2n], requested_items: ids.slice(-1),
                requested_element: { elementType: 'state', time: e.start, duration: 1n } }));
    }
    for (const [type, tree, xy] of [['TREE_TIME_XY', 'fetchXYTree', 'fetchXY'],
                                    ['TREE_GENERIC_XY', 'fetchGenericXYTree', 'fetchGenericXY']])
        for (const o of outs.filter(o => o.type === type)) {
            const m = await call(tree, model(m => m.entries), e.UUID, o.id,
                                 q({ requested_timerange: range }));
            await call(xy, model(m => Array.isArray(m.series)), e.UUID, o.id, q({
                requested_timerange: range, requested_items: m.model.entries.map(x => x.id) }));
        }
    await call('fetchXYToolTip', model(m => m.Time), e.UUID, outs[0].id, Number(e.start), 1, '1');
    await call('fetchDataTree', model(m => m.entries.length), e.UUID, 'statistics', q({}));
    for (const o of outs.filter(o => o.type === 'TABLE')) {
        await call('fetchTableColumns', model(list(3)), e.UUID, o.id, q({}));
        await call('fetchTableLines', model(m => m.lines.length > 0), e.UUID, o.id,
                   q({ requested_table_index: 0, requested_table_count: 5 }));
    }
    const sets = await call('fetchMarkerSets', model(list(1)), e.UUID);
    await call('fetchAnnotationsCategories', model(m => m.annotationCategories.length), e.UUID,
               outs[2].id, sets.model[0].id);
    await call('fetchAnnotations', model(m => m.annotations), e.UUID, outs[2].id,
               q({ requested_timerange: range }));
    const types = await call('fetchConfigurationSourceTypes', list(1));
    const type = types[0].id;
    await call('fetchConfigurationSourceType', m => m.id === type, type);
    await call('fetchOutputConfigurationTypes', list(1), e.UUID, 'cloud.vm.layers');
    await call('fetchOutputConfigurationType', m => m.id === type, e.UUID, 'cloud.vm.layers', type);
    const made = { name: 'one', sourceTypeId: type, parameters: { scope } };
    const d = await call('createDerivedOutput', m => m.parentId === 'cloud.vm.layers', e.UUID,
                         'cloud.vm.layers', made);
    await call('deleteDerivedOutput', m => m.id === d.id, e.UUID, 'cloud.vm.layers', d.id);
    const k = await call('createConfiguration', m => m.id, type, made);
    await call('fetchConfigurations', list(1), type);
    await call('fetchConfiguration', m => m.id === k.id, type, k.id);
    await call('updateConfiguration', m => m.name === 'two', type, k.id,
               { name: 'two', parameters: { scope } });
    await call('deleteConfiguration', m => m.id === k.id, type, k.id);
    for (const x of (await call('fetchExperiments', list(1))))
        await call('deleteExperiment', m => m.UUID === x.UUID, x.UUID);
    await call('deleteTrace', m => m.UUID === t.UUID, t.UUID, true, true);
    const known = Object.getOwnPropertyNames(HttpTspClient.prototype)
        .filter(n => n !== 'constructor' && typeof c[n] === 'function');
    for (const n of known) if (!called.has(n)) failed.push(n + ' was not called');
    console.log(JSON.stringify({ called: called.size, failed }));
})().catch(e => { console.log(JSON.stringify({ called: 0, failed: [String(e.stack)] })); });
"""


def install(folder):
    """Why the client can't be had, or None."""
    if not shutil.which("node") or not shutil.which("npm"):
        return "node and npm are not here"
    done = os.path.join(folder, "installed.json")
    if os.path.exists(done):
        with open(done) as f:
            if json.load(f) == PACKAGE:
                return None
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    with open(os.path.join(folder, "package.json"), "w") as f:
        json.dump(PACKAGE, f)
    try:
        p = subprocess.run(["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts",
                            "--fetch-retries=0", "--fetch-timeout=20000"], cwd=folder,
                           capture_output=True, text=True, timeout=300)
    except subprocess.TimeoutExpired:
        return "npm took too long"
    if p.returncode != 0:
        return "npm: " + (p.stderr.strip().splitlines() or ["exit %d" % p.returncode])[0]
    # Jest looks for no tests below node_modules.
    shutil.copytree(os.path.join(folder, "node_modules", "tsp-typescript-client"),
                    os.path.join(folder, "client"))
    with open(done, "w") as f:
        json.dump(PACKAGE, f)
    return None


def own_tests(folder):
    """The package's compiled tests, with its fixtures and its configuration, unchanged."""
    at = os.path.join(folder, "client")
    p = subprocess.run(["node", "../node_modules/jest/bin/jest.js", "--config", "jest.config.json", "--ci",
                        "--json", "--silent"], cwd=at, capture_output=True, text=True, timeout=300)
    try:
        told = json.loads(p.stdout)
    except ValueError:
        report("tsp-typescript-client: its own tests", [p.stdout + p.stderr])
        return
    tests = [t for suite in told["testResults"] for t in suite["assertionResults"]]
    failed = [t["fullName"] for t in tests if t["status"] != "passed"]
    problems = [] if failed == OWN_FAILURES else ["failed: %r" % failed]
    if len(tests) != OWN_TESTS:
        problems.append("%d tests" % len(tests))
    report("tsp-typescript-client: its own tests, but for what json-bigint 1.0.0 can't read", problems)


def live(folder):
    """Every method of the client's class, against the server."""
    with open(os.path.join(folder, "live.js"), "w") as f:
        f.write(LIVE)
    with Server(sim("migration-hogs")) as s:
        vm = s.get("/api/v1/list/migrations").json()[0]["vm"]
        p = subprocess.run(["node", "live.js", "http://127.0.0.1:%d" % s.port, "vm:" + vm],
                           cwd=folder, capture_output=True, text=True, timeout=300)
        try:
            told = json.loads(p.stdout.splitlines()[-1])
        except (ValueError, IndexError):
            told = {"called": 0, "failed": [p.stdout + p.stderr]}
        if told["called"] < 35:
            told["failed"].append("only %d calls" % told["called"])
        report("tsp-typescript-client: every call", told["failed"])
        report("ends with 0", [] if s.stop() == 0 else ["exit %d: %s" % (s.p.returncode, s.err)])


def main():
    folder = os.path.join(os.environ.get("NEPH_BUILD", TMP), "tsp-client")
    why = install(folder)
    if why:
        print("skip tsp-typescript-client: " + why)
        return
    own_tests(folder)
    live(folder)
    end()


main()
