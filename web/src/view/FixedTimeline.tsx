// SPDX-License-Identifier: Apache-2.0
//
// A time line that shows one window and does not move: a figure of a report.  The strip
// is the answer that the file holds; the drawing is the one of all time lines.

import type { VNode } from "preact";
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import { get, useGet } from "../base/api";
import { Cell, useCell } from "../base/cell";
import { current } from "../base/current";
import { theme } from "../base/state";
import { Txt, plain } from "../base/text";
import type { Rows, StripReply } from "../base/types";
import { layout, palettes } from "../time/rows";
import { Timeline } from "../time/timeline";
import { clock, digitsFor, dur, type Ns, type Span } from "../time/time";
import { StateTable } from "./StateTable";
import { Loading, Problem } from "./states";
import { boundsOf } from "./HoverTip";
import { Legend, NAMES_PX, styleNow } from "./TimelineView";

interface Props {
  title: string;
  /** Paths of the answers. */
  rows: string;
  strip: string;
  span: Span;
  /** Of the finding: drawn as a selection. */
  mark: Span | null;
  note: string;
}

export function FixedTimeline(props: Props): VNode {
  const rows = useGet<Rows>(props.rows);
  if (rows.error) return <Problem error={rows.error} />;
  if (!rows.data) return <Loading what="the time line" />;
  return <Drawn {...props} all={rows.data} />;
}

function Drawn({ title, strip, span, mark, note, all }: Props & { all: Rows }): VNode {
  const axis = useRef<HTMLCanvasElement>(null);
  const states = useRef<HTMLCanvasElement>(null);
  const pen = useRef<HTMLCanvasElement>(null);
  const box = useRef<HTMLDivElement>(null);
  const line = useRef<Timeline | null>(null);
  const [table, setTable] = useState(false);
  const shade = useCell(theme);
  const items = useMemo(() => layout(all, "layer", new Set(), ""), [all]);
  const last = items.at(-1);
  const height = last ? last.top + last.height : 0;
  const answer = () => get<StripReply>(strip);

  useLayoutEffect(() => {
    const made = new Timeline(
      { axis: axis.current!, states: states.current!, pen: pen.current! },
      answer,
      { view: new Cell(span), whole: new Cell(span), cursor: new Cell<Ns | null>(null), selection: new Cell(mark) },
      styleNow(),
    );
    line.current = made;
    made.setBounds(boundsOf(current.get()));
    const el = box.current!;
    const apply = () => made.setSize(Math.max(50, el.clientWidth - NAMES_PX), height, 0);
    apply();
    const watch = new ResizeObserver(apply);
    watch.observe(el);
    return () => {
      watch.disconnect();
      made.destroy();
    };
  }, []);
  useEffect(() => {
    line.current?.setStyle(styleNow());
    line.current?.setLines(items, palettes(all.legends, shade === "dark"));
  }, [items, shade]);

  const digits = digitsFor(span.t1 - span.t0);
  const says = `${clock(span.t0, digits)} – ${clock(span.t1, digits)} UTC, ${dur(span.t1 - span.t0)}`;
  return (
    <figure class="timeline fixed">
      <figcaption>
        <b>
          <Txt s={title} />
        </b>
        <span class="faint num">{says}</span>
        <button type="button" class="quiet" aria-pressed={table} onClick={() => setTable(!table)}>
          Table
        </button>
      </figcaption>
      <div class="tl-head">
        <div class="tl-corner" />
        <canvas class="tl-axis" ref={axis} aria-hidden="true" />
      </div>
      <div ref={box} class="tl-inner" style={{ height: height + "px" }}>
        <ul class="tl-names" style={{ width: NAMES_PX + "px" }} aria-label="Rows">
          {items.map((i) => (
            <li
              key={i.key}
              class={i.row ? "tl-name" : "tl-group"}
              style={{ top: i.top + "px", height: i.height + "px", paddingLeft: (i.row ? i.depth * 12 - 2 : 0) + "px" }}
            >
              <span class={i.row ? "row" : "head"} title={plain(i.label)}>
                <Txt s={i.label} />
                {i.row?.host && !i.row.label.includes(i.row.host) ? (
                  <span class="host">
                    <Txt s={i.row.host} />
                  </span>
                ) : null}
              </span>
            </li>
          ))}
        </ul>
        <div class="tl-sticky" style={{ height: height + "px" }}>
          <canvas ref={states} role="img" aria-label={plain(`${title}: states of ${items.length} rows, ${says}`)} />
          <canvas ref={pen} class="tl-pen" aria-hidden="true" />
        </div>
      </div>
      <Legend rows={all} items={items} />
      {note ? (
        <p class="faint small">
          <Txt s={note} />
        </p>
      ) : null}
      {table ? <StateTable rows={items} legends={all.legends} fetch={answer} of={span} /> : null}
    </figure>
  );
}
