// SPDX-License-Identifier: Apache-2.0
//
// One box for every id: instances by name or uuid, requests, migrations, hosts, threads.

import type { VNode } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { get, query } from "../base/api";
import { Txt } from "../base/text";
import { go, href } from "../base/state";
import type { Found } from "../base/types";
import { address, linesWith } from "./things";

const REST_MS = 150;

/** A thread is a row on its host's page. */
function threadAddress(f: Found): string | null {
  const host = /^host:(.*)$/.exec(f.scope ?? "")?.[1];
  return f.kind === "thread" && host ? href("host", host, { row: f.id }) : null;
}

function addressOf(f: Found): string {
  return threadAddress(f) ?? address(f.kind, f.id) ?? linesWith(f.id);
}

export function Search(): VNode {
  const [text, setText] = useState("");
  const [found, setFound] = useState<Found[] | null>(null);
  const [failed, setFailed] = useState(false);
  const [on, setOn] = useState(0);
  const [open, setOpen] = useState(false);
  const input = useRef<HTMLInputElement>(null);
  useEffect(() => {
    const wanted = text.trim();
    if (!wanted) {
      setFound(null);
      return;
    }
    let current = true;
    const timer = window.setTimeout(() => {
      get<Found[] | { found: Found[] }>(query("search", { q: wanted })).then(
        (r) => current && (setFound(Array.isArray(r) ? r : r.found), setOn(0), setFailed(false)),
        () => current && (setFound([]), setFailed(true)),
      );
    }, REST_MS);
    return () => {
      current = false;
      clearTimeout(timer);
    };
  }, [text]);
  const choose = (f: Found | undefined) => {
    if (!f) return;
    go(addressOf(f));
    setOpen(false);
    setText("");
    input.current?.blur();
  };
  const key = (e: KeyboardEvent) => {
    const n = found?.length ?? 0;
    if (e.key === "ArrowDown" && n) setOn((on + 1) % n);
    else if (e.key === "ArrowUp" && n) setOn((on + n - 1) % n);
    else if (e.key === "Enter") choose(found?.[on]);
    else if (e.key === "Escape") {
      setOpen(false);
      input.current?.blur();
    } else return;
    e.preventDefault();
  };
  const shown = open && found !== null && text.trim() !== "";
  return (
    <div class="search">
      <input
        ref={input}
        id="search"
        type="text"
        list=""
        role="combobox"
        aria-label="Search instance, request, migration, host, thread"
        aria-expanded={shown}
        aria-controls="found"
        aria-autocomplete="list"
        {...(shown && found.length ? { "aria-activedescendant": "found-" + on } : {})}
        placeholder="Search any name or id   /"
        autocomplete="off"
        spellcheck={false}
        value={text}
        onInput={(e) => {
          setText((e.currentTarget as HTMLInputElement).value);
          setOpen(true);
        }}
        onFocus={() => setOpen(true)}
        onBlur={() => window.setTimeout(() => setOpen(false), 150)}
        onKeyDown={key}
      />
      <ul id="found" role="listbox" aria-label="Found" hidden={!shown}>
        {(found ?? []).map((f, i) => (
          <li
            key={f.kind + f.id + i}
            id={"found-" + i}
            role="option"
            aria-selected={i === on}
            onPointerDown={(e) => {
              e.preventDefault();
              choose(f);
            }}
          >
            <span class="kind">{f.kind}</span> <Txt s={f.label || f.id} cut={70} />
          </li>
        ))}
        {shown && found.length === 0 ? (
          <li role="option" aria-selected={false} aria-disabled="true" class="faint">
            {failed ? "The search failed" : "Nothing has this name or id"}
          </li>
        ) : null}
      </ul>
    </div>
  );
}
