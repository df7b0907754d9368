// SPDX-License-Identifier: Apache-2.0

import { Cell } from "../../web/src/base/cell";
import { palettes } from "../../web/src/time/rows";
import { setOrigin, type Span } from "../../web/src/time/time";
import { Timeline } from "../../web/src/time/timeline";
import { ask, walk } from "./frames";
import { LENGTH, ROWS, VALUES } from "./states";

const HEIGHT = 9;
const COLOURS = ["#228833", "#4477aa", "#66ccee", "#ccbb44", "#ee8866", "#bbbbbb", "#aa3377", "#ee6677"];

setOrigin(0n);
const canvas = () => document.body.appendChild(document.createElement("canvas"));
const view = new Cell<Span>({ t0: 0, t1: LENGTH });
const times = { view, whole: new Cell<Span>({ t0: 0, t1: LENGTH }), cursor: new Cell<number | null>(null), selection: new Cell<Span | null>(null) };
const style = { ground: "#ffffff", grid: "#d5dbe1", ink: "#17202a", faint: "#586673", mark: "#8e0b2f", accent: "#0b62b0", font: "11px sans-serif" };
const line = new Timeline(
  { axis: canvas(), states: canvas(), pen: canvas() },
  (ids, span, px) => ask(ids.map(Number), span.t0, span.t1, px),
  times,
  style,
);
const legend = COLOURS.slice(0, VALUES).map((colour, i) => ({ label: `state ${i}`, colour, bad: i === VALUES - 1 }));
line.setLines(
  Array.from({ length: ROWS }, (_x, i) => ({
    row: { id: String(i), parent: null, label: String(i), kind: "thread", host: null, layer: null, type: "state" as const, legend: "l" },
    top: i * HEIGHT,
    height: HEIGHT,
  })),
  palettes({ l: legend }, false),
);
line.setSize(1400, ROWS * HEIGHT, 0);
(window as unknown as { run: () => Promise<number[]> }).run = () => walk((win) => view.set(win));
