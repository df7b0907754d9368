// SPDX-License-Identifier: Apache-2.0
//
// The time line: rows of states on two canvases, one for the states and one, above it, for
// whatever is drawn with a pen: names, arrows, the cursor.  Knows nothing of pages;
// instants come from cells, states from a supply.

import type { Arrow, RowInfo } from "../base/types";
import type { Cell } from "../base/cell";
import { plain } from "../base/text";
import { inkOn, pixel } from "./colour";
import { Raster, type RasterRow } from "./raster";
import { finest, type Palette } from "./strips";
import { Supply, type StripSource } from "./supply";
import { clock, digitsFor, ticks, type Ns, type Span } from "./time";

/** A line of the picture: a row, or a heading (row null). */
export interface Line {
  row: RowInfo | null;
  top: number;
  height: number;
  /** Stays where it is while the others scroll. */
  pinned?: boolean;
}

export interface Times {
  view: Cell<Span>;
  whole: Cell<Span>;
  cursor: Cell<Ns | null>;
  selection: Cell<Span | null>;
}

export interface Style {
  ground: string;
  grid: string;
  ink: string;
  faint: string;
  mark: string;
  accent: string;
  font: string;
}

export interface Canvases {
  axis: HTMLCanvasElement;
  states: HTMLCanvasElement;
  pen: HTMLCanvasElement;
}

const MOST_NAMES = 160;
const LEAST_NAME_PX = 34;
const AXIS_HEIGHT = 26;
const LOCAL = new Set(["woken", "pre-empted"]); // arrows between threads of one host
const MOST_LOCAL = 40;
const NEAR_ARROW_PX = 5;

export class Timeline {
  readonly supply: Supply;
  private readonly raster = new Raster();
  private lines: Line[] = [];
  private byId = new Map<string, Line>();
  private palettes = new Map<string, Palette>();
  private arrows: Arrow[] = [];
  private hot: Arrow | null = null;
  private bounds = new Map<string, Ns>();
  private scroll = 0;
  private pinnedHeight = 0;
  private width = 0;
  private height = 0;
  private ratio = 1;
  private frame = 0;
  private statesStale = true;
  private focus: string | null = null;
  private picked: { id: string; span: Span } | null = null;
  private readonly unwatch: (() => void)[];
  private readonly states: CanvasRenderingContext2D;
  private readonly pen: CanvasRenderingContext2D;
  private readonly axis: CanvasRenderingContext2D;

  constructor(
    private readonly canvases: Canvases,
    source: StripSource,
    private readonly times: Times,
    private style: Style,
    private readonly onSupply: () => void = () => undefined,
  ) {
    // Without a GPU the pixels are in memory anyway; this keeps them there with one, too.
    this.states = context(canvases.states, true);
    this.pen = context(canvases.pen, false);
    this.axis = context(canvases.axis, false);
    this.supply = new Supply(source, () => {
      this.redraw();
      this.onSupply();
    });
    this.unwatch = [
      times.view.watch(() => this.redraw()),
      times.cursor.watch(() => this.later()),
      times.selection.watch(() => this.later()),
    ];
  }

  destroy(): void {
    for (const f of this.unwatch) f();
    this.supply.stop();
    cancelAnimationFrame(this.frame);
  }

  setLines(lines: Line[], palettes: Map<string, Palette>): void {
    this.lines = lines;
    this.palettes = palettes;
    this.pinnedHeight = Math.max(0, ...lines.filter((l) => l.pinned).map((l) => l.top + l.height));
    this.byId = new Map(lines.filter((l) => l.row).map((l) => [(l.row as RowInfo).id, l]));
    this.redraw();
  }

  setArrows(arrows: Arrow[]): void {
    this.arrows = arrows;
    this.later();
  }

  /** The one that is pointed at. */
  setHot(arrow: Arrow | null): void {
    if (arrow === this.hot) return;
    this.hot = arrow;
    this.later();
  }

  /** By how much the clock of a host may be wrong. */
  setBounds(bounds: Map<string, Ns>): void {
    this.bounds = bounds;
    this.later();
  }

  setStyle(style: Style): void {
    this.style = style;
    this.redraw();
  }

  setFocus(id: string | null, picked: Span | null): void {
    this.focus = id;
    this.picked = id && picked ? { id, span: picked } : null;
    this.later();
  }

  setSize(width: number, height: number, scroll: number): void {
    const ratio = Math.min(window.devicePixelRatio || 1, 2);
    if (width !== this.width || height !== this.height || ratio !== this.ratio) {
      this.width = width;
      this.height = height;
      this.ratio = ratio;
      for (const c of [this.canvases.states, this.canvases.pen]) size(c, width, height, ratio);
      size(this.canvases.axis, width, AXIS_HEIGHT, ratio);
    }
    this.scroll = scroll;
    this.redraw();
  }

  // --- where things are ---

  timeAt(x: number): Ns {
    const { t0, t1 } = this.times.view.get();
    return t0 + ((t1 - t0) * x) / Math.max(1, this.width);
  }

  xOf(t: Ns): number {
    const { t0, t1 } = this.times.view.get();
    return ((t - t0) * this.width) / (t1 - t0);
  }

  lineAt(y: number): Line | null {
    const among = y < this.pinnedHeight;
    return this.lines.find((l) => !!l.pinned === among && y >= this.yOf(l) && y < this.yOf(l) + l.height) ?? null;
  }

  private yOf(line: Line): number {
    return line.pinned ? line.top : line.top - this.scroll;
  }

  /** The arrow that passes by a place, the nearest of several. */
  arrowAt(x: number, y: number): Arrow | null {
    let best: Arrow | null = null;
    let least = NEAR_ARROW_PX;
    for (const a of this.seenArrows()) {
      const at = this.placeOf(a);
      const far = at ? distance(x, y, at) : Infinity;
      if (far < least) [best, least] = [a, far];
    }
    return best;
  }

  line(id: string): Line | null {
    return this.byId.get(id) ?? null;
  }

  palette(row: RowInfo): Palette | null {
    return this.palettes.get(row.legend ?? "") ?? null;
  }

  /** What a row shows at an instant, as exactly as the pixels know. */
  stateAt(row: RowInfo, t: Ns): { t0: Ns; t1: Ns; label: string; value: number; flags: number } | null {
    const sums = this.supply.of(row.id);
    const found = finest(sums, t)?.at(t);
    if (!found || found.value < 0) return null;
    return { ...found, label: found.text ?? this.palette(row)?.labels[found.value] ?? String(found.value) };
  }

  /** An instant within the next state of a row after 't', or within the one before ('step' -1). */
  neighbour(row: RowInfo, t: Ns, step: 1 | -1): Ns | null {
    const sum = finest(this.supply.of(row.id), t);
    if (!sum) return null;
    const runs: Span[] = [];
    for (let i = 0; i < sum.count; i++) {
      const run = sum.run(i);
      if (run.value >= 0) runs.push(run);
    }
    const found = step > 0 ? runs.find((r) => r.t0 > t) : runs.filter((r) => r.t1 <= t).at(-1);
    // Ends are rounded to pixels: only the middle is within for certain.
    return found ? (found.t0 + found.t1) / 2 : null;
  }

  visible(): Line[] {
    return this.lines.filter((l) => this.yOf(l) < this.height && this.yOf(l) + l.height > this.leastOf(l));
  }

  /** Above what it can't be seen: pinned lines cover the others. */
  private leastOf(line: Line): number {
    return line.pinned ? 0 : this.pinnedHeight;
  }

  /** Which states of a legend are in the window, in the rows that are seen. */
  statesSeen(): Map<string, Set<number>> {
    const win = this.times.view.get();
    const seen = new Map<string, Set<number>>();
    for (const { row } of this.visible()) {
      const sum = row?.legend ? finest(this.supply.of(row.id), (win.t0 + win.t1) / 2) : null;
      if (!row?.legend || !sum) continue;
      const values = seen.get(row.legend) ?? new Set();
      seen.set(row.legend, values);
      for (let i = 0; i < sum.count; i++) {
        const run = sum.run(i);
        if (run.t1 > win.t0 && run.t0 < win.t1) values.add(run.value);
      }
    }
    return seen;
  }

  // --- drawing ---

  private redraw(): void {
    this.statesStale = true;
    this.later();
  }

  private later(): void {
    if (!this.frame)
      this.frame = requestAnimationFrame(() => {
        this.frame = 0;
        this.draw();
      });
  }

  /** Draws now what has changed; frames call it. */
  draw(): void {
    if (this.width < 1) return;
    if (this.statesStale) {
      this.statesStale = false;
      this.drawStates();
      this.drawAxis();
    }
    this.drawPen();
  }

  private drawStates(): void {
    const { ratio } = this;
    const win = this.times.view.get();
    const rows: RasterRow[] = [];
    const ids: string[] = [];
    for (const line of this.visible()) {
      const palette = line.row && this.palette(line.row);
      if (!line.row || !palette) continue;
      ids.push(line.row.id);
      rows.push({
        top: Math.round((this.yOf(line) + 2) * ratio),
        height: Math.max(1, Math.round((line.height - 4) * ratio)),
        least: Math.round(this.leastOf(line) * ratio),
        sums: this.supply.of(line.row.id),
        palette,
      });
    }
    const { width, height } = this.canvases.states;
    const { ground, mark } = this.style;
    this.raster.paint(this.states, width, height, win, rows, pixel(ground), pixel(mark));
    this.supply.want({ ids, win, width, all: this.times.whole.get() });
  }

  private drawAxis(): void {
    const { axis, width, style } = this;
    const win = this.times.view.get();
    const { at, step } = ticks(win, width);
    const digits = digitsFor(step);
    axis.clearRect(0, 0, width, AXIS_HEIGHT);
    axis.font = style.font;
    axis.textBaseline = "middle";
    for (const t of at) {
      const x = Math.round(this.xOf(t)) + 0.5;
      axis.fillStyle = style.grid;
      axis.fillRect(x - 0.5, AXIS_HEIGHT - 6, 1, 6);
      axis.fillStyle = style.faint;
      const text = clock(t, digits);
      if (x + 4 + axis.measureText(text).width <= width) axis.fillText(text, x + 4, AXIS_HEIGHT / 2 + 1);
    }
  }

  private drawPen(): void {
    const { pen, width, height } = this;
    pen.clearRect(0, 0, width, height);
    pen.font = this.style.font;
    pen.textBaseline = "middle";
    this.penGrid();
    if (this.pinnedHeight) {
      pen.fillStyle = this.style.faint;
      pen.fillRect(0, this.pinnedHeight - 1, width, 1);
    }
    this.penNames();
    this.penArrows();
    this.penPicked();
    this.penSelection();
    this.penCursor();
  }

  private penGrid(): void {
    const { pen, style } = this;
    pen.fillStyle = style.grid;
    pen.globalAlpha = 0.35;
    for (const t of ticks(this.times.view.get(), this.width).at)
      pen.fillRect(Math.round(this.xOf(t)), 0, 1, this.height);
    pen.globalAlpha = 1;
  }

  /** Names of states, in those that have room for them. */
  private penNames(): void {
    const win = this.times.view.get();
    let left = MOST_NAMES;
    for (const line of this.visible()) {
      const palette = line.row && this.palette(line.row);
      if (!line.row || !palette || line.height < 14) continue;
      const sums = this.supply.of(line.row.id);
      const sum = finest(sums, (win.t0 + win.t1) / 2);
      if (!sum) continue;
      const y = this.yOf(line) + line.height / 2 + 0.5;
      if (y < this.leastOf(line)) continue;
      for (let i = 0; i < sum.count && left > 0; i++) {
        const run = sum.run(i);
        if (run.t1 <= win.t0 || run.value < 0 || (run.flags & 1) !== 0) continue;
        if (run.t0 >= win.t1) break;
        const x0 = Math.max(0, this.xOf(run.t0));
        const x1 = Math.min(this.width, this.xOf(run.t1));
        if (x1 - x0 < LEAST_NAME_PX) continue;
        left--;
        this.name(run.text ?? palette.labels[run.value] ?? "", palette.pixels[run.value] ?? 0, x0, x1, y);
      }
    }
  }

  private name(label: string, colour: number, x0: number, x1: number, y: number): void {
    const { pen } = this;
    const room = x1 - x0 - 10;
    const text = plain(label);
    const fits = Math.floor(room / 6.2);
    if (fits < 3) return;
    pen.fillStyle = inkOn(colour);
    pen.fillText(text.length <= fits ? text : text.slice(0, fits - 1) + "…", x0 + 5, y);
  }

  private placeOf(a: Arrow): Place | null {
    const from = this.byId.get(a.from);
    const to = this.byId.get(a.to);
    if (!from || !to) return null;
    return {
      x0: this.xOf(a.t_from),
      x1: this.xOf(a.t_to),
      y0: Math.max(this.leastOf(from), this.yOf(from) + from.height / 2),
      y1: Math.max(this.leastOf(to), this.yOf(to) + to.height / 2),
    };
  }

  /** Messages and migrations, each with the bound of its clocks at the far end. */
  private penArrows(): void {
    const { pen, style } = this;
    for (const a of this.seenArrows()) {
      const at = this.placeOf(a);
      if (!at) continue;
      const { x0, y0, x1, y1 } = at;
      const hot = a === this.hot;
      pen.strokeStyle = pen.fillStyle = hot ? style.accent : style.ink;
      pen.lineWidth = hot || a.kind === "migration" ? 2 : 1.25;
      pen.setLineDash(a.kind === "reply" ? [4, 3] : []);
      pen.beginPath();
      pen.moveTo(x0, y0);
      pen.lineTo(x1, y1);
      pen.stroke();
      pen.setLineDash([]);
      this.head(x0, y0, x1, y1);
      const bound = a.bound_ns ? (a.bound_ns * this.width) / span(this.times.view.get()) : 0;
      if (bound > 1.5) {
        pen.globalAlpha = hot ? 0.9 : 0.5;
        pen.fillRect(x1 - bound, y1 - 0.5, 2 * bound, 1);
        pen.fillRect(x1 - bound, y1 - 4, 1, 8);
        pen.fillRect(x1 + bound, y1 - 4, 1, 8);
        pen.globalAlpha = 1;
      }
    }
  }

  /** Those in the window; of wake-ups none when they would cover the states. */
  private seenArrows(): Arrow[] {
    const { t0, t1 } = this.times.view.get();
    const seen = this.arrows.filter((a) => Math.max(a.t_from, a.t_to) >= t0 && Math.min(a.t_from, a.t_to) < t1);
    const local = seen.filter((a) => LOCAL.has(a.kind)).length;
    return local > MOST_LOCAL ? seen.filter((a) => !LOCAL.has(a.kind)) : seen;
  }

  private head(x0: number, y0: number, x1: number, y1: number): void {
    const { pen } = this;
    const a = Math.atan2(y1 - y0, x1 - x0);
    pen.beginPath();
    pen.moveTo(x1, y1);
    pen.lineTo(x1 - 7 * Math.cos(a - 0.4), y1 - 7 * Math.sin(a - 0.4));
    pen.lineTo(x1 - 7 * Math.cos(a + 0.4), y1 - 7 * Math.sin(a + 0.4));
    pen.fill();
  }

  private penPicked(): void {
    const { pen, style } = this;
    const line = this.focus ? this.byId.get(this.focus) : null;
    if (!line) return;
    const y = this.yOf(line);
    if (y + line.height <= this.leastOf(line)) return;
    pen.strokeStyle = style.accent;
    pen.lineWidth = 1;
    pen.globalAlpha = 0.6;
    pen.strokeRect(0.5, y + 0.5, this.width - 1, line.height - 1);
    pen.globalAlpha = 1;
    if (!this.picked) return;
    const x0 = Math.max(-2, this.xOf(this.picked.span.t0));
    const x1 = Math.min(this.width + 2, this.xOf(this.picked.span.t1));
    pen.lineWidth = 2;
    pen.strokeRect(x0, y + 1, Math.max(2, x1 - x0), line.height - 2);
  }

  private penSelection(): void {
    const chosen = this.times.selection.get();
    if (!chosen) return;
    const { pen, style } = this;
    const x0 = this.xOf(chosen.t0);
    const x1 = this.xOf(chosen.t1);
    pen.fillStyle = style.accent;
    pen.globalAlpha = 0.14;
    pen.fillRect(x0, 0, x1 - x0, this.height);
    pen.globalAlpha = 1;
    pen.fillRect(Math.round(x0), 0, 1, this.height);
    pen.fillRect(Math.round(x1), 0, 1, this.height);
  }

  /** The cursor, and for each row within what time of it its host's clock may be. */
  private penCursor(): void {
    const t = this.times.cursor.get();
    if (t === null) return;
    const { pen, style } = this;
    const x = Math.round(this.xOf(t));
    const px = this.width / span(this.times.view.get());
    pen.fillStyle = style.accent;
    pen.globalAlpha = 0.22;
    for (const line of this.visible()) {
      const bound = (this.bounds.get(line.row?.host ?? "") ?? 0) * px;
      if (bound >= 1) pen.fillRect(x - bound, this.yOf(line), 2 * bound, line.height);
    }
    pen.globalAlpha = 0.9;
    pen.fillRect(x, 0, 1, this.height);
    pen.globalAlpha = 1;
  }
}

interface Place {
  x0: number;
  y0: number;
  x1: number;
  y1: number;
}

/** From a place to a stretch. */
function distance(x: number, y: number, { x0, y0, x1, y1 }: Place): number {
  const length = (x1 - x0) ** 2 + (y1 - y0) ** 2;
  const share = length ? ((x - x0) * (x1 - x0) + (y - y0) * (y1 - y0)) / length : 0;
  const on = Math.max(0, Math.min(1, share));
  return Math.hypot(x - x0 - on * (x1 - x0), y - y0 - on * (y1 - y0));
}

function span(s: Span): number {
  return s.t1 - s.t0;
}

function context(canvas: HTMLCanvasElement, pixels: boolean): CanvasRenderingContext2D {
  return canvas.getContext("2d", { willReadFrequently: pixels }) as CanvasRenderingContext2D;
}

function size(canvas: HTMLCanvasElement, width: number, height: number, ratio: number): void {
  canvas.width = Math.max(1, Math.round(width * ratio));
  canvas.height = Math.max(1, Math.round(height * ratio));
  canvas.style.width = width + "px";
  canvas.style.height = height + "px";
  canvas.getContext("2d")?.setTransform(ratio, 0, 0, ratio, 0, 0);
}
