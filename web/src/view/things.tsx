// SPDX-License-Identifier: Apache-2.0
//
// Links to what a finding or a table names, severities, outcomes.

import type { VNode } from "preact";
import { useEffect } from "preact/hooks";
import { Txt, plain } from "../base/text";
import { href, setArgs, setView, view, whole } from "../base/state";
import type { At, Experiment, Finding, Severity, Thing } from "../base/types";
import { clock, day, dur, rel, type Span } from "../time/time";

const PAGES: Record<string, string> = {
  vm: "vm",
  instance: "vm",
  request: "request",
  migration: "migration",
  host: "host",
};

/** Where a thing is shown; null: it has no page. */
export function address(kind: string, id: string, win?: Span | null): string | null {
  const page = PAGES[kind];
  if (page) return href(page, id, {}, win);
  if (kind === "service" || kind === "process" || kind === "thread")
    return href("costs", "cpu", { find: id }, win);
  if (kind === "volume" || kind === "task") return linesWith(id, win);
  return null;
}

/** The log lines that have a text in them. */
export function linesWith(text: string, win?: Span | null): string {
  const safe = text.replace(/["\\*?[\]]/g, "?");
  return href("events", "", { filter: `msg =~ "*${safe}*"` }, win);
}

export function Link({ thing, win }: { thing: Thing; win?: Span | null }): VNode {
  const to = address(thing.kind, thing.name, win);
  const label = (
    <>
      <span class="kind">{KINDS[thing.kind] ?? thing.kind}</span> <Txt s={thing.name} cut={36} />
    </>
  );
  return to ? (
    <a class="chip" href={to}>
      {label}
    </a>
  ) : (
    <span class="chip">{label}</span>
  );
}

const KINDS: Record<string, string> = { vm: "instance" };

const MARKS: Record<Severity, string> = { critical: "●●●", warning: "●●○", info: "●○○" };

export function Sev({ of }: { of: Severity }): VNode {
  return (
    <span class={"sev " + of}>
      <span aria-hidden="true">{MARKS[of] ?? "●○○"}</span> {of}
    </span>
  );
}

const GOOD = new Set(["ok", "completed", "done", "yes", "active"]);
const BAD = new Set(["failed", "error", "aborted", "never", "no", "cancelled", "timeout"]);

export function Outcome({ of }: { of: string | null }): VNode {
  const text = of ?? "unknown";
  const tone = GOOD.has(text) ? "good" : BAD.has(text) ? "badly" : "neutral";
  return (
    <span class={"outcome " + tone}>
      <span aria-hidden="true">{tone === "good" ? "✓" : tone === "badly" ? "✗" : "•"}</span> <Txt s={text} />
    </span>
  );
}

/** An instant of an answer, as time of day; the date on asking. */
export function When({ at, digits = 3 }: { at: At | null | undefined; digits?: number }): VNode {
  if (at === null || at === undefined) return <span class="faint">–</span>;
  const t = rel(at);
  return (
    <time class="num" title={`${day(t)} ${clock(t, 9)} UTC`}>
      {clock(t, digits)}
    </time>
  );
}

/** The span from one instant of an answer to another. */
export function spanOf(a: At | null | undefined, b: At | null | undefined): Span | null {
  if (a === null || a === undefined) return null;
  const t0 = rel(a);
  const t1 = b === null || b === undefined ? t0 : rel(b);
  return { t0, t1: Math.max(t1, t0 + 1) };
}

/** A span with some room around it, for a link. */
export function roomy(s: Span | null, share = 0.15): Span | null {
  if (!s) return null;
  const by = (s.t1 - s.t0) * share + 1000;
  return { t0: s.t0 - by, t1: s.t1 + by };
}

export function names(list: unknown): string {
  return Array.isArray(list) ? list.map(plain).join(", ") : plain(list);
}

/** The same of several hosts, "HOST: what", said once. */
export function together(all: string[]): string[] {
  const hosts = new Map<string, string[]>();
  for (const text of all) {
    const m = /^([^\s:]+): (.*)$/s.exec(text);
    const what = m ? (m[2] as string) : text;
    hosts.set(what, [...(hosts.get(what) ?? []), ...(m ? [m[1] as string] : [])]);
  }
  return [...hosts].map(([what, of]) => (of.length ? `${of.join(", ")}: ${what}` : what));
}

/** Where and when a finding was. */
export function FindingWhere({ of }: { of: Finding }): VNode {
  return (
    <p class="f-where">
      <Txt s={of.hosts.join(", ")} /> {of.hosts.length && of.t0_ns !== null ? "· " : ""}
      {of.t0_ns !== null ? (
        <>
          <When at={of.t0_ns} digits={0} /> – <When at={of.t1_ns} digits={0} />
        </>
      ) : null}
    </p>
  );
}

/** What it cost, if that is known. */
export function Cost({ of }: { of: Finding }): VNode | null {
  return of.cost_ns === null ? null : (
    <div class="cost">
      <b class="num">{dur(of.cost_ns)}</b>
      <span>lost</span>
    </div>
  );
}

/** All hosts, or one. */
export function HostChoice({ of, host }: { of: Experiment; host: string }): VNode {
  return (
    <label class="field">
      Host{" "}
      <select value={host} onChange={(x) => setArgs({ host: x.currentTarget.value })}>
        <option value="">all</option>
        {of.hosts.map((h) => (
          <option key={h.name} value={h.name}>
            {plain(h.name)}
          </option>
        ))}
      </select>
    </label>
  );
}

const SMALL = 1 / 4;

/** Shows a thing that is a small part of all the time, unless the address has a window. */
export function useFit(span: Span | null): void {
  useEffect(() => {
    const all = whole.get();
    const win = view.get();
    const near = roomy(span);
    if (!near || win.t0 !== all.t0 || win.t1 !== all.t1) return;
    if (near.t1 - near.t0 < (all.t1 - all.t0) * SMALL) setView(near);
  }, [span?.t0, span?.t1]);
}
