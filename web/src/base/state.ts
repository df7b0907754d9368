// SPDX-License-Identifier: Apache-2.0
//
// What the address holds: page, subject, window, selection, whatever a page sorts and
// filters by.  #/vm/vm-1000?t0=..&t1=..&sel=..,..&row=..  The address is read into cells
// and written from them, so that what one sees can be pasted into a ticket.

import { Cell } from "./cell";
import { abs, parseAbs, type Ns, type Span } from "../time/time";

export interface Route {
  page: string;
  id: string;
  args: Record<string, string>;
}

export const route = new Cell<Route>({ page: "overview", id: "", args: {} });
/** The experiment's whole time; set before a page is shown. */
export const whole = new Cell<Span>({ t0: 0, t1: 1 });
export const view = new Cell<Span>({ t0: 0, t1: 1 });
export const selection = new Cell<Span | null>(null);
/** Where the pointer is in time, on whatever shows time. */
export const cursor = new Cell<Ns | null>(null);

const LEAST_NS = 20;
const SETTLED_MS = 500;

/** Keeps a window within the experiment and not narrower than a few ns. */
export function clamp(span: Span): Span {
  const all = whole.get();
  const length = Math.min(Math.max(span.t1 - span.t0, LEAST_NS), all.t1 - all.t0);
  const t0 = Math.min(Math.max(span.t0, all.t0), all.t1 - length);
  return { t0, t1: t0 + length };
}

function same(a: Span, b: Span): boolean {
  return a.t0 === b.t0 && a.t1 === b.t1;
}

export function setView(span: Span): void {
  const next = clamp(span);
  if (!same(next, view.get())) view.set(next);
}

/** Zooms by 'factor' (below 1: in) around 'at', or the middle. */
export function zoom(factor: number, at?: Ns | null): void {
  const { t0, t1 } = view.get();
  const fixed = at === undefined || at === null || at < t0 || at > t1 ? (t0 + t1) / 2 : at;
  setView({ t0: fixed - (fixed - t0) * factor, t1: fixed + (t1 - fixed) * factor });
}

/** Moves by a share of the window. */
export function pan(share: number): void {
  const { t0, t1 } = view.get();
  const by = (t1 - t0) * share;
  setView({ t0: t0 + by, t1: t1 + by });
}

/** Shows a span with some room around it. */
export function fit(span: Span, room = 0.1): void {
  const by = Math.max((span.t1 - span.t0) * room, LEAST_NS);
  setView({ t0: span.t0 - by, t1: span.t1 + by });
}

export function showAll(): void {
  setView(whole.get());
}

// --- the address ---

const OWN = new Set(["t0", "t1", "sel"]);

function encode(to: Route, win: Span, sel: Span | null): string {
  const q: string[] = [];
  if (!same(win, whole.get())) q.push(`t0=${abs(win.t0)}`, `t1=${abs(win.t1)}`);
  if (sel) q.push(`sel=${abs(sel.t0)},${abs(sel.t1)}`);
  for (const [k, v] of Object.entries(to.args)) if (v !== "") q.push(`${k}=${encodeURIComponent(v)}`);
  const path = "#/" + to.page + (to.id ? "/" + encodeURIComponent(to.id) : "");
  return q.length ? `${path}?${q.join("&")}` : path;
}

/** The address of a page: with the window as it is, or with another one. */
export function href(page: string, id = "", args: Record<string, string> = {}, win?: Span | null): string {
  return encode({ page, id, args }, win ? clamp(win) : view.get(), null);
}

function decodePart(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function readSpan(a: string | undefined, b: string | undefined): Span | null {
  const t0 = parseAbs(a ?? "");
  const t1 = parseAbs(b ?? "");
  return t0 !== null && t1 !== null && t1 > t0 ? { t0, t1 } : null;
}

let reading = false;

/** Takes over what the address says. */
function read(): void {
  const hash = location.hash.replace(/^#\/?/, "");
  const mark = hash.indexOf("?");
  const [page, ...rest] = (mark < 0 ? hash : hash.slice(0, mark)).split("/");
  const args: Record<string, string> = {};
  for (const pair of mark < 0 ? [] : hash.slice(mark + 1).split("&")) {
    const eq = pair.indexOf("=");
    if (eq > 0) args[decodePart(pair.slice(0, eq))] = decodePart(pair.slice(eq + 1).replace(/\+/g, " "));
  }
  const win = readSpan(args.t0, args.t1);
  const [s0, s1] = (args.sel ?? "").split(",");
  for (const key of OWN) delete args[key];
  reading = true;
  setView(win ?? whole.get());
  selection.set(readSpan(s0, s1));
  route.set({ page: page || "overview", id: decodePart(rest.join("/")), args });
  reading = false;
}

let written = "";

function write(push: boolean): void {
  const next = encode(route.get(), view.get(), selection.get());
  if (next === location.hash || next === written) return;
  written = next;
  if (push) history.pushState(null, "", next);
  else history.replaceState(null, "", next);
}

/** Changes what the page is sorted or filtered by. */
export function setArgs(args: Record<string, string>): void {
  const now = route.get();
  route.set({ ...now, args: { ...now.args, ...args } });
  write(false);
}

export function go(address: string): void {
  location.hash = address;
}

let timer = 0;

/** Begins to follow the address; 'whole' is set. */
export function startRoute(): void {
  read();
  const onChange = () => {
    written = location.hash;
    read();
  };
  addEventListener("hashchange", onChange);
  addEventListener("popstate", onChange);
  // A window that rests is a step of the history: "back" is then "zoom out again".
  const settle = () => {
    if (reading) return;
    clearTimeout(timer);
    timer = window.setTimeout(() => write(true), SETTLED_MS);
  };
  view.watch(settle);
  selection.watch(settle);
}

// --- the theme ---

export type Theme = "light" | "dark";
const dark = matchMedia("(prefers-color-scheme: dark)");

function stored(): Theme | null {
  try {
    const t = localStorage.getItem("theme");
    return t === "light" || t === "dark" ? t : null;
  } catch {
    return null;
  }
}

export const theme = new Cell<Theme>(stored() ?? (dark.matches ? "dark" : "light"));

export function startTheme(): void {
  const apply = (t: Theme) => {
    document.documentElement.dataset.theme = t;
  };
  apply(theme.get());
  theme.watch((t) => {
    apply(t);
    try {
      localStorage.setItem("theme", t);
    } catch {
      // A private window keeps nothing.
    }
  });
  dark.addEventListener("change", () => {
    if (!stored()) theme.set(dark.matches ? "dark" : "light");
  });
}
