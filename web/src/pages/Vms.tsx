// SPDX-License-Identifier: Apache-2.0
//
// Instances: the list, and one instance in its three layers on one axis.

import type { VNode } from "preact";
import { useEffect, useState } from "preact/hooks";
import { absWindow, get, part, query, useGet } from "../base/api";
import { useCell } from "../base/cell";
import { Txt, number } from "../base/text";
import { href, selection, view } from "../base/state";
import type { CpuUse, Missing, Preempt, RowInfo, Rows, Vm, VmShow } from "../base/types";
import { clock, dur, rel } from "../time/time";
import { RowCurve } from "../view/Curve";
import { FindingsOf } from "../view/FindingsOf";
import { Empty, Loading, Problem } from "../view/states";
import { Share, Table } from "../view/Table";
import { Outcome, When, address, names } from "../view/things";
import { TimelineView } from "../view/TimelineView";

export function VmsPage(): VNode {
  const vms = useGet<Vm[]>("list/vms");
  const cpu = useGet<CpuUse[]>(query("top/cpu", { by: "owner" }));
  if (vms.error) return <Problem error={vms.error} />;
  if (!vms.data) return <Loading what="instances" />;
  // An instance of which only the kernel tells is in the measures, not in the list.
  const known = new Set(vms.data.map((v) => v.vm));
  const usage = new Map<string, CpuUse>();
  for (const c of cpu.data ?? []) if (c.kind === "vm") usage.set(c.name, c);
  const others = [...usage.values()].filter((c) => !known.has(c.name));
  if (!vms.data.length && !others.length)
    return (
      <Empty>
        <b>No instance is named in these traces.</b> Names come from logs of Nova or from processes of QEMU in the kernel&rsquo;s
        trace; <a href={href("health")}>Trace health</a> says what was recorded.
      </Empty>
    );
  return (
    <>
      <h1>Instances</h1>
      {vms.data.length ? (
        <Table
          caption="Instances that OpenStack tells of"
          bare
          rows={vms.data}
          id={(v) => (v.uuid ?? "") + v.vm}
          first={50}
          open={(v) => href("vm", v.vm)}
          columns={[
            { name: "Instance", show: (v) => <Txt s={v.vm} cut={40} />, by: (v) => v.vm },
            { name: "State", show: (v) => <Outcome of={v.state} />, by: (v) => v.state },
            { name: "Hosts", show: (v) => <Txt s={names(v.hosts)} cut={40} />, by: (v) => names(v.hosts) },
            { name: "UUID", show: (v) => <Txt s={v.uuid ?? "–"} cut={18} />, by: (v) => v.uuid },
            { name: "Since", show: (v) => <When at={v.start_ns} />, by: (v) => v.start_ns },
            {
              name: "CPU wait",
              num: true,
              show: (v) => dur(usage.get(v.vm)?.wait_ns ?? null),
              by: (v) => usage.get(v.vm)?.wait_ns,
              title: "time in which its threads wanted a CPU and had none",
            },
            { name: "Tasks", show: (v) => number(v.tasks), by: (v) => v.tasks, num: true },
            { name: "Doubts", show: (v) => <Txt s={v.doubt ?? (v.violations ? `${v.violations} impossible steps` : "")} cut={40} /> },
          ]}
        />
      ) : null}
      {others.length ? (
        <Table
          caption={vms.data.length ? "Instances that only the kernel tells of" : "Instances, known by their processes of QEMU"}
          rows={others}
          id={(c) => c.name + c.host + c.pid}
          open={(c) => href("vm", c.name)}
          sort="Waited"
          columns={[
            { name: "Instance", show: (c) => <Txt s={c.name} />, by: (c) => c.name },
            { name: "Host", show: (c) => <Txt s={c.host} />, by: (c) => c.host },
            { name: "Ran", show: (c) => dur(c.run_ns), by: (c) => c.run_ns, num: true },
            { name: "Waited", show: (c) => dur(c.wait_ns), by: (c) => c.wait_ns, num: true },
            {
              name: "Waited of wanted",
              show: (c) => <Share of={c.wait_ns / Math.max(1, c.wait_ns + c.run_ns)} tone="bad" />,
              by: (c) => c.wait_ns / Math.max(1, c.wait_ns + c.run_ns),
              num: true,
            },
            { name: "Threads", show: (c) => c.threads, by: (c) => c.threads, num: true },
          ]}
        />
      ) : null}
    </>
  );
}

export function VmPage({ id }: { id: string }): VNode {
  const show = useGet<VmShow>("show/vm/" + part(id));
  const [rows, setRows] = useState<Rows | null>(null);
  const curves = (rows?.rows ?? []).filter((r) => r.type === "curve");
  if (show.error) return <Problem error={show.error} />;
  const data = show.data;
  return (
    <>
      <h1>
        <span class="kind">instance</span> <Txt s={id} />
      </h1>
      {data ? <Card show={data} /> : <Loading what="what it is" />}
      <FindingsOf kind="vm" name={id} />
      <TimelineView scope={"vm:" + id} by="layer" arrows onRows={setRows} />
      <PreemptIn vm={id} />
      <Curves rows={curves} />
      {data ? <Rest show={data} /> : null}
    </>
  );
}

const MOST_CURVES = 3;

/** Numbers of a scope on the same axis; some at once, others by name. */
export function Curves({ rows }: { rows: RowInfo[] }): VNode | null {
  const [chosen, setChosen] = useState<string[] | null>(null);
  if (!rows.length) return null;
  const on = chosen ?? rows.slice(0, MOST_CURVES).map((r) => r.id);
  const more = rows.filter((r) => !on.includes(r.id));
  return (
    <section class="curves" aria-label="Curves">
      {on.map((id) => {
        const row = rows.find((r) => r.id === id);
        return row ? <RowCurve key={id} row={row} /> : null;
      })}
      {more.length ? (
        <label class="field">
          Add a curve{" "}
          <select
            value=""
            onChange={(e) => {
              const id = (e.currentTarget as HTMLSelectElement).value;
              if (id) setChosen([...on, id]);
            }}
          >
            <option value="">choose…</option>
            {more.slice(0, 200).map((r) => (
              <option key={r.id} value={r.id}>
                {r.host ? `${r.label} (${r.host})` : r.label}
              </option>
            ))}
          </select>
        </label>
      ) : null}
    </section>
  );
}

const SHORT = /^(uuid|libvirt|project_name|user_name|flavor|host|tap|doubt)$/;

/** Its names in the three layers; each with what says so, on demand. */
function Card({ show }: { show: VmShow }): VNode {
  // Two hosts that say the same are two proofs of one name.
  const names = new Map<string, { what: string; value: string; evidence: string[] }>();
  for (const i of show.identity) {
    const key = i.what + "\n" + i.value;
    const known = names.get(key) ?? { what: i.what, value: i.value, evidence: [] };
    if (i.evidence) known.evidence.push(i.evidence);
    names.set(key, known);
  }
  const all = [...names.values()];
  return (
    <details class="identity">
      <summary>
        {all
          .filter((i) => SHORT.test(i.what))
          .map((i, k) => (
            <span key={k}>
              <span class="kind">
                <Txt s={i.what.replace("_name", "")} />
              </span>{" "}
              <Txt s={i.value} cut={60} />
            </span>
          ))}
        <span class="faint">all names, and what says so</span>
      </summary>
      <dl class="card">
        {all.map((i, k) => (
          <div key={k}>
            <dt>
              <Txt s={i.what} />
            </dt>
            <dd>
              <Txt s={i.value} cut={60} />
              <span class="by">
                <Txt s={i.evidence.join("; ")} cut={90} />
              </span>
            </dd>
          </div>
        ))}
      </dl>
    </details>
  );
}

const REST_MS = 350;

/** Who had the CPU, within the selection or the window. */
function PreemptIn({ vm }: { vm: string }): VNode | null {
  const win = useCell(view);
  const chosen = useCell(selection);
  const span = chosen ?? win;
  const [rows, setRows] = useState<Preempt[] | null>(null);
  const [error, setError] = useState<unknown>(null);
  useEffect(() => {
    let wanted = true;
    const timer = window.setTimeout(() => {
      get<Preempt[]>(query("top/wait", { vm, ...absWindow(span.t0, span.t1) })).then(
        (r) => wanted && (setRows(r), setError(null)),
        (e: unknown) => wanted && setError(e),
      );
    }, REST_MS);
    return () => {
      wanted = false;
      clearTimeout(timer);
    };
  }, [vm, span.t0, span.t1]);
  if (error) return <Problem error={error} />;
  if (!rows) return <Loading what="who had its CPUs" />;
  const own = rows.filter((r) => r.victim === vm);
  const total = own.reduce((sum, r) => sum + r.total_ns, 0);
  if (!own.length)
    return (
      <Empty>
        It did not wait for a CPU between {clock(span.t0)} and {clock(span.t1)}, or its host&rsquo;s kernel was not traced.
      </Empty>
    );
  return (
    <Table
      caption={`Who had the CPU while ${vm} waited for it, ${clock(span.t0)} to ${clock(span.t1)}: ${dur(total)} in all`}
      rows={own}
      id={(r) => r.culprit + r.host}
      sort="Waited"
      first={10}
      columns={[
        {
          name: "Who",
          show: (r) => {
            const to = address("vm", r.culprit);
            return to && /^vm|^instance/.test(r.culprit) ? (
              <a href={to}>
                <Txt s={r.culprit} />
              </a>
            ) : (
              <Txt s={r.culprit} />
            );
          },
          by: (r) => r.culprit,
        },
        { name: "Host", show: (r) => <Txt s={r.host} />, by: (r) => r.host },
        { name: "Of its waiting", show: (r) => <Share of={r.total_ns / Math.max(1, total)} tone="bad" />, by: (r) => r.total_ns, num: true },
        { name: "Waited", show: (r) => dur(r.total_ns), by: (r) => r.total_ns, num: true },
        { name: "Times", show: (r) => number(r.count), by: (r) => r.count, num: true },
        { name: "Median", show: (r) => dur(r.p50_ns), by: (r) => r.p50_ns, num: true },
        { name: "p99", show: (r) => dur(r.p99_ns), by: (r) => r.p99_ns, num: true },
        {
          name: "Longest",
          num: true,
          by: (r) => r.longest_ns,
          show: (r) => {
            const t = rel(r.longest_at_ns);
            return (
              <a href={href("vm", vm, {}, { t0: t - r.longest_ns, t1: t + 2 * r.longest_ns })}>{dur(r.longest_ns)}</a>
            );
          },
        },
      ]}
    />
  );
}

function Rest({ show }: { show: VmShow }): VNode {
  return (
    <div class="two even">
      {show.cpu?.length ? (
        <Table
          caption="Its threads"
          rows={show.cpu}
          id={(c) => `${c.host} ${c.pid} ${c.tid}`}
          sort="Waited"
          first={8}
          columns={[
            { name: "Thread", show: (c) => <Txt s={c.name} />, by: (c) => c.name },
            { name: "Host", show: (c) => <Txt s={c.host} />, by: (c) => c.host },
            { name: "Ran", show: (c) => dur(c.run_ns), by: (c) => c.run_ns, num: true },
            { name: "In the guest", show: (c) => dur(c.guest_ns), by: (c) => c.guest_ns, num: true },
            { name: "Waited", show: (c) => dur(c.wait_ns), by: (c) => c.wait_ns, num: true },
          ]}
        />
      ) : null}
      {show.exits?.length ? (
        <Table
          caption="Why its vCPUs left the guest"
          rows={show.exits}
          id={(x) => `${x.host} ${x.vcpu} ${x.reason}`}
          sort="Time"
          first={8}
          columns={[
            { name: "Reason", show: (x) => <Txt s={x.reason} />, by: (x) => x.reason },
            { name: "vCPU", show: (x) => x.vcpu ?? "–", by: (x) => x.vcpu, num: true },
            { name: "Host", show: (x) => <Txt s={x.host} />, by: (x) => x.host },
            { name: "Times", show: (x) => number(x.count), by: (x) => x.count, num: true },
            { name: "Time", show: (x) => dur(x.total_ns), by: (x) => x.total_ns, num: true },
            { name: "p99", show: (x) => dur(x.p99_ns), by: (x) => x.p99_ns, num: true },
          ]}
        />
      ) : null}
      {show.missing?.length ? <NotSeen missing={show.missing} /> : null}
    </div>
  );
}

/** What was not recorded, and so can't be shown. */
export function NotSeen({ missing }: { missing: Missing[] }): VNode {
  return (
    <section class="panel">
      <h2>Not recorded</h2>
      <ul class="blind">
        {missing.map((m, i) => (
          <li key={i}>
            <Txt s={names(m.hosts)} />: <Txt s={m.missing} />
          </li>
        ))}
      </ul>
    </section>
  );
}

