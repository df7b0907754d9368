// SPDX-License-Identifier: Apache-2.0
//
// A time line on a page: names at the left, states at the right, one axis above, and what
// the pointer or the keyboard picked below.  The table says the same without a canvas.

import type { VNode } from "preact";
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import { ask, get, parse, query, useGet, generation } from "../base/api";
import { useCell } from "../base/cell";
import { Txt, count, plain } from "../base/text";
import { cursor, pan, route, selection, setArgs, setView, theme, view, whole, zoom, fit } from "../base/state";
import type { Arrow, Arrows, Exact, Maybe, RowInfo, Rows, StripReply } from "../base/types";
import { ROW_HEIGHT, kindName, layout, palettes, type Grouping, type Item } from "../time/rows";
import { Timeline, type Style } from "../time/timeline";
import { abs, parseAbs, type Ns, type Span } from "../time/time";
import { current } from "../base/current";
import { Picked } from "./Picked";
import { ArrowTable, HoverTip, boundsOf, hint, tell } from "./HoverTip";
import { StateTable } from "./StateTable";
import { Problem, Loading } from "./states";

export const NAMES_PX = 230;
const GET_ROWS = 40; // in an address; more are posted

function strips(ids: string[], span: Span, px: number, signal: AbortSignal): Promise<StripReply> {
  const read = (text: string) => parse(text) as StripReply;
  if (ids.length > GET_ROWS)
    return ask("strip", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ rows: ids, t0: span.t0, t1: span.t1, px }),
      signal,
    }).then(read);
  const rows = ids.map((id) => "row=" + encodeURIComponent(id)).join("&");
  return ask(`strip?${rows}&t0=${span.t0}&t1=${span.t1}&px=${px}`, { signal }).then(read);
}

export function styleNow(): Style {
  const css = getComputedStyle(document.documentElement);
  const get = (name: string) => css.getPropertyValue(name).trim();
  return {
    ground: get("--ground"),
    grid: get("--line"),
    ink: get("--ink"),
    faint: get("--faint"),
    mark: get("--bad-mark"),
    accent: get("--accent"),
    font: `11px ${get("--font")}`,
  };
}

export interface Props {
  scope: string;
  by: Grouping;
  /** Of at most so many pixels; scrolls then. */
  most?: number;
  arrows?: boolean;
  /** Only rows of this kind. */
  only?: string;
  /** Told of the rows when they are there. */
  onRows?: (rows: Rows) => void;
}

/** The rows of a scope over time. */
export function TimelineView(props: Props): VNode {
  const rows = useGet<Rows>(query("rows", { scope: props.scope }));
  const turn = useCell(generation);
  useEffect(() => {
    if (rows.data && !rows.loading) props.onRows?.(rows.data);
  }, [rows.data, rows.loading]);
  if (rows.error) return <Problem error={rows.error} />;
  if (!rows.data) return <Loading what="rows" />;
  if (!rows.data.rows.some((r) => r.type === "state"))
    return (
      <p class="empty">
        No states of this were recorded. <a href="#/health">Trace health</a> says which layers were traced, and how to
        record the others.
      </p>
    );
  const { only } = props;
  const shown = only ? { ...rows.data, rows: rows.data.rows.filter((r) => r.kind === only) } : rows.data;
  return <Drawn key={props.scope + " " + turn} {...props} all={shown} />;
}

function Drawn({ scope, by, most = 420, arrows, only, all }: Props & { all: Rows }): VNode {
  // The same rows, however often the page is drawn anew.
  const [rows] = useState(all);
  const axis = useRef<HTMLCanvasElement>(null);
  const states = useRef<HTMLCanvasElement>(null);
  const pen = useRef<HTMLCanvasElement>(null);
  const scroller = useRef<HTMLDivElement>(null);
  const line = useRef<Timeline | null>(null);
  const [folded, setFolded] = useState<ReadonlySet<string>>(() => foldedAtFirst(rows, by));
  const [scroll, setScroll] = useState(0);
  const [turn, setTurn] = useState(0);
  const shade = useCell(theme);
  const at = useCell(route);
  const asTable = at.args.table === "1";
  const filter = only ? "" : (at.args.rows ?? "");
  const pins = only ? "" : (at.args.pin ?? "");
  const items = useMemo(() => layout(rows, by, folded, filter, pinsOf(pins)), [rows, by, folded, filter, pins]);
  const height = items.length ? (items.at(-1) as Item).top + (items.at(-1) as Item).height : 0;
  const above = items.filter((i) => i.pinned);
  const shown = Math.min(height, most + above.length * ROW_HEIGHT);

  useLayoutEffect(() => {
    const made = new Timeline(
      { axis: axis.current!, states: states.current!, pen: pen.current! },
      strips,
      { view, whole, cursor, selection },
      styleNow(),
      () => setTurn((n) => n + 1),
    );
    line.current = made;
    const again = generation.watch(() => made.supply.reset());
    made.setBounds(boundsOf(current.get()));
    return () => {
      again();
      made.destroy();
      line.current = null;
    };
  }, []);
  useEffect(() => {
    line.current?.setStyle(styleNow());
    line.current?.setLines(items, palettes(rows.legends, shade === "dark"));
  }, [items, rows, shade]);
  useSize(line, scroller, shown, scroll);
  const between = useArrows(line, arrows ? scope : null, rows);
  const picked = usePicked(line, rows);
  const seenStates = useSeen(line, turn, scroll, items);
  usePointer(line, pen, scroller);

  const toggle = (key: string) => {
    const next = new Set(folded);
    if (!next.delete(key)) next.add(key);
    setFolded(next);
  };
  const seen = items.filter((i) => !i.pinned && i.top + i.height > scroll - 200 && i.top < scroll + shown + 200);
  const error = line.current?.supply.error;
  return (
    <section class="timeline" aria-label="Time line">
      <Bar
        filter={only ? null : filter}
        asTable={asTable}
        busy={!!line.current?.supply.busy && turn >= 0}
        rows={rows}
        items={items}
      />
      {error ? <Problem error={error} retry={() => line.current?.supply.reset()} /> : null}
      <div class="tl-head">
        <div class="tl-corner">{count(rows.rows.filter((r) => r.type === "state").length, "row")}</div>
        <canvas class="tl-axis" ref={axis} aria-hidden="true" />
      </div>
      <div
        class="tl-scroll"
        ref={scroller}
        style={{ height: shown + "px" }}
        onScroll={(e) => setScroll((e.currentTarget as HTMLElement).scrollTop)}
      >
        <div class="tl-inner" style={{ height: height + "px" }}>
          <Names items={seen} toggle={toggle} focus={at.args.row ?? null} />
          {above.length ? (
            <div class="tl-pins">
              <Names items={above} toggle={toggle} focus={at.args.row ?? null} />
            </div>
          ) : null}
          <div class="tl-sticky" style={{ height: shown + "px" }}>
            <canvas ref={states} aria-hidden="true" />
            <canvas ref={pen} class="tl-pen" aria-hidden="true" />
          </div>
        </div>
      </div>
      <HoverTip line={line} rows={rows.rows} />
      <Legend rows={rows} items={items} seen={seenStates} />
      {asTable ? <StateTable rows={items} legends={rows.legends} fetch={strips} /> : null}
      {asTable && between.length ? <ArrowTable arrows={between} rows={rows.rows} /> : null}
      <Picked row={picked} rows={rows} fetch={strips} />
    </section>
  );
}

/** Threads that are not of an instance are many, and seldom what one looks for first. */
function foldedAtFirst(rows: Rows, by: Grouping): ReadonlySet<string> {
  const threads = rows.rows.filter((r) => r.kind === "thread").length;
  const cpus = rows.rows.some((r) => r.kind !== "thread");
  return by === "kind" && threads > 40 && cpus ? new Set(["group:thread"]) : new Set();
}

function Bar(p: {
  /** Null: rows are not filtered. */
  filter: string | null;
  asTable: boolean;
  busy: boolean;
  rows: Rows;
  items: Item[];
}): VNode {
  return (
    <div class="tl-bar">
      {p.filter === null ? null : (
        <label class="field">
          <span class="sr">Filter rows by name</span>
          <input
            type="search"
            placeholder="Filter rows"
            title="Rows whose name, host or kind has this in it"
            value={p.filter}
            onInput={(e) => setArgs({ rows: (e.currentTarget as HTMLInputElement).value })}
          />
        </label>
      )}
      <div class="group" role="group" aria-label="Zoom">
        <button type="button" onClick={() => zoom(1.5)} title="Zoom out (s)" aria-label="Zoom out">
          −
        </button>
        <button type="button" onClick={() => zoom(1 / 1.5)} title="Zoom in (w)" aria-label="Zoom in">
          +
        </button>
        <button type="button" onClick={() => setView(whole.get())} title="Show everything (0)">
          All
        </button>
      </div>
      <button
        type="button"
        aria-pressed={p.asTable}
        onClick={() => setArgs({ table: p.asTable ? "" : "1" })}
        title="The states as a table (t)"
      >
        Table
      </button>
      <span class="tl-busy" role="status">
        {p.busy ? "loading…" : ""}
      </span>
      {p.filter && p.items.length === 0 ? <span class="faint">No row has this in its name.</span> : null}
    </div>
  );
}

/** Ids of rows that stay on top, as the address has them. */
function pinsOf(text: string): ReadonlySet<string> {
  return new Set(text.split(",").filter(Boolean).map(decodeURIComponent));
}

function togglePin(id: string): void {
  const pins = new Set(pinsOf(route.get().args.pin ?? ""));
  if (!pins.delete(id)) pins.add(id);
  setArgs({ pin: [...pins].map(encodeURIComponent).join(",") });
}

function Names(p: { items: Item[]; toggle: (key: string) => void; focus: string | null }): VNode {
  return (
    <ul class="tl-names" style={{ width: NAMES_PX + "px" }} aria-label="Rows">
      {p.items.map((i) => (
        <li
          key={i.key}
          class={i.row ? (i.key === p.focus ? "tl-name on" : "tl-name") : "tl-group"}
          style={{ top: i.top + "px", height: i.height + "px", paddingLeft: (i.row ? i.depth * 12 - 2 : 0) + "px" }}
        >
          {i.parent ? (
            <button type="button" class="fold" aria-expanded={i.open} onClick={() => p.toggle(i.key)}>
              <span aria-hidden="true">{i.open ? "▾" : "▸"}</span>
              <span class="sr">{i.open ? "Fold " : "Unfold "}</span>
              {i.row ? <span class="sr">{plain(i.label)}</span> : <Txt s={i.label} />}
              {i.row ? null : <span class="faint"> {i.count}</span>}
            </button>
          ) : null}
          {i.row?.type === "heading" ? (
            <span class="row" title={plain(i.label)}>
              <Txt s={i.label} />
            </span>
          ) : i.row ? (
            <button type="button" class="row" onClick={() => setArgs({ row: i.key, at: "" })} title={plain(hint(i.row))}>
              <Txt s={i.label} />
              {i.row.host && !i.row.label.includes(i.row.host) ? (
                <span class="host">
                  <Txt s={i.row.host} />
                </span>
              ) : null}
            </button>
          ) : null}
          {i.row?.type === "state" ? <Pin of={i} /> : null}
        </li>
      ))}
    </ul>
  );
}

function Pin({ of }: { of: Item }): VNode {
  return (
    <button
      type="button"
      class="pin"
      aria-pressed={!!of.pinned}
      title={of.pinned ? "Let it scroll (p)" : "Keep it on top (p)"}
      aria-label={(of.pinned ? "Unpin " : "Pin ") + plain(of.label)}
      onClick={() => togglePin(of.key)}
    >
      <svg viewBox="0 0 12 12" width="11" height="11" aria-hidden="true">
        <path d="M4 1h4l-.5 4L10 7.5H6.6V11h-1.200V7.5H2L4.500 5z" fill="currentColor" />
      </svg>
    </button>
  );
}

const LEGEND_MS = 300;

/** The states in the window of the rows that are seen, once all rests; null: not known yet. */
function useSeen(line: { current: Timeline | null }, turn: number, scroll: number, items: Item[]): Map<string, Set<number>> | null {
  const win = useCell(view);
  const [seen, setSeen] = useState<Map<string, Set<number>> | null>(null);
  useEffect(() => {
    const timer = window.setTimeout(() => setSeen(line.current?.statesSeen() ?? null), LEGEND_MS);
    return () => clearTimeout(timer);
  }, [win, turn, scroll, items]);
  return seen;
}

/** What the colours mean: of the families that are seen. */
export function Legend({ rows, items, seen = null }: { rows: Rows; items: Item[]; seen?: Map<string, Set<number>> | null }): VNode {
  const shade = useCell(theme);
  // Shades only tell one text from the next; the texts are on them.
  const names = [...new Set(items.map((i) => i.row?.legend).filter((n): n is string => !!n && n !== "shade"))];
  return (
    <div class="legend">
      {names.map((name) => (
        <ul key={name} aria-label={"Colours: " + plain(name)}>
          {names.length > 1 ? <li class="faint">{kindName(items.find((i) => i.row?.legend === name)?.row?.kind ?? "")}:</li> : null}
          {(rows.legends[name] ?? []).map((e, value) => (
            <li
              key={e.label}
              class={seen && !seen.get(name)?.has(value) ? "absent" : ""}
              title={seen && !seen.get(name)?.has(value) ? "not in this window, at this zoom, of the rows that are seen" : e.bad ? "a bad state" : ""}
            >
              <i
                class={e.bad ? "swatch bad" : "swatch"}
                style={{ backgroundColor: (shade === "dark" && e.colour_dark) || e.colour }}
              />
              <Txt s={e.label} />
            </li>
          ))}
        </ul>
      ))}
      <p class="faint">
        <i class="swatch tooth" /> a bad state, shorter than a pixel
      </p>
    </div>
  );
}

function useSize(
  line: { current: Timeline | null },
  scroller: { current: HTMLDivElement | null },
  height: number,
  scroll: number,
): void {
  useLayoutEffect(() => {
    const el = scroller.current;
    if (!el) return;
    const apply = () => line.current?.setSize(Math.max(50, el.clientWidth - NAMES_PX), height, scroll);
    apply();
    const watch = new ResizeObserver(apply);
    watch.observe(el);
    return () => watch.disconnect();
  }, [height, scroll]);
}

const REST_MS = 200;

/** Arrows of what is seen, once the window rests. */
function useArrows(line: { current: Timeline | null }, scope: string | null, rows: Rows): Arrow[] {
  const win = useCell(view);
  const [arrows, setArrows] = useState<Arrow[]>([]);
  useEffect(() => {
    if (!scope) return;
    const timer = window.setTimeout(() => {
      const path = query("arrows", { scope, t0: Math.floor(win.t0), t1: Math.ceil(win.t1), limit: 300 });
      get<Arrows>(path).then(
        (a) => setArrows(a.arrows),
        () => setArrows([]),
      );
    }, REST_MS);
    return () => clearTimeout(timer);
  }, [scope, win, rows]);
  useEffect(() => line.current?.setArrows(arrows), [arrows]);
  return arrows;
}

/** The row and instant that the address names. */
function usePicked(line: { current: Timeline | null }, rows: Rows): { row: RowInfo; exact: Exact | null } | null {
  const at = useCell(route);
  const row = rows.rows.find((r) => r.id === at.args.row) ?? null;
  const t = parseAbs(at.args.at ?? "");
  const path = row && t !== null ? query("at", { row: row.id, t: Math.round(t) }) : null;
  const exact = useGet<Maybe<Exact>>(path);
  const said = path && exact.of === path ? exact.data : null;
  const answer = said && said.t0 !== null ? said : null;
  useEffect(() => {
    line.current?.setFocus(row?.id ?? null, answer && answer.t1 > answer.t0 ? answer : null);
  }, [row?.id, answer]);
  return row ? { row, exact: answer } : null;
}

function usePointer(
  line: { current: Timeline | null },
  pen: { current: HTMLCanvasElement | null },
  scroller: { current: HTMLDivElement | null },
): void {
  useEffect(() => {
    const el = pen.current!;
    const box = scroller.current!;
    let under: RowInfo | null = null; // the pointer
    let drag: { x: number; t: Ns; win: Span; pans: boolean; moved: boolean } | null = null;
    const place = (e: PointerEvent | WheelEvent | MouseEvent) => {
      const r = el.getBoundingClientRect();
      return { x: e.clientX - r.left, y: e.clientY - r.top };
    };
    const move = (e: PointerEvent) => {
      const tl = line.current;
      if (!tl) return;
      const { x, y } = place(e);
      const t = tl.timeAt(x);
      cursor.set(t);
      if (drag) {
        if (Math.abs(x - drag.x) > 3) drag.moved = true;
        if (!drag.moved) return;
        if (drag.pans) {
          const by = ((x - drag.x) * (drag.win.t1 - drag.win.t0)) / el.clientWidth;
          setView({ t0: drag.win.t0 - by, t1: drag.win.t1 - by });
        } else selection.set({ t0: Math.min(t, drag.t), t1: Math.max(t, drag.t) });
        tell(null);
        return;
      }
      const row = tl.lineAt(y)?.row ?? null;
      under = row;
      const arrow = tl.arrowAt(x, y);
      tl.setHot(arrow);
      tell(row || arrow ? { row, arrow, x: e.clientX, y: e.clientY, t } : null);
    };
    const down = (e: PointerEvent) => {
      if (e.button > 1 || !line.current) return;
      const { x } = place(e);
      drag = { x, t: line.current.timeAt(x), win: view.get(), pans: e.shiftKey || e.button === 1, moved: false };
      el.setPointerCapture(e.pointerId);
      e.preventDefault();
    };
    const up = (e: PointerEvent) => {
      const tl = line.current;
      if (drag && !drag.moved && tl) {
        const { x, y } = place(e);
        const row = tl.lineAt(y)?.row;
        if (row) setArgs({ row: row.id, at: abs(tl.timeAt(x)).toString() });
        selection.set(null);
      }
      drag = null;
    };
    const leave = () => {
      cursor.set(null);
      line.current?.setHot(null);
      under = null;
      tell(null);
    };
    const twice = (e: MouseEvent) => {
      const tl = line.current;
      const { x, y } = place(e);
      const row = tl?.lineAt(y)?.row;
      const state = row && tl?.stateAt(row, tl.timeAt(x));
      if (state) fit(state);
    };
    const wheel = (e: WheelEvent) => {
      const tl = line.current;
      if (!tl) return;
      if (e.ctrlKey || e.metaKey) zoom(Math.exp(e.deltaY * 0.0025), tl.timeAt(place(e).x));
      else if (e.shiftKey || Math.abs(e.deltaX) > Math.abs(e.deltaY)) pan((e.deltaX || e.deltaY) / 900);
      else return; // rows scroll
      e.preventDefault();
    };
    el.addEventListener("pointermove", move);
    el.addEventListener("pointerdown", down);
    el.addEventListener("pointerup", up);
    el.addEventListener("pointerleave", leave);
    el.addEventListener("dblclick", twice);
    box.addEventListener("wheel", wheel, { passive: false });
    const keys = (e: Event) => stepState(line.current, (e as CustomEvent<1 | -1>).detail);
    const pins = () => {
      const row = line.current?.line(route.get().args.row ?? "")?.row ?? under;
      if (row?.type === "state" && line.current?.line(row.id)) togglePin(row.id);
    };
    addEventListener("neph-step", keys);
    addEventListener("neph-pin", pins);
    return () => {
      removeEventListener("neph-step", keys);
      removeEventListener("neph-pin", pins);
      leave();
    };
  }, []);
}

/** To the next or previous state of the picked row. */
function stepState(tl: Timeline | null, step: 1 | -1): void {
  const at = route.get().args;
  const row = tl && (tl.line(at.row ?? "")?.row ?? tl.visible().find((l) => l.row)?.row);
  if (!tl || !row) return;
  const win = view.get();
  const from = parseAbs(at.at ?? "") ?? (step > 0 ? win.t0 - 1 : win.t1);
  const next = tl.neighbour(row, from, step);
  if (next === null) return;
  const inside = Math.round(next);
  setArgs({ row: row.id, at: abs(inside).toString() });
  cursor.set(inside);
  const half = (win.t1 - win.t0) / 2;
  if (inside < win.t0 || inside > win.t1) setView({ t0: inside - half, t1: inside + half });
}
