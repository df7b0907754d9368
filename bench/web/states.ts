// SPDX-License-Identifier: Apache-2.0
//
// The same states for both: 100 rows with 10,000 states each, of ten seconds.

export const ROWS = 100;
export const STATES = 10000;
export const LENGTH = 10e9; // ns
export const VALUES = 8;

/** Begins of a row's states, the same each time; the value of a state is its index modulo VALUES. */
export function begins(row: number): Float64Array {
  let seed = 12345 + 7919 * row;
  const random = () => {
    seed = (seed * 1103515245 + 12345) & 0x7fffffff;
    return seed / 0x80000000;
  };
  const at = Float64Array.from({ length: STATES }, () => Math.floor(random() * LENGTH)).sort();
  at[0] = 0;
  return at;
}

/** The zoom and the walk that both are taken through: a window for each frame. */
export function path(frames: number): { t0: number; t1: number }[] {
  return Array.from({ length: frames }, (_x, i) => {
    const phase = i / frames;
    // To a thousandth and back, while the middle wanders over a third of all.
    const depth = Math.sin(Math.PI * phase) ** 2;
    const length = LENGTH * 1000 ** -depth;
    const middle = LENGTH * (0.5 + 0.16 * Math.sin(6 * Math.PI * phase) * depth);
    const t0 = Math.min(Math.max(0, middle - length / 2), LENGTH - length);
    return { t0, t1: t0 + length };
  });
}
