// SPDX-License-Identifier: Apache-2.0
//
// Curves on the common axis: what the pointer shows on one, it shows on all, and on the
// time lines.  uPlot draws; the table has the numbers.

import type { VNode } from "preact";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import uPlot from "uplot";
import { get, query } from "../base/api";
import { useCell } from "../base/cell";
import { Txt, bytes, number, plain } from "../base/text";
import { cursor, selection, setView, theme, view } from "../base/state";
import type { CurveReply, RowInfo } from "../base/types";
import { clock, digitsFor, dur, tickStep, ticks, type Ns } from "../time/time";
import { Problem } from "./states";
import { Table } from "./Table";

export interface Line {
  label: string;
  /** null: no value there. */
  y: (number | null)[];
  unit: string;
  dash?: boolean;
  /** A second line of the same kind, as an area between the two. */
  area?: boolean;
  steps?: boolean;
}

export interface Data {
  t: Ns[];
  lines: Line[];
}

export function unitValue(v: number | null | undefined, unit: string): string {
  if (v === null || v === undefined || !Number.isFinite(v)) return "–";
  if (unit === "ns") return dur(v);
  if (unit === "B") return bytes(v);
  if (unit === "B/s") return bytes(v) + "/s";
  if (unit === "%") return +v.toFixed(1) + " %";
  const text = Math.abs(v) >= 1000 ? number(Math.round(v)) : String(+v.toPrecision(4));
  return unit ? `${text} ${unit}` : text;
}

function colours(): string[] {
  const css = getComputedStyle(document.documentElement);
  return ["--c1", "--c2", "--c3", "--c4", "--c5"].map((n) => css.getPropertyValue(n).trim());
}

const LEFT_PX = 230; // as wide as the names of a time line

interface Props {
  title: string;
  data: Data;
  height?: number;
  /** Whether it moves with the window; if not, it shows all that it has. */
  linked?: boolean;
  marks?: { at: Ns; label: string }[];
  /** What x is, when it isn't a time of day: ns since some begin. */
  relative?: boolean;
}

/** Lines over time, drawn, and as a table on demand. */
export function Curve(p: Props): VNode {
  const { title, data, height = 120, linked = true, relative = false } = p;
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const [table, setTable] = useState(false);
  const shade = useCell(theme);
  const win = useCell(view);

  useLayoutEffect(() => {
    const el = box.current;
    if (!el) return;
    const made = new uPlot(options(p, el.clientWidth, height), rowsOf(data), el);
    plot.current = made;
    const observer = new ResizeObserver(() => made.setSize({ width: el.clientWidth, height }));
    observer.observe(el);
    const follow = relative
      ? () => undefined
      : cursor.watch((t) => {
          if (t === null) made.setCursor({ left: -10, top: -10 });
          else made.setCursor({ left: made.valToPos(t, "x"), top: 4 }, false);
        });
    return () => {
      observer.disconnect();
      follow();
      made.destroy();
      plot.current = null;
    };
  }, [data, shade, height]);
  useEffect(() => {
    if (linked) plot.current?.setScale("x", { min: win.t0, max: win.t1 });
  }, [win, data, shade]);

  return (
    <figure class="curve">
      <figcaption>
        <b>
          <Txt s={title} />
        </b>
        <span class="keys">
          {(data.lines.length === 1 && title.startsWith(data.lines[0]?.label ?? "") ? [] : data.lines).map((l, i) => (
            <span key={l.label}>
              <i class={`swatch c${(i % 5) + 1}` + (l.dash ? " dash" : "")} />
              <Txt s={l.label} />
            </span>
          ))}
        </span>
        <button type="button" class="quiet" aria-pressed={table} onClick={() => setTable(!table)}>
          Table
        </button>
      </figcaption>
      <div ref={box} class="plot" aria-hidden="true" />
      {table ? <Numbers {...p} /> : null}
    </figure>
  );
}

function rowsOf(data: Data): uPlot.AlignedData {
  return [data.t, ...data.lines.map((l) => l.y)] as uPlot.AlignedData;
}

function options(p: Props, width: number, height: number): uPlot.Options {
  const css = getComputedStyle(document.documentElement);
  const faint = css.getPropertyValue("--faint").trim();
  const grid = { stroke: css.getPropertyValue("--line").trim(), width: 1 };
  const font = `11px ${css.getPropertyValue("--font").trim()}`;
  const units = [...new Set(p.data.lines.map((l) => l.unit))];
  const tone = colours();
  const axis = { stroke: faint, font, grid, ticks: { ...grid, size: 4 } };
  return {
    width,
    height,
    padding: [8, 0, 0, 0],
    legend: { show: false },
    scales: {
      x: { time: false },
      ...Object.fromEntries(units.map((u) => [u || "1", { range: (_u: uPlot, lo: number, hi: number) => room(lo, hi) }])),
    },
    cursor: { drag: { x: true, y: false, setScale: false }, points: { size: 5 } },
    axes: [
      {
        ...axis,
        size: 24,
        splits: (_u, _i, lo, hi) => splits(lo, hi, width, !!p.relative),
        values: (_u, at) =>
          at.map((t) => (p.relative ? dur(t) : clock(t, digitsFor((at[1] ?? 1e9) - (at[0] ?? 0))))),
      },
      ...units.slice(0, 2).map((u, i) => ({
        ...axis,
        scale: u || "1",
        side: i === 0 ? 3 : 1,
        size: i === 0 ? (p.linked === false ? 70 : LEFT_PX) : 70,
        grid: i === 0 ? grid : { show: false },
        values: (_u: uPlot, at: number[]) => at.map((v) => unitValue(v, u)),
      })),
    ] as uPlot.Axis[],
    series: [
      {},
      ...p.data.lines.map((l, i): uPlot.Series => {
        const stroke = tone[i % tone.length] as string;
        return {
          label: plain(l.label),
          scale: l.unit || "1",
          stroke,
          width: 1.5,
          ...(l.dash ? { dash: [4, 4] } : {}),
          ...(l.area ? { fill: stroke + "22" } : {}),
          ...(l.steps ? { paths: uPlot.paths.stepped!({ align: 1 }) } : {}),
          points: { show: p.data.t.length < 60 && !l.dash, size: 4 },
          spanGaps: false,
        };
      }),
    ],
    hooks: {
      setCursor: [(u) => p.relative || tellCursor(u)],
      setSelect: [(u) => p.relative || tellSelection(u)],
      draw: [(u) => drawMarks(u, p.marks ?? [], faint, font)],
      ready: [(u) => u.over.addEventListener("dblclick", () => selection.get() && setView(selection.get()!))],
    },
  };
}

function room(lo: number, hi: number): [number, number] {
  const top = Number.isFinite(hi) ? hi : 1;
  const low = Number.isFinite(lo) ? Math.min(0, lo) : 0;
  return [low, top <= low ? low + 1 : top + (top - low) * 0.08];
}

function splits(lo: number, hi: number, width: number, relative: boolean): number[] {
  if (!relative) return ticks({ t0: lo, t1: hi }, width).at;
  const step = tickStep(hi - lo, width / 110);
  const at: number[] = [];
  for (let t = Math.ceil(lo / step) * step; t <= hi; t += step) at.push(t);
  return at;
}

/** Only a pointer tells; a cursor that was set by others does not echo. */
function tellCursor(u: uPlot): void {
  if (!u.over.matches(":hover")) return;
  const left = u.cursor.left ?? -1;
  cursor.set(left < 0 ? null : u.posToVal(left, "x"));
}

function tellSelection(u: uPlot): void {
  const { left, width } = u.select;
  if (width < 3) return;
  selection.set({ t0: u.posToVal(left, "x"), t1: u.posToVal(left + width, "x") });
  u.setSelect({ left: 0, width: 0, top: 0, height: 0 }, false);
}

function drawMarks(u: uPlot, marks: { at: Ns; label: string }[], colour: string, font: string): void {
  const { ctx } = u;
  const ratio = window.devicePixelRatio || 1;
  ctx.save();
  ctx.fillStyle = colour;
  ctx.font = font.replace("11px", `${11 * ratio}px`);
  ctx.textAlign = "left";
  ctx.textBaseline = "top";
  for (const m of marks) {
    const x = u.valToPos(m.at, "x", true);
    if (x < u.bbox.left || x > u.bbox.left + u.bbox.width) continue;
    ctx.fillRect(Math.round(x), u.bbox.top, ratio, u.bbox.height);
    ctx.fillText(plain(m.label), x + 4 * ratio, u.bbox.top + 2 * ratio);
  }
  ctx.restore();
}

function Numbers({ title, data, relative }: Props): VNode {
  const rows = data.t.map((t, i) => ({ t, i }));
  return (
    <Table
      caption={title}
      bare
      rows={rows}
      id={(r) => String(r.i)}
      columns={[
        { name: "Time", show: (r) => (relative ? dur(r.t) : clock(r.t, 6)), by: (r) => r.t, num: true },
        ...data.lines.map((l) => ({
          name: plain(l.label),
          show: (r: { i: number }) => unitValue(l.y[r.i], l.unit),
          by: (r: { i: number }) => l.y[r.i],
          num: true,
        })),
      ]}
    />
  );
}

const REST_MS = 150;
const POINTS = 700;

/** A row of numbers, in the window, from the server. */
export function RowCurve({ row }: { row: RowInfo }): VNode | null {
  const win = useCell(view);
  const [data, setData] = useState<Data | null>(null);
  const [error, setError] = useState<unknown>(null);
  useEffect(() => {
    let wanted = true;
    const timer = window.setTimeout(() => {
      const t0 = Math.floor(win.t0);
      const t1 = Math.ceil(win.t1);
      get<CurveReply>(query("curve", { row: row.id, t0, t1, px: Math.min(POINTS, t1 - t0) })).then(
        (reply) => wanted && (setError(null), setData(pointsOf(reply, row))),
        (e: unknown) => wanted && setError(e),
      );
    }, REST_MS);
    return () => {
      wanted = false;
      clearTimeout(timer);
    };
  }, [row.id, win]);
  if (error) return <Problem error={error} />;
  if (!data) return null;
  return <Curve title={row.host && !row.label.includes(row.host) ? `${row.label} (${row.host})` : row.label} data={data} height={110} />;
}

/** Two points a pixel: its least and its largest, so that peaks stay. */
function pointsOf(reply: CurveReply, row: RowInfo): Data {
  const found = reply.rows[0];
  const per = (reply.t1 - reply.t0) / reply.px;
  const t: number[] = [];
  const y: (number | null)[] = [];
  found?.max.forEach((max, i) => {
    const at = reply.t0 + i * per;
    t.push(at, at + per / 2);
    y.push(max, found.min[i] ?? null);
  });
  return { t, lines: [{ label: row.label, y, unit: row.unit ?? "" }] };
}
