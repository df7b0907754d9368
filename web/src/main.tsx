// SPDX-License-Identifier: Apache-2.0

import { render, type VNode } from "preact";
import { useEffect, useState } from "preact/hooks";
import "uplot/dist/uPlot.min.css";
import "./app.css";
import { ApiError, ask, generation, get, watchServer } from "./base/api";
import { useCell } from "./base/cell";
import { current } from "./base/current";
import { number, Txt } from "./base/text";
import { route, startRoute, startTheme, whole } from "./base/state";
import type { Experiment } from "./base/types";
import { CostsPage } from "./pages/Costs";
import { EventsPage } from "./pages/Events";
import { HealthPage } from "./pages/Health";
import { HostPage, HostsPage } from "./pages/Hosts";
import { MigrationPage, MigrationsPage } from "./pages/Migrations";
import { OverviewPage } from "./pages/Overview";
import { RequestPage, RequestsPage } from "./pages/Requests";
import { VmPage, VmsPage } from "./pages/Vms";
import { Empty, Problem } from "./view/states";
import { setOrigin } from "./time/time";
import { isOffline } from "./base/offline";
import { ReportPage, startReport } from "./pages/Report";
import { startKeys } from "./view/keys";
import { Shell } from "./view/Shell";

interface Progress {
  stage: string;
  host?: string;
  done: number;
  total: number;
  state?: string;
  error?: string;
}

function Page(): VNode {
  const { page, id } = useCell(route);
  switch (page) {
    case "overview":
      return <OverviewPage />;
    case "vms":
      return <VmsPage />;
    case "vm":
      return <VmPage key={id} id={id} />;
    case "requests":
      return <RequestsPage />;
    case "request":
      return <RequestPage key={id} id={id} />;
    case "migrations":
      return <MigrationsPage />;
    case "migration":
      return <MigrationPage key={id} id={id} />;
    case "hosts":
      return <HostsPage />;
    case "host":
      return <HostPage key={id} id={id} />;
    case "costs":
      return <CostsPage measure={id} />;
    case "events":
      return <EventsPage />;
    case "health":
      return <HealthPage />;
    default:
      return (
        <Empty>
          There is no page <Txt s={page} />. <a href="#/overview">Overview</a>
        </Empty>
      );
  }
}

/** While the server reads traces: how far it is; it may be told to stop. */
function Waiting({ ready }: { ready: () => void }): VNode {
  const [p, setP] = useState<Progress | null>(null);
  const [cancelled, setCancelled] = useState(false);
  useEffect(() => {
    const source = new EventSource("api/v1/progress");
    const told = (e: MessageEvent<string>) => setP(JSON.parse(e.data) as Progress);
    source.onmessage = told;
    source.addEventListener("progress", told);
    // The server ends it when it is ready; a browser would ask for it again and again.
    source.onerror = () => source.close();
    const timer = window.setInterval(ready, 1000);
    return () => {
      source.close();
      clearInterval(timer);
    };
  }, []);
  const share = p && p.total > 0 ? Math.min(1, p.done / p.total) : null;
  return (
    <main class="waiting">
      <h1>Reading traces</h1>
      <p>
        Every event is read once; the pages answer from what is kept of them. <Txt s={p?.stage} /> <Txt s={p?.host} />
      </p>
      <progress {...(share === null ? {} : { value: share })} max={1} aria-label="Progress" />
      <p class="num">{p && p.total > 0 ? `${number(p.done)} of ${number(p.total)}` : " "}</p>
      <button
        type="button"
        disabled={cancelled}
        onClick={() => (setCancelled(true), void ask("cancel", { method: "POST" }).catch(() => undefined))}
      >
        {cancelled ? "Stopping…" : "Stop"}
      </button>
    </main>
  );
}

function adopt(e: Experiment, first: boolean): void {
  setOrigin(BigInt(e.t0));
  whole.set({ t0: 0, t1: Math.max(1, e.length_ns) });
  current.set(e);
  if (first) startRoute();
}

function App(): VNode {
  const e = useCell(current);
  const [error, setError] = useState<ApiError | null>(null);
  const turn = useCell(generation);
  const load = () =>
    void get<Experiment>("experiment").then(
      (made) => {
        const before = current.get();
        // Another experiment behind the same address: what is shown is not true any more.
        if (before && (before.t0 !== made.t0 || before.length_ns !== made.length_ns)) location.reload();
        else adopt(made, !before);
        setError(null);
      },
      (x: unknown) => setError(x as ApiError),
    );
  useEffect(load, [turn]);
  useEffect(() => {
    document.title = e ? `Nephoscope – ${(e.command ?? []).map((p) => p.split("/").at(-1)).join(", ")}` : "Nephoscope";
  }, [e]);
  if (e)
    return (
      <Shell experiment={e}>
        <Page />
      </Shell>
    );
  if (error?.status === 503) return <Waiting ready={load} />;
  if (error)
    return (
      <main class="waiting">
        <Problem error={error} retry={load} />
      </main>
    );
  return (
    <main class="waiting">
      <p role="status">Loading…</p>
    </main>
  );
}

startTheme();
if (isOffline()) {
  startReport();
  render(<ReportPage />, document.getElementById("app") as HTMLElement);
} else {
  startKeys();
  watchServer(() => undefined);
  render(<App />, document.getElementById("app") as HTMLElement);
}
