// SPDX-License-Identifier: Apache-2.0
//
// Instants.  Nanoseconds since 1970 do not fit a double; all that is computed with are
// nanoseconds since the experiment's begin, which do (for a hundred days).  BigInt
// is only where the two meet: addresses and answers.

export type Ns = number;
export interface Span {
  t0: Ns;
  t1: Ns;
}

let origin = 0n;
let originOfDay = 0; // ns since midnight, UTC
const DAY = 86400e9;

export function setOrigin(t0: bigint): void {
  origin = t0;
  originOfDay = Number(((t0 % 86400000000000n) + 86400000000000n) % 86400000000000n);
}

/** An instant of an answer, as ns since the experiment's begin. */
export function rel(t: number | bigint): Ns {
  return Number(BigInt(typeof t === "number" ? Math.trunc(t) : t) - origin);
}

export function abs(t: Ns): bigint {
  return origin + BigInt(Math.round(t));
}

export function parseAbs(text: string): Ns | null {
  return /^-?\d{1,19}$/.test(text) ? Number(BigInt(text) - origin) : null;
}

function pad(n: number, width: number): string {
  return String(n).padStart(width, "0");
}

/** Time of day in UTC; 'digits' behind the second: 0 to 9. */
export function clock(t: Ns, digits = 3): string {
  const ns = (((Math.round(t) + originOfDay) % DAY) + DAY) % DAY;
  const s = Math.floor(ns / 1e9);
  const text = `${pad(Math.floor(s / 3600), 2)}:${pad(Math.floor(s / 60) % 60, 2)}:${pad(s % 60, 2)}`;
  return digits === 0 ? text : `${text}.${pad(Math.floor(ns % 1e9), 9).slice(0, digits)}`;
}

export function day(t: Ns): string {
  return new Date(Number(abs(t) / 1000000n)).toISOString().slice(0, 10);
}

/** As many digits as tell two instants 'ns' apart. */
export function digitsFor(ns: Ns): number {
  if (ns >= 1e9) return 0;
  return Math.min(9, Math.max(0, Math.ceil(9 - Math.log10(Math.max(1, ns)))));
}

/** A duration with its unit: "12.38 ms", "4 min 05 s". */
export function dur(ns: Ns | null | undefined): string {
  if (ns === null || ns === undefined) return "–";
  const size = Math.abs(ns);
  if (size === 0) return "0";
  if (size < 1e3) return `${Math.round(ns)} ns`;
  if (size < 1e6) return `${three(ns / 1e3)} µs`;
  if (size < 1e9) return `${three(ns / 1e6)} ms`;
  if (size < 600e9) return `${three(ns / 1e9)} s`;
  const s = Math.round(size / 1e9);
  const text =
    s < 7200
      ? `${Math.floor(s / 60)} min ${pad(s % 60, 2)} s`
      : `${Math.floor(s / 3600)} h ${pad(Math.floor(s / 60) % 60, 2)} min`;
  return ns < 0 ? "−" + text : text;
}

function three(x: number): string {
  const size = Math.abs(x);
  return size >= 100 ? x.toFixed(0) : size >= 10 ? x.toFixed(1) : x.toFixed(2);
}

/** Distances between ticks that read well: 1, 2, 5 times powers of ten; whole minutes above. */
export function tickStep(ns: Ns, ticks: number): Ns {
  const least = ns / Math.max(1, ticks);
  if (least > 20e9) {
    for (const s of [30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 28800, 43200, 86400])
      if (s * 1e9 >= least) return s * 1e9;
    return Math.ceil(least / DAY) * DAY;
  }
  const power = 10 ** Math.floor(Math.log10(Math.max(1, least)));
  for (const m of [1, 2, 5, 10]) if (m * power >= least) return m * power;
  return 10 * power;
}

/** Instants for ticks, at round times of day. */
export function ticks(span: Span, width: number, each = 130): { at: Ns[]; step: Ns } {
  const step = tickStep(span.t1 - span.t0, width / each);
  const at: Ns[] = [];
  const shift = originOfDay % step;
  for (let t = Math.ceil((span.t0 + shift) / step) * step - shift; t < span.t1; t += step) {
    at.push(t);
    if (at.length > 200) break;
  }
  return { at, step };
}
