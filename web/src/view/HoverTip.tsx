// SPDX-License-Identifier: Apache-2.0
//
// What is beside the pointer on a time line: a state, or what led from one row to another.

import type { VNode } from "preact";
import { useEffect, useState } from "preact/hooks";
import { get, query } from "../base/api";
import { current } from "../base/current";
import { Txt, plain } from "../base/text";
import { view } from "../base/state";
import type { Arrow, Exact, Experiment, Maybe, RowInfo } from "../base/types";
import type { Timeline } from "../time/timeline";
import { clock, digitsFor, dur, type Ns } from "../time/time";
import { Table } from "./Table";

/** What is under the pointer; moving it moves everybody's cursor. */
export interface Hover {
  row: RowInfo | null;
  arrow: Arrow | null;
  x: number;
  y: number;
  t: Ns;
}
const hovers = new Set<(h: Hover | null) => void>();

export function tell(h: Hover | null): void {
  hovers.forEach((f) => f(h));
}

export function boundsOf(e: Experiment | null): Map<string, Ns> {
  const found = new Map<string, Ns>();
  for (const h of e?.hosts ?? []) if (h.bound_ns) found.set(h.name, h.bound_ns.median);
  return found;
}

export function hint(row: RowInfo): string {
  return `${row.label}${row.host ? " on " + row.host : ""} (${row.kind})`;
}

/** "call pre_live_migration"; wake-ups have a kind only. */
export function arrowName(a: Arrow): string {
  return a.label && a.kind !== "migration" ? `${a.kind} ${a.label}` : a.label || a.kind;
}

function isInstant(a: Arrow): boolean {
  return a.t_from === a.t_to;
}

/** How long it took, as far as the clocks of both hosts tell. */
export function latency(a: Arrow): string {
  if (isInstant(a)) return "";
  const took = dur(a.t_to - a.t_from);
  if (a.bound_ns === null) return `${took}, not bounded`;
  return a.bound_ns ? `${took} ± ${dur(a.bound_ns)}` : took;
}

/** Whether it is certain which end was first. */
export function orderOf(a: Arrow): string {
  if (a.order_known || isInstant(a)) return "certain";
  if (a.bound_ns === null) return "certain by its cause; these clocks are not bounded";
  const most = Math.max(0, a.t_to - a.t_from + a.bound_ns);
  return `certain by its cause, not by the clocks: it took ${dur(most)} at most`;
}

function end(id: string, rows: RowInfo[]): string {
  const row = rows.find((r) => r.id === id);
  return row ? plain(row.label + (row.host && !row.label.includes(row.host) ? ` on ${row.host}` : "")) : "?";
}

function ArrowTip({ arrow, rows }: { arrow: Arrow; rows: RowInfo[] }): VNode {
  return (
    <>
      <b>
        <Txt s={arrowName(arrow)} cut={60} />
      </b>{" "}
      <span class="num">{latency(arrow)}</span>
      <div>
        <span class="faint">from</span> {end(arrow.from, rows)}
      </div>
      <div>
        <span class="faint">to</span> {end(arrow.to, rows)}
      </div>
      <div class="num faint">
        {clock(arrow.t_from, 6)} → {clock(arrow.t_to, 6)}
      </div>
      <div class="faint">Order: {orderOf(arrow)}</div>
    </>
  );
}

/** The arrows without a canvas. */
export function ArrowTable({ arrows, rows }: { arrows: Arrow[]; rows: RowInfo[] }): VNode {
  return (
    <Table
      caption="Arrows within the window"
      rows={arrows}
      id={(_a, i) => String(i)}
      first={20}
      columns={[
        { name: "What", show: (a) => <Txt s={arrowName(a)} cut={60} />, by: arrowName },
        { name: "From", show: (a) => end(a.from, rows), by: (a) => end(a.from, rows) },
        { name: "To", show: (a) => end(a.to, rows), by: (a) => end(a.to, rows) },
        { name: "At", show: (a) => clock(a.t_from, 6), by: (a) => a.t_from, num: true },
        { name: "Took", show: (a) => latency(a) || "–", by: (a) => a.t_to - a.t_from, num: true },
        { name: "Order", show: orderOf, by: orderOf },
      ]}
    />
  );
}

const ASK_AFTER_MS = 90;

/** Beside the pointer: an arrow, or the state at once, its exact interval when the server has said it. */
export function HoverTip({ line, rows }: { line: { current: Timeline | null }; rows: RowInfo[] }): VNode | null {
  const [hover, setHover] = useState<Hover | null>(null);
  useEffect(() => {
    hovers.add(setHover);
    return () => void hovers.delete(setHover);
  }, []);
  const tl = line.current;
  if (!hover || !tl || (hover.row && !tl.line(hover.row.id))) return null;
  const right = hover.x > innerWidth - 340;
  const low = hover.y > innerHeight - 150;
  return (
    <div
      class="tip"
      role="tooltip"
      style={{ left: hover.x + (right ? -16 : 16) + "px", top: hover.y + (low ? -130 : 18) + "px" }}
      data-side={right ? "left" : "right"}
    >
      {hover.arrow ? <ArrowTip arrow={hover.arrow} rows={rows} /> : hover.row ? <StateTip line={tl} row={hover.row} t={hover.t} /> : null}
    </div>
  );
}

function StateTip({ line, row, t }: { line: Timeline; row: RowInfo; t: Ns }): VNode {
  const [exact, setExact] = useState<{ id: string; of: Exact } | null>(null);
  useEffect(() => {
    const timer = window.setTimeout(() => {
      get<Maybe<Exact>>(query("at", { row: row.id, t: Math.round(t) })).then(
        (of) => setExact(of.t0 === null ? null : { id: row.id, of }),
        () => setExact(null),
      );
    }, ASK_AFTER_MS);
    return () => clearTimeout(timer);
  }, [row, t]);
  const known = exact && exact.id === row.id && t >= exact.of.t0 && t < exact.of.t1 ? exact.of : null;
  const rough = line.stateAt(row, t);
  const digits = digitsFor((view.get().t1 - view.get().t0) / 2000);
  const bound = boundsOf(current.get()).get(row.host ?? "");
  return (
    <>
      <b>
        <Txt s={known?.label ?? known?.value ?? rough?.label ?? "no value"} />
      </b>{" "}
      {known ? dur(known.t1 - known.t0) : rough && !(rough.flags & 1) ? "≈ " + dur(rough.t1 - rough.t0) : null}
      <div class="faint">
        <Txt s={hint(row)} />
      </div>
      <div class="num">
        {clock(t, digits)}
        {bound ? <span class="faint"> ± {dur(bound)}</span> : null}
      </div>
      {known ? (
        <div class="num faint">
          {clock(known.t0, 6)} – {clock(known.t1, 6)}
        </div>
      ) : null}
      {!known && rough && rough.flags & 1 ? <div class="faint">several states in this pixel: zoom in</div> : null}
      {known?.evidence?.slice(0, 2).map((e, i) => (
        <div class="faint" key={i}>
          <Txt s={e} cut={90} />
        </div>
      ))}
    </>
  );
}
