// SPDX-License-Identifier: Apache-2.0
//
// The frame around every page.

import type { ComponentChildren, VNode } from "preact";
import { online, useGet } from "../base/api";
import { useCell } from "../base/cell";
import { Txt } from "../base/text";
import { href, route, theme, view } from "../base/state";
import type { Experiment } from "../base/types";
import { Help } from "./Help";
import { help } from "./keys";
import { MiniMap } from "./MiniMap";
import { Search } from "./Search";

const PAGES: [string, string, string[]][] = [
  ["overview", "Overview", []],
  ["vms", "Instances", ["vm"]],
  ["requests", "Requests", ["request"]],
  ["migrations", "Migrations", ["migration"]],
  ["hosts", "Hosts", ["host"]],
  ["costs", "Costs", []],
  ["events", "Events", []],
  ["health", "Trace health", []],
];

export function Shell({ experiment, children }: { experiment: Experiment; children: ComponentChildren }): VNode {
  const at = useCell(route);
  useCell(view); // links carry the window
  const up = useCell(online);
  return (
    <>
      <a class="skip" href="#main" onClick={(e) => (e.preventDefault(), document.getElementById("main")?.focus())}>
        Skip to the page
      </a>
      <header>
        <div class="top">
          <a class="brand" href={href("overview")}>
            <Logo />
            Nephoscope
          </a>
          <span class="paths faint" title={(experiment.command ?? []).join(" ")}>
            <Txt s={(experiment.command ?? []).map((p) => p.replace(/\/+$/, "").split("/").at(-1)).join(", ")} cut={40} />
          </span>
          <Search />
          <ThemeButton />
          <button type="button" onClick={() => help.set(true)} aria-label="Keys" title="Keys (?)">
            ?
          </button>
        </div>
        <nav aria-label="Pages">
          {PAGES.map(([page, name, below]) => {
            const on = at.page === page || below.includes(at.page);
            return (
              <a key={page} href={href(page)} {...(on ? { "aria-current": "page" as const } : {})}>
                {name}
                {page === "overview" ? <Badge /> : null}
              </a>
            );
          })}
        </nav>
        <MiniMap experiment={experiment} />
      </header>
      {up ? null : (
        <div class="gone" role="alert">
          <b>The server does not answer.</b> What is shown is what it last said; this page tries again every two seconds.
          If it was stopped, start it again: <code>neph serve PATH…</code>
        </div>
      )}
      <main id="main" tabIndex={-1}>
        {children}
      </main>
      <Help />
    </>
  );
}

/** How many findings are critical, on every page. */
function Badge(): VNode | null {
  const found = useGet<{ findings: { severity: string }[] }>("findings");
  const n = (found.data?.findings ?? []).filter((f) => f.severity === "critical").length;
  return n ? (
    <span class="badge" title={`${n} critical`}>
      {n}
    </span>
  ) : null;
}

function ThemeButton(): VNode {
  const now = useCell(theme);
  const other = now === "dark" ? "light" : "dark";
  return (
    <button type="button" onClick={() => theme.set(other)} aria-label={`Use the ${other} theme`} title={`Use the ${other} theme`}>
      {now === "dark" ? "☀" : "☾"}
    </button>
  );
}

function Logo(): VNode {
  return (
    <svg width="22" height="22" viewBox="0 0 22 22" aria-hidden="true">
      <circle cx="11" cy="11" r="9.5" fill="none" stroke="currentColor" stroke-width="1.5" />
      <path d="M5 13.5h9.5a2.8 2.8 0 0 0 .3-5.6A4 4 0 0 0 7.4 8 2.8 2.8 0 0 0 5 13.5z" fill="var(--accent)" />
    </svg>
  );
}
