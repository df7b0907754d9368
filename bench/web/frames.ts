// SPDX-License-Identifier: Apache-2.0
//
// Takes a time line through the walk, a window a frame, and says how long frames took.

import { path } from "./states";

const FRAMES = 150;

export interface Reply {
  t0: number;
  t1: number;
  px: number;
  rows: { id: string; runs: number[][] }[];
}

let next = 0;
const waiting = new Map<number, (r: Reply) => void>();
const worker = new Worker("worker.js");
worker.onmessage = (e) => waiting.get(e.data.id)?.(e.data);

export function ask(rows: number[], t0: number, t1: number, px: number): Promise<Reply> {
  const id = next++;
  return new Promise((done) => {
    waiting.set(id, (r) => (waiting.delete(id), done(r)));
    worker.postMessage({ id, rows, t0, t1, px });
  });
}

export function walk(show: (win: { t0: number; t1: number }) => void): Promise<number[]> {
  const steps = path(FRAMES);
  const took: number[] = [];
  return new Promise((done) => {
    let before = 0;
    let i = 0;
    const frame = (now: number) => {
      if (before) took.push(now - before);
      before = now;
      if (i >= steps.length) return done(took);
      show(steps[i++] as { t0: number; t1: number });
      requestAnimationFrame(frame);
    };
    requestAnimationFrame(frame);
  });
}
