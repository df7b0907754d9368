// SPDX-License-Identifier: Apache-2.0
//
// Answers of the server, as far as the pages use them.  `At` is an instant in ns since
// 1970: a BigInt where a double can't hold it; rel() makes it usable.

export type At = number | bigint;
export type Severity = "critical" | "warning" | "info";

export interface LayerInfo {
  events?: number;
}
export interface Host {
  name: string;
  begin_ns: At;
  end_ns: At;
  states?: number;
  records?: number;
  bad_blocks?: number;
  reference?: boolean;
  layers: Record<string, LayerInfo>;
  quality?: string | null;
  bound_ns?: { min: number; median: number; max: number } | null;
}
export interface Note {
  level?: string;
  where?: string | null;
  text: string;
  count?: number;
}
export interface Experiment {
  version: string;
  t0: string;
  length_ns: number;
  hosts: Host[];
  lists: string[];
  measures: string[];
  kinds: string[];
  notes: Note[];
  command?: string[];
}

export interface Thing {
  kind: string;
  name: string;
}
export interface Evidence {
  what: string;
  value: number | string | bigint | null;
  unit: string;
  where: string;
}
export interface Finding {
  rank: number;
  rule: string;
  severity: Severity;
  layer: string;
  title: string;
  subjects: Thing[];
  culprits: Thing[];
  hosts: string[];
  t0_ns: At | null;
  t1_ns: At | null;
  cost_ns: number | null;
  evidence: Evidence[];
  causes: number[];
  remedy: string | null;
  unknown: string[];
}
export interface Diagnosis {
  findings: Finding[];
  blind_spots: string[];
}

export type RowLayer = "application" | "virtualisation" | "kernel";
export interface RowInfo {
  id: string;
  parent: string | null;
  label: string;
  kind: string;
  host: string | null;
  layer: RowLayer | null;
  type: "state" | "curve" | "heading";
  unit?: string | null;
  legend?: string | null;
  tid?: number;
}
export interface LegendEntry {
  label: string;
  colour: string;
  colour_dark?: string;
  bad: boolean;
}
export interface Rows {
  /** There are more rows than were sent. */
  cut?: boolean;
  rows: RowInfo[];
  legends: Record<string, LegendEntry[]>;
}
export interface StripReply {
  t0: number;
  t1: number;
  px: number;
  rows: { id: string; runs: number[][]; labels?: string[]; missing?: boolean }[];
}
export interface CurveReply {
  t0: number;
  t1: number;
  px: number;
  rows: { id: string; unit?: string | null; min: (number | null)[]; max: (number | null)[] }[];
}
export interface Exact {
  t0: number;
  t1: number;
  value: number | string | null;
  label: string | null;
  bad?: boolean;
  open?: boolean;
  evidence?: string[] | null;
  events?: string | null;
}
/** An answer to what is at an instant; without t0: nothing is. */
export type Maybe<T> = T | { t0: null };

export interface Arrows {
  cut: boolean;
  arrows: Arrow[];
}
export interface Arrow {
  from: string;
  to: string;
  t_from: number;
  t_to: number;
  /** Of its latency; null: the clocks are not bounded. */
  bound_ns: number | null;
  /** Whether the clocks alone tell which end was first. */
  order_known: boolean;
  kind: string;
  /** Which call; may be empty. */
  label: string;
}

export interface Vm {
  vm: string;
  uuid: string | null;
  libvirt_name: string | null;
  state: string | null;
  hosts: string[];
  project: string | null;
  project_name: string | null;
  user_name: string | null;
  flavor: string | null;
  taps: string[];
  macs: string[];
  disks: string[];
  volumes: string[];
  start_ns: At;
  end_ns: At | null;
  tasks: number;
  violations: number;
  doubt: string | null;
  states: { state: string; start_ns: At; end_ns: At | null }[];
}
export interface Identity {
  what: string;
  value: string;
  evidence: string | null;
}
export interface Preempt {
  victim: string;
  culprit: string;
  host: string;
  count: number;
  total_ns: number;
  p50_ns: number | null;
  p99_ns: number | null;
  longest_ns: number;
  longest_at_ns: At;
}
export interface CpuUse {
  name: string;
  kind: string;
  host: string;
  pid: number | null;
  tid: number | null;
  run_ns: number;
  usage: number;
  wait_ns: number;
  preempted_ns: number;
  blocked_ns: number;
  guest_ns: number;
  hypervisor_ns: number;
  threads: number;
}
export interface Missing {
  hosts: string[];
  measures: string[];
  missing: string;
}
export interface VmShow {
  identity: Identity[];
  cpu?: CpuUse[];
  exits?: { vcpu: number | null; host: string; reason: string; count: number; total_ns: number; p99_ns: number | null; max_ns: number }[];
  preempt?: Preempt[];
  wait?: Preempt[];
  overhead?: { part: string; host: string; threads: number; run_ns: number; share: number; wait_ns: number }[];
  io?: Record<string, unknown>[];
  interfaces?: Record<string, unknown>[];
  missing?: Missing[];
}

export interface Request {
  request_id: string;
  outcome: string;
  action: string | null;
  entity: string | null;
  services: string[];
  hosts: string[];
  start_ns: At;
  end_ns: At | null;
  duration_ns: number | null;
  tasks: number;
  errors: number;
  warnings: number;
  first_error: string | null;
  parent: string | null;
}
export interface TaskPart {
  kind: string;
  name: string;
  start_ns: At;
  duration_ns: number;
  wait: boolean;
}
export interface Task {
  host: string;
  service: string;
  task: string;
  entity: string | null;
  request_id: string | null;
  status: string;
  start_ns: At;
  end_ns: At | null;
  duration_ns: number | null;
  longest_part: string | null;
  depth: number | null;
  error: string | null;
  parts: TaskPart[];
}
export interface Flow {
  start_ns: At;
  offset_ns: number;
  host: string;
  service: string;
  what: string;
  name: string;
  duration_ns: number | null;
  status: string | null;
  order: string | null;
}
export interface Gap {
  from: string;
  to: string;
  start_ns: At;
  gap_ns: number;
  hosts_differ: boolean;
  bound_ns: number | null;
  order: string | null;
}
export interface RequestShow {
  requests: Request[];
  tasks: Task[];
  problems: Record<string, unknown>[];
  gaps: Gap[];
  children: Request[];
  flow: Flow[];
}

export interface Prediction {
  ends: boolean | null;
  after_round: number | null;
  after_ns: number | null;
  dirty_rate: number | null;
  bandwidth: number | null;
  needed?: { bandwidth: number | null; downtime_ns: number | null; throttle: number | null } | null;
}
export interface Stage {
  name: string;
  layer: string;
  host: string | null;
  start_ns: At;
  end_ns: At | null;
  status: string | null;
  evidence: string | null;
}
export interface Round {
  n: number;
  start_ns: At;
  end_ns: At | null;
  dirty_pages: number | null;
  dirtied_pages: number | null;
  sent_bytes: number | null;
  dirty_rate: number | null;
  transfer_rate: number | null;
  throttle: number | null;
  stopped: boolean;
  prediction?: Prediction | null;
}
export interface Disturber {
  name: string;
  kind: string;
  wait_ns: number;
  thread_ns: number;
  share: number;
}
export interface Downtime {
  source: string;
  start_ns: At | null;
  end_ns: At | null;
  duration_ns: number | null;
  bound_ns: number | null;
  counts: string | null;
}
export interface Migration {
  id: string;
  vm: string | null;
  source: string | null;
  destination: string | null;
  kind: string | null;
  outcome: string | null;
  start_ns: At;
  end_ns: At | null;
  total_ns: number | null;
  downtime_ns: number | null;
  downtime_bound_ns: number | null;
  round_count: number;
  ends: string | null;
  first_disturber: string | null;
  cpu_wait_ns: number | null;
  cpu_run_ns: number | null;
  request_id: string | null;
  error: string | null;
  stages: Stage[];
  rounds: Round[];
  prediction: Prediction | null;
  disturbed_by: Disturber[];
  shared: Record<string, unknown>[];
  downtimes: Downtime[];
  qemu: {
    bandwidth_cap: number | null;
    downtime_limit_ms: number | null;
    page_bytes: number | null;
    memory_bytes: number | null;
    auto_converge: boolean | null;
  } | null;
  unknown: string[];
}
export interface MigrationShow {
  migration: Migration[];
  downtime_parts?: { name: string; host: string | null; start_ns: At; took_ns: number; evidence: string | null }[];
  slows?: { name: string; wait_ns: number; share: number }[];
}

export interface RawEvent {
  t_ns: At;
  host: string;
  cpu: number | null;
  name: string;
  fields: Record<string, unknown>;
  context: Record<string, unknown> | null;
}
export interface EventsPageReply {
  events: RawEvent[];
  before?: string | null;
  after?: string | null;
  more: boolean;
  looked: number;
}
export interface Found {
  kind: string;
  id: string;
  label: string;
  scope?: string;
  host?: string;
}

/** Two migrations: a is the first. */
export interface Difference {
  what: string;
  a_ns?: number | null;
  b_ns?: number | null;
  a?: number | null;
  b?: number | null;
  unit?: string | null;
  ratio: number | null;
  bound_ns?: number | null;
  remark: string | null;
}
export interface Comparison {
  times: Difference[];
  waits: Difference[];
  amounts: Difference[];
}

/** How well clocks are known against each other. */
export interface Sync {
  reference: string | null;
  pairs: {
    a: string;
    b: string;
    matched: number;
    used: number;
    rejected: number;
    quality: string;
    slope_ppm: number | null;
    bound_ns: { min: number; median: number; max: number } | null;
  }[];
  suggestions: { host: string; advice: string }[];
}

/** What the traces themselves tell of their losses: neph doctor. */
export interface TraceCounts {
  events: number;
  discarded_events: number;
  lost_packets: number;
  bad_packets: number;
  backwards_events: number;
  first_ns: At | null;
  last_ns: At | null;
}
export interface TraceHealth extends TraceCounts {
  path: string;
  domain: string;
}
export interface Loss {
  host: string;
  stream: string;
  cpu: number | null;
  from_ns: At | null;
  to_ns: At | null;
  events: number;
  packets: number;
}
export interface Doctor {
  traces_found: number;
  traces_unreadable: number;
  hosts: ({ host: string; traces: TraceHealth[] } & TraceCounts)[];
  losses: Loss[];
  losses_unlisted: number;
  notes: Note[];
}
