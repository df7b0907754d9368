// SPDX-License-Identifier: Apache-2.0
//
// What was picked: an interval with its evidence and its raw events, or what is selected.

import type { VNode } from "preact";
import { useCell } from "../base/cell";
import { Txt } from "../base/text";
import { fit, href, selection, setArgs } from "../base/state";
import type { Exact, RowInfo, Rows } from "../base/types";
import { clock, dur } from "../time/time";

export function Picked({
  row,
}: {
  row: { row: RowInfo; exact: Exact | null } | null;
  rows: Rows;
  scope: string;
}): VNode {
  const chosen = useCell(selection);
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
        </div>
      ) : null}
      {row ? <Interval {...row} /> : null}
      {!row && !chosen ? (
        <p class="faint hint">
          Click a state for its exact interval and its events; drag to select; <kbd>w</kbd> <kbd>a</kbd> <kbd>s</kbd>{" "}
          <kbd>d</kbd> zoom and move; <kbd>?</kbd> has all keys.
        </p>
      ) : null}
    </div>
  );
}

function Interval({ row, exact }: { row: RowInfo; exact: Exact | null }): VNode {
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
      <Close />
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
