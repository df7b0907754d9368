// SPDX-License-Identifier: Apache-2.0

import type { VNode } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { useCell } from "../base/cell";
import { help, KEYS } from "./keys";

const MOUSE: [string, string][] = [
  ["Click", "Pick a state: its exact interval, evidence, raw events"],
  ["Double click", "Fit the state into the window"],
  ["Drag", "Select a stretch of time"],
  ["Shift + drag", "Move"],
  ["Ctrl + wheel", "Zoom at the pointer"],
  ["Shift + wheel", "Move"],
];

/** All keys, on '?'. */
export function Help(): VNode {
  const open = useCell(help);
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const el = dialog.current;
    if (!el) return;
    if (open && !el.open) el.showModal();
    if (!open && el.open) el.close();
  }, [open]);
  return (
    <dialog ref={dialog} aria-label="Keys" onClose={() => help.set(false)}>
      <h2>Keys</h2>
      <dl class="keys-list">
        {KEYS.map((k) => (
          <div key={k.keys[0]}>
            <dt>
              <kbd>{k.keys.join(" ")}</kbd>
            </dt>
            <dd>{k.what}</dd>
          </div>
        ))}
      </dl>
      <h2>Pointer, on a time line</h2>
      <dl class="keys-list">
        {MOUSE.map(([how, what]) => (
          <div key={how}>
            <dt>{how}</dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
      <button type="button" onClick={() => help.set(false)}>
        Close
      </button>
    </dialog>
  );
}
