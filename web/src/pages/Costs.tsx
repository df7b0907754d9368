// SPDX-License-Identifier: Apache-2.0
//
// What costs most, of any measure, in the window: who, and how it is distributed.

import type { VNode } from "preact";
import { useEffect, useState } from "preact/hooks";
import { absWindow, query, useGet } from "../base/api";
import { useCell } from "../base/cell";
import { current } from "../base/current";
import { Txt, number, plain } from "../base/text";
import { go, href, route, selection, setArgs, view } from "../base/state";
import type { Experiment } from "../base/types";
import { clock, dur } from "../time/time";
import { AnyTable, type AnyRow } from "../view/AnyTable";
import { Empty, Loading, Problem } from "../view/states";
import { MiniLine } from "../view/MiniLine";
import { HostChoice } from "../view/things";

const WHAT: Record<string, string> = {
  cpu: "CPU: who ran, waited, was blocked",
  preempt: "Pre-emption: who took a CPU from whom",
  wait: "Waiting for CPUs, and who had them",
  sched: "From wake-up to run",
  io: "Requests to disks",
  net: "Packets",
  irq: "Interrupts",
  syscall: "System calls",
  exits: "Exits of guests",
  mem: "Growth of processes",
};
const WITHOUT_FREQ = new Set(["mem", "net"]);
const REST_MS = 300;

interface Bucket {
  low_ns: number;
  high_ns: number;
  count: number;
  share: number;
}

/** The window that rests: dragging it asks nothing. */
function useRested(): { t0: number; t1: number } {
  const win = useCell(view);
  const chosen = useCell(selection);
  const span = chosen ?? win;
  const [rested, setRested] = useState(span);
  useEffect(() => {
    const timer = window.setTimeout(() => setRested(span), REST_MS);
    return () => clearTimeout(timer);
  }, [span.t0, span.t1]);
  return rested;
}

export function CostsPage({ measure }: { measure: string }): VNode {
  const e = useCell(current) as Experiment;
  const at = useCell(route);
  const span = useRested();
  const which = measure || "cpu";
  const { host = "", vm = "", by = "", find = "" } = at.args;
  const args = { host, vm, by, ...absWindow(span.t0, span.t1) };
  const top = useGet<AnyRow[]>(query("top/" + which, args));
  const freq = useGet<Bucket[]>(WITHOUT_FREQ.has(which) ? null : query("freq/" + which, args));
  const wanted = find.toLowerCase();
  // Of another measure, the rows would have other columns.
  const data = top.of?.startsWith(`top/${which}?`) ? top.data : null;
  const rows = (data ?? []).filter(
    (r) => !wanted || Object.values(r).some((v) => typeof v === "string" && v.toLowerCase().includes(wanted)),
  );
  return (
    <>
      <h1>Costs</h1>
      <div class="filters">
        <label class="field">
          Measure{" "}
          <select value={which} onChange={(x) => go(href("costs", x.currentTarget.value, { host, vm, by }))}>
            {e.measures.map((m) => (
              <option key={m} value={m}>
                {WHAT[m] ?? plain(m)}
              </option>
            ))}
          </select>
        </label>
        <HostChoice of={e} host={host} />
        <label class="field">
          A row for each{" "}
          <select value={by} onChange={(x) => setArgs({ by: x.currentTarget.value })}>
            <option value="">as is best</option>
            <option value="owner">instance or service</option>
            <option value="process">process</option>
            <option value="thread">thread</option>
          </select>
        </label>
        <label class="field">
          Find <input type="search" value={find} onInput={(x) => setArgs({ find: x.currentTarget.value })} />
        </label>
        {vm ? (
          <button type="button" onClick={() => setArgs({ vm: "" })}>
            Only <Txt s={vm} /> ✕
          </button>
        ) : null}
      </div>
      <MiniLine host={host} />
      {top.error ? <Problem error={top.error} /> : null}
      {!data && !top.error ? <Loading what="the measure" /> : null}
      {data && !rows.length ? (
        <Empty>
          Nothing of this between {clock(span.t0)} and {clock(span.t1)}
          {find ? ` that has “${plain(find)}” in it` : ""}. If the kernel of a host was not traced, or not these events of it,{" "}
          <a href={href("health")}>Trace health</a> says so.
        </Empty>
      ) : null}
      {freq.data?.length ? <Distribution all={freq.data} /> : null}
      {rows.length ? <AnyTable key={which} rows={rows} caption={`${WHAT[which] ?? which}, ${clock(span.t0)} to ${clock(span.t1)}`} /> : null}
    </>
  );
}

/** How long the samples are: a bar for each power of two. */
function Distribution({ all }: { all: Bucket[] }): VNode {
  const most = Math.max(...all.map((b) => b.count));
  return (
    <details class="panel">
      <summary>How long: {number(all.reduce((n, b) => n + b.count, 0))} samples</summary>
      <ul class="freq">
        {all.map((b) => (
          <li key={b.low_ns}>
            <span class="num">
              {dur(b.low_ns)} – {dur(b.high_ns)}
            </span>
            <span class="f-bar">
              <i style={{ width: (100 * b.count) / most + "%" }} />
            </span>
            <span class="num">{number(b.count)}</span>
          </li>
        ))}
      </ul>
    </details>
  );
}
