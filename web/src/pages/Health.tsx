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
import type { Diagnosis, Doctor, Experiment, Host, Missing, Note, Sync, TraceHealth } from "../base/types";
import { dur, rel } from "../time/time";
import { layerName } from "../view/HeatMap";
import { Loading, Problem } from "../view/states";
import { Table } from "../view/Table";
import { When, roomy, spanOf, together } from "../view/things";

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
      <Traces />
      <Clocks />
      <NotMeasured />
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

/** "hosts/c1/kernel": what tells a trace from the others. */
export function shortPaths(paths: string[]): Map<string, string> {
  const split = paths.map((p) => p.split("/"));
  let same = 0;
  while (split.length > 1 && split.every((p) => p.length > same + 1 && p[same] === split[0]?.[same])) same++;
  return new Map(paths.map((p, i) => [p, (split[i] as string[]).slice(split.length > 1 ? same : -2).join("/")]));
}

interface Trace extends TraceHealth {
  host: string;
  notes: Note[];
}

/** Of each trace what was lost, and when; the traces are read for it, which may take a while. */
function Traces(): VNode {
  const told = useGet<Doctor>("doctor");
  if (told.error) return <Problem error={told.error} />;
  if (!told.data) return <Loading what="what each trace lost: all of them are read" />;
  const { losses, losses_unlisted: unlisted, traces_unreadable: unreadable } = told.data;
  const doubts = told.data.notes.filter((n) => n.level !== "info");
  const rows: Trace[] = told.data.hosts.flatMap((h) =>
    h.traces.map((t) => ({ ...t, host: h.host, notes: doubts.filter((n) => within(n.where, t.path)) })),
  );
  const names = shortPaths(rows.map((t) => t.path));
  return (
    <>
      {unreadable ? <p class="problem">{count(unreadable, "trace")} can&rsquo;t be read at all: see below.</p> : null}
      <Table
        caption="Traces, and what each lost"
        rows={rows}
        id={(t) => t.path}
        first={30}
        columns={[
          { name: "Host", show: (t) => <Txt s={t.host} />, by: (t) => t.host },
          { name: "Trace", show: (t) => <span title={t.path}><Txt s={names.get(t.path) ?? t.path} cut={60} /></span>, by: (t) => t.path },
          { name: "Events", show: (t) => number(t.events), by: (t) => t.events, num: true },
          { name: "Lost events", show: (t) => <Bad n={t.discarded_events} />, by: (t) => t.discarded_events, num: true, title: "no room was left in the tracer's buffers" },
          { name: "Lost packets", show: (t) => <Bad n={t.lost_packets} />, by: (t) => t.lost_packets, num: true, title: "overwritten, or never saved" },
          { name: "Damaged packets", show: (t) => <Bad n={t.bad_packets} />, by: (t) => t.bad_packets, num: true, title: "skipped, in whole or in part" },
          { name: "Backwards", show: (t) => <Bad n={t.backwards_events} />, by: (t) => t.backwards_events, num: true, title: "events with a time before the one before" },
          { name: "From", show: (t) => (t.first_ns === null ? "–" : <When at={t.first_ns} />), by: (t) => t.first_ns },
          { name: "Covers", show: (t) => (t.first_ns === null || t.last_ns === null ? "no event" : dur(rel(t.last_ns) - rel(t.first_ns))), num: true },
          { name: "Doubts", show: (t) => t.notes.map((n, i) => <div key={i}><Txt s={n.text} cut={160} /></div>) },
        ]}
      />
      {losses.length ? (
        <Table
          caption={"Where and when events were lost" + (unlisted ? `: the first ${number(losses.length)}, ${number(unlisted)} more are not listed` : "")}
          rows={losses}
          id={(x, i) => x.stream + i}
          sort="Lost events"
          first={15}
          columns={[
            { name: "Host", show: (x) => <a href={href("host", x.host, {}, roomy(spanOf(x.from_ns, x.to_ns)))}><Txt s={x.host} /></a>, by: (x) => x.host },
            { name: "CPU", show: (x) => x.cpu ?? "–", by: (x) => x.cpu, num: true },
            { name: "Stream", show: (x) => <span title={x.stream}><Txt s={x.stream.split("/").slice(-2).join("/")} /></span>, by: (x) => x.stream },
            { name: "From", show: (x) => (x.from_ns === null ? "–" : <When at={x.from_ns} />), by: (x) => x.from_ns },
            { name: "For", show: (x) => (x.from_ns === null || x.to_ns === null ? "–" : dur(rel(x.to_ns) - rel(x.from_ns))), num: true },
            { name: "Lost events", show: (x) => number(x.events), by: (x) => x.events, num: true },
            { name: "Lost packets", show: (x) => number(x.packets), by: (x) => x.packets, num: true },
          ]}
        />
      ) : null}
    </>
  );
}

function within(where: string | null | undefined, path: string): boolean {
  return where === path || !!where?.startsWith(path + "/");
}

function Bad({ n }: { n: number }): VNode {
  return n ? <b class="badtext">{number(n)}</b> : <span class="faint">0</span>;
}

/** Tracepoints that measures want of hosts whose kernel was traced. */
function NotMeasured(): VNode | null {
  const found = useGet<{ missing: Missing[] }>("missing");
  if (found.error) return <Problem error={found.error} />;
  if (!found.data?.missing.length) return null;
  return (
    <Table
      caption="Tracepoints that were not recorded"
      rows={found.data.missing}
      id={(_m, i) => String(i)}
      first={10}
      columns={[
        { name: "Hosts", show: (m) => <Txt s={m.hosts.join(", ")} cut={60} />, by: (m) => m.hosts.join() },
        { name: "What is not known, and how to record it", show: (m) => <Txt s={m.missing} /> },
        { name: "Costs that want it", show: (m) => m.measures.map((x, i) => <span key={x}>{i ? ", " : ""}<a href={href("costs", x)}>{x}</a></span>) },
      ]}
    />
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
