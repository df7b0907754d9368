// SPDX-License-Identifier: Apache-2.0
//
// Paints rows of states into an image: a line of pixels for each row, copied down to its
// height.  Costs what the screen has, not what the trace has, and needs no GPU.  Bad
// states are hatched and edged, so that colour is not all that tells them.

import type { Span } from "./time";
import { mix } from "./colour";
import type { Palette, RowSums } from "./strips";

export interface RasterRow {
  /** First pixel from the top, and how many there are. */
  top: number;
  height: number;
  /** Nothing of it is above this pixel. */
  least: number;
  sums: RowSums;
  palette: Palette;
}

const HATCH = 6;

/** An image that is painted again and again. */
export class Raster {
  private image: ImageData | null = null;
  private pixels = new Uint32Array(0);
  private line = new Uint32Array(0);
  private bad = new Uint8Array(0);

  /** Paints all rows; the rest is 'ground'. */
  paint(
    context: CanvasRenderingContext2D,
    width: number,
    height: number,
    win: Span,
    rows: RasterRow[],
    ground: number,
    mark: number,
  ): void {
    if (width < 1 || height < 1) return;
    if (!this.image || this.image.width !== width || this.image.height !== height) {
      this.image = new ImageData(width, height);
      this.pixels = new Uint32Array(this.image.data.buffer);
      this.line = new Uint32Array(width);
      this.bad = new Uint8Array(width);
    }
    this.pixels.fill(ground);
    for (const row of rows) this.row(row, width, height, win, ground, mark);
    context.putImageData(this.image, 0, 0);
  }

  private row(row: RasterRow, width: number, height: number, win: Span, ground: number, mark: number): void {
    const { line, bad, pixels } = this;
    line.fill(0);
    bad.fill(0);
    row.sums.coarse?.paint(win, width, row.palette, line, bad);
    row.sums.fine?.clear(win, width, line, bad);
    row.sums.fine?.paint(win, width, row.palette, line, bad);
    for (let x = 0; x < width; x++) if (line[x] === 0) line[x] = ground;
    const from = Math.max(row.least, row.top);
    const to = Math.min(height, row.top + row.height);
    for (let y = from; y < to; y++) pixels.set(line, y * width);
    this.marks(row, width, from, to, mark);
  }

  /** Hatches what is bad, and puts a tooth on top of where something bad hides. */
  private marks(row: RasterRow, width: number, from: number, to: number, mark: number): void {
    const { line, bad, pixels } = this;
    const tooth = Math.max(2, Math.round(row.height * 0.35));
    const top = Math.min(to, row.top + tooth);
    for (let x = 0; x < width; x++) {
      if (bad[x] === 0) continue;
      if (bad[x] === 1) {
        for (let y = from; y < top; y++) pixels[y * width + x] = mark;
        continue;
      }
      const dark = mix(line[x] as number, mark, 0.75);
      const lone = bad[x - 1] !== 2 && bad[x + 1] !== 2;
      for (let y = from; y < to; y++)
        if (lone || (x + y - row.top) % HATCH < 2) pixels[y * width + x] = dark;
    }
  }
}
