// SPDX-License-Identifier: Apache-2.0
//
// From the server's rows to lines of a picture: headings by layer or kind, children under
// their parents, what is folded or filtered left out.

import type { LegendEntry, RowInfo, Rows } from "../base/types";
import { pixel } from "./colour";
import type { Palette } from "./strips";
import type { Line } from "./timeline";

export interface Item extends Line {
  /** Of a heading or of a row that has children: what folds it. */
  key: string;
  label: string;
  depth: number;
  parent: boolean;
  open: boolean;
  /** Of a heading: how many rows it has. */
  count: number;
}

export const ROW_HEIGHT = 22;
const HEAD_HEIGHT = 24;

const LAYERS: Record<string, string> = {
  application: "Application",
  virtualisation: "Virtualisation",
  kernel: "Kernel",
};
const KINDS: Record<string, string> = {
  cpu: "CPUs",
  thread: "Threads",
  vcpu: "vCPUs",
  vm: "Instances",
  "vm-state": "Instances",
  "vm-task": "Tasks of instances",
  "vm-host": "Hosts of instances",
  "volume-state": "Volumes",
  "service-level": "Services",
  "cpu-thread": "Threads on CPUs",
  heading: "Processes",
  round: "Rounds",
  downtime: "Downtime",
  step: "Steps",
  service: "Services",
  task: "Tasks",
  lane: "Services at work",
  volume: "Volumes",
  stage: "Stages",
  disk: "Disks",
  migration: "Migrations",
};
const ORDER = ["application", "virtualisation", "kernel"];

export function layerName(layer: string | null): string {
  return LAYERS[layer ?? ""] ?? "Other";
}

export function kindName(kind: string): string {
  return KINDS[kind] ?? kind.charAt(0).toUpperCase() + kind.slice(1);
}

export type Grouping = "layer" | "kind";

interface Group {
  key: string;
  label: string;
  rows: RowInfo[];
}

function groups(rows: RowInfo[], by: Grouping): Group[] {
  const found = new Map<string, Group>();
  const has = new Set(rows.map((r) => r.id));
  const sorted =
    by === "layer"
      ? [...rows].sort((a, b) => ORDER.indexOf(a.layer ?? "") - ORDER.indexOf(b.layer ?? ""))
      : rows;
  for (const row of sorted) {
    // The rows of a process stay together, whatever they are.
    if (row.parent !== null && has.has(row.parent)) continue;
    const key = (by === "layer" ? row.layer : row.kind) ?? "";
    let group = found.get(key);
    if (!group) {
      group = { key, label: by === "layer" ? layerName(row.layer) : kindName(row.kind), rows: [] };
      found.set(key, group);
    }
    group.rows.push(row);
  }
  return [...found.values()];
}

const NONE: ReadonlySet<string> = new Set();

/** Lines in order, with their places; those that are pinned first, whatever is folded or filtered. */
export function layout(
  all: Rows,
  by: Grouping,
  folded: ReadonlySet<string>,
  filter: string,
  pinned: ReadonlySet<string> = NONE,
): Item[] {
  const wanted = filter.trim().toLowerCase();
  const shown = all.rows.filter(
    (r) => r.type !== "curve" && (!wanted || `${r.host ?? ""} ${r.label} ${r.kind}`.toLowerCase().includes(wanted)),
  );
  // A heading of a process without rows says nothing.
  const parents = new Set(shown.map((r) => r.parent));
  const ids = new Set(shown.filter((r) => r.type !== "heading" || parents.has(r.id)).map((r) => r.id));
  const children = new Map<string, RowInfo[]>();
  const kept = shown.filter((r) => ids.has(r.id));
  for (const r of kept)
    if (r.parent !== null && ids.has(r.parent)) children.set(r.parent, [...(children.get(r.parent) ?? []), r]);
  const items: Item[] = [];
  let top = 0;
  const put = (item: Omit<Item, "top">) => {
    items.push({ ...item, top });
    top += item.height;
  };
  for (const row of all.rows)
    if (pinned.has(row.id) && row.type === "state")
      put({ row, key: row.id, label: row.label, depth: 0, parent: false, open: true, height: ROW_HEIGHT, count: 0, pinned: true });
  const walk = (row: RowInfo, depth: number) => {
    const below = children.get(row.id) ?? [];
    const open = !folded.has(row.id);
    if (!pinned.has(row.id) || row.type !== "state") put({ row, key: row.id, label: row.label, depth, parent: below.length > 0, open, height: ROW_HEIGHT, count: 0 });
    if (open && depth < 12) for (const child of below) walk(child, depth + 1);
  };
  for (const group of groups(kept, by)) {
    const key = "group:" + group.key;
    const open = !folded.has(key);
    const count = group.rows.length;
    put({ row: null, key, label: group.label, depth: 0, parent: true, open, height: HEAD_HEIGHT, count });
    if (!open) continue;
    for (const row of group.rows) if (row.parent === null || !ids.has(row.parent)) walk(row, 1);
  }
  return items;
}

/** Colours of all legends in one theme. */
export function palettes(legends: Record<string, LegendEntry[]>, dark: boolean): Map<string, Palette> {
  const found = new Map<string, Palette>();
  for (const [name, entries] of Object.entries(legends)) {
    found.set(name, {
      pixels: Uint32Array.from(entries, (e) => pixel((dark && e.colour_dark) || e.colour)),
      bad: Uint8Array.from(entries, (e) => (e.bad ? 1 : 0)),
      labels: entries.map((e) => e.label),
    });
  }
  return found;
}
