// SPDX-License-Identifier: Apache-2.0
//
// The keyboard, as in Perfetto where it has such a key.  The help sheet is this table.

import { get } from "../base/api";
import { cursor, fit, pan, route, selection, setArgs, showAll, view, zoom } from "../base/state";
import { Cell } from "../base/cell";
import type { Exact, Maybe } from "../base/types";
import { parseAbs, type Span } from "../time/time";

export const help = new Cell(false);

interface Key {
  keys: string[];
  what: string;
  run: () => void;
}

const STEP = 0.8;

async function picked(): Promise<Span | null> {
  const { row, at } = route.get().args;
  const t = parseAbs(at ?? "");
  if (!row || t === null) return null;
  try {
    const said = await get<Maybe<Exact>>(`at?row=${encodeURIComponent(row)}&t=${Math.round(t)}`);
    return said.t0 === null ? null : said;
  } catch {
    return null;
  }
}

async function fitPicked(): Promise<void> {
  const chosen = selection.get() ?? (await picked());
  if (chosen) fit(chosen);
  else showAll();
}

async function mark(): Promise<void> {
  const span = await picked();
  if (span) selection.set({ t0: span.t0, t1: span.t1 });
  else selection.set(selection.get() ? null : view.get());
}

function step(by: 1 | -1): void {
  dispatchEvent(new CustomEvent("neph-step", { detail: by }));
}

function leave(): void {
  if (help.get()) help.set(false);
  else if (selection.get()) selection.set(null);
  else if (route.get().args.row) setArgs({ row: "", at: "" });
  else showAll();
}

export const KEYS: Key[] = [
  { keys: ["w"], what: "Zoom in at the cursor", run: () => zoom(STEP, cursor.get()) },
  { keys: ["s"], what: "Zoom out", run: () => zoom(1 / STEP, cursor.get()) },
  { keys: ["a"], what: "Move to earlier", run: () => pan(-0.12) },
  { keys: ["d"], what: "Move to later", run: () => pan(0.12) },
  { keys: ["0"], what: "Show all of the time", run: showAll },
  { keys: ["f"], what: "Fit the selection, or the picked state, into the window", run: () => void fitPicked() },
  { keys: ["m"], what: "Mark the picked state, or the window, as the selection", run: () => void mark() },
  { keys: ["["], what: "Previous state of the row", run: () => step(-1) },
  { keys: ["]"], what: "Next state of the row", run: () => step(1) },
  { keys: ["p"], what: "Pin the picked row, or the one under the pointer, on top; or let it scroll", run: () => dispatchEvent(new CustomEvent("neph-pin")) },
  { keys: ["t"], what: "The time line as a table", run: () => setArgs({ table: route.get().args.table ? "" : "1" }) },
  { keys: ["/"], what: "Search", run: () => document.getElementById("search")?.focus() },
  { keys: ["?"], what: "This sheet", run: () => help.set(!help.get()) },
  { keys: ["Escape"], what: "Close, clear the selection, show all", run: leave },
];

function typing(e: KeyboardEvent): boolean {
  const el = e.target as HTMLElement | null;
  return !!el && (el.isContentEditable || /^(INPUT|SELECT|TEXTAREA)$/.test(el.tagName));
}

export function startKeys(): void {
  document.addEventListener("keydown", (e) => {
    if (e.ctrlKey || e.metaKey || e.altKey || typing(e)) return;
    const key = KEYS.find((k) => k.keys.includes(e.key.length === 1 ? e.key.toLowerCase() : e.key));
    if (!key) return;
    e.preventDefault();
    key.run();
  });
}
