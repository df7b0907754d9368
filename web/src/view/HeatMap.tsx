// SPDX-License-Identifier: Apache-2.0
//
// Hosts by layers: where it is bad, where it is quiet, and where nobody looked.

import type { VNode } from "preact";
import { useCell } from "../base/cell";
import { Txt, count, plain } from "../base/text";
import { href, route, setArgs } from "../base/state";
import type { Experiment, Finding, Severity } from "../base/types";

const KNOWN = ["application", "virtualisation", "kernel"];
const LAYER_NAMES: Record<string, string> = {
  application: "OpenStack",
  virtualisation: "QEMU",
  kernel: "Kernel",
  clock: "Clock",
  tracing: "Tracing",
};
/** Of the traces themselves: nobody traces them. */
const ABOUT_TRACES = ["clock", "tracing"];
const SYMBOL: Record<Severity, string> = { critical: "●●●", warning: "●●", info: "●" };
const RANK: Record<Severity, number> = { critical: 3, warning: 2, info: 1 };
const MOST = 40;

export function layerName(l: string): string {
  return LAYER_NAMES[l] ?? plain(l);
}

/** 'all' null: what is wrong is not known yet. */
export function HeatMap({ e, all }: { e: Experiment; all: Finding[] | null }): VNode {
  const { host: onlyHost, layer: onlyLayer } = useCell(route).args;
  const shown = [...new Set([...KNOWN, ...e.hosts.flatMap((h) => Object.keys(h.layers)), ...(all ?? []).map((f) => f.layer)])];
  const known = Object.keys(LAYER_NAMES);
  const layers = [...known.filter((l) => shown.includes(l)), ...shown.filter((l) => !known.includes(l))];
  const worst = new Map<string, { severity: Severity; n: number }>();
  for (const f of all ?? [])
    for (const host of f.hosts) {
      const key = host + "\n" + f.layer;
      const before = worst.get(key);
      const severity = before && RANK[before.severity] > RANK[f.severity] ? before.severity : f.severity;
      worst.set(key, { severity, n: (before?.n ?? 0) + 1 });
    }
  const badness = (host: string) =>
    layers.reduce((sum, l) => sum + (RANK[worst.get(host + "\n" + l)?.severity as Severity] ?? 0), 0);
  const hosts = [...e.hosts].sort((a, b) => badness(b.name) - badness(a.name) || a.name.localeCompare(b.name, "en", { numeric: true }));
  return (
    <section class="panel">
      <h2>Where</h2>
      <div class="heat-box" tabIndex={0} role="region" aria-label="Findings by host and layer">
      <table class="heat">
        <caption class="sr">Findings by host and layer</caption>
        <thead>
          <tr>
            <th scope="col">Host</th>
            {layers.map((l) => (
              <th scope="col" key={l}>
                {layerName(l)}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {hosts.slice(0, MOST).map((h) => (
            <tr key={h.name}>
              <th scope="row">
                <a href={href("host", h.name)}>
                  <Txt s={h.name} cut={16} />
                </a>
              </th>
              {layers.map((l) => {
                const cell = worst.get(h.name + "\n" + l);
                const traced = l in h.layers || ABOUT_TRACES.includes(l);
                if (!cell)
                  return (
                    <td key={l} class={traced ? "quiet" : "untraced"} title={traced ? (all ? "traced, nothing found" : "traced") : "not traced"}>
                      <span aria-hidden="true">{traced ? "·" : "–"}</span>
                      <span class="sr">{traced ? (all ? "nothing found" : "traced") : "not traced"}</span>
                    </td>
                  );
                const pressed = onlyHost === h.name && onlyLayer === l;
                return (
                  <td key={l} class={cell.severity}>
                    <button
                      type="button"
                      aria-pressed={pressed}
                      title={`${count(cell.n, "finding")}, ${cell.severity} at worst`}
                      onClick={() => setArgs(pressed ? { host: "", layer: "" } : { host: h.name, layer: l })}
                    >
                      <span aria-hidden="true">{SYMBOL[cell.severity]}</span>
                      <span class="sr">{`${cell.severity}, ${count(cell.n, "finding")}`}</span>
                    </button>
                  </td>
                );
              })}
            </tr>
          ))}
        </tbody>
      </table>
      </div>
      <p class="faint small">
        ● found, ●●● critical &ensp; · quiet &ensp; – not traced
      </p>
      {hosts.length > MOST ? <p class="faint">{count(hosts.length - MOST, "more host")}, all quieter</p> : null}
    </section>
  );
}
