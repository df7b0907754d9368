// SPDX-License-Identifier: Apache-2.0
//
// What was recorded, what is missing, and how far the clocks can be trusted: what every
// other page rests on.

import type { VNode } from "preact";
import { useGet } from "../base/api";
import { useCell } from "../base/cell";
import { current } from "../base/current";
import { Txt, count, number } from "../base/text";
import { href } from "../base/state";
import type { Diagnosis, Experiment, Host, Note, Sync } from "../base/types";
import { dur, rel } from "../time/time";
import { layerName } from "../view/HeatMap";
import { Loading, Problem } from "../view/states";
import { Table } from "../view/Table";
import { When, together } from "../view/things";

/** What to switch on where a layer is missing, and what it would tell. */
const ENABLE: [string, string, string][] = [
  ["application", "requests, tasks, names of instances", "lttng enable-event -p 'lttng_python:*'"],
  ["virtualisation", "rounds and downtime of migrations", "qemu -trace 'migration_*' -trace 'vm_state_notify' …"],
  ["kernel", "who had CPUs and disks, who waited for them", "lttng enable-event -k 'sched_*','irq_*','block_*','kvm_*','net_*'"],
];

export function HealthPage(): VNode {
  const e = useCell(current) as Experiment;
  const found = useGet<Diagnosis>("findings");
  const layers = [...new Set([...ENABLE.map((x) => x[0]), ...e.hosts.flatMap((h) => Object.keys(h.layers))])];
  const losses = e.notes.filter((n) => n.level !== "info");
  return (
    <>
      <h1>Trace health</h1>
      <p class="faint">
        What every other page rests on: <Txt s={(e.command ?? []).join(" ")} />
      </p>
      <Table
        caption="Hosts and layers"
        rows={e.hosts}
        id={(h) => h.name}
        first={100}
        open={(h) => href("host", h.name)}
        columns={[
          { name: "Host", show: (h: Host) => <Txt s={h.name} />, by: (h: Host) => h.name },
          ...layers.map((l) => ({
            name: layerName(l),
            num: true,
            show: (h: Host) =>
              h.layers[l] ? <>{number(h.layers[l].events ?? 0)} events</> : <span class="untraced">not traced</span>,
            by: (h: Host) => h.layers[l]?.events ?? null,
          })),
          { name: "From", show: (h: Host) => <When at={h.begin_ns} /> },
          { name: "To", show: (h: Host) => <When at={h.end_ns} /> },
          { name: "Covers", num: true, show: (h: Host) => dur(rel(h.end_ns) - rel(h.begin_ns)), by: (h: Host) => rel(h.end_ns) - rel(h.begin_ns) },
          { name: "Clock", show: (h: Host) => <Txt s={h.quality ?? "not known"} />, by: (h: Host) => h.quality },
          { name: "± median", num: true, show: (h: Host) => dur(h.bound_ns?.median ?? null), by: (h: Host) => h.bound_ns?.median },
          { name: "± at worst", num: true, show: (h: Host) => dur(h.bound_ns?.max ?? null), by: (h: Host) => h.bound_ns?.max },
          { name: "Damaged blocks", num: true, show: (h: Host) => h.bad_blocks ?? 0, by: (h: Host) => h.bad_blocks },
        ]}
      />
      <Clocks />
      <div class="two even">
        <section class="panel">
          <h2>What can&rsquo;t be known, and why</h2>
          {found.error ? <Problem error={found.error} /> : null}
          {!found.data && !found.error ? <Loading what="blind spots" /> : null}
          <ul class="blind">
            {together(found.data?.blind_spots ?? []).map((s) => (
              <li key={s}>
                <Txt s={s} />
              </li>
            ))}
          </ul>
          <h2>What to enable</h2>
          <ul class="blind">
            {ENABLE.flatMap(([layer, tells, how]) => {
              const lacks = e.hosts.filter((h) => !(layer in h.layers));
              return lacks.length ? (
                <li key={layer}>
                  <b>{layerName(layer)}</b> on {lacks.length === e.hosts.length ? "any host" : <Txt s={lacks.map((h) => h.name).join(", ")} cut={80} />}: {tells}.
                  <br />
                  <code>{how}</code>
                </li>
              ) : (
                []
              );
            })}
          </ul>
        </section>
        <section>
          <Notes caption={losses.length ? "Lost, damaged, doubtful" : "Nothing was lost, damaged or doubtful"} notes={losses} />
          <details>
            <summary>{count(e.notes.length - losses.length, "remark")} on how the traces were read</summary>
            <Notes caption="Remarks" notes={e.notes.filter((n) => n.level === "info")} />
          </details>
        </section>
      </div>
    </>
  );
}

/** Messages between each two hosts, and what would make clocks better known. */
function Clocks(): VNode | null {
  const sync = useGet<Sync>("sync");
  if (sync.error) return <Problem error={sync.error} />;
  if (!sync.data || (!sync.data.pairs.length && !sync.data.suggestions.length)) return null;
  const { pairs, suggestions } = sync.data;
  return (
    <>
      {pairs.length ? (
        <Table
          caption="Clocks, by the messages between hosts"
          rows={pairs}
          id={(p) => p.a + " " + p.b}
          columns={[
            { name: "Host", show: (p) => <Txt s={p.a} />, by: (p) => p.a },
            { name: "Against", show: (p) => <Txt s={p.b} />, by: (p) => p.b },
            { name: "Messages", show: (p) => number(p.matched), by: (p) => p.matched, num: true },
            { name: "Rejected", show: (p) => number(p.rejected), by: (p) => p.rejected, num: true },
            { name: "Rate", show: (p) => (p.slope_ppm === null ? "–" : p.slope_ppm.toFixed(3) + " ppm"), by: (p) => p.slope_ppm, num: true },
            { name: "± median", show: (p) => dur(p.bound_ns?.median ?? null), by: (p) => p.bound_ns?.median, num: true },
            { name: "± at worst", show: (p) => dur(p.bound_ns?.max ?? null), by: (p) => p.bound_ns?.max, num: true },
            { name: "Quality", show: (p) => <Txt s={p.quality} />, by: (p) => p.quality },
          ]}
        />
      ) : null}
      {suggestions.length ? (
        <section class="panel">
          <h2>What would bound clocks better</h2>
          <ul class="blind">
            {suggestions.map((s, i) => (
              <li key={i}>
                <Txt s={s.host} />: <Txt s={s.advice} />
              </li>
            ))}
          </ul>
        </section>
      ) : null}
    </>
  );
}

function Notes({ notes, caption }: { notes: Note[]; caption: string }): VNode {
  if (!notes.length) return <p class="good-note">✓ {caption}</p>;
  return (
    <Table
      caption={caption}
      rows={notes}
      id={(_n, i) => String(i)}
      columns={[
        { name: "Level", show: (n) => <Txt s={n.level ?? ""} />, by: (n) => n.level },
        { name: "Where", show: (n) => <Txt s={(n.where ?? "").split("/").slice(-2).join("/")} cut={40} />, by: (n) => n.where },
        { name: "What", show: (n) => <Txt s={n.text} /> },
        { name: "Times", show: (n) => number(n.count ?? 1), by: (n) => n.count, num: true },
      ]}
    />
  );
}
