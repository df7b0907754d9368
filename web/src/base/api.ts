// SPDX-License-Identifier: Apache-2.0
//
// What the server is asked.  Integers that a double can't hold become BigInt: the
// parser tells us how a number was written, or, in older browsers, they are quoted first.  Answers are kept, since histories don't
// change while the server runs; a server that was gone is asked for all of it again.

import { useEffect, useState } from "preact/hooks";
import { Cell, useCell } from "./cell";
import { answerOf, isOffline } from "./offline";
import { abs, type Ns } from "../time/time";

const BASE = "api/v1/";
const KEPT = 300;
const TIMEOUT_MS = 60000;

/** A refusal of the server, or its silence (status 0). */
export class ApiError extends Error {
  constructor(
    readonly title: string,
    readonly detail: string,
    readonly status: number,
  ) {
    super(title);
  }
}

/** Whether the server answers; false while it is gone. */
export const online = new Cell(true);
/** Counts how often the server came back; what was asked before is asked again. */
export const generation = new Cell(0);

const early = new Set<string>();
const kept = new Map<string, Promise<unknown>>();

type Reviver = (this: unknown, key: string, value: unknown, context?: { source?: string }) => unknown;

// Where the source is told.
const exact: Reviver = (_key, value, context) => {
  if (typeof value !== "number" || Number.isSafeInteger(value) || !Number.isInteger(value)) return value;
  const source = context?.source;
  return source && /^-?\d+$/.test(source) ? BigInt(source) : value;
};

/** Whether the parser of this browser gives the source of a number. */
const tells = ((): boolean => {
  let told = false;
  const look: Reviver = (_key, value, context) => ((told = context?.source === "1"), value);
  JSON.parse("1", look as (key: string, value: unknown) => unknown);
  return told;
})();

const QUOTED = "\u0001";
const LONG = /"(?:[^"\\]|\\.)*"|-?\d{16,}(?![\d.eE])/g;

export function parse(text: string): unknown {
  if (tells) return JSON.parse(text, exact as (key: string, value: unknown) => unknown);
  const quoted = text.replace(LONG, (m) => (m.startsWith('"') ? m : `"\\u0001${m}"`));
  return JSON.parse(quoted, (_key, value: unknown) => {
    if (typeof value !== "string" || !value.startsWith(QUOTED) || !/^-?\d{16,}$/.test(value.slice(1))) return value;
    const n = BigInt(value.slice(1));
    const near = Number(n);
    return Number.isSafeInteger(near) ? near : n;
  });
}

async function refusal(reply: Response): Promise<ApiError> {
  try {
    const said = (await reply.json()) as { title?: string; detail?: string };
    return new ApiError(said.title ?? reply.statusText, said.detail ?? "", reply.status);
  } catch {
    return new ApiError(`The server answered ${reply.status}`, reply.statusText, reply.status);
  }
}

/** Asks once; 'path' is below the API's base. */
export async function ask(path: string, init: RequestInit = {}): Promise<string> {
  if (isOffline()) {
    const answer = answerOf(path);
    if (answer === null) throw new ApiError("This is not in the report", "It holds what the findings need.", 404);
    return answer;
  }
  let reply: Response;
  const own = AbortSignal.timeout(TIMEOUT_MS);
  const signal = init.signal ? AbortSignal.any([init.signal, own]) : own;
  try {
    const send = () => fetch(BASE + path, { ...init, signal, credentials: "same-origin" });
    reply = await send();
    // What was asked for with the page may have been too early; that answer is used up now.
    if (reply.status === 503 && path !== "experiment" && !early.has(path)) reply = await send();
    early.add(path);
  } catch (e) {
    if (init.signal?.aborted) throw e;
    if (own.aborted) throw new ApiError("The server takes too long", `No answer to ${path} in 60 s.`, 0);
    online.set(false);
    throw new ApiError("The server does not answer", "neph serve has ended, or the network is down.", 0);
  }
  online.set(true);
  if (!reply.ok) throw await refusal(reply);
  return reply.text();
}

/** Asks, or gives what was answered before. */
export function get<T>(path: string): Promise<T> {
  const before = kept.get(path);
  if (before) return before as Promise<T>;
  const answer = ask(path).then((text) => parse(text) as T);
  kept.set(path, answer);
  answer.catch(() => kept.delete(path));
  if (kept.size > KEPT) kept.delete(kept.keys().next().value as string);
  return answer;
}

export interface Answer<T> {
  /** The last answer; of an earlier question while a new one is out. */
  data: T | null;
  error: ApiError | null;
  loading: boolean;
  /** The question that 'data' answers. */
  of: string | null;
}

/** The answer to a question, null: to none. */
export function useGet<T>(path: string | null): Answer<T> {
  const turn = useCell(generation);
  const [state, setState] = useState<Answer<T>>({ data: null, error: null, loading: !!path, of: null });
  useEffect(() => {
    let wanted = true;
    if (path === null) {
      setState({ data: null, error: null, loading: false, of: null });
      return;
    }
    setState((old) => ({ ...old, error: null, loading: true }));
    get<T>(path).then(
      (data) => wanted && setState({ data, error: null, loading: false, of: path }),
      (e: unknown) =>
        wanted &&
        setState({
          data: null,
          error: e instanceof ApiError ? e : new ApiError("The answer can't be read", String(e), 0),
          loading: false,
          of: path,
        }),
    );
    return () => {
      wanted = false;
    };
  }, [path, turn]);
  return state;
}

/** A query: what is null, undefined or empty is left out. */
export function query(path: string, args: Record<string, string | number | bigint | null | undefined>): string {
  const q = Object.entries(args)
    .filter(([, v]) => v !== null && v !== undefined && v !== "")
    .map(([k, v]) => `${k}=${encodeURIComponent(String(v))}`)
    .join("&");
  return q ? `${path}?${q}` : path;
}

/** A window for lists and measures, which know absolute time. */
export function absWindow(t0: Ns, t1: Ns): { begin: string; end: string } {
  return { begin: abs(Math.floor(t0)).toString(), end: abs(Math.ceil(t1)).toString() };
}

/** An id as a part of a path. */
export function part(id: string): string {
  return encodeURIComponent(id);
}

let polling = 0;

/** While the server is gone, tries it every two seconds; 'back' is called when it answers. */
export function watchServer(back: () => void): void {
  online.watch((up) => {
    if (up || polling) return;
    polling = window.setInterval(() => {
      fetch(BASE + "experiment", { cache: "no-store" }).then(
        (reply) => {
          if (!reply.ok && reply.status !== 503) return;
          window.clearInterval(polling);
          polling = 0;
          kept.clear();
          online.set(true);
          back();
          generation.set(generation.get() + 1);
        },
        () => undefined,
      );
    }, 2000);
  });
}
