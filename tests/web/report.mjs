// SPDX-License-Identifier: Apache-2.0
//
// usage: node report.mjs path/to/web CONFIG-AS-JSON, as report.py calls it: opens reports from
// the disk, without a network.  Prints "ok NAME" and "not ok NAME" lines.

import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import path from "node:path";

const [, , web, text] = process.argv;
const config = JSON.parse(text);
const { chromium } = createRequire(path.join(web, "package.json"))("playwright-core");
const browser = await chromium.launch({ executablePath: config.chromium, args: ["--no-sandbox"] });
let failed = 0;

function say(ok, name, why = "") {
  console.log(`${ok ? "ok" : "not ok"} ${name}${ok ? "" : ": " + why}`);
  if (!ok) failed++;
}

/** Colours on each time line's canvas. */
function colours(page) {
  return page.$$eval(".timeline.fixed .tl-sticky canvas:first-child", (all) =>
    all.map((c) => {
      const { data } = c.getContext("2d").getImageData(0, 0, c.width, c.height);
      return new Set(new Uint32Array(data.buffer)).size;
    }),
  );
}

for (const { name, file, charts, titles } of config.reports)
  try {
    const url = pathToFileURL(file).href;
    const context = await browser.newContext({ offline: true, viewport: { width: 1280, height: 900 } });
    const page = await context.newPage();
    page.setDefaultTimeout(20000);
    const asked = [];
    const trouble = [];
    page.on("request", (r) => r.url() !== url && !r.url().startsWith("data:") && asked.push(r.url()));
    page.on("pageerror", (e) => trouble.push(e.message));
    page.on("console", (m) => m.type() === "error" && trouble.push(m.text()));
    page.on("dialog", (d) => (trouble.push("a dialog"), d.dismiss()));
    await page.goto(url);
    await page.waitForSelector("h1");
    await page.waitForTimeout(600);
    const seen = await colours(page);
    say(seen.length === charts && seen.every((n) => n > 2), name + "/time-lines-are-drawn", JSON.stringify([charts, seen]));
    const told = await page.$$eval("article h3", (all) => all.map((h) => h.textContent));
    say(told.length === titles, name + "/findings-are-told", `${told.length} of ${titles}`);
    say((await page.evaluate(() => window.hacked)) === undefined, name + "/names-are-text");
    const dead = await page.$$eval("a[href]", (all) =>
      all.filter((a) => !a.getAttribute("href").startsWith("#") || !document.getElementById(a.hash.slice(1)) && a.hash !== "#findings").length,
    );
    say(dead === 0, name + "/links-stay-in-the-file", dead);
    if (charts) {
      await page.focus(".timeline.fixed figcaption button");
      await page.keyboard.press("Enter");
      await page.waitForSelector(".timeline.fixed table tbody tr");
      say(true, name + "/a-chart-has-its-table");
    }
    await page.evaluate(() => (document.querySelector(".r-actions button").click(), 0));
    await page.waitForTimeout(300);
    say((await colours(page)).every((n) => n > 2), name + "/drawn-in-the-other-theme");
    say(asked.length === 0, name + "/asks-for-nothing", asked.slice(0, 3).join(" "));
    say(trouble.length === 0, name + "/no-errors", trouble.slice(0, 3).join("; "));
    await context.close();
  } catch (e) {
    say(false, name, String(e).split("\n")[0]);
  }
await browser.close();
process.exit(failed ? 1 : 0);
