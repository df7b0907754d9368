// SPDX-License-Identifier: Apache-2.0
//
// All of the time, on every page: what was recorded of which host, where findings are, and
// the window, which can be dragged.

import type { VNode } from "preact";
import { useRef } from "preact/hooks";
import { useGet } from "../base/api";
import { useCell } from "../base/cell";
import { plain } from "../base/text";
import { setView, view, whole, cursor } from "../base/state";
import type { Diagnosis, Experiment } from "../base/types";
import { clock, day, dur, rel, type Ns, type Span } from "../time/time";
import { spanOf } from "./things";

export function MiniMap({ experiment }: { experiment: Experiment }): VNode {
  const all = useCell(whole);
  const win = useCell(view);
  const now = useCell(cursor);
  const found = useGet<Diagnosis>("findings");
  const box = useRef<HTMLDivElement>(null);
  const left = (t: Ns) => (100 * (t - all.t0)) / (all.t1 - all.t0);
  const style = (s: Span) => ({ left: left(s.t0) + "%", width: Math.max(0.15, left(s.t1) - left(s.t0)) + "%" });
  const timeAt = (x: number) => {
    const r = (box.current as HTMLDivElement).getBoundingClientRect();
    return all.t0 + ((all.t1 - all.t0) * (x - r.left)) / Math.max(1, r.width);
  };
  const down = (e: PointerEvent) => {
    const el = e.currentTarget as HTMLElement;
    const t = timeAt(e.clientX);
    const inside = t >= win.t0 && t < win.t1 && win.t1 - win.t0 < 0.999 * (all.t1 - all.t0);
    el.setPointerCapture(e.pointerId);
    const start = { ...win };
    el.onpointermove = (m) => {
      const to = timeAt(m.clientX);
      if (inside) setView({ t0: start.t0 + to - t, t1: start.t1 + to - t });
      else if (Math.abs(m.clientX - e.clientX) > 3) setView({ t0: Math.min(t, to), t1: Math.max(t, to) });
    };
    el.onpointerup = () => {
      el.onpointermove = el.onpointerup = null;
    };
  };
  return (
    <div class="mini">
      <div class="mini-box" ref={box} onPointerDown={down} title="Drag to choose a window">
        {experiment.hosts.map((h) => (
          <div class="mini-host" key={h.name}>
            <i style={style({ t0: rel(h.begin_ns), t1: rel(h.end_ns) })} title={plain(`${h.name} was traced`)} />
          </div>
        ))}
        {(found.data?.findings ?? []).slice(0, 400).map((f) => {
          const span = spanOf(f.t0_ns, f.t1_ns);
          return span ? <b key={f.rank} class={f.severity} style={style(span)} title={plain(f.title)} /> : null;
        })}
        <div class="mini-win" style={style(win)} />
        {now === null ? null : <div class="mini-now" style={{ left: left(now) + "%" }} />}
      </div>
      <div class="mini-text num">
        {day(win.t0)} {clock(win.t0)} – {clock(win.t1)} UTC <span class="faint">({dur(win.t1 - win.t0)})</span>
      </div>
    </div>
  );
}
