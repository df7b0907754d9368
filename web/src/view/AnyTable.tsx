// SPDX-License-Identifier: Apache-2.0
//
// A listing as the server has it: columns as they come, formatted by the unit that ends
// their names.

import type { VNode } from "preact";
import { Txt, bytes, number, percent, plain } from "../base/text";
import { href } from "../base/state";
import type { At } from "../base/types";
import { dur, rel } from "../time/time";
import { Table, type Column } from "./Table";
import { When, names } from "./things";

export type AnyRow = Record<string, unknown>;

const INSTANT = /(^|_)(start|end|at|first|last|since|until|t0|t1|t)_ns$/;

function isNumber(v: unknown): v is number | bigint {
  return typeof v === "number" || typeof v === "bigint";
}

const TITLES: Record<string, string> = { vm: "Instance", op: "Operation" };

function title(key: string): string {
  if (TITLES[key]) return TITLES[key];
  const text = key.replace(/_(ns|bytes|per_s)$/, "").replace(/_/g, " ");
  return text.charAt(0).toUpperCase() + text.slice(1) + (/_per_s$/.test(key) ? "/s" : "");
}

function cell(key: string, v: unknown): VNode | string {
  if (v === null || v === undefined || v === "") return "–";
  if (typeof v === "boolean") return v ? "yes" : "no";
  if (Array.isArray(v)) return v.every((x) => typeof x !== "object") ? names(v) : number(v.length);
  if (typeof v === "object") return <Txt s={JSON.stringify(v)} cut={40} />;
  if (!isNumber(v)) return <Txt s={v} cut={50} />;
  if (INSTANT.test(key)) {
    const t = rel(v);
    return (
      <a href={href("events", "", {}, { t0: t, t1: t + 1e6 })} title="the events from then on">
        <When at={v as At} />
      </a>
    );
  }
  const n = Number(v);
  if (/_ns$/.test(key)) return dur(n);
  if (/bytes$/.test(key)) return bytes(n) + (/rate/.test(key) ? "/s" : "");
  if (/share|usage|up_to|imbalance/.test(key)) return percent(n, n < 0.1 ? 1 : 0);
  if (/^(pid|tid|cpu|nr|vcpu|fd|ret|sector|dev|ppid)$|_tid$/.test(key)) return String(v);
  return Number.isInteger(n) ? number(n) : number(+n.toPrecision(4));
}

/** Any listing; without columns that nobody fills. */
export function AnyTable(p: { rows: AnyRow[]; caption: string; sort?: string; first?: number; most?: number }): VNode {
  const keys = [...new Set(p.rows.slice(0, 200).flatMap(Object.keys))].filter((k) =>
    p.rows.some((r) => r[k] !== null && r[k] !== undefined && r[k] !== "" && r[k] !== 0),
  );
  const columns = keys.slice(0, p.most ?? 14).map((key): Column<AnyRow> => {
    const num = p.rows.some((r) => isNumber(r[key]));
    return {
      name: title(key),
      num,
      show: (r) => cell(key, r[key]),
      by: (r) => {
        const v = r[key];
        return isNumber(v) || typeof v === "string" ? v : v === null || v === undefined ? null : plain(v);
      },
    };
  });
  return (
    <Table
      rows={p.rows}
      columns={columns}
      caption={p.caption}
      id={(_r, i) => String(i)}
      first={p.first ?? 40}
      {...(p.sort ? { sort: title(p.sort) } : {})}
    />
  );
}
