// SPDX-License-Identifier: Apache-2.0
//
// What was found about the subject of a page, in a line each.

import type { VNode } from "preact";
import { useGet } from "../base/api";
import { Txt } from "../base/text";
import { href, setView } from "../base/state";
import type { Diagnosis } from "../base/types";
import { dur } from "../time/time";
import { Sev, roomy, spanOf } from "./things";

export function FindingsOf({ kind, name }: { kind: string; name: string }): VNode | null {
  const found = useGet<Diagnosis>("findings");
  const own = (found.data?.findings ?? []).filter(
    (f) =>
      f.subjects.some((s) => s.kind === kind && s.name === name) ||
      f.culprits.some((s) => s.kind === kind && s.name === name) ||
      (kind === "host" && f.hosts.includes(name)),
  );
  if (!own.length) return null;
  return (
    <ul class="about" aria-label="Findings">
      {own.slice(0, 5).map((f) => {
        const span = roomy(spanOf(f.t0_ns, f.t1_ns));
        const guilty = !f.subjects.some((s) => s.kind === kind && s.name === name) && kind !== "host";
        return (
          <li key={f.rank} class={f.severity}>
            <Sev of={f.severity} />
            {guilty ? <span class="tag">as the cause</span> : null}
            <span class="about-title">
              <Txt s={f.title} />
            </span>
            {f.cost_ns !== null ? <b class="num">{dur(f.cost_ns)}</b> : null}
            {span ? (
              <button type="button" onClick={() => setView(span)}>
                Its time
              </button>
            ) : null}
          </li>
        );
      })}
      {own.length > 5 ? (
        <li>
          <a href={href("overview")}>{own.length - 5} more on the overview</a>
        </li>
      ) : null}
    </ul>
  );
}
