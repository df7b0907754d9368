// SPDX-License-Identifier: Apache-2.0
//
// What the pages compute without a page.  Bundled and run by units.py; prints "ok NAME" lines.

import { parse } from "../../web/src/base/api";
import { plain } from "../../web/src/base/text";
import type { Rows, StripReply } from "../../web/src/base/types";
import { layout } from "../../web/src/time/rows";
import { around, enough, HIDDEN_BAD, Sum, type Palette } from "../../web/src/time/strips";
import { Supply } from "../../web/src/time/supply";
import { abs, clock, digitsFor, dur, parseAbs, rel, setOrigin, ticks, type Span } from "../../web/src/time/time";

declare const process: { exit(code: number): never };
let failed = 0;

async function test(name: string, run: () => void | Promise<void>): Promise<void> {
  try {
    await run();
    console.log("ok " + name);
  } catch (e) {
    failed++;
    console.log("not ok " + name);
    console.log("  " + String((e as Error).stack ?? e).split("\n").slice(0, 4).join("\n  "));
  }
}

function equal(a: unknown, b: unknown, what = ""): void {
  const text = (x: unknown) => JSON.stringify(x, (_k, v: unknown) => (typeof v === "bigint" ? `${v}n` : v));
  if (text(a) !== text(b)) throw new Error(`${what} ${text(a)} is not ${text(b)}`);
}

let seed = 1;
function random(n: number): number {
  seed = (seed * 1103515245 + 12345) & 0x7fffffff;
  return Math.floor((seed / 0x80000000) * n);
}

await test("integers that a double can't hold are exact", () => {
  equal(parse('{"a":1777896000013502426,"b":18446744073709551615,"c":-9223372036854775808}'), {
    a: 1777896000013502426n,
    b: 18446744073709551615n,
    c: -9223372036854775808n,
  });
  equal(parse('{"a":9007199254740991,"b":1.5,"c":"1777896000013502426","d":[1e3]}'), {
    a: 9007199254740991,
    b: 1.5,
    c: "1777896000013502426",
    d: [1000],
  });
});

await test("what can't be seen in a text is written out", () => {
  const cases: [string, string][] = [
    ["vm-1000", "vm-1000"],
    ["<b>&amp;", "<b>&amp;"],
    ["a\u202eb", "a\\u202eb"],
    ["\u0000\u001b[0m\u007f\u009b", "\\x00\\x1b[0m\\x7f\\x9b"],
    ["a\nb\tc", "a\\nb\\tc"],
    ["zero\u200bwidth\ufeff", "zero\\u200bwidth\\ufeff"],
    ["\u2028\u2066\u2069", "\\u2028\\u2066\\u2069"],
    ["half\ud800", "half\\ud800"],
    ["\udc00half", "\\udc00half"],
    ["whole \u{1f600} é 字 עברית", "whole \u{1f600} é 字 עברית"],
  ];
  for (const [from, to] of cases) equal(plain(from), to);
  equal(plain(null), "");
});

const palette: Palette = { pixels: Uint32Array.of(0xff000001, 0xff000002, 0xff000003, 0xff0000bd), bad: Uint8Array.of(0, 0, 0, 1), labels: ["a", "b", "c", "bad"] };

await test("strips: what a finer sum does not have, a coarser one does not show there", () => {
  const win = { t0: 0, t1: 1000 };
  const line = new Uint32Array(100);
  const bad = new Uint8Array(100);
  const fine = new Sum({ t0: 200, t1: 800 }, 600, [[300, 310, 1, 0]]);
  new Sum(win, 2, [[0, 2, 3, 0]]).paint(win, 100, palette, line, bad);
  fine.clear(win, 100, line, bad);
  fine.paint(win, 100, palette, line, bad);
  equal([...line].map((c) => palette.pixels.indexOf(c) + 1).join(""), "4".repeat(20) + "0".repeat(30) + "2" + "0".repeat(29) + "4".repeat(20));
  equal(bad[60], 0);
});

await test("instants keep every nanosecond from the address and back", () => {
  setOrigin(1777896000013502426n);
  for (const t of [0, 1, 999, 49998997676, 86400e9 * 90]) {
    equal(rel(abs(t)), t);
    equal(parseAbs(abs(t).toString()), t);
  }
  equal(rel(5), Number(5n - 1777896000013502426n));
  for (const bad of ["", "x", "1e9", "12345678901234567890", "1.5"]) equal(parseAbs(bad), null, bad);
  equal(clock(0, 9), "12:00:00.013502426");
  equal(clock(86400e9 - 43200e9 - 13502426, 9), "00:00:00.000000000");
});

await test("durations", () => {
  const cases: [number | null, string][] = [
    [0, "0"], [1, "1 ns"], [999, "999 ns"], [1000, "1.00 µs"], [12380000, "12.4 ms"], [1.5e9, "1.50 s"],
    [599e9, "599 s"], [690170109172, "11 min 30 s"], [7261e9, "2 h 01 min"], [null, "–"], [-2500000, "-2.50 ms"],
  ];
  for (const [ns, text] of cases) equal(dur(ns), text);
});

await test("ticks are round, in order, in the window, and told apart", () => {
  setOrigin(1777896000013502426n);
  for (let i = 0; i < 2000; i++) {
    const t0 = random(1e9) * 100;
    const length = 10 ** (1 + random(12)) + random(1000);
    const win = { t0, t1: t0 + length };
    const { at, step } = ticks(win, 1400);
    for (let k = 0; k < at.length; k++) {
      if ((at[k] as number) < t0 - 1 || (at[k] as number) > win.t1) throw new Error(`tick ${at[k]} is outside of ${t0} + ${length}`);
      if (k && (at[k] as number) <= (at[k - 1] as number)) throw new Error("not in order");
    }
    if (at.length > 30) throw new Error(at.length + " ticks");
    const texts = at.map((t) => clock(t, digitsFor(step)));
    if (step >= 10 && step < 86400e9 && new Set(texts).size !== texts.length) throw new Error("two ticks say " + texts.join(" "));
  }
});


function someRuns(px: number): number[][] {
  const runs: number[][] = [];
  for (let x = 0; x < px; ) {
    const to = Math.min(px, x + 1 + random(random(4) ? 3 : 60));
    if (random(6)) runs.push([x, to, random(4), random(5) ? 0 : 1 + HIDDEN_BAD]);
    x = to;
  }
  return runs;
}

await test("strips: pixel for pixel what the server said, at its own window", () => {
  for (let round = 0; round < 200; round++) {
    const px = 1 + random(400);
    const runs = someRuns(px);
    const span = { t0: random(1000), t1: 100000 + random(1e6) };
    const line = new Uint32Array(px);
    const bad = new Uint8Array(px);
    new Sum(span, px, runs).paint(span, px, palette, line, bad);
    const want = new Uint32Array(px);
    const wantBad = new Uint8Array(px);
    for (const [from, to, value, flags] of runs as [number, number, number, number][])
      for (let x = from; x < to; x++) {
        want[x] = palette.pixels[value] as number;
        wantBad[x] = value === 3 ? 2 : flags & HIDDEN_BAD ? 1 : 0;
      }
    equal([...line], [...want]);
    equal([...bad], [...wantBad]);
  }
});

await test("strips: a bad state has a pixel in any window that has it", () => {
  for (let round = 0; round < 300; round++) {
    const px = 1000;
    const runs = someRuns(px);
    const span = { t0: 0, t1: 1e9 };
    const sum = new Sum(span, px, runs);
    const t0 = random(9e8) - 1e8;
    const win = { t0, t1: t0 + 1e6 + random(3e9) };
    const width = 1 + random(300);
    const line = new Uint32Array(width);
    const bad = new Uint8Array(width);
    sum.paint(win, width, palette, line, bad);
    for (const [from, to, value, flags] of runs as [number, number, number, number][]) {
      if (value !== 3 && !(flags & HIDDEN_BAD)) continue;
      const x0 = ((from * 1e6 - win.t0) * width) / (win.t1 - win.t0);
      const x1 = ((to * 1e6 - win.t0) * width) / (win.t1 - win.t0);
      if (x1 < 1 || x0 > width - 1) continue;
      const near = bad.subarray(Math.max(0, Math.floor(x0) - 1), Math.ceil(x1) + 1);
      if (!near.some((b) => b > 0)) throw new Error(`run ${from}-${to} vanished in ${t0}+${win.t1 - t0} on ${width}`);
    }
  }
});

await test("strips: what is asked for covers what is seen, within the experiment", () => {
  const all = { t0: 0, t1: 1e10 };
  for (let i = 0; i < 1000; i++) {
    const t0 = random(9e9);
    const win = { t0, t1: Math.min(1e10, t0 + 20 + random(1e9)) };
    const { span, px } = around(win, 1400, all);
    if (span.t0 < 0 || span.t1 > 1e10 || span.t0 > win.t0 || span.t1 < win.t1) throw new Error("not covered");
    if (px > 2800 || px < 1 || px > span.t1 - span.t0) throw new Error(px + " pixels");
    const fine = px < span.t1 - span.t0;
    if (fine && !enough(new Sum(span, px, []), win, 1400, all)) throw new Error("asked for too little");
  }
});

function later(): Promise<void> {
  return new Promise((done) => setTimeout(done, 0));
}

await test("supply: one question at a time, each once, even when answers are rounded", async () => {
  const asked: string[] = [];
  let out = 0;
  const supply = new Supply(
    async (ids, span, px): Promise<StripReply> => {
      if (++out > 1) throw new Error("two at once");
      asked.push(`${ids.length} ${span.t0} ${span.t1} ${px}`);
      await later();
      out--;
      // A server that rounds, and that knows one row less.
      return { t0: span.t0 + 3, t1: span.t1 - 3, px: px - 1, rows: ids.slice(1).map((id) => ({ id, runs: [[0, 1, 0, 0]] })) };
    },
    () => undefined,
  );
  const ids = Array.from({ length: 150 }, (_x, i) => "r" + i);
  const all = { t0: 0, t1: 1e9 };
  for (const win of [all, { t0: 1e8, t1: 1.1e8 }, { t0: 1e8, t1: 1.1e8 }]) {
    supply.want({ ids, win, width: 1000, all });
    for (let i = 0; i < 40; i++) {
      await later();
      supply.want({ ids, win, width: 1000, all });
    }
  }
  if (asked.length > 8) throw new Error(`asked ${asked.length} times: ${asked.join("; ")}`);
  equal(asked.filter((a, i) => a.startsWith("100 ") && asked.indexOf(a) !== i).length, 0, "the same again:");
});

await test("supply: after an error it waits to be told", async () => {
  let asked = 0;
  const supply = new Supply(
    () => (asked++, Promise.reject(new Error("gone"))),
    () => undefined,
  );
  const wanted = { ids: ["a"], win: { t0: 0, t1: 10 }, width: 100, all: { t0: 0, t1: 1000 } as Span };
  for (let i = 0; i < 5; i++) {
    supply.want(wanted);
    await later();
  }
  equal(asked, 1);
  equal((supply.error as Error).message, "gone");
  supply.reset();
  await later();
  equal(asked, 2);
});

await test("rows: under their parents; empty headings and loops do no harm", () => {
  const row = (id: string, parent: string | null, type: "state" | "heading" | "curve" = "state", layer = "kernel") =>
    ({ id, parent, label: id, kind: type === "heading" ? "heading" : "thread", host: "h", layer, type, legend: "l" }) as Rows["rows"][0];
  const all: Rows = {
    rows: [row("p", null, "heading"), row("k2", "p"), row("k1", "p"), row("empty", null, "heading"), row("c", null, "curve"),
           row("loop1", "loop2"), row("loop2", "loop1"), row("a", null, "state", "application")],
    legends: {},
  };
  const keys = (folded: string[], filter = "") => layout(all, "layer", new Set(folded), filter).map((i) => i.key);
  equal(keys([]), ["group:application", "a", "group:kernel", "p", "k2", "k1"]);
  equal(keys(["p"]), ["group:application", "a", "group:kernel", "p"]);
  equal(keys(["group:kernel"]), ["group:application", "a", "group:kernel"]);
  equal(keys([], "k1"), ["group:kernel", "k1"]);
  const items = layout(all, "layer", new Set(), "");
  const pinned = layout(all, "layer", new Set(["group:kernel"]), "nothing has this", new Set(["k1"]));
  equal(pinned.map((i) => [i.key, i.top, !!i.pinned]), [["k1", 0, true]]);
  const both = layout(all, "layer", new Set(), "", new Set(["k1", "p"]));
  equal(both.map((i) => i.key), ["k1", "group:application", "a", "group:kernel", "p", "k2"]);
  items.forEach((i, n) => n && equal(i.top, (items[n - 1] as typeof i).top + (items[n - 1] as typeof i).height));
});

process.exit(failed ? 1 : 0);
