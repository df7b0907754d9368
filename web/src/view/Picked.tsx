// SPDX-License-Identifier: Apache-2.0
//
// What was picked: an interval with its evidence and its raw events, or what is selected.

import type { VNode } from "preact";
import { useEffect, useState } from "preact/hooks";
import { useCell } from "../base/cell";
import { Txt } from "../base/text";
import { fit, href, selection, setArgs } from "../base/state";
import type { Exact, LegendEntry, RowInfo, Rows, StripReply } from "../base/types";
import type { StripSource } from "../time/supply";
import { clock, dur, type Span } from "../time/time";
import { WentTo, threadOf } from "./WentTo";

const REST_MS = 250;
const PIXELS = 1000; // shares are exact to a 1000th of the selection
const MOST_ROWS = 64;

interface Part {
  label: string;
  bad: boolean;
  share: number;
}

/** How the vCPUs spent the selection, all of them together, the most first. */
function useShares(rows: Rows, span: Span | null, fetch: StripSource): Part[] {
  const [parts, setParts] = useState<Part[]>([]);
  useEffect(() => {
    const vcpus = rows.rows.filter((r) => r.kind === "vcpu" && r.type === "state").slice(0, MOST_ROWS);
    setParts([]);
    if (!span || !vcpus.length) return;
    const out = new AbortController();
    const timer = window.setTimeout(() => {
      const whole = { t0: Math.floor(span.t0), t1: Math.ceil(span.t1) };
      const px = Math.min(PIXELS, whole.t1 - whole.t0);
      fetch(vcpus.map((r) => r.id), whole, px, out.signal).then(
        (reply) => setParts(sharesOf(reply, rows.legends[vcpus[0]?.legend ?? ""] ?? [])),
        () => undefined, // the time line says that the server is gone
      );
    }, REST_MS);
    return () => {
      clearTimeout(timer);
      out.abort();
    };
  }, [rows, span?.t0, span?.t1]);
  return parts;
}

export function sharesOf(reply: StripReply, legend: LegendEntry[]): Part[] {
  const found = new Map<number, number>();
  let all = 0;
  for (const row of reply.rows)
    for (const [from = 0, to = 0, value = -1] of row.runs) {
      if (value < 0) continue;
      found.set(value, (found.get(value) ?? 0) + to - from);
      all += to - from;
    }
  return [...found]
    .map(([value, n]) => ({ label: legend[value]?.label ?? String(value), bad: !!legend[value]?.bad, share: n / all }))
    .sort((a, b) => b.share - a.share);
}

export function Picked({
  row,
  rows,
  fetch,
}: {
  row: { row: RowInfo; exact: Exact | null } | null;
  rows: Rows;
  fetch: StripSource;
}): VNode {
  const chosen = useCell(selection);
  const parts = useShares(rows, chosen, fetch);
  return (
    <div class="picked" aria-live="polite">
      {chosen ? (
        <div class="pick">
          <b>Selection</b>
          <span class="num">
            {clock(chosen.t0, 6)} – {clock(chosen.t1, 6)}
          </span>
          <b class="num">{dur(chosen.t1 - chosen.t0)}</b>
          <button type="button" onClick={() => fit(chosen, 0)}>
            Zoom to it <kbd>f</kbd>
          </button>
          <button type="button" onClick={() => selection.set(null)}>
            Clear
          </button>
          {parts.length ? (
            <span class="spent" title="all vCPUs of this time line together, as far as they were traced">
              vCPUs:{" "}
              {parts.slice(0, 6).map((x, i) => (
                <span key={x.label} class={x.bad ? "badtext" : ""}>
                  {i ? " · " : ""}
                  <Txt s={x.label} /> <b class="num">{(100 * x.share).toFixed(x.share < 0.0995 ? 1 : 0)} %</b>
                </span>
              ))}
            </span>
          ) : null}
        </div>
      ) : null}
      {row ? <Interval {...row} selected={chosen} /> : null}
      {!row && !chosen ? (
        <p class="faint hint">
          Click a state for its exact interval and its events; drag to select; <kbd>w</kbd> <kbd>a</kbd> <kbd>s</kbd>{" "}
          <kbd>d</kbd> zoom and move; <kbd>?</kbd> has all keys.
        </p>
      ) : null}
    </div>
  );
}

function Interval({ row, exact, selected }: { row: RowInfo; exact: Exact | null; selected: Span | null }): VNode {
  const [explained, setExplained] = useState(false);
  const thread = threadOf(row);
  const name = (
    <>
      <Txt s={row.label} />
      {row.host ? (
        <span class="faint">
          {" "}
          on <Txt s={row.host} />
        </span>
      ) : null}
    </>
  );
  if (!exact)
    return (
      <div class="pick">
        <b>{name}</b>
        <span class="faint">click into the row, or press ] for its next state</span>
        <Close />
      </div>
    );
  const host = row.host ?? "";
  const args: Record<string, string> = host ? { host } : {};
  const known = exact.events ? Object.fromEntries(new URLSearchParams(exact.events)) : {};
  for (const key of ["host", "filter", "thread", "vm"]) if (known[key]) args[key] = known[key];
  return (
    <div class="pick">
      <span>
        {name}: <b><Txt s={exact.label ?? exact.value ?? "no value"} /></b>
      </span>
      <b class="num">{dur(exact.t1 - exact.t0)}</b>
      <span class="num">
        {clock(exact.t0, 9)} – {clock(exact.t1, 9)}
      </span>
      <button type="button" onClick={() => fit(exact)}>
        Zoom to it <kbd>f</kbd>
      </button>
      <button type="button" onClick={() => selection.set({ t0: exact.t0, t1: exact.t1 })}>
        Mark <kbd>m</kbd>
      </button>
      <a class="button" href={href("events", "", args, { t0: exact.t0, t1: Math.max(exact.t1, exact.t0 + 1000) })}>
        Raw events
      </a>
      {thread ? (
        <button type="button" aria-expanded={explained} onClick={() => setExplained(!explained)}>
          Where its time went
        </button>
      ) : null}
      <Close />
      {thread && explained ? (
        <div class="went">
          <WentTo {...thread} span={selected ?? exact} />
        </div>
      ) : null}
      {exact.evidence?.length ? (
        <ul class="evidence">
          {exact.evidence.map((e, i) => (
            <li key={i}>
              <Txt s={e} />
            </li>
          ))}
        </ul>
      ) : null}
    </div>
  );
}

function Close(): VNode {
  return (
    <button type="button" class="quiet" aria-label="Close" onClick={() => setArgs({ row: "", at: "" })}>
      ✕
    </button>
  );
}
