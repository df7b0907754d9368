// SPDX-License-Identifier: Apache-2.0
//
// What is wrong, worst first: each finding with what caused it, who did it, what proves it,
// and where to look.

import type { VNode } from "preact";
import { useState } from "preact/hooks";
import { useGet } from "../base/api";
import { useCell } from "../base/cell";
import { current } from "../base/current";
import { Txt, count, number } from "../base/text";
import { href, route, setArgs } from "../base/state";
import type { Diagnosis, Evidence, Experiment, Finding, Severity, Thing } from "../base/types";
import { dur, type Span } from "../time/time";
import { Empty, Loading, Problem } from "../view/states";
import { unitValue } from "../view/Curve";
import { HeatMap, layerName } from "../view/HeatMap";
import { Cost, FindingWhere, Link, Sev, address, roomy, spanOf, together } from "../view/things";

const SEVERITIES: Severity[] = ["critical", "warning", "info"];
const FIRST = 12;
const ALIKE = 3; // of one rule, before the others are folded

/** A finding with what it explains. */
export interface Node {
  of: Finding;
  below: Node[];
}

export function chains(all: Finding[]): Node[] {
  const byRank = new Map(all.map((f) => [f.rank, { of: f, below: [] as Node[] }]));
  const roots: Node[] = [];
  for (const node of byRank.values()) {
    const cause = node.of.causes.find((c) => c < node.of.rank && byRank.has(c));
    if (cause === undefined) roots.push(node);
    else byRank.get(cause)?.below.push(node);
  }
  return roots;
}

export function OverviewPage(): VNode {
  const e = useCell(current) as Experiment;
  const found = useGet<Diagnosis>("findings");
  const at = useCell(route);
  const all = found.data?.findings ?? null;
  const only = at.args.severity as Severity | undefined;
  const { host, layer } = at.args;
  const shown = (all ?? []).filter((f) => (!only || f.severity === only) && (!host || f.hosts.includes(host)) && (!layer || f.layer === layer));
  return (
    <div class="overview">
      <h1 class="sr">Overview</h1>
      <Summary e={e} all={all} only={only} />
      <div class="two">
        <section aria-label="Findings">
          {host || layer ? (
            <p class="filtered">
              Only what concerns <b>{host ? <Txt s={host} /> : "all hosts"}</b>
              {layer ? (
                <>
                  , layer <b>{layerName(layer)}</b>
                </>
              ) : null}
              . <button type="button" onClick={() => setArgs({ host: "", layer: "" })}>Show all</button>
            </p>
          ) : null}
          {found.error ? <Problem error={found.error} /> : all ? <Findings nodes={chains(shown)} filtered={shown.length < all.length} /> : <Loading what="what is wrong" />}
        </section>
        <aside>
          <HeatMap e={e} all={all} />
          <Blind spots={found.data?.blind_spots ?? []} />
        </aside>
      </div>
    </div>
  );
}

function Summary({ e, all, only }: { e: Experiment; all: Finding[] | null; only: Severity | undefined }): VNode {
  const n = (s: Severity) => (all ?? []).filter((f) => f.severity === s).length;
  const worst = SEVERITIES.find((s) => n(s) > 0);
  const events = e.hosts.flatMap((h) => Object.values(h.layers)).reduce((sum, l) => sum + (l.events ?? 0), 0);
  return (
    <div class={"summary " + (worst ?? (all ? "fine" : ""))}>
      <div class="counts" role="group" aria-label="Show only">
        {SEVERITIES.map((s) => (
          <button
            key={s}
            type="button"
            class={"count " + s}
            disabled={n(s) === 0}
            aria-pressed={only === s}
            onClick={() => setArgs({ severity: only === s ? "" : s })}
          >
            <b>{all ? n(s) : "…"}</b> {s === "info" ? "to know" : s === "critical" ? "critical" : n(s) === 1 ? "warning" : "warnings"}
          </button>
        ))}
      </div>
      <p class="facts">
        {count(e.hosts.length, "host")} · {dur(e.length_ns)} traced
        {events ? ` · ${number(events)} events` : ""}
        {clocks(e)}
        {" · "}
        <a href={href("health")}>trace health</a>
      </p>
    </div>
  );
}

/** How far the order of events on two hosts can be trusted. */
function clocks(e: Experiment): string {
  const others = e.hosts.filter((h) => !h.reference);
  if (!others.length) return "";
  const free = others.filter((h) => !h.bound_ns).length;
  if (free) return ` · the clocks of ${count(free, "host")} are not bounded`;
  return ` · clocks within ± ${dur(Math.max(...others.map((h) => h.bound_ns?.median ?? 0)))}`;
}

function Findings({ nodes, filtered }: { nodes: Node[]; filtered: boolean }): VNode {
  const [most, setMost] = useState(FIRST);
  const [unfolded, setUnfolded] = useState<ReadonlySet<string>>(new Set());
  if (!nodes.length && filtered) return <Empty>No finding is of that kind.</Empty>;
  if (!nodes.length)
    return (
      <Empty>
        <b>Nothing is wrong, as far as the traces tell.</b> What they can't tell is listed at the right.
      </Empty>
    );
  // Hundreds of failures of one kind must not hide the one of another kind.
  const seen = new Map<string, number>();
  const folded = new Map<string, Node[]>();
  const shown: Node[] = [];
  for (const node of nodes) {
    const key = node.of.severity + " " + node.of.rule;
    const before = seen.get(key) ?? 0;
    seen.set(key, before + 1);
    if (before < ALIKE || unfolded.has(key)) shown.push(node);
    else folded.set(key, [...(folded.get(key) ?? []), node]);
  }
  return (
    <>
      <ol class="findings">
        {shown.slice(0, most).map((node, i) => (
          <Card key={node.of.rank} node={node} open={i === 0} />
        ))}
      </ol>
      {shown.length > most ? (
        <button type="button" class="more" onClick={() => setMost(most + 50)}>
          Show more: {shown.length - most} are not shown
        </button>
      ) : null}
      {[...folded].map(([key, of]) => (
        <button key={key} type="button" class="more" onClick={() => setUnfolded(new Set([...unfolded, key]))}>
          {count(of.length, "more", "more")} like “<Txt s={(of[0] as Node).of.title} cut={60} />”
        </button>
      ))}
    </>
  );
}

function subjectOf(f: Finding): Thing | null {
  // Several instances of one host are seen side by side on the host's page.
  const many = f.subjects.length > 1 && f.subjects.every((s) => s.kind === f.subjects[0]?.kind);
  if (many && f.hosts.length === 1) return { kind: "host", name: f.hosts[0] as string };
  const order = ["migration", "request", "vm", "service", "host"];
  for (const kind of order) {
    const found = f.subjects.find((s) => s.kind === kind);
    if (found) return found;
  }
  return f.subjects[0] ?? (f.hosts[0] ? { kind: "host", name: f.hosts[0] } : null);
}

function proof(f: Finding): string | null {
  const subject = subjectOf(f);
  return subject ? address(subject.kind, subject.name, roomy(spanOf(f.t0_ns, f.t1_ns))) : null;
}

function Card({ node, open }: { node: Node; open: boolean }): VNode {
  const f = node.of;
  const [shown, setShown] = useState(open);
  const to = proof(f);
  const win = roomy(spanOf(f.t0_ns, f.t1_ns));
  return (
    <li class={"finding " + f.severity}>
      <div class="f-head">
        <span class="rank">{f.rank}</span>
        <div class="f-title">
          <Sev of={f.severity} />
          <h2>
            {to ? (
              <a href={to}>
                <Txt s={f.title} />
              </a>
            ) : (
              <Txt s={f.title} />
            )}
          </h2>
          <FindingWhere of={f} />
        </div>
        <Cost of={f} />
      </div>
      {f.culprits.length ? (
        <p class="who">
          <span class="label">Who</span>
          {f.culprits.slice(0, 6).map((c) => (
            <Link key={c.kind + c.name} thing={c} win={win} />
          ))}
          {f.culprits.length > 6 ? <span class="faint">and {f.culprits.length - 6} more</span> : null}
        </p>
      ) : null}
      {node.below.length ? (
        <div class="who">
          <span class="label">Leads to</span>
          <Effects nodes={node.below} />
        </div>
      ) : null}
      <div class="f-actions">
        <button type="button" aria-expanded={shown} onClick={() => setShown(!shown)}>
          {shown ? "Hide the evidence" : "Evidence and remedy"}
        </button>
        {to ? (
          <a class="button" href={to}>
            Show on the time line
          </a>
        ) : null}
      </div>
      {shown ? <Details f={f} win={win} /> : null}
    </li>
  );
}

function Effects({ nodes }: { nodes: Node[] }): VNode {
  return (
    <ul class="effects">
      {nodes.map((n) => (
        <li key={n.of.rank}>
          <span class={"dot " + n.of.severity} aria-hidden="true" />
          {proof(n.of) ? (
            <a href={proof(n.of) as string}>
              <Txt s={n.of.title} />
            </a>
          ) : (
            <Txt s={n.of.title} />
          )}
          {n.of.cost_ns !== null ? <span class="num faint"> {dur(n.of.cost_ns)}</span> : null}
          {n.below.length ? <Effects nodes={n.below} /> : null}
        </li>
      ))}
    </ul>
  );
}

function Details({ f, win }: { f: Finding; win: Span | null }): VNode {
  return (
    <div class="f-details">
      <EvidenceList all={f.evidence} win={win} />
      {f.subjects.length ? (
        <p class="who">
          <span class="label">Concerns</span>
          {f.subjects.slice(0, 12).map((s) => (
            <Link key={s.kind + s.name} thing={s} win={win} />
          ))}
        </p>
      ) : null}
      {f.remedy ? (
        <p class="who">
          <span class="label">Remedy</span>
          <span><Txt s={f.remedy} /></span>
        </p>
      ) : null}
      {f.unknown.map((u) => (
        <p class="who" key={u}>
          <span class="label">Not known</span>
          <span><Txt s={u} /></span>
        </p>
      ))}
    </div>
  );
}

/** "vm-2004: 21.1 %" as its parts. */
function shareOf(v: Evidence["value"]): { name: string; share: number } | null {
  const m = typeof v === "string" ? /^(.*): ([\d.]+) %$/.exec(v) : null;
  return m ? { name: m[1] as string, share: Number(m[2]) / 100 } : null;
}

export function EvidenceList({ all, win }: { all: Evidence[]; win: Span | null }): VNode {
  return (
    <dl class="proof">
      {all.map((e, i) => {
        const share = shareOf(e.value);
        const to = commandAddress(e.where, win);
        const again = i > 0 && all[i - 1]?.what === e.what;
        const text = typeof e.value === "number" ? unitValue(e.value, e.unit) : null;
        return (
          <div key={i}>
            <dt>{again ? <span class="sr"><Txt s={e.what} /></span> : <Txt s={e.what} />}</dt>
            <dd>
              {share ? (
                <span class="bar">
                  <i style={{ width: 100 * Math.min(1, share.share) + "%" }} />
                  <span>
                    <Txt s={share.name} cut={40} /> <b class="num">{(100 * share.share).toFixed(1)} %</b>
                  </span>
                </span>
              ) : (
                <b class="num">{text ?? <Txt s={e.value} />}</b>
              )}
              {to && !again ? (
                <a href={to} class="where" title={e.where}>
                  look
                </a>
              ) : null}
            </dd>
          </div>
        );
      })}
    </dl>
  );
}

/** Evidence names a command; the page that shows the same. */
export function commandAddress(command: string, win: Span | null): string | null {
  const words = command.trim().split(/\s+/);
  const option = (name: string) => {
    const i = words.indexOf(name);
    return i > 0 ? (words[i + 1] ?? "") : "";
  };
  const [, verb, a, ...rest] = words;
  const id = rest.join(" ");
  switch (verb) {
    case "show":
      return address(a ?? "", id, win);
    case "rounds":
      return a ? href("migration", a, {}, win) : null;
    case "top":
    case "stats":
    case "freq":
    case "log":
      return href("costs", a ?? "cpu", { host: option("--host"), vm: option("--vm") }, win);
    case "list":
      return option("--request") ? href("request", option("--request"), {}, win) : href("requests", "", {}, win);
    case "doctor":
    case "sync":
      return href("health", "", {}, null);
    default:
      return null;
  }
}

function Blind({ spots: all }: { spots: string[] }): VNode | null {
  if (!all.length) return null;
  const spots = together(all);
  return (
    <section class="panel">
      <h2>What the traces can't tell</h2>
      <ul class="blind">
        {spots.slice(0, 8).map((s) => (
          <li key={s}>
            <Txt s={s} />
          </li>
        ))}
      </ul>
      {spots.length > 8 ? (
        <p>
          <a href={href("health")}>{count(spots.length - 8, "more", "more")}, on Trace health</a>
        </p>
      ) : null}
    </section>
  );
}
