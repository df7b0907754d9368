// SPDX-License-Identifier: Apache-2.0
//
// Stands for the server, in a thread of its own: at most a state for each pixel, whoever asks.

import { begins, LENGTH, ROWS, STATES, VALUES } from "./states";

const all = Array.from({ length: ROWS }, (_x, row) => begins(row));

function firstAfter(at: Float64Array, t: number): number {
  let lo = 0;
  let hi = at.length;
  while (lo < hi) {
    const mid = (lo + hi) >> 1;
    if ((at[mid] as number) > t) hi = mid;
    else lo = mid + 1;
  }
  return lo;
}

/** Runs of pixels: [from, to, value, flags]. */
function runs(row: number, t0: number, t1: number, px: number): number[][] {
  const at = all[row] as Float64Array;
  const per = (t1 - t0) / px;
  const found: number[][] = [];
  let last: number[] | null = null;
  for (let x = 0; x < px; x++) {
    const from = firstAfter(at, t0 + x * per);
    const to = firstAfter(at, t0 + (x + 1) * per);
    const value = Math.max(0, from - 1) % VALUES;
    const flags = to > from ? 1 : 0;
    if (last && last[2] === value && last[3] === flags) last[1] = x + 1;
    else found.push((last = [x, x + 1, value, flags]));
  }
  return found;
}

self.onmessage = (e: MessageEvent) => {
  const { id, rows, t0, t1, px } = e.data as { id: number; rows: number[]; t0: number; t1: number; px: number };
  const answer = rows.map((row) => ({ id: String(row), runs: runs(row, t0, t1, px) }));
  self.postMessage({ id, t0, t1, px, rows: answer, length: LENGTH, states: STATES });
};
