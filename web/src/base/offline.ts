// SPDX-License-Identifier: Apache-2.0
//
// A page in one file has no server: what it would have answered is in the file, under the
// path that one would have asked for.

function answers(): NodeListOf<HTMLScriptElement> {
  return document.querySelectorAll<HTMLScriptElement>("script[data-answer]");
}

let byPath: Map<string, HTMLScriptElement> | null = null;

/** Whether this page is such a file. */
export function isOffline(): boolean {
  return document.querySelector("script[data-answer]") !== null;
}

/** The answer in the file; null: it has none. */
export function answerOf(path: string): string | null {
  byPath ??= new Map([...answers()].map((a) => [a.dataset.answer as string, a]));
  return byPath.get(path)?.textContent ?? null;
}
