// SPDX-License-Identifier: Apache-2.0
//
// Tables: sorted by any column, with the first rows at once and the rest on demand.

import type { ComponentChildren, VNode } from "preact";
import { useMemo, useState } from "preact/hooks";
import { number } from "../base/text";

export interface Column<T> {
  name: string;
  /** What the cell shows. */
  show: (row: T) => ComponentChildren;
  /** What it sorts by; without it, it does not. */
  by?: (row: T) => number | bigint | string | null | undefined;
  /** Right-aligned, digits of one width. */
  num?: boolean;
  title?: string;
}

interface Props<T> {
  rows: T[];
  columns: Column<T>[];
  caption: string;
  /** Names of rows, for the keys. */
  id: (row: T, i: number) => string;
  first?: number;
  /** At first: name of a column, and whether the largest comes first. */
  sort?: string;
  down?: boolean;
  open?: (row: T) => string;
  on?: string | null;
  /** Whether the caption can be seen. */
  bare?: boolean;
}

type Key = number | bigint | string | null | undefined;

function compare(a: Key, b: Key): number {
  if (a === b) return 0;
  if (a === null || a === undefined) return 1;
  if (b === null || b === undefined) return -1;
  if (typeof a === "string" || typeof b === "string")
    return String(a).localeCompare(String(b), "en", { numeric: true });
  return a < b ? -1 : 1;
}

export function Table<T>(p: Props<T>): VNode {
  const [sort, setSort] = useState<{ name: string; down: boolean } | null>(
    p.sort ? { name: p.sort, down: p.down ?? true } : null,
  );
  const first = p.first ?? 20;
  const [most, setMost] = useState(first);
  const rows = useMemo(() => {
    const by = p.columns.find((c) => c.name === sort?.name)?.by;
    if (!sort || !by) return p.rows;
    // What is not known comes last either way.
    const empty = (r: T) => by(r) === null || by(r) === undefined;
    const sorted = [...p.rows].sort((a, b) => compare(by(a), by(b)));
    const known = sorted.filter((r) => !empty(r));
    return [...(sort.down ? known.reverse() : known), ...sorted.filter(empty)];
  }, [p.rows, p.columns, sort]);
  const shown = rows.slice(0, most);
  return (
    <div class="table" tabIndex={0} role="region" aria-label={p.caption}>
      <table>
        <caption class={p.bare ? "sr" : ""}>{p.caption}</caption>
        <thead>
          <tr>
            {p.columns.map((c) => (
              <Head key={c.name} column={c} sort={sort} setSort={setSort} />
            ))}
          </tr>
        </thead>
        <tbody>
          {shown.map((row, i) => {
            const id = p.id(row, i);
            return (
              <tr key={id} class={p.on === id ? "on" : ""}>
                {p.columns.map((c, k) => (
                  <td key={c.name} class={c.num ? "num" : ""}>
                    {k === 0 && p.open ? <a href={p.open(row)}>{c.show(row)}</a> : c.show(row)}
                  </td>
                ))}
              </tr>
            );
          })}
        </tbody>
      </table>
      {rows.length > most ? (
        <button type="button" class="more" onClick={() => setMost(most + Math.max(100, first))}>
          Show more: {number(rows.length - most)} of {number(rows.length)} are not shown
        </button>
      ) : null}
    </div>
  );
}

function Head<T>(p: {
  column: Column<T>;
  sort: { name: string; down: boolean } | null;
  setSort: (s: { name: string; down: boolean }) => void;
}): VNode {
  const { column, sort } = p;
  const on = sort?.name === column.name;
  const state = on ? (sort.down ? "descending" : "ascending") : "none";
  const cls = column.num ? "num" : "";
  if (!column.by)
    return (
      <th scope="col" class={cls} title={column.title}>
        {column.name}
      </th>
    );
  return (
    <th scope="col" class={cls} aria-sort={state}>
      <button
        type="button"
        title={column.title}
        onClick={() => p.setSort({ name: column.name, down: on ? !sort.down : !!column.num })}
      >
        {column.name}
        <span class="arrow" aria-hidden="true">
          {on ? (sort.down ? "↓" : "↑") : ""}
        </span>
      </button>
    </th>
  );
}

/** A share as a bar with its number. */
export function Share({ of, max = 1, tone }: { of: number; max?: number; tone?: string }): VNode {
  const width = Math.max(0, Math.min(1, max > 0 ? of / max : 0));
  return (
    <span class="share">
      <i class={tone ?? ""} style={{ width: 100 * width + "%" }} />
      <span>{(100 * of).toFixed(of < 0.0995 ? 1 : 0)} %</span>
    </span>
  );
}
