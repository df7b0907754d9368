// SPDX-License-Identifier: Apache-2.0
//
// Raw events from any instant on, both ways, as many as one scrolls to; only those that
// can be seen are in the page.

import type { VNode } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { ApiError, ask, parse, query } from "../base/api";
import { useCell } from "../base/cell";
import { current } from "../base/current";
import { Txt, number } from "../base/text";
import { cursor, route, setArgs, setView, view } from "../base/state";
import type { EventsPageReply, Experiment, RawEvent } from "../base/types";
import { clock, dur, rel } from "../time/time";
import { Empty, Problem } from "../view/states";
import { HostChoice } from "../view/things";

const PAGE = 200;
const ROW_PX = 24;
const BOX_PX = 560;
const MOST_ROWS = 20000;

interface Loaded {
  events: RawEvent[];
  before: string | null;
  after: string | null;
  more: boolean;
}

/** A word alone is meant as a part of an event's name. */
function expression(text: string): string {
  const word = text.trim();
  return /^[\w:.*?-]+$/.test(word) ? `name =~ "*${word}*"` : word;
}

function fetchPage(args: Record<string, string | number | null>, signal: AbortSignal): Promise<EventsPageReply> {
  return ask(query("events", { limit: PAGE, ...args }), { signal }).then((t) => parse(t) as EventsPageReply);
}

export function EventsPage(): VNode {
  const e = useCell(current) as Experiment;
  const at = useCell(route);
  const win = useCell(view);
  const { host = "", filter = "" } = at.args;
  const [typed, setTyped] = useState(filter);
  const [state, setState] = useState<Loaded | null>(null);
  const [error, setError] = useState<ApiError | null>(null);
  const [busy, setBusy] = useState(false);
  const [picked, setPicked] = useState<RawEvent | null>(null);
  const [scroll, setScroll] = useState(0);
  const box = useRef<HTMLDivElement>(null);
  const from = Math.floor(win.t0);
  const turn = useRef(0);

  const load = (args: Record<string, string | number | null>, join: (r: EventsPageReply) => void) => {
    const mine = ++turn.current;
    setBusy(true);
    fetchPage({ host, filter, ...args }, AbortSignal.timeout(60000)).then(
      (r) => mine === turn.current && (join(r), setError(null), setBusy(false)),
      (x: unknown) => mine === turn.current && (setError(x as ApiError), setBusy(false)),
    );
  };
  useEffect(() => {
    const timer = window.setTimeout(
      () =>
        load({ t0: from }, (r) => {
          setState({ events: r.events, before: r.before ?? null, after: r.after ?? null, more: r.more });
          setPicked(null);
          setScroll(0);
          if (box.current) box.current.scrollTop = 0;
        }),
      150,
    );
    return () => clearTimeout(timer);
  }, [host, filter, from]);
  useEffect(() => setTyped(filter), [filter]);

  const later = () => {
    if (busy || !state?.more || !state.after) return;
    load({ after: state.after }, (r) =>
      setState({ ...state, events: [...state.events, ...r.events].slice(-MOST_ROWS), after: r.after ?? null, more: r.more && r.events.length > 0 }),
    );
  };
  const earlier = () => {
    if (busy || !state?.before) return;
    load({ before: state.before }, (r) => {
      setState({ ...state, events: [...r.events, ...state.events].slice(0, MOST_ROWS), before: r.events.length ? (r.before ?? null) : null });
      requestAnimationFrame(() => box.current?.scrollBy(0, r.events.length * ROW_PX));
    });
  };
  const events = state?.events ?? [];
  const first = Math.max(0, Math.floor(scroll / ROW_PX) - 10);
  const last = Math.min(events.length, Math.ceil((scroll + BOX_PX) / ROW_PX) + 10);
  return (
    <>
      <h1>Events</h1>
      <form
        class="filters"
        onSubmit={(x) => {
          x.preventDefault();
          setArgs({ filter: expression(typed) });
        }}
      >
        <label class="field grow">
          Filter{" "}
          <input
            type="search"
            value={typed}
            onInput={(x) => setTyped(x.currentTarget.value)}
            placeholder={'sched_switch, or name =~ "sched_*" && next_tid == 703'}
            spellcheck={false}
          />
        </label>
        <button type="submit">Apply</button>
        <HostChoice of={e} host={host} />
        <span class="faint num">from {clock(win.t0, 6)}, where the window begins</span>
      </form>
      {error ? <Problem error={error} /> : null}
      <div class="ev-nav">
        <button type="button" disabled={busy || !state?.before} onClick={earlier}>
          Earlier
        </button>
        <span class="faint" role="status">
          {busy ? "loading…" : `${number(events.length)} loaded${state && !state.more ? ", to the last one" : ""}`}
        </span>
      </div>
      {state && !events.length && !error ? (
        <Empty>
          No event {filter ? "passes this filter" : "was recorded"} from {clock(win.t0, 3)} on.{" "}
          {filter ? (
            <button type="button" onClick={() => setArgs({ filter: "" })}>
              Without the filter
            </button>
          ) : null}
        </Empty>
      ) : null}
      <div
        class="ev-box"
        ref={box}
        tabIndex={0}
        role="region"
        aria-label="Events"
        style={{ height: Math.min(BOX_PX, Math.max(ROW_PX * 2, (events.length + 1) * ROW_PX)) + "px" }}
        onScroll={(x) => {
          const el = x.currentTarget;
          setScroll(el.scrollTop);
          if (el.scrollTop + el.clientHeight > el.scrollHeight - 20 * ROW_PX) later();
        }}
      >
        <table class="events" aria-rowcount={events.length}>
          <thead>
            <tr>
              <th scope="col">Time</th>
              <th scope="col">Host</th>
              <th scope="col" class="num">
                CPU
              </th>
              <th scope="col">Thread</th>
              <th scope="col">Event</th>
              <th scope="col">Fields</th>
            </tr>
          </thead>
          <tbody>
            <tr aria-hidden="true" style={{ height: first * ROW_PX + "px" }} />
            {events.slice(first, last).map((ev, i) => (
              <Row key={first + i} ev={ev} on={ev === picked} pick={() => setPicked(ev)} before={events[first + i - 1] ?? null} />
            ))}
            <tr aria-hidden="true" style={{ height: (events.length - last) * ROW_PX + "px" }} />
          </tbody>
        </table>
      </div>
      {state?.more ? (
        <button type="button" class="more" disabled={busy} onClick={later}>
          Later
        </button>
      ) : null}
      {picked ? <Fields ev={picked} /> : null}
    </>
  );
}

function Row({ ev, on, pick, before }: { ev: RawEvent; on: boolean; pick: () => void; before: RawEvent | null }): VNode {
  const t = rel(ev.t_ns);
  const thread = ev.context?.procname ? `${String(ev.context.procname)} ${String(ev.context.tid ?? "")}` : String(ev.context?.tid ?? "");
  return (
    <tr class={on ? "on" : ""} onMouseEnter={() => cursor.set(t)}>
      <td class="num">
        <button type="button" onClick={pick} title={before ? "+" + dur(t - rel(before.t_ns)) : ""}>
          {clock(t, 9)}
        </button>
      </td>
      <td>
        <Txt s={ev.host} cut={20} />
      </td>
      <td class="num">{ev.cpu ?? ""}</td>
      <td>
        <Txt s={thread} cut={24} />
      </td>
      <td>
        <b>
          <Txt s={ev.name} cut={40} />
        </b>
      </td>
      <td class="ev-fields">
        <Txt s={line(ev.fields)} cut={160} />
      </td>
    </tr>
  );
}

function value(v: unknown): string {
  return typeof v === "object" && v !== null
    ? JSON.stringify(v, (_k, x: unknown) => (typeof x === "bigint" ? x.toString() : x))
    : String(v);
}

function line(fields: Record<string, unknown>): string {
  return Object.entries(fields)
    .map(([k, v]) => `${k}=${value(v)}`)
    .join(" ");
}

/** All of one event. */
function Fields({ ev }: { ev: RawEvent }): VNode {
  const t = rel(ev.t_ns);
  const rows = [...Object.entries(ev.fields), ...Object.entries(ev.context ?? {}).map(([k, v]) => ["context " + k, v] as const)];
  return (
    <section class="panel" aria-live="polite">
      <h2>
        <Txt s={ev.name} /> <span class="num faint">{clock(t, 9)}</span>
        <button type="button" onClick={() => setView({ t0: t - 1e6, t1: t + 1e6 })}>
          2 ms around it
        </button>
      </h2>
      <dl class="card">
        {rows.map(([k, v]) => (
          <div key={k}>
            <dt>
              <Txt s={k} />
            </dt>
            <dd class="wrap">
              <Txt s={value(v)} />
            </dd>
          </div>
        ))}
      </dl>
    </section>
  );
}
