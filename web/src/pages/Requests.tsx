// SPDX-License-Identifier: Apache-2.0
//
// Requests: the list, and one request through the services: as a waterfall of all that it
// did, and lane by lane of the services.

import type { VNode } from "preact";
import { useState } from "preact/hooks";
import { part, useGet } from "../base/api";
import { useCell } from "../base/cell";
import { Txt, count, number, plain } from "../base/text";
import { href, route, setArgs } from "../base/state";
import type { Flow, Request, RequestShow } from "../base/types";
import { dur, rel, tickStep } from "../time/time";
import { FindingsOf } from "../view/FindingsOf";
import { Empty, Loading, Problem } from "../view/states";
import { Table } from "../view/Table";
import { Outcome, When, address, names, roomy, spanOf, useFit } from "../view/things";
import { TimelineView } from "../view/TimelineView";

export function RequestsPage(): VNode {
  const all = useGet<Request[]>("list/requests");
  const at = useCell(route);
  if (all.error) return <Problem error={all.error} />;
  if (!all.data) return <Loading what="requests" />;
  const find = (at.args.find ?? "").toLowerCase();
  const outcome = at.args.outcome ?? "";
  const text = (r: Request) => `${r.request_id} ${r.action} ${r.entity} ${names(r.services)} ${names(r.hosts)}`.toLowerCase();
  const rows = all.data.filter((r) => (!outcome || r.outcome === outcome) && (!find || text(r).includes(find)));
  const outcomes = [...new Set(all.data.map((r) => r.outcome))];
  return (
    <>
      <h1>Requests</h1>
      {all.data.length === 0 ? (
        <Empty>
          <b>No request was seen.</b> They come from logs of OpenStack&rsquo;s services, recorded by LTTng:{" "}
          <code>lttng enable-event -p &apos;lttng_python:*&apos;</code>. <a href={href("health")}>Trace health</a> says what was.
        </Empty>
      ) : (
        <>
          <div class="filters">
            <label class="field">
              Find{" "}
              <input type="search" value={at.args.find ?? ""} onInput={(e) => setArgs({ find: e.currentTarget.value })} />
            </label>
            <label class="field">
              Outcome{" "}
              <select value={outcome} onChange={(e) => setArgs({ outcome: e.currentTarget.value })}>
                <option value="">any</option>
                {outcomes.map((o) => (
                  <option key={o} value={o}>
                    {plain(o)}
                  </option>
                ))}
              </select>
            </label>
            <span class="faint">{count(rows.length, "request")}</span>
          </div>
          <RequestTable rows={rows.filter(isOperation)} caption="Requests, the longest first" />
          {rows.every(isOperation) ? null : (
            <details open={!rows.some(isOperation)}>
              <summary>
                {count(rows.filter((r) => !isOperation(r)).length, "more request")}, of which no operation is known: what services do by
                themselves, now and then
              </summary>
              <RequestTable rows={rows.filter((r) => !isOperation(r))} caption="Requests without an operation" />
            </details>
          )}
        </>
      )}
    </>
  );
}

/** Something that somebody asked for, or that went wrong. */
function isOperation(r: Request): boolean {
  return !!r.action || !!r.entity || r.errors > 0;
}

function RequestTable({ rows, caption }: { rows: Request[]; caption: string }): VNode {
  return (
    <Table
      caption={caption}
      rows={rows}
      id={(r) => r.request_id}
      sort="Duration"
      first={40}
      open={(r) => href("request", r.request_id, {}, roomy(spanOf(r.start_ns, r.end_ns)))}
      columns={[
        { name: "Request", show: (r) => <Txt s={r.request_id} cut={20} />, by: (r) => r.request_id },
        { name: "Action", show: (r) => <span class="nowrap"><Txt s={r.action ?? "–"} cut={36} /></span>, by: (r) => r.action },
        { name: "Of", show: (r) => <span class="nowrap"><Txt s={r.entity ?? "–"} cut={24} /></span>, by: (r) => r.entity },
        { name: "Outcome", show: (r) => <Outcome of={r.outcome} />, by: (r) => r.outcome },
        { name: "Begin", show: (r) => <When at={r.start_ns} />, by: (r) => r.start_ns },
        { name: "Duration", show: (r) => dur(r.duration_ns), by: (r) => r.duration_ns, num: true },
        { name: "Services", show: (r) => number(r.services.length), by: (r) => r.services.length, num: true },
        { name: "Errors", show: (r) => number(r.errors), by: (r) => r.errors, num: true },
        { name: "First error", show: (r) => <span class="nowrap"><Txt s={r.first_error ?? ""} cut={50} /></span> },
      ]}
    />
  );
}

export function RequestPage({ id }: { id: string }): VNode {
  const show = useGet<RequestShow>("show/request/" + part(id));
  const [by, setBy] = useState<"steps" | "services">("steps");
  const r = show.data?.requests[0];
  useFit(r ? spanOf(r.start_ns, r.end_ns) : null);
  if (show.error) return <Problem error={show.error} />;
  if (!show.data) return <Loading what="the request" />;
  if (!r) return <Empty>This request is not in these traces.</Empty>;
  const vm = r.entity ? address("vm", r.entity, roomy(spanOf(r.start_ns, r.end_ns))) : null;
  return (
    <>
      <h1>
        <span class="kind">request</span> <Txt s={r.action ?? "request"} />{" "}
        {vm ? (
          <a href={vm}>
            <Txt s={r.entity} />
          </a>
        ) : null}{" "}
        <Outcome of={r.outcome} /> <b class="num">{dur(r.duration_ns)}</b>
      </h1>
      <p class="faint">
        <Txt s={r.request_id} /> · <When at={r.start_ns} digits={6} /> · {count(r.errors, "error")}, {count(r.warnings, "warning")}
        {r.parent ? (
          <>
            {" "}
            · part of{" "}
            <a href={href("request", r.parent)}>
              <Txt s={r.parent} />
            </a>
          </>
        ) : null}
      </p>
      {r.first_error ? (
        <p class="problem">
          <Txt s={r.first_error} />
        </p>
      ) : null}
      <FindingsOf kind="request" name={r.request_id} />
      <div class="filters" role="group" aria-label="Show as">
        <button type="button" aria-pressed={by === "steps"} onClick={() => setBy("steps")}>
          Waterfall
        </button>
        <button type="button" aria-pressed={by === "services"} onClick={() => setBy("services")}>
          By service
        </button>
      </div>
      <Waterfall r={r} flow={show.data.flow} lanes={by === "services"} />
      <TimelineView scope={"request:" + r.request_id} by="kind" arrows />
      <Gaps show={show.data} />
      {show.data.children.length ? <RequestTable rows={show.data.children} caption="Requests that it made" /> : null}
    </>
  );
}

const MOST = 250;

/** What the request did, as bars on its own time. */
export function Waterfall({ r, flow, lanes }: { r: Request; flow: Flow[]; lanes: boolean }): VNode | null {
  const begin = rel(r.start_ns);
  const length = Math.max(
    r.duration_ns ?? 0,
    ...flow.slice(0, 5000).map((f) => f.offset_ns + (f.duration_ns ?? 0)),
    1,
  );
  if (!flow.length) return <Empty>No step of it was seen: only its log lines are known.</Empty>;
  const groups: { label: string; host: string; steps: Flow[] }[] = [];
  if (lanes) {
    const found = new Map<string, { label: string; host: string; steps: Flow[] }>();
    for (const f of flow) {
      const key = f.service + "\n" + f.host;
      const lane = found.get(key) ?? { label: f.service, host: f.host, steps: [] };
      lane.steps.push(f);
      found.set(key, lane);
    }
    groups.push(...found.values());
  } else groups.push(...flow.slice(0, MOST).map((f) => ({ label: labelOf(f), host: `${f.service} on ${f.host}`, steps: [f] })));
  return (
    <section class="waterfall" aria-label={lanes ? "Steps by service" : "Steps"}>
      <Scale length={length} />
      <ol>
        {groups.map((g, i) => (
          <li key={i}>
            <span class="w-label" title={plain(`${g.label} (${g.host})`)}>
              <Txt s={g.label} cut={48} />
              <span class="host"><Txt s={g.host} cut={34} /></span>
            </span>
            <span class="w-lane">
              {g.steps.slice(0, 400).map((f, k) => (
                <Bar key={k} f={f} begin={begin} length={length} id={r.request_id} />
              ))}
            </span>
            <span class="w-time num">{dur(sumOf(g.steps))}</span>
          </li>
        ))}
      </ol>
      {!lanes && flow.length > MOST ? <p class="faint">{count(flow.length - MOST, "more step")}: see the table of events.</p> : null}
      <p class="legend faint">
        <i class="swatch k-task" /> task <i class="swatch k-rpc" /> call <i class="swatch k-wait" /> waits{" "}
        <i class="swatch k-lock" /> holds a lock <i class="swatch k-other" /> other <i class="swatch bad" /> failed
      </p>
    </section>
  );
}

function sumOf(steps: Flow[]): number | null {
  // Steps of a lane lie within each other: their union, not their sum.
  let end = -Infinity;
  let sum = 0;
  for (const s of [...steps].sort((a, b) => a.offset_ns - b.offset_ns)) {
    const to = s.offset_ns + (s.duration_ns ?? 0);
    if (to <= end) continue;
    sum += to - Math.max(end, s.offset_ns);
    end = to;
  }
  return sum || null;
}

function Scale({ length }: { length: number }): VNode {
  const step = tickStep(length, 6);
  const at: number[] = [];
  for (let t = 0; t <= length; t += step) at.push(t);
  return (
    <div class="w-scale num" aria-hidden="true">
      {at.map((t) => (
        <span key={t} style={{ left: (100 * t) / length + "%" }}>
          {dur(t)}
        </span>
      ))}
    </div>
  );
}

/** A lock's name alone, often a uuid, does not say that it is one. */
function labelOf(f: Flow): string {
  return f.what === "lock" ? "holds lock " + f.name : f.what === "lock-wait" ? "waits for lock " + f.name : f.name;
}

function kindOf(f: Flow): string {
  if (f.status === "failed" || f.status === "error" || f.status === "aborted") return "bad";
  if (/wait|external/.test(f.what)) return "k-wait";
  if (/^lock/.test(f.what)) return "k-lock";
  if (/rpc|served|call/.test(f.what)) return "k-rpc";
  return f.what === "task" ? "k-task" : "k-other";
}

function Bar({ f, begin, length, id }: { f: Flow; begin: number; length: number; id: string }): VNode {
  const t0 = begin + f.offset_ns;
  const to = href("request", id, {}, roomy({ t0, t1: t0 + Math.max(1000, f.duration_ns ?? 0) }));
  const text = `${f.what} ${f.name}: ${dur(f.duration_ns)}${f.status ? ", " + f.status : ""}${f.order ? ", " + f.order : ""}`;
  return (
    <a
      class={"w-bar " + kindOf(f)}
      href={to}
      title={plain(text)}
      aria-label={plain(text)}
      style={{
        left: (100 * f.offset_ns) / length + "%",
        width: `max(3px, ${(100 * (f.duration_ns ?? 0)) / length}%)`,
      }}
    />
  );
}

export function Gaps({ show }: { show: RequestShow }): VNode | null {
  if (!show.gaps.length) return null;
  return (
    <Table
      caption="Between services, where nothing was seen of it"
      rows={show.gaps}
      id={(_g, i) => String(i)}
      sort="Gap"
      columns={[
        { name: "From", show: (g) => <Txt s={g.from} />, by: (g) => g.from },
        { name: "To", show: (g) => <Txt s={g.to} />, by: (g) => g.to },
        { name: "Last sign", show: (g) => <When at={g.start_ns} digits={6} />, by: (g) => g.start_ns },
        { name: "Gap", show: (g) => dur(g.gap_ns), by: (g) => g.gap_ns, num: true },
        { name: "± clocks", show: (g) => (g.hosts_differ ? dur(g.bound_ns) : "–"), by: (g) => g.bound_ns, num: true },
        { name: "Order", show: (g) => <Txt s={g.order ?? ""} /> },
      ]}
    />
  );
}
