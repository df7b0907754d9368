// SPDX-License-Identifier: Apache-2.0
//
// The time line without a canvas: for each row, how long it was in which state within the
// selection or the window.

import type { VNode } from "preact";
import { useEffect, useState } from "preact/hooks";
import { useCell } from "../base/cell";
import { Txt } from "../base/text";
import { selection, view } from "../base/state";
import type { LegendEntry, RowInfo } from "../base/types";
import type { Item } from "../time/rows";
import type { StripSource } from "../time/supply";
import { clock, dur, type Span } from "../time/time";
import { Problem } from "./states";
import { Share, Table } from "./Table";

const PIXELS = 2000; // shares are exact to a 2000th of the window
const MOST_ROWS = 60;
const REST_MS = 250;

interface Sum {
  row: RowInfo;
  label: string;
  bad: boolean;
  share: number;
  times: number;
}

interface Props {
  rows: Item[];
  legends: Record<string, LegendEntry[]>;
  fetch: StripSource;
  /** Instead of the selection or the window. */
  of?: Span;
}

export function StateTable({ rows, legends, fetch, of }: Props): VNode {
  const win = useCell(view);
  const chosen = useCell(selection);
  const span = of ?? chosen ?? win;
  const [sums, setSums] = useState<Sum[]>([]);
  const [error, setError] = useState<unknown>(null);
  const shown = rows.filter((i) => i.row).slice(0, MOST_ROWS);
  useEffect(() => {
    const out = new AbortController();
    const timer = window.setTimeout(() => {
      const byId = new Map(shown.map((i) => [i.key, i.row as RowInfo]));
      const whole = { t0: Math.floor(span.t0), t1: Math.ceil(span.t1) };
      const px = Math.min(PIXELS, whole.t1 - whole.t0);
      fetch([...byId.keys()], whole, px, out.signal).then(
        (reply) => {
          setError(null);
          setSums(reply.rows.flatMap((r) => add(byId.get(r.id), r.runs, legends, reply.px)));
        },
        (e: unknown) => out.signal.aborted || setError(e),
      );
    }, REST_MS);
    return () => {
      clearTimeout(timer);
      out.abort();
    };
  }, [span.t0, span.t1, rows]);
  if (error) return <Problem error={error} />;
  const length = span.t1 - span.t0;
  return (
    <Table
      caption={`States from ${clock(span.t0)} to ${clock(span.t1)}${rows.length > shown.length ? `, of the first ${MOST_ROWS} rows` : ""}`}
      rows={sums}
      id={(s) => s.row.id + " " + s.label}
      first={40}
      columns={[
        { name: "Row", show: (s) => <Txt s={s.row.label} />, by: (s) => s.row.label },
        { name: "Host", show: (s) => <Txt s={s.row.host} />, by: (s) => s.row.host },
        {
          name: "State",
          show: (s) => (s.bad ? <b class="badtext"><Txt s={s.label} /></b> : <Txt s={s.label} />),
          by: (s) => s.label,
        },
        { name: "Share", show: (s) => <Share of={s.share} />, by: (s) => s.share, num: true },
        { name: "Time", show: (s) => dur(s.share * length), by: (s) => s.share, num: true, title: "to a pixel" },
        { name: "Stretches", show: (s) => s.times, by: (s) => s.times, num: true, title: "as far as pixels tell them apart" },
      ]}
    />
  );
}

function add(row: RowInfo | undefined, runs: number[][], legends: Props["legends"], px: number): Sum[] {
  if (!row) return [];
  const entries = legends[row.legend ?? ""] ?? [];
  const found = new Map<number, Sum>();
  for (const [from = 0, to = 0, value = -1] of runs) {
    if (value < 0) continue;
    const entry = entries[value];
    let sum = found.get(value);
    if (!sum) {
      sum = { row, label: entry?.label ?? String(value), bad: !!entry?.bad, share: 0, times: 0 };
      found.set(value, sum);
    }
    sum.share += (to - from) / px;
    sum.times++;
  }
  return [...found.values()].sort((a, b) => b.share - a.share);
}
