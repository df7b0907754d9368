// SPDX-License-Identifier: Apache-2.0
//
// The report in one file: what was read, what was found and what proves it, what can't be
// told.  The same parts as the pages, answered from the file; nothing leads out of it.

import { options, type VNode } from "preact";
import { useEffect, useState } from "preact/hooks";
import { answerOf } from "../base/offline";
import { parse, useGet } from "../base/api";
import { useCell } from "../base/cell";
import { current } from "../base/current";
import { theme, view, whole } from "../base/state";
import { Txt, count, number, plain } from "../base/text";
import type { Diagnosis, Experiment, Finding, MigrationShow, RequestShow, Severity } from "../base/types";
import { day, dur, setOrigin, clock } from "../time/time";
import { AnyTable, type AnyRow } from "../view/AnyTable";
import { FixedTimeline } from "../view/FixedTimeline";
import { HeatMap } from "../view/HeatMap";
import { Empty, Problem } from "../view/states";
import { Cost, FindingWhere, Link, Outcome, Sev, spanOf } from "../view/things";
import { Disturbers, Down, RoundCurves, RoundTable, Stages, Tiles, verdict } from "./Migrations";
import { EvidenceList, chains, type Node } from "./Overview";
import { Gaps, Waterfall } from "./Requests";

type Chart = { rank: number; path: string } & (
  | { kind: "time"; scope: string; rows: string; t0: number; t1: number; more: number }
  | { kind: "migration" | "request" }
  | { kind: "table"; measure: string; command: string }
);

interface Report {
  charts: Chart[];
  left_out: string[];
  events: number;
}

const SEVERITIES: Severity[] = ["critical", "warning", "info"];

/** Reads the head of the file; links to pages become text, since there are no pages. */
export function startReport(): void {
  const before = options.vnode;
  options.vnode = (v) => {
    const props = v.props as { href?: unknown } | null;
    if (v.type === "a" && typeof props?.href === "string" && props.href.startsWith("#/")) delete props.href;
    before?.(v);
  };
  const text = answerOf("experiment");
  if (text === null) return;
  const e = parse(text) as Experiment;
  setOrigin(BigInt(e.t0));
  whole.set({ t0: 0, t1: Math.max(1, e.length_ns) });
  view.set(whole.get());
  current.set(e);
  document.title = "Nephoscope report – " + plain(titleOf(e));
  // Paper is white.
  let shade = theme.get();
  addEventListener("beforeprint", () => {
    shade = theme.get();
    theme.set("light");
  });
  addEventListener("afterprint", () => theme.set(shade));
}

function titleOf(e: Experiment): string {
  return (e.command ?? []).map((p) => p.replace(/\/+$/, "").split("/").at(-1)).join(", ");
}

export function ReportPage(): VNode {
  const e = useCell(current);
  const found = useGet<Diagnosis>("findings");
  const report = useGet<Report>("report");
  const error = found.error ?? report.error;
  if (!e || error)
    return (
      <main class="waiting">
        <Problem error={error ?? "This file is not complete."} />
      </main>
    );
  if (!found.data || !report.data) return <main />;
  const all = found.data.findings;
  const { charts, left_out: left, events } = report.data;
  return (
    <>
      <a class="skip" href="#findings">
        Skip to the findings
      </a>
      <Head e={e} all={all} events={events} />
      <main>
        <Contents all={all} />
        <section id="findings" aria-label="Findings" tabIndex={-1}>
          <h2>What was found</h2>
          {all.length ? (
            <ol class="findings">
              {chains(all).map((node) => (
                <Chain key={node.of.rank} node={node} all={all} charts={charts} />
              ))}
            </ol>
          ) : (
            <Empty>
              <b>Nothing is wrong, as far as the traces tell.</b> What they can&rsquo;t tell is listed below.
            </Empty>
          )}
        </section>
        <div class="two even">
          <HeatMap e={e} all={all} />
          <Sentences title="What the traces can’t tell" all={found.data.blind_spots} />
        </div>
        <HostTable e={e} />
        <NoteTable e={e} />
        <Sentences title="Left out of this report" all={left} />
      </main>
      <footer>
        <p class="faint">
          Made by <code>neph report html</code> {plain(e.version)}. Nothing is loaded from elsewhere. All that can be asked of the
          traces: <code>neph serve {(e.command ?? []).map((p) => plain(p)).join(" ")}</code>
        </p>
      </footer>
    </>
  );
}

function Head({ e, all, events }: { e: Experiment; all: Finding[]; events: number }): VNode {
  const shade = useCell(theme);
  const n = (s: Severity) => all.filter((f) => f.severity === s).length;
  const worst = SEVERITIES.find((s) => n(s) > 0) ?? "fine";
  const bounds = e.hosts.flatMap((h) => (h.bound_ns ? [h.bound_ns.median] : []));
  const words: [Severity, string][] = [
    ["critical", "critical"],
    ["warning", n("warning") === 1 ? "warning" : "warnings"],
    ["info", "to know"],
  ];
  return (
    <header class={"summary " + worst}>
      <div class="r-title">
        <p class="label">Nephoscope report</p>
        <h1>
          <Txt s={titleOf(e)} />
        </h1>
        <p class="facts">
          {day(0)}, {clock(0, 0)} UTC · {dur(e.length_ns)} · {count(e.hosts.length, "host")} · {count(events, "event")}
          {bounds.length ? ` · clocks within ± ${dur(Math.max(...bounds))}` : ""}
        </p>
      </div>
      <div class="counts">
        {words.map(([s, word]) => (
          <span key={s} class={"count " + s + (n(s) ? "" : " none")}>
            <b>{n(s)}</b> {word}
          </span>
        ))}
      </div>
      <div class="r-actions">
        <button type="button" onClick={() => theme.set(shade === "dark" ? "light" : "dark")}>
          {shade === "dark" ? "Light" : "Dark"}
        </button>
        <button type="button" onClick={() => print()}>
          Print
        </button>
      </div>
    </header>
  );
}

function anchor(f: Finding): string {
  return "finding-" + f.rank;
}

const LISTED = 12;

function Contents({ all }: { all: Finding[] }): VNode | null {
  if (all.length < 2) return null;
  return (
    <nav class="panel contents" aria-label="Findings, the worst first">
      <ol>
        {all.slice(0, LISTED).map((f) => (
          <li key={f.rank}>
            <Sev of={f.severity} />
            <a href={"#" + anchor(f)}>
              <Txt s={f.title} />
            </a>
            {f.cost_ns !== null ? <b class="num">{dur(f.cost_ns)}</b> : <span />}
          </li>
        ))}
      </ol>
      {all.length > LISTED ? <p class="faint">and {number(all.length - LISTED)} more below</p> : null}
    </nav>
  );
}

/** A finding, and below it what it leads to. */
function Chain({ node, all, charts }: { node: Node; all: Finding[]; charts: Chart[] }): VNode {
  return (
    <li class="chain">
      <Card f={node.of} all={all} charts={charts} />
      {node.below.length ? (
        <ol class="below" aria-label="It leads to">
          {node.below.map((n) => (
            <Chain key={n.of.rank} node={n} all={all} charts={charts} />
          ))}
        </ol>
      ) : null}
    </li>
  );
}

function Card({ f, all, charts }: { f: Finding; all: Finding[]; charts: Chart[] }): VNode {
  const causes = f.causes.flatMap((rank) => all.filter((x) => x.rank === rank));
  const effects = all.filter((x) => x.causes.includes(f.rank));
  return (
    <article class={"finding " + f.severity} id={anchor(f)} aria-labelledby={anchor(f) + "-title"}>
      <div class="f-head">
        <span class="rank">{f.rank}</span>
        <div class="f-title">
          <Sev of={f.severity} />
          <h3 id={anchor(f) + "-title"}>
            <Txt s={f.title} />
          </h3>
          <FindingWhere of={f} />
        </div>
        <Cost of={f} />
      </div>
      <Parties label="Who" of={f.culprits} />
      <Parties label="Concerns" of={f.subjects} />
      <Linked label="Explained by" of={causes} />
      <Linked label="Leads to" of={effects} />
      {f.remedy ? (
        <p class="who remedy">
          <span class="label">Remedy</span>
          <span>
            <Txt s={f.remedy} />
          </span>
        </p>
      ) : null}
      {f.unknown.map((u) => (
        <p class="who" key={u}>
          <span class="label">Not known</span>
          <span>
            <Txt s={u} />
          </span>
        </p>
      ))}
      <EvidenceList all={f.evidence} win={null} />
      {charts
        .filter((c) => c.rank === f.rank)
        .map((c) => {
          // What is drawn once is not drawn again for each finding on the same thing.
          const first = c.kind === "time" ? c : charts.find((x) => x.kind === c.kind && x.path === c.path);
          if (!first || first.rank === f.rank) return <ChartOf key={c.kind + c.path} c={c} f={f} />;
          return (
            <p key={c.kind + c.path}>
              {c.kind === "table" ? "The table" : `The ${c.kind}`} is drawn at{" "}
              <a href={"#finding-" + first.rank}>finding {first.rank}</a>.
            </p>
          );
        })}
      <Commands f={f} />
    </article>
  );
}

function Parties({ label, of }: { label: string; of: Finding["subjects"] }): VNode | null {
  if (!of.length) return null;
  return (
    <p class="who">
      <span class="label">{label}</span>
      {of.slice(0, 12).map((s) => (
        <Link key={s.kind + s.name} thing={s} />
      ))}
      {of.length > 12 ? <span class="faint">and {of.length - 12} more</span> : null}
    </p>
  );
}

function Linked({ label, of }: { label: string; of: Finding[] }): VNode | null {
  if (!of.length) return null;
  return (
    <div class="who">
      <span class="label">{label}</span>
      <ul class="effects">
        {of.slice(0, 8).map((x) => (
          <li key={x.rank}>
            <span class={"dot " + x.severity} aria-hidden="true" />
            <a href={"#" + anchor(x)}>
              {x.rank}. <Txt s={x.title} />
            </a>
          </li>
        ))}
        {of.length > 8 ? <li class="faint">and {of.length - 8} more</li> : null}
      </ul>
    </div>
  );
}

/** Commands that show the same, for who has the traces. */
function Commands({ f }: { f: Finding }): VNode | null {
  const all = [...new Set(f.evidence.map((e) => e.where).filter((w) => w))];
  if (!all.length) return null;
  return (
    <p class="commands faint">
      To see it in the traces:{" "}
      {all.slice(0, 4).map((w) => (
        <code key={w}>
          <Txt s={w} />
        </code>
      ))}
    </p>
  );
}

function ChartOf({ c, f }: { c: Chart; f: Finding }): VNode {
  switch (c.kind) {
    case "time": {
      const [, kind = "", name = ""] = /^(\w+):([^]*)$/.exec(c.scope) ?? [];
      const note = c.more ? `${count(c.more, "more row")} of ${name}, farther from the matter, ${c.more === 1 ? "is" : "are"} not shown.` : "";
      const mark = spanOf(f.t0_ns, f.t1_ns);
      return (
        <FixedTimeline
          title={`${TIMES[kind] ?? "Around it on"} ${name}`}
          rows={c.rows}
          strip={c.path}
          span={{ t0: c.t0, t1: c.t1 }}
          mark={mark}
          note={note}
        />
      );
    }
    case "migration":
      return <MigrationOf path={c.path} />;
    case "request":
      return <RequestOf path={c.path} />;
    case "table":
      return <TableOf c={c} />;
  }
}

const TIMES: Record<string, string> = {
  vm: "Around it: instance",
  request: "Around it: request",
  migration: "Around it: migration of",
  host: "Meanwhile on host",
};

function MigrationOf({ path }: { path: string }): VNode | null {
  const show = useGet<MigrationShow>(path);
  const m = show.data?.migration[0];
  if (show.error) return <Problem error={show.error} />;
  if (!show.data || !m) return null;
  return (
    <section class="inset" aria-label="The migration">
      <h4>
        Migration <Txt s={m.id} />: <Txt s={m.source ?? "?"} /> → <Txt s={m.destination ?? "?"} /> <Outcome of={m.outcome} />
      </h4>
      <p class="verdict">{verdict(m)}</p>
      <Tiles m={m} />
      <Stages m={m} />
      <RoundCurves m={m} second={null} />
      <div class="two even">
        <Down show={show.data} m={m} />
        <Disturbers m={m} />
      </div>
      <RoundTable m={m} />
    </section>
  );
}

function RequestOf({ path }: { path: string }): VNode | null {
  const show = useGet<RequestShow>(path);
  const r = show.data?.requests[0];
  if (show.error) return <Problem error={show.error} />;
  if (!show.data || !r) return null;
  return (
    <section class="inset" aria-label="The request">
      <h4>
        <Txt s={r.action ?? "Request"} /> <Outcome of={r.outcome} /> <span class="num">{dur(r.duration_ns)}</span>{" "}
        <span class="faint">
          <Txt s={r.request_id} />
        </span>
      </h4>
      {r.first_error ? (
        <p class="problem">
          <Txt s={r.first_error} />
        </p>
      ) : null}
      <Waterfall r={r} flow={show.data.flow} lanes={false} />
      <Gaps show={show.data} />
    </section>
  );
}

const MEASURES: Record<string, string> = {
  preempt: "Who took CPUs from whom",
  wait: "Who waited for CPUs, and for whom",
  cpu: "Who had the CPUs",
  io: "Who had the disks",
  irq: "Interrupts",
};

function TableOf({ c }: { c: Chart & { kind: "table" } }): VNode | null {
  const rows = useGet<AnyRow[]>(c.path);
  if (rows.error) return <Problem error={rows.error} />;
  if (!rows.data?.length) return null;
  return <AnyTable rows={rows.data} caption={plain(MEASURES[c.measure] ?? c.measure)} first={12} most={9} />;
}

function Sentences({ title, all }: { title: string; all: string[] }): VNode | null {
  const [most, setMost] = useState(20);
  useEffect(() => {
    const everything = () => setMost(Infinity);
    addEventListener("beforeprint", everything);
    return () => removeEventListener("beforeprint", everything);
  }, []);
  if (!all.length) return null;
  return (
    <section class="panel">
      <h2>{title}</h2>
      <ul class="blind">
        {all.slice(0, most).map((s) => (
          <li key={s}>
            <Txt s={s} />
          </li>
        ))}
      </ul>
      {all.length > most ? (
        <button type="button" class="more" onClick={() => setMost(Infinity)}>
          Show {count(all.length - most, "more", "more")}
        </button>
      ) : null}
    </section>
  );
}

function HostTable({ e }: { e: Experiment }): VNode {
  const rows = e.hosts.map((h) => ({
    host: h.name,
    start_ns: h.begin_ns,
    end_ns: h.end_ns,
    openstack: h.layers.application?.events ?? 0,
    qemu: h.layers.virtualisation?.events ?? 0,
    kernel: h.layers.kernel?.events ?? 0,
    clock: h.reference ? "the reference" : (h.quality ?? ""),
    clock_bound_ns: h.bound_ns?.median ?? null,
  }));
  return <AnyTable rows={rows} caption="What was read, events by host and layer" first={50} />;
}

function NoteTable({ e }: { e: Experiment }): VNode | null {
  if (!e.notes.length) return null;
  return <AnyTable rows={e.notes as unknown as AnyRow[]} caption="What reading them noticed" first={20} />;
}
