// SPDX-License-Identifier: Apache-2.0
//
// The CPUs of a host, or of the first that has some: what a window is chosen by.

import type { VNode } from "preact";
import { useCell } from "../base/cell";
import { current } from "../base/current";
import { TimelineView } from "./TimelineView";

export function MiniLine({ host }: { host: string }): VNode | null {
  const e = useCell(current);
  const name = host || e?.hosts.find((h) => "kernel" in h.layers)?.name;
  return name ? <TimelineView scope={"host:" + name} by="kind" most={120} only="cpu" /> : null;
}
