// SPDX-License-Identifier: Apache-2.0
//
// States of rows as pixels.  The server sums a window up to runs of pixels; this
// keeps two such sums for a row, one of all time and one of about what is seen, so that
// something is there at once wherever one goes, and paints any window from them: a
// bad state that is shorter than a pixel is still a pixel.

import type { Span } from "./time";

export const SEVERAL = 1; // of a run: several states within the pixel
export const HIDDEN_BAD = 2; // of a run: a bad one is among them

const FIELDS = 5; // first pixel, the one behind the last, value, flags, label

/** A stretch of one value, as exact as the pixels. */
export interface Run extends Span {
  value: number;
  flags: number;
  text: string | null;
}

/** Runs of a row over a window of 'px' pixels, in order. */
export class Sum {
  readonly runs: Int32Array;

  constructor(
    readonly span: Span,
    readonly px: number,
    runs: number[][],
    /** Texts of runs, of rows whose values are not of a legend. */
    private readonly labels: string[] = [],
  ) {
    this.runs = new Int32Array(runs.length * FIELDS);
    runs.forEach((run, i) => {
      for (let k = 0; k < FIELDS; k++) this.runs[i * FIELDS + k] = run[k] ?? (k === 4 ? -1 : 0);
    });
  }

  get count(): number {
    return this.runs.length / FIELDS;
  }

  nsPerPx(): number {
    return (this.span.t1 - this.span.t0) / this.px;
  }

  /** The first run that ends after pixel 'x'. */
  private after(x: number): number {
    let lo = 0;
    let hi = this.count;
    while (lo < hi) {
      const mid = (lo + hi) >> 1;
      if ((this.runs[mid * FIELDS + 1] as number) > x) hi = mid;
      else lo = mid + 1;
    }
    return lo;
  }

  /** What is at an instant: window, value and flags of its run; null: no value. */
  at(t: number): Run | null {
    const x = (t - this.span.t0) / this.nsPerPx();
    const i = this.after(x) * FIELDS;
    if (i >= this.runs.length || (this.runs[i] as number) > x) return null;
    return this.run(i / FIELDS);
  }

  run(i: number): Run {
    const k = i * FIELDS;
    const ns = this.nsPerPx();
    return {
      t0: this.span.t0 + (this.runs[k] as number) * ns,
      t1: this.span.t0 + (this.runs[k + 1] as number) * ns,
      value: this.runs[k + 2] as number,
      flags: this.runs[k + 3] as number,
      text: this.labels[this.runs[k + 4] as number] ?? null,
    };
  }

  /** Takes away what a coarser sum has painted of the time that this one knows. */
  clear(win: Span, width: number, line: Uint32Array, bad: Uint8Array): void {
    const x = (t: number) => Math.max(0, Math.min(width, Math.round(((t - win.t0) * width) / (win.t1 - win.t0))));
    line.fill(0, x(this.span.t0), x(this.span.t1));
    bad.fill(0, x(this.span.t0), x(this.span.t1));
  }

  /**
   * Paints the part of 'win' that this sum knows onto a line of 'width' pixels.
   * 'line' gets colours, 'bad' 1 where a bad state hides and 2 where one is all there is.
   */
  paint(win: Span, width: number, palette: Palette, line: Uint32Array, bad: Uint8Array): void {
    const { runs } = this;
    const scale = (this.nsPerPx() * width) / (win.t1 - win.t0);
    const shift = ((this.span.t0 - win.t0) * width) / (win.t1 - win.t0);
    const last = runs.length;
    let kept = -1; // the pixel of a bad state that had none
    for (let i = this.after(-shift / scale - 1) * FIELDS; i < last; i += FIELDS) {
      const from = Math.round(shift + (runs[i] as number) * scale);
      if (from >= width) break;
      const to = Math.round(shift + (runs[i + 1] as number) * scale);
      const value = runs[i + 2] as number;
      if (value < 0) {
        // A hole hides nothing but what an older sum has drawn there.
        if (to > from) line.fill(0, Math.max(0, from), to), bad.fill(0, Math.max(0, from), to);
        continue;
      }
      const isBad = palette.bad[value] === 1;
      const hides = isBad || ((runs[i + 3] as number) & HIDDEN_BAD) !== 0;
      // What is bad gets a pixel however short it is, and keeps it.
      const end = Math.min(width, hides && to <= from ? from + 1 : to);
      let begin = Math.max(0, from);
      if (begin === kept && !isBad) begin++;
      if (end <= begin) continue;
      line.fill(palette.pixels[value] ?? 0xff888888, begin, end);
      bad.fill(isBad ? 2 : hides ? 1 : 0, begin, end);
      if (hides && to <= from) kept = from;
    }
  }
}

/** Colours of a legend. */
export interface Palette {
  pixels: Uint32Array;
  bad: Uint8Array;
  labels: string[];
}

/** Sums of a row: of everything, and of about what is seen. */
export interface RowSums {
  coarse: Sum | null;
  fine: Sum | null;
}

/** The sum that tells most about an instant. */
export function finest(sums: RowSums, t: number): Sum | null {
  const { fine, coarse } = sums;
  return fine && t >= fine.span.t0 && t < fine.span.t1 ? fine : coarse;
}

/** Whether 'fine' is good enough to show 'win' on 'width' pixels. */
export function enough(fine: Sum | null, win: Span, width: number, all: Span): boolean {
  if (!fine) return false;
  const per = (win.t1 - win.t0) / width;
  const covers = fine.span.t0 <= Math.max(win.t0, all.t0) && fine.span.t1 >= Math.min(win.t1, all.t1);
  return covers && fine.nsPerPx() <= per * 1.02 && fine.nsPerPx() >= per / 4;
}

/** The window to ask for: twice what is seen, so that moving has something to show. */
export function around(win: Span, width: number, all: Span): { span: Span; px: number } {
  const half = (win.t1 - win.t0) / 2;
  const t0 = Math.max(all.t0, win.t0 - half);
  const t1 = Math.min(all.t1, win.t1 + half);
  const span = { t0: Math.floor(t0), t1: Math.ceil(t1) };
  const px = Math.ceil((width * (span.t1 - span.t0)) / (win.t1 - win.t0));
  return { span, px: Math.max(1, Math.min(px, 2 * width, span.t1 - span.t0)) };
}
