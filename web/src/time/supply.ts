// SPDX-License-Identifier: Apache-2.0
//
// Fetches sums of rows as they are needed: one question at a time, for what is seen now,
// so that a slow server is never asked for what has been passed over.

import type { StripReply } from "../base/types";
import { around, enough, Sum, type RowSums } from "./strips";
import type { Span } from "./time";

export type StripSource = (ids: string[], span: Span, px: number, signal: AbortSignal) => Promise<StripReply>;

const AT_ONCE = 100;
const KEPT_ROWS = 3000;

export interface Wanted {
  ids: string[];
  win: Span;
  width: number;
  all: Span;
}

export class Supply {
  private readonly sums = new Map<string, RowSums>();
  private readonly asked = new Map<string, string>();
  private wanted: Wanted | null = null;
  private out: AbortController | null = null;
  /** Why nothing comes; null while all is well. */
  error: unknown = null;

  constructor(
    private readonly source: StripSource,
    private readonly changed: () => void,
  ) {}

  of(id: string): RowSums {
    let sums = this.sums.get(id);
    if (!sums) {
      sums = { coarse: null, fine: null };
      this.sums.set(id, sums);
      if (this.sums.size > KEPT_ROWS) this.sums.delete(this.sums.keys().next().value as string);
    }
    return sums;
  }

  get busy(): boolean {
    return this.out !== null;
  }

  /** Says what is seen; what is missing will be asked for. */
  want(wanted: Wanted): void {
    this.wanted = wanted;
    if (!this.out && !this.error) void this.next();
  }

  /** Tries again after an error, or asks anew for everything: the server may have changed. */
  reset(): void {
    this.out?.abort();
    this.out = null;
    this.error = null;
    this.sums.clear();
    this.asked.clear();
    void this.next();
  }

  stop(): void {
    this.wanted = null;
    this.out?.abort();
  }

  private async next(): Promise<void> {
    const todo = this.wanted && this.missing(this.wanted);
    if (!todo) return;
    const out = new AbortController();
    this.out = out;
    try {
      const reply = await this.source(todo.ids, todo.span, todo.px, out.signal);
      if (out.signal.aborted) return;
      const span = { t0: reply.t0, t1: reply.t1 };
      const seen = new Set<string>();
      for (const row of reply.rows) {
        this.of(row.id)[todo.level] = new Sum(span, reply.px, row.runs, row.labels);
        seen.add(row.id);
      }
      // A row that is not answered has nothing, and is not asked for again.
      for (const id of todo.ids) if (!seen.has(id)) this.of(id)[todo.level] = new Sum(span, reply.px, []);
      this.out = null;
    } catch (e) {
      if (out.signal.aborted) return;
      this.out = null;
      this.error = e;
      this.changed();
      return;
    }
    this.changed();
    void this.next();
  }

  private missing(w: Wanted): { ids: string[]; span: Span; px: number; level: keyof RowSums } | null {
    const bare = w.ids.filter((id) => !this.of(id).coarse);
    if (bare.length) {
      const px = Math.max(1, Math.min(w.width, w.all.t1 - w.all.t0));
      const ids = bare.slice(0, AT_ONCE);
      for (const id of ids) this.asked.set(id, `${w.all.t0} ${w.all.t1} ${px}`);
      return { ids, span: w.all, px, level: "coarse" };
    }
    const { span, px } = around(w.win, w.width, w.all);
    // What was asked once is not asked again, however the answer was rounded.
    const question = `${span.t0} ${span.t1} ${px}`;
    const poor = w.ids.filter((id) => {
      const { coarse, fine } = this.of(id);
      const good = enough(coarse, w.win, w.width, w.all) || enough(fine, w.win, w.width, w.all);
      return !good && this.asked.get(id) !== question;
    });
    if (!poor.length) return null;
    const ids = poor.slice(0, AT_ONCE);
    for (const id of ids) this.asked.set(id, question);
    return { ids, span, px, level: "fine" };
  }
}
