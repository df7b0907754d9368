// SPDX-License-Identifier: Apache-2.0
//
// Where a thread's time went within a span, through whatever it waited for.

import type { VNode } from "preact";
import { absWindow, useGet } from "../base/api";
import type { RowInfo } from "../base/types";
import type { Span } from "../time/time";
import { AnyTable, type AnyRow } from "./AnyTable";
import { Loading, Problem } from "./states";

const SHOWN = 40;

/** Null where the row is no thread. */
export function threadOf(row: RowInfo): { host: string; tid: number } | null {
  return row.host && row.tid && row.layer === "kernel" ? { host: row.host, tid: row.tid } : null;
}

export function WentTo({ host, tid, span }: { host: string; tid: number; span: Span }): VNode {
  const { begin, end } = absWindow(span.t0, Math.max(span.t1, span.t0 + 1));
  const columns = "what,name,comm,host,culprit,detail,count,total_ns,share";
  const found = useGet<AnyRow[]>(
    `critical?host=${encodeURIComponent(host)}&thread=${tid}&begin=${begin}&end=${end}&columns=${columns}&limit=${SHOWN}`,
  );
  if (found.error) return <Problem error={found.error} />;
  if (!found.data) return <Loading what="where the time went" />;
  return <AnyTable rows={found.data} caption="Where its time went, through what it waited for" sort="total_ns" />;
}
