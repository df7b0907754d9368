// SPDX-License-Identifier: Apache-2.0
//
// Hosts: what each carries, and one host's CPUs, disks, interfaces and guests over time.

import type { VNode } from "preact";
import { useState } from "preact/hooks";
import { query, useGet } from "../base/api";
import { useCell } from "../base/cell";
import { current } from "../base/current";
import { Txt, number } from "../base/text";
import { href } from "../base/state";
import type { CpuUse, Experiment, Rows } from "../base/types";
import { dur } from "../time/time";
import { AnyTable, type AnyRow } from "../view/AnyTable";
import { FindingsOf } from "../view/FindingsOf";
import { HeatMap, layerName } from "../view/HeatMap";
import { Empty, Loading, Problem } from "../view/states";
import { Share, Table } from "../view/Table";
import { When, address } from "../view/things";
import { TimelineView } from "../view/TimelineView";
import { Curves } from "./Vms";
import type { Diagnosis } from "../base/types";

interface HostRow {
  host: string;
  vms: number;
  tasks: number;
  vcpus_used: number | null;
  vcpus_total: number | null;
  ram_used_mb: number | null;
  ram_total_mb: number | null;
}

export function HostsPage(): VNode {
  const e = useCell(current) as Experiment;
  const told = useGet<HostRow[]>("list/hosts");
  const found = useGet<Diagnosis>("findings");
  const rows = e.hosts.map((h) => ({ ...h, told: told.data?.find((t) => t.host === h.name) ?? null }));
  type Row = (typeof rows)[0];
  const ratio = (r: Row, used: "vcpus_used" | "ram_used_mb", total: "vcpus_total" | "ram_total_mb") =>
    r.told?.[used] && r.told[total] ? r.told[used] / r.told[total] : null;
  const ratioCell = (v: number | null) => (v === null ? "–" : <Share of={v} tone={v > 1 ? "bad" : ""} />);
  return (
    <>
      <h1>Hosts</h1>
      <div class="two">
        <Table
          caption="Hosts"
          bare
          rows={rows}
          id={(r) => r.name}
          first={100}
          open={(r) => href("host", r.name)}
          columns={[
            { name: "Host", show: (r) => <Txt s={r.name} />, by: (r) => r.name },
            {
              name: "Traced",
              show: (r) => Object.keys(r.layers).map((l) => layerName(l)).join(", "),
              by: (r) => Object.keys(r.layers).length,
            },
            { name: "From", show: (r) => <When at={r.begin_ns} />, by: (r) => r.begin_ns },
            { name: "To", show: (r) => <When at={r.end_ns} />, by: (r) => r.end_ns },
            { name: "Instances", show: (r) => r.told?.vms ?? "–", by: (r) => r.told?.vms, num: true },
            { name: "vCPUs of CPUs", show: (r) => ratioCell(ratio(r, "vcpus_used", "vcpus_total")), by: (r) => ratio(r, "vcpus_used", "vcpus_total"), num: true, title: "reserved for instances, by Nova" },
            { name: "RAM reserved", show: (r) => ratioCell(ratio(r, "ram_used_mb", "ram_total_mb")), by: (r) => ratio(r, "ram_used_mb", "ram_total_mb"), num: true },
            { name: "Clock ±", show: (r) => (r.reference ? "reference" : dur(r.bound_ns?.median ?? null)), by: (r) => r.bound_ns?.median, num: true },
          ]}
        />
        <HeatMap e={e} all={found.data?.findings ?? []} />
      </div>
      {told.error ? <Problem error={told.error} /> : null}
    </>
  );
}

export function HostPage({ id }: { id: string }): VNode {
  const e = useCell(current) as Experiment;
  const [rows, setRows] = useState<Rows | null>(null);
  const cpu = useGet<CpuUse[]>(query("top/cpu", { host: id, by: "owner" }));
  const net = useGet<AnyRow[]>(query("top/net", { host: id }));
  const io = useGet<AnyRow[]>(query("top/io", { host: id }));
  const host = e.hosts.find((h) => h.name === id);
  if (!host)
    return (
      <Empty>
        There is no host <b><Txt s={id} /></b> in these traces. <a href={href("hosts")}>All hosts</a>
      </Empty>
    );
  const kernel = "kernel" in host.layers;
  return (
    <>
      <h1>
        <span class="kind">host</span> <Txt s={id} />
      </h1>
      <p class="faint">
        {Object.entries(host.layers).map(([l, i]) => `${layerName(l)}${i.events ? `: ${number(i.events)} events` : ""}`).join(" · ")}
        {host.reference ? " · its clock is the reference" : host.bound_ns ? ` · clock ± ${dur(host.bound_ns.median)}` : " · its clock is not bounded"}
      </p>
      <FindingsOf kind="host" name={id} />
      {kernel ? null : (
        <Empty>
          Its kernel was not traced: who had its CPUs and disks is not known.{" "}
          <code>lttng enable-event -k &apos;sched_*&apos;,&apos;block_*&apos;,&apos;kvm_*&apos;</code>
        </Empty>
      )}
      <TimelineView scope={"host:" + id} by="kind" arrows onRows={setRows} />
      <Curves rows={(rows?.rows ?? []).filter((r) => r.type === "curve")} />
      {cpu.error ? <Problem error={cpu.error} /> : null}
      {!cpu.data && !cpu.error ? <Loading what="who used its CPUs" /> : null}
      {cpu.data?.length ? <Users all={cpu.data} /> : null}
      <div class="two even">
        {io.data?.length ? <AnyTable rows={io.data} caption="Disks" first={10} most={9} /> : null}
        {net.data?.length ? <AnyTable rows={net.data} caption="Interfaces" first={10} most={9} /> : null}
      </div>
    </>
  );
}

function Users({ all }: { all: CpuUse[] }): VNode {
  const rows = all.filter((c) => c.kind !== "thread" && c.kind !== "process");
  return (
    <Table
      caption="Who used its CPUs, and who waited for them"
      rows={rows.length ? rows : all}
      id={(c) => `${c.kind} ${c.name} ${c.pid} ${c.tid}`}
      sort="Ran"
      first={12}
      columns={[
        {
          name: "Who",
          show: (c) => {
            const to = address(c.kind, c.name);
            return to ? <a href={to}><Txt s={c.name} /></a> : <Txt s={c.name} />;
          },
          by: (c) => c.name,
        },
        { name: "Kind", show: (c) => (c.kind === "vm" ? "instance" : c.kind), by: (c) => c.kind },
        { name: "Ran", show: (c) => dur(c.run_ns), by: (c) => c.run_ns, num: true },
        { name: "CPUs", show: (c) => c.usage.toFixed(2), by: (c) => c.usage, num: true, title: "on average" },
        { name: "Waited", show: (c) => dur(c.wait_ns), by: (c) => c.wait_ns, num: true },
        {
          name: "Waited of wanted",
          show: (c) => <Share of={c.wait_ns / Math.max(1, c.wait_ns + c.run_ns)} tone="bad" />,
          by: (c) => c.wait_ns / Math.max(1, c.wait_ns + c.run_ns),
          num: true,
        },
        { name: "Pre-empted", show: (c) => dur(c.preempted_ns), by: (c) => c.preempted_ns, num: true },
      ]}
    />
  );
}
