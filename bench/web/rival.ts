// SPDX-License-Identifier: Apache-2.0

// @ts-nocheck: its types need an old compiler
import { TimeGraphContainer } from "timeline-chart/lib/time-graph-container";
import { TimeGraphUnitController } from "timeline-chart/lib/time-graph-unit-controller";
import { TimeGraphRowController } from "timeline-chart/lib/time-graph-row-controller";
import { TimeGraphChart } from "timeline-chart/lib/layer/time-graph-chart";
import { ask, walk } from "./frames";
import { LENGTH, ROWS, VALUES } from "./states";

const HEIGHT = 9;
const COLOURS = [0x228833, 0x4477aa, 0x66ccee, 0xccbb44, 0xee8866, 0xbbbbbb, 0xaa3377, 0xee6677];

const units = new TimeGraphUnitController(BigInt(LENGTH), { start: 0n, end: BigInt(LENGTH) });
units.worldRenderFactor = 0.25; // as Trace Compass's viewer has it
const rows = new TimeGraphRowController(HEIGHT, ROWS * HEIGHT);
const container = new TimeGraphContainer(
  { id: "rival", width: 1400, height: ROWS * HEIGHT, backgroundColor: 0xffffff },
  units,
  document.body.appendChild(document.createElement("canvas")),
);
const ids = Array.from({ length: ROWS }, (_x, i) => i);
const chart = new TimeGraphChart(
  "chart",
  {
    rowProvider: () => ({ rowIds: ids }),
    dataProvider: async (range, resolution, _arrows, rowIds) => {
      const t0 = Number(range.start);
      const t1 = Number(range.end);
      const px = Math.max(1, Math.round((t1 - t0) / resolution));
      const reply = await ask(rowIds ?? ids, t0, t1, px);
      const at = (x) => BigInt(Math.round(t0 + ((t1 - t0) * x) / px));
      return {
        range,
        resolution,
        rows: reply.rows.map((r) => ({
          id: Number(r.id),
          name: r.id,
          range: { start: 0n, end: BigInt(LENGTH) },
          annotations: [],
          prevPossibleState: 0n,
          nextPossibleState: BigInt(LENGTH),
          states: r.runs.map(([from, to, value]) => ({
            id: `${r.id} ${from} ${t0}`,
            range: { start: at(from), end: at(to) },
            data: { value },
          })),
        })),
      };
    },
    stateStyleProvider: (s) => ({ color: COLOURS[s.data.value % VALUES], height: HEIGHT - 2 }),
    rowStyleProvider: () => ({ backgroundColor: 0xffffff, backgroundOpacity: 0, lineColor: 0xdddddd, lineThickness: 1 }),
  },
  rows,
);
container.addLayers([chart]);
window.run = () => walk(({ t0, t1 }) => (units.viewRange = { start: BigInt(Math.round(t0)), end: BigInt(Math.round(t1)) }));
