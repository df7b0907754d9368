// SPDX-License-Identifier: Apache-2.0
//
// Names in traces are written by whoever named an instance: they may hold HTML,
// control characters, or characters that turn the direction of what follows.
// All of them are shown as what they are, and never change anything around them.

import type { VNode } from "preact";

// C0, DEL and C1, soft hyphen, marks and overrides of direction, invisible characters,
// separators of lines, half a surrogate pair.
const hidden =
  /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\uffff]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;

function escaped(c: string): string {
  if (c === "\n") return "\\n";
  if (c === "\t") return "\\t";
  const code = c.charCodeAt(0);
  return code < 0x100
    ? "\\x" + code.toString(16).padStart(2, "0")
    : "\\u" + code.toString(16).padStart(4, "0");
}

/** The text with everything that would not be seen written out; for titles and canvases. */
export function plain(text: unknown): string {
  return String(text ?? "").replace(hidden, escaped);
}

/** The same for a page, isolated from the direction of what is around it. */
export function Txt({ s, cut }: { s: unknown; cut?: number }): VNode {
  const whole = plain(s);
  const chars = cut ? [...whole] : [];
  const short = cut && chars.length > cut ? chars.slice(0, cut - 1).join("") + "…" : whole;
  return <bdi title={short === whole ? undefined : whole}>{short}</bdi>;
}

/** A word and its plural: "1 finding", "5 findings". */
export function count(n: number, one: string, many = one + "s"): string {
  return `${number(n)} ${n === 1 ? one : many}`;
}

const grouped = new Intl.NumberFormat("en-GB");

export function number(n: number): string {
  return grouped.format(n);
}

export function percent(share: number, digits = 0): string {
  return (100 * share).toFixed(digits) + " %";
}

/** Bytes with a decimal prefix, as rates of links are given. */
export function bytes(n: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let i = 0;
  while (Math.abs(n) >= 1000 && i < units.length - 1) {
    n /= 1000;
    i++;
  }
  return `${i === 0 ? n.toFixed(0) : n.toPrecision(3)} ${units[i]}`;
}
