// SPDX-License-Identifier: Apache-2.0
//
// Live migrations: whether they end, why not, how long the guest stood still, who
// disturbed them; and two beside each other.

import type { VNode } from "preact";
import { useMemo, useState } from "preact/hooks";
import { part, useGet } from "../base/api";
import { useCell } from "../base/cell";
import { Txt, bytes, count, number, plain } from "../base/text";
import { href, route, setArgs } from "../base/state";
import type { Comparison, Difference, Migration, MigrationShow, Prediction, Rows } from "../base/types";
import { dur, rel, type Span } from "../time/time";
import { Curve, unitValue, type Data } from "../view/Curve";
import { FindingsOf } from "../view/FindingsOf";
import { Empty, Loading, Problem } from "../view/states";
import { Share, Table } from "../view/Table";
import { Outcome, When, address, roomy, spanOf, useFit } from "../view/things";
import { TimelineView } from "../view/TimelineView";
import { Curves } from "./Vms";

export function MigrationsPage(): VNode {
  const all = useGet<Migration[]>("list/migrations");
  if (all.error) return <Problem error={all.error} />;
  if (!all.data) return <Loading what="migrations" />;
  return (
    <>
      <h1>Migrations</h1>
      {all.data.length ? (
        <Table
          caption="Migrations"
          bare
          rows={all.data}
          id={(m) => m.id}
          first={50}
          open={(m) => href("migration", m.id, {}, roomy(spanOf(m.start_ns, m.end_ns)))}
          columns={[
            { name: "Migration", show: (m) => <Txt s={m.id} cut={40} />, by: (m) => m.id },
            { name: "From", show: (m) => <Txt s={m.source ?? "?"} />, by: (m) => m.source },
            { name: "To", show: (m) => <Txt s={m.destination ?? "?"} />, by: (m) => m.destination },
            { name: "Outcome", show: (m) => <Outcome of={m.outcome} />, by: (m) => m.outcome },
            { name: "Begin", show: (m) => <When at={m.start_ns} />, by: (m) => m.start_ns },
            { name: "Total", show: (m) => dur(m.total_ns), by: (m) => m.total_ns, num: true },
            { name: "Down", show: (m) => dur(m.downtime_ns), by: (m) => m.downtime_ns, num: true },
            { name: "Rounds", show: (m) => number(m.round_count), by: (m) => m.round_count, num: true },
            { name: "Could end", show: (m) => <Outcome of={m.ends} />, by: (m) => m.ends },
            { name: "Disturbed most by", show: (m) => <Txt s={m.first_disturber ?? ""} />, by: (m) => m.first_disturber },
          ]}
        />
      ) : (
        <Empty>
          <b>No migration was seen.</b> Nova&rsquo;s log tells that there was one; its rounds and its downtime are known when QEMU is
          traced (<code>-trace &apos;migration_*&apos; -trace &apos;vm_state_notify&apos;</code>, as a log, with LTTng or the simple
          backend).
        </Empty>
      )}
    </>
  );
}

export function MigrationPage({ id }: { id: string }): VNode {
  const show = useGet<MigrationShow>("show/migration/" + part(id));
  const list = useGet<Migration[]>("list/migrations");
  const other = useCell(route).args.with ?? "";
  const [rows, setRows] = useState<Rows | null>(null);
  const m = show.data?.migration[0];
  useFit(m ? spanOf(m.start_ns, m.end_ns) : null);
  if (show.error) return <Problem error={show.error} />;
  if (!show.data || !m) return <Loading what="the migration" />;
  const second = list.data?.find((x) => x.id === other) ?? null;
  const curves = (rows?.rows ?? []).filter((r) => r.type === "curve" && !/dirt|sent/i.test(r.id));
  return (
    <>
      <h1>
        <span class="kind">migration</span> <Txt s={m.id} />{" "}
        <span class="route">
          <HostLink name={m.source} /> → <HostLink name={m.destination} />
        </span>{" "}
        <Outcome of={m.outcome} />
      </h1>
      <p class="verdict">{verdict(m)}</p>
      <FindingsOf kind="migration" name={m.id} />
      <Tiles m={m} />
      <Stages m={m} />
      <RoundCurves m={m} second={second} />
      <div class="two even">
        <Down show={show.data} m={m} />
        <Disturbers m={m} />
      </div>
      <TimelineView scope={"migration:" + m.id} by="layer" arrows onRows={setRows} />
      <Curves rows={curves} />
      <Compare list={list.data ?? []} m={m} second={second} />
      <RoundTable m={m} />
      {m.unknown.length ? (
        <section class="panel">
          <h2>Not known</h2>
          <ul class="blind">
            {m.unknown.map((u) => (
              <li key={u}>
                <Txt s={u} />
              </li>
            ))}
          </ul>
        </section>
      ) : null}
    </>
  );
}

function HostLink({ name }: { name: string | null }): VNode {
  return name ? (
    <a href={href("host", name)}>
      <Txt s={name} />
    </a>
  ) : (
    <span class="faint">unknown host</span>
  );
}

export function verdict(m: Migration): string {
  const need = m.prediction?.needed;
  const short: string[] = [];
  if (need?.bandwidth) short.push(`at least ${bytes(need.bandwidth)}/s`);
  if (need?.downtime_ns) short.push(`an allowed downtime of ${dur(need.downtime_ns)}`);
  if (need?.throttle) short.push(`the guest throttled by ${need.throttle} %`);
  const rate = m.prediction;
  const rates =
    rate?.dirty_rate && rate.bandwidth
      ? ` The guest writes ${bytes(rate.dirty_rate)}/s, the link takes ${bytes(rate.bandwidth)}/s.`
      : "";
  if (m.error) return plain(m.error);
  if (m.outcome === "completed") {
    const waits = (m.cpu_wait_ns ?? 0) / Math.max(1, (m.cpu_wait_ns ?? 0) + (m.cpu_run_ns ?? 0));
    const slow = waits > 0.2 ? ` Its threads waited ${(100 * waits).toFixed(0)} % of their time for CPUs.` : "";
    return (m.round_count ? `It ended after ${count(m.round_count, "round")}.` : "It ended.") + rates + slow;
  }
  if (short.length) return `At these rates it never ends: it would need ${short.join(", or ")}.${rates}`;
  return m.ends === "no" || m.ends === "never" ? "At these rates it never ends." + rates : rates.trim() || "How it would have ended is not known.";
}

export function Tiles({ m }: { m: Migration }): VNode {
  const q = m.qemu;
  const tiles: [string, string, string?][] = [
    ["Total", dur(m.total_ns)],
    ["Guest stood still", dur(m.downtime_ns), m.downtime_bound_ns ? "± " + dur(m.downtime_bound_ns) : ""],
    ["Rounds", number(m.round_count)],
    ["Memory", q?.memory_bytes ? bytes(q.memory_bytes) : "–"],
    ["Allowed downtime", q?.downtime_limit_ms ? `${q.downtime_limit_ms} ms` : "–"],
    ["Bandwidth cap", q?.bandwidth_cap ? bytes(q.bandwidth_cap) + "/s" : "–"],
  ];
  return (
    <dl class="tiles">
      {tiles.map(([name, value, more]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd class="num">
            {value} {more ? <span class="faint">{more}</span> : null}
          </dd>
        </div>
      ))}
    </dl>
  );
}

const TONES = 6;

/** Its stages as a bar on its own time, Nova's above QEMU's. */
export function Stages({ m }: { m: Migration }): VNode | null {
  const all = m.stages.flatMap((s) => {
    const span = spanOf(s.start_ns, s.end_ns);
    return span ? [{ ...s, span }] : [];
  });
  if (!all.length) return null;
  const t0 = Math.min(...all.map((s) => s.span.t0));
  const t1 = Math.max(...all.map((s) => s.span.t1));
  const layers = [...new Set(all.map((s) => s.layer))];
  return (
    <section class="stages" aria-label="Stages">
      {layers.map((layer) => (
        <div key={layer} class="s-row">
          <span class="label">{layer === "qemu" ? "QEMU" : layer === "nova" ? "Nova" : plain(layer)}</span>
          <ol>
            {all
              .filter((s) => s.layer === layer)
              .map((s, i) => {
                const text = `${s.name}: ${dur(s.span.t1 - s.span.t0)}${s.status ? ", " + s.status : ""}`;
                const failed = s.status === "failed" || s.status === "error";
                return (
                  <li
                    key={i}
                    class={failed ? "bad" : "tone" + (i % TONES)}
                    title={plain(text + (s.evidence ? ` (${s.evidence})` : ""))}
                    style={{
                      left: (100 * (s.span.t0 - t0)) / (t1 - t0) + "%",
                      width: `max(2px, ${(100 * (s.span.t1 - s.span.t0)) / (t1 - t0)}%)`,
                    }}
                  >
                    <a href={href("migration", m.id, {}, roomy(s.span as Span))} aria-label={plain(text)}>
                      <Txt s={s.name} /> <span class="num">{dur(s.span.t1 - s.span.t0)}</span>
                    </a>
                  </li>
                );
              })}
          </ol>
        </div>
      ))}
    </section>
  );
}

/** What is written and what is sent, round by round, on the migration's own time. */
function roundData(m: Migration, second: Migration | null): { pages: Data; rates: Data } {
  const page = m.qemu?.page_bytes ?? 4096;
  const of = (x: Migration) => x.rounds.map((r) => ({ ...r, t: rel(r.start_ns) - rel(x.start_ns) }));
  const own = of(m);
  const others = second ? of(second) : [];
  const t = [...new Set([...own, ...others].map((r) => r.t))].sort((a, b) => a - b);
  const pick = (rounds: typeof own, get: (r: (typeof own)[0]) => number | null) => {
    const by = new Map(rounds.map((r) => [r.t, get(r)]));
    let last: number | null = null;
    const end = rounds.at(-1)?.t ?? -1;
    return t.map((x) => {
      if (by.has(x)) last = by.get(x) ?? null;
      return x > end ? null : last;
    });
  };
  const bytesOf = (pages: number | null) => (pages === null ? null : pages * page);
  const named = (name: string, x: Migration) => (second ? `${name}, ${x.id}` : name);
  const both = <T,>(make: (x: Migration, r: typeof own, dash: boolean) => T[]): T[] => [
    ...make(m, own, false),
    ...(second ? make(second, others, true) : []),
  ];
  return {
    pages: {
      t,
      lines: both((x, r, dash) => [
        { label: named("Left to send", x), y: pick(r, (q) => bytesOf(q.dirty_pages)), unit: "B", steps: true, dash, area: !dash },
      ]),
    },
    rates: {
      t,
      lines: both((x, r, dash) => [
        { label: named("Written by the guest", x), y: pick(r, (q) => q.dirty_rate), unit: "B/s", steps: true, dash },
        { label: named("Sent", x), y: pick(r, (q) => q.transfer_rate), unit: "B/s", steps: true, dash },
      ]),
    },
  };
}

export function RoundCurves({ m, second }: { m: Migration; second: Migration | null }): VNode | null {
  const data = useMemo(() => roundData(m, second), [m, second]);
  if (m.rounds.length < 2)
    return (
      <Empty>
        Its rounds are not known: QEMU&rsquo;s <code>migration_bitmap_sync_*</code> events were not traced for it.
      </Empty>
    );
  return (
    <div class="two even">
      <Curve title="Memory left to send, at each round" data={data.pages} height={150} linked={false} relative />
      <Curve title="Written and sent" data={data.rates} height={150} linked={false} relative />
    </div>
  );
}

export function Down({ show, m }: { show: MigrationShow; m: Migration }): VNode | null {
  // Parts at the two hosts overlap: each has its place in time.
  const parts = (show.downtime_parts ?? []).map((p) => ({ ...p, t0: rel(p.start_ns) }));
  const begin = Math.min(...parts.map((p) => p.t0));
  const total = Math.max(...parts.map((p) => p.t0 + p.took_ns)) - begin;
  if (!m.downtimes.length && !parts.length) return null;
  return (
    <section class="panel">
      <h2>Downtime</h2>
      {parts.length && total > 0 ? (
        <ol class="split" aria-label="Parts">
          {parts.map((p, i) => (
            <li key={i} title={plain(p.evidence ?? "")}>
              <span>
                <Txt s={p.name} />
                {p.host ? <span class="host"><Txt s={p.host} cut={16} /></span> : null}
              </span>
              <span class="split-lane">
                <i
                  class={"tone" + (i % TONES)}
                  style={{ left: (100 * (p.t0 - begin)) / total + "%", width: `max(2px, ${(100 * p.took_ns) / total}%)` }}
                />
              </span>
              <b class="num">{dur(p.took_ns)}</b>
            </li>
          ))}
        </ol>
      ) : null}
      <ul class="blind">
        {m.downtimes.map((d, i) => (
          <li key={i}>
            <b class="num">{dur(d.duration_ns)}</b> {d.bound_ns ? <span class="num">± {dur(d.bound_ns)} </span> : null}
            by <Txt s={d.source} />
            {d.counts ? (
              <span class="faint">
                : <Txt s={d.counts} />
              </span>
            ) : null}
          </li>
        ))}
      </ul>
    </section>
  );
}

export function Disturbers({ m }: { m: Migration }): VNode {
  if (!m.disturbed_by.length)
    return <Empty>Nobody is known to have kept CPUs from it: it waited for none, or the source&rsquo;s kernel was not traced.</Empty>;
  return (
    <Table
      caption="Who had the CPUs that it waited for"
      rows={m.disturbed_by}
      id={(d) => d.kind + d.name}
      first={8}
      columns={[
        {
          name: "Who",
          show: (d) => {
            const to = d.kind === "vm" ? address("vm", d.name, roomy(spanOf(m.start_ns, m.end_ns))) : null;
            return to ? (
              <a href={to}>
                <Txt s={d.name} />
              </a>
            ) : (
              <Txt s={d.name} />
            );
          },
          by: (d) => d.name,
        },
        { name: "Share", show: (d) => <Share of={d.share} tone="bad" />, by: (d) => d.share, num: true },
        { name: "It waited", show: (d) => dur(d.wait_ns), by: (d) => d.wait_ns, num: true },
        { name: "Its migration thread", show: (d) => dur(d.thread_ns), by: (d) => d.thread_ns, num: true },
      ]}
    />
  );
}

function Compare({ list, m, second }: { list: Migration[]; m: Migration; second: Migration | null }): VNode | null {
  const others = list.filter((x) => x.id !== m.id);
  const found = useGet<Comparison>(second ? `compare/${part(m.id)}/${part(second.id)}` : null);
  if (!others.length) return null;
  return (
    <section>
      <div class="filters">
        <label class="field">
          Compare with{" "}
          <select value={second?.id ?? ""} onChange={(e) => setArgs({ with: e.currentTarget.value })}>
            <option value="">choose…</option>
            {others.slice(0, 500).map((x) => (
              <option key={x.id} value={x.id}>
                {plain(`${x.id} (${x.outcome ?? "?"}, ${dur(x.total_ns)})`)}
              </option>
            ))}
          </select>
        </label>
      </div>
      {found.error ? <Problem error={found.error} /> : null}
      {second && found.data ? <Differences m={m} second={second} found={found.data} /> : null}
    </section>
  );
}

function Differences({ m, second, found }: { m: Migration; second: Migration; found: Comparison }): VNode {
  const show = (d: Difference, v: number | null | undefined) => unitValue(v, d.unit ?? "ns");
  const rows = [...found.times, ...found.amounts, ...found.waits.map((w) => ({ ...w, what: "waited for " + w.what }))];
  return (
    <Table
      caption={plain(`${m.id} and ${second.id}`)}
      rows={rows}
      id={(d, i) => d.what + i}
      columns={[
        { name: "What", show: (d) => <Txt s={d.what} />, by: (d) => d.what },
        { name: "This", show: (d) => show(d, d.a ?? d.a_ns), num: true },
        { name: "The other", show: (d) => show(d, d.b ?? d.b_ns), num: true },
        { name: "Ratio", show: (d) => (d.ratio === null ? "–" : d.ratio.toFixed(2) + " ×"), by: (d) => d.ratio, num: true, title: "the other's to this one's" },
        { name: "± clocks", show: (d) => dur(d.bound_ns ?? null), by: (d) => d.bound_ns, num: true },
        { name: "Remark", show: (d) => <Txt s={d.remark ?? ""} /> },
      ]}
    />
  );
}

export function RoundTable({ m }: { m: Migration }): VNode | null {
  if (!m.rounds.length) return null;
  const size = (n: number | null) => (n === null ? "–" : bytes(n));
  const rate = (n: number | null) => (n === null ? "–" : bytes(n) + "/s");
  const ends = (p: Prediction | null | undefined) =>
    !p || p.ends === null ? "–" : p.ends ? `in ${dur(p.after_ns)}` : "never";
  return (
    <Table
      caption="Rounds"
      rows={m.rounds}
      id={(r) => String(r.n)}
      first={25}
      columns={[
        {
          name: "Round",
          show: (r) => <a href={href("migration", m.id, {}, roomy(spanOf(r.start_ns, r.end_ns)))}>{r.n}</a>,
          by: (r) => r.n,
          num: true,
        },
        { name: "Begin", show: (r) => <When at={r.start_ns} />, by: (r) => r.start_ns },
        {
          name: "Took",
          show: (r) => dur(r.end_ns === null ? null : rel(r.end_ns) - rel(r.start_ns)),
          by: (r) => (r.end_ns === null ? null : rel(r.end_ns) - rel(r.start_ns)),
          num: true,
        },
        { name: "Pages to send", show: (r) => (r.dirty_pages === null ? "–" : number(r.dirty_pages)), by: (r) => r.dirty_pages, num: true },
        { name: "Written meanwhile", show: (r) => (r.dirtied_pages === null ? "–" : number(r.dirtied_pages)), by: (r) => r.dirtied_pages, num: true },
        { name: "Sent", show: (r) => size(r.sent_bytes), by: (r) => r.sent_bytes, num: true },
        { name: "Guest writes", show: (r) => rate(r.dirty_rate), by: (r) => r.dirty_rate, num: true },
        { name: "Link takes", show: (r) => rate(r.transfer_rate), by: (r) => r.transfer_rate, num: true },
        { name: "Throttle", show: (r) => (r.throttle === null ? "–" : r.throttle + " %"), by: (r) => r.throttle, num: true },
        {
          name: "Would it end",
          show: (r) => (r.stopped ? "it ended" : ends(r.prediction)),
        },
      ]}
    />
  );
}
