// SPDX-License-Identifier: Apache-2.0
//
// usage: node operator.mjs path/to/web CONFIG-AS-JSON, as _browser.py calls it.
// Prints "ok NAME" and "not ok NAME" lines.

import { spawn } from "node:child_process";
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";
import path from "node:path";

const [, , web, text] = process.argv;
const config = JSON.parse(text);
const require = createRequire(path.join(web, "package.json"));
const { chromium } = require("playwright-core");
const axe = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");

let failed = 0;
const servers = [];

function assert(is, what) {
  if (!is) throw new Error(what);
}

/** neph serve on a free port, or on 'port'; its address. */
function serve(cloud, port = 0) {
  return new Promise((done, fail) => {
    const child = spawn(config.neph, ["serve", config.clouds[cloud], "--listen", `127.0.0.1:${port}`], {
      stdio: ["ignore", "ignore", "pipe"],
    });
    servers.push(child);
    let said = "";
    child.stderr.on("data", (d) => {
      said += d;
      const at = /http:\/\/127\.0\.0\.1:\d+\//.exec(said);
      if (at) done({ child, url: at[0] });
    });
    child.on("exit", (code) => fail(new Error(`neph serve ended with ${code}: ${said}`)));
  });
}

function stop(child) {
  return new Promise((done) => {
    if (child.exitCode !== null || child.signalCode !== null) return done();
    child.removeAllListeners("exit");
    child.on("exit", done);
    child.kill("SIGTERM");
  });
}

const browser = await chromium.launch({ executablePath: config.chromium, args: ["--no-sandbox"] });

/** A page that remembers what went wrong on it and whom it asked. */
async function open(url, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1400, height: 1000 }, ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(20000);
  const trouble = [];
  const foreign = [];
  page.on("pageerror", (e) => trouble.push("error: " + e.message));
  // While traces are read the server says 503, and the page that it is so.
  page.on("console", (m) => m.type() === "error" && !/ 503 /.test(m.text()) && trouble.push("console: " + m.text()));
  page.on("dialog", (d) => (trouble.push("dialog"), d.dismiss()));
  const home = new URL(url).origin;
  context.on("request", (r) => {
    if (!r.url().startsWith("data:") && new URL(r.url()).origin !== home) foreign.push(r.url());
  });
  await page.goto(url);
  await page.waitForSelector("h1");
  return { page, context, trouble, foreign };
}

/** Until nothing is out: no "loading", no question without its answer. */
async function settled(page) {
  await page.waitForLoadState("networkidle");
  await page.waitForFunction(() => !document.querySelector(".loading"));
  await page.waitForTimeout(400);
}

async function goTo(page, hash) {
  await page.evaluate((h) => (location.hash = h), hash);
  await settled(page);
}

const only = process.env.NEPH_WEB_TEST ? new RegExp(process.env.NEPH_WEB_TEST) : null;

async function test(name, run) {
  if (only && !only.test(name)) return;
  try {
    await run();
    console.log("ok " + name);
  } catch (e) {
    failed++;
    console.log("not ok " + name);
    console.log("  " + String(e.stack ?? e).split("\n").slice(0, 6).join("\n  "));
  }
}

/** How many pixels of the states have a colour that is not the ground. */
function painted(page) {
  return page.evaluate(() => {
    const canvas = document.querySelector(".tl-sticky canvas");
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    const pixels = new Uint32Array(data.buffer);
    const ground = pixels[0];
    return pixels.reduce((n, p) => n + (p !== ground ? 1 : 0), 0);
  });
}

/** Pixels of a colour "#rrggbb" on the states of the row at this place. */
function pixelsOf(page, top, colour) {
  return page.evaluate(
    ([y, c]) => {
      const canvas = document.querySelector(".tl-sticky canvas");
      const box = canvas.getBoundingClientRect();
      const row = Math.round(((y - box.top) * canvas.height) / box.height);
      const { data } = canvas.getContext("2d").getImageData(0, row, canvas.width, 1);
      let n = 0;
      for (let i = 0; i < data.length; i += 4)
        if (c === "#" + [data[i], data[i + 1], data[i + 2]].map((v) => v.toString(16).padStart(2, "0")).join("")) n++;
      return n;
    },
    [top, colour],
  );
}

const PAGES = ["overview", "vms", "requests", "migrations", "hosts", "costs/cpu", "events", "health"];

/** Every list page, and the first thing that each list names. */
async function walk(page) {
  for (const name of PAGES) {
    await goTo(page, "#/" + name);
    const problems = await page.locator(".problem").allInnerTexts();
    assert(problems.length === 0, `${name}: ${problems[0]}`);
    assert((await page.locator("main h1").count()) === 1, `${name} has no heading`);
    assert((await page.locator("main").innerText()).length > 40, `${name} is empty`);
    const first = page.locator("main tbody td:first-child a[href*='#/']").first();
    if (!/^(vms|requests|migrations|hosts)$/.test(name) || (await first.count()) === 0) continue;
    await first.click();
    await settled(page);
    const told = await page.locator(".problem[role=alert]").allInnerTexts();
    assert(told.length === 0, `the first of ${name}: ${told[0]}`);
    assert((await page.locator("main h1").count()) === 1, `the first of ${name} has no heading`);
  }
}

async function defects(page) {
  await page.evaluate(axe);
  const found = await page.evaluate(() => window.axe.run(document, { resultTypes: ["violations"] }));
  return found.violations
    .filter((v) => v.impact === "serious" || v.impact === "critical")
    .map((v) => `${v.id}: ${v.nodes.map((n) => n.target.join(" ")).slice(0, 3).join(" | ")}`);
}

const hogs = config.clouds["migration-hogs"] ? await serve("migration-hogs") : null;

if (hogs) await test("from the first finding to the raw events that prove it", async () => {
  const { page, trouble, foreign } = await open(hogs.url);
  await settled(page);
  const title = await page.locator(".finding h2").first().innerText();
  assert(/waits? for CPUs/.test(title), "first finding is: " + title);
  assert(/vm-200/.test(await page.locator(".finding").first().innerText()), "no culprit is named");
  assert(/\d+ s/.test(await page.locator(".finding .cost").first().innerText()), "no cost");
  await page.locator(".finding .button").first().click();
  await settled(page);
  assert(/vm-1000/.test(await page.locator("h1").innerText()), "not on the page of its subject");
  assert((await painted(page)) > 20000, "the time line has no states");
  const name = page.locator(".tl-name", { hasText: "CPU 0/KVM" }).first();
  const box = await name.boundingBox();
  const canvas = await page.locator(".tl-sticky canvas").first().boundingBox();
  const y = box.y + box.height / 2;
  await page.mouse.move(canvas.x + canvas.width / 2, y);
  await page.waitForSelector(".tip");
  await page.mouse.click(canvas.x + canvas.width / 2, y);
  await page.waitForSelector(".pick a.button");
  const pick = await page.locator(".pick").innerText();
  assert(/ (ns|µs|ms|s)\b/.test(pick) && /\d\d:\d\d:\d\d\.\d{9} – /.test(pick), "no exact interval: " + pick);
  const from = /(\d\d:\d\d:\d\d\.\d{9}) – /.exec(pick)[1];
  await page.locator(".pick button", { hasText: "Where its time went" }).click();
  await page.waitForSelector(".went tbody tr");
  const went = await page.locator(".went").innerText();
  assert(/running|waiting for CPU|woken|timer|blocked/.test(went) && /%/.test(went), "no part of its time: " + went);
  await page.locator(".pick a.button").click();
  await settled(page);
  await page.waitForSelector(".events tbody td");
  const first = await page.locator(".events tbody td button").first().innerText();
  assert(first >= from, `events begin at ${first}, the state at ${from}`);
  assert(/sched_|kvm_/.test(await page.locator(".events").innerText()), "no events of the scheduler");
  assert(trouble.length === 0, trouble.join("; "));
  assert(foreign.length === 0, "asked " + foreign[0]);
  await page.context().close();
});

for (const cloud of Object.keys(config.clouds)) {
  const server = cloud === "migration-hogs" ? hogs : await serve(cloud);
  server.name = cloud;
  await test(`every page of ${cloud}, and nobody else is asked`, async () => {
    const { page, trouble, foreign, context } = await open(server.url);
    await page.waitForSelector("header nav", { timeout: 60000 });
    await settled(page);
    await walk(page);
    assert(trouble.length === 0, trouble.join("; "));
    assert(foreign.length === 0, "asked " + foreign[0]);
    await context.close();
  });
  if (cloud === "hostile")
    await test("hostile names are text", async () => {
      const { page, trouble, context } = await open(server.url);
      await goTo(page, "#/vms");
      const body = await page.locator("main").innerText();
      assert(body.includes("<img src=x onerror="), "the name with HTML is not shown as it is");
      assert(body.includes("\\u202e") && body.includes("\\x1b"), "what turns the direction is not written out");
      assert(!/[\u202a-\u202e\u0007\u001b]/.test(body), "a control character is on the page");
      for (const name of config.names) await goTo(page, "#/vm/" + encodeURIComponent(name));
      await goTo(page, "#/overview");
      await goTo(page, "#/events?filter=" + encodeURIComponent(config.names[0]));
      assert((await page.locator("main img, main script").count()) === 0, "a name became an element");
      assert((await page.evaluate(() => window.hacked)) === undefined, "a name was run");
      assert(!trouble.includes("dialog") && !trouble.some((t) => t.startsWith("error")), trouble.join("; "));
      await context.close();
    });
  if (cloud === "migration-vm")
    await test("two real migrations beside each other", async () => {
      const { page, context } = await open(server.url + "#/migrations");
      await settled(page);
      const rows = await page.locator("main tbody tr").count();
      assert(rows >= 2, `${rows} migrations`);
      await page.locator("main tbody a").first().click();
      await settled(page);
      await page.locator("label:has-text('Compare with') select").selectOption({ index: 1 });
      await page.waitForSelector("th:has-text('The other')");
      assert(/×/.test(await page.locator("table:has(th:has-text('The other'))").innerText()), "no ratio");
      assert(/with=/.test(page.url()), "the address does not have the other one");
      assert((await page.locator(".stages li").count()) > 1, "no stages");
      await context.close();
    });
  if (cloud === "openstack-zed")
    await test("why a real migration failed", async () => {
      const { page, context } = await open(server.url);
      await settled(page);
      const card = await page.locator(".finding").first().innerText();
      assert(/migration of .* failed/.test(card) && /Leads to/.test(card), card.slice(0, 200));
      await page.locator(".finding h2 a").first().click();
      await settled(page);
      assert(/migration/.test(await page.locator("h1").innerText()), "not on the migration's page");
      await context.close();
    });
  if (cloud === "kernel-lost")
    await test("what was lost is told by trace, CPU and time, and leads there", async () => {
      const { page, context } = await open(server.url + "#/health");
      await settled(page);
      const trace = await page.locator("table:has(caption:has-text('what each lost')) tbody tr").allInnerTexts();
      assert(trace.length === 1 && /kernel[^]*3,105/.test(trace[0]), trace.join(" | "));
      const lost = page.locator("table:has(caption:has-text('Where and when')) tbody tr");
      assert((await lost.count()) === 2, "not two losses");
      assert(/ch0_1[^]*12:00:01[^]*ms[^]*2,820/.test(await lost.first().innerText()), await lost.first().innerText());
      assert(/enable-event/.test(await page.locator("table:has(caption:has-text('Tracepoints'))").innerText()), "not how to record more");
      await lost.first().locator("a").first().click();
      await page.waitForFunction(() => /^#\/host\/compute1\?t0=/.test(location.hash));
      await context.close();
    });
  if (cloud === "small-cloud")
    await test("an empty page says why, and how to get what is missing", async () => {
      const { page, context } = await open(server.url + "#/costs/preempt");
      await settled(page);
      assert((await page.locator(".empty").count()) > 0, "nothing says that there is nothing");
      await goTo(page, "#/health");
      assert(/lttng enable-event -k/.test(await page.locator("main").innerText()), "not how to get it");
      await goTo(page, "#/vm/no-such-instance");
      assert(/no-such-instance|not|no /i.test(await page.locator(".problem").first().innerText()), "no sentence");
      await context.close();
    });
  if (server !== hogs) await stop(server.child);
}

/** Everything that a page can do, on one cloud. */
async function operations() {
  await test("the address holds the window, the row and the selection", async () => {
    const { page, context } = await open(hogs.url + "#/host/compute1");
    await settled(page);
    const whole = await page.locator(".mini-text").innerText();
    await page.keyboard.press("w");
    await page.keyboard.press("w");
    await page.keyboard.press("d");
    await page.keyboard.press("m");
    await page.waitForFunction(() => /t0=\d+&t1=\d+&sel=\d+,\d+/.test(location.hash));
    const zoomed = await page.locator(".mini-text").innerText();
    assert(zoomed !== whole, "w did not zoom");
    await page.reload();
    await settled(page);
    assert((await page.locator(".mini-text").innerText()) === zoomed, "another window after loading anew");
    assert(/Selection/.test(await page.locator(".pick").first().innerText()), "the selection is gone");
    await page.waitForSelector(".spent");
    const spent = await page.locator(".spent").innerText();
    const sum = [...spent.matchAll(/([\d.]+) %/g)].reduce((n, m) => n + Number(m[1]), 0);
    assert(/^vCPUs: .*%/.test(spent) && sum > 90 && sum < 102, "the selection is not summed up: " + spent);
    await page.keyboard.press("Escape");
    await page.keyboard.press("0");
    assert((await page.locator(".mini-text").innerText()) === whole, "0 does not show all");
    await context.close();
  });

  await test("the map of hosts and layers leads to the findings of one", async () => {
    const { page, context } = await open(hogs.url);
    await settled(page);
    const all = await page.locator(".finding").count();
    const at = await page.evaluate(() => [...document.querySelectorAll(".heat thead th")].findIndex((th) => th.innerText === "Kernel"));
    const cell = page.locator(".heat tbody tr", { hasText: "compute1" }).locator("th, td").nth(at).locator("button");
    await cell.click();
    await page.waitForFunction(() => /layer=kernel/.test(location.hash) && /host=compute1/.test(location.hash));
    const titles = await page.locator(".finding h2").allInnerTexts();
    assert(titles.length > 0 && titles.length <= all && titles.some((t) => /CPU/.test(t)), titles.join(" | "));
    assert(!titles.some((t) => /layer|not traced/.test(t)), "of another layer: " + titles.join(" | "));
    await page.locator(".filtered button").click();
    await page.waitForFunction(() => !/layer=/.test(location.hash));
    await context.close();
  });

  await test("findings that were asked for too early are asked for again", async () => {
    const context = await browser.newContext();
    const page = await context.newPage();
    let asked = 0;
    await page.route("**/api/v1/findings", (r) =>
      asked++ ? r.continue() : r.fulfill({ status: 503, contentType: "application/json", body: '{"title":"Not available","detail":"soon"}' }),
    );
    await page.goto(hogs.url);
    await page.waitForSelector(".finding h2");
    assert(asked >= 2 && (await page.locator(".problem").count()) === 0, "the first answer is kept");
    await context.close();
  });

  await test("the first page shows what is known before the findings are", async () => {
    const context = await browser.newContext({ viewport: { width: 1400, height: 1000 } });
    const page = await context.newPage();
    let answer;
    const held = new Promise((done) => (answer = done));
    await page.route("**/api/v1/findings", async (r) => (await held, r.continue()));
    await page.goto(hogs.url);
    await page.waitForSelector(".heat tbody tr >> text=compute1");
    assert((await page.locator("header nav a").count()) === 8 && (await page.locator(".mini-host").count()) === 2, "no header, or no map of the time");
    assert((await page.locator(".finding").count()) === 0 && /loading/i.test(await page.locator(".loading").innerText()), "not said that findings are to come");
    answer();
    await page.waitForSelector(".finding h2");
    await context.close();
  });

  await test("keys: states one by one, fit, table, help, search", async () => {
    const { page, context } = await open(hogs.url + "#/vm/vm-1000");
    await settled(page);
    await page.keyboard.press("]");
    await page.waitForSelector(".pick");
    await settled(page);
    const first = page.url();
    await page.keyboard.press("]");
    await settled(page);
    assert(page.url() !== first, "] stays");
    await page.keyboard.press("[");
    await settled(page);
    assert(page.url() === first, "[ does not go back");
    const before = await page.locator(".mini-text").innerText();
    await page.keyboard.press("f");
    await page.waitForFunction((t) => document.querySelector(".mini-text").textContent !== t, before);
    await page.keyboard.press("t");
    await page.waitForSelector("caption:has-text('States from')");
    await page.keyboard.press("?");
    await page.waitForSelector("dialog[open]");
    await page.keyboard.press("Escape");
    await page.waitForSelector("dialog[open]", { state: "detached" });
    await page.keyboard.press("/");
    await page.keyboard.type("vm-2003");
    await page.waitForSelector("#found li >> text=vm-2003");
    await page.keyboard.press("Enter");
    await page.waitForFunction(() => location.hash.includes("vm-2003"));
    await context.close();
  });

  await test("rows are pinned and filtered, and the address has both; the legend knows the window", async () => {
    const { page, context } = await open(hogs.url + "#/host/compute1");
    await settled(page);
    const name = page.locator(".tl-inner > .tl-names .tl-name", { hasText: "CPU 1" }).first();
    await name.hover();
    await name.locator(".pin").click();
    await page.waitForFunction(() => /pin=compute1/.test(decodeURIComponent(location.hash)));
    assert(/CPU 1/.test(await page.locator(".tl-pins").innerText()), "it is not on top");
    await page.locator(".tl-scroll").evaluate((el) => (el.scrollTop = 500));
    await page.waitForTimeout(500);
    const pinned = await page.locator(".tl-pins .tl-name").first().boundingBox();
    const box = await page.locator(".tl-scroll").boundingBox();
    assert(Math.abs(pinned.y - box.y) < 2, "it scrolls");
    const ground = await page.evaluate(() => getComputedStyle(document.documentElement).getPropertyValue("--ground").trim());
    const bare = await pixelsOf(page, pinned.y + 10, ground);
    const width = await page.evaluate(() => document.querySelector(".tl-sticky canvas").width);
    assert(bare < width / 2, "its states are not on top");
    await page.locator(".tl-bar input[type=search]").fill("CPU 0");
    await page.waitForFunction(() => /rows=CPU%200/.test(location.hash));
    await page.reload();
    await settled(page);
    const rows = await page.locator(".tl-name").allInnerTexts();
    assert(rows.some((r) => /CPU 1/.test(r)) && rows.some((r) => /CPU 0/.test(r)) && !rows.some((r) => /CPU 2/.test(r)), rows.join(" | "));
    assert((await page.locator(".legend li").count()) > (await page.locator(".legend li:not(.absent)").count()), "the legend has only what is seen");
    assert((await page.locator(".legend li:not(.absent)").count()) > 0, "nothing of the legend is seen");
    await page.locator(".tl-pins .row").first().click();
    await page.keyboard.press("p");
    await page.waitForSelector(".tl-pins", { state: "detached" });
    await context.close();
  });

  await test("bad states do not vanish at the widest window", async () => {
    const { page, context } = await open(hogs.url + "#/vm/vm-1000");
    await settled(page);
    const asked = await page.evaluate(async () => {
      const e = await (await fetch("api/v1/experiment")).json();
      const r = await (await fetch(`api/v1/strip?row=${encodeURIComponent("compute1/threads/703/state")}&t0=0&t1=${e.length_ns}&px=1000`)).json();
      return r.rows[0].runs.filter((x) => x[3] & 2).length;
    });
    assert(asked > 5, "the trace hides no bad state: nothing is tested");
    const box = await page.locator(".tl-name", { hasText: "CPU 0/KVM" }).first().boundingBox();
    const mark = await page.evaluate(() => getComputedStyle(document.documentElement).getPropertyValue("--bad-mark").trim());
    const seen = await pixelsOf(page, box.y + 4, mark);
    assert(seen >= asked / 2, `${seen} pixels are marked, ${asked} runs hide a bad state`);
    await context.close();
  });

  await test("an arrow between hosts says from, to, how long ± bound, and the order", async () => {
    const { page, context } = await open(hogs.url + "#/migration/vm-1000%2F1?table=1");
    await settled(page);
    const all = await page.locator("table:has(caption:has-text('Arrows within')) tbody tr").allInnerTexts();
    const told = all.filter((t) => /compute2/.test(t));
    assert(told.length === 2 && told.every((t) => /compute1[^]*compute2/.test(t) && / ± [\d.]+ (ns|µs|ms)/.test(t)), told.join(" | "));
    const rows = page.locator(".tl-name", { hasText: "QEMU on compute" });
    await rows.nth(1).scrollIntoViewIfNeeded();
    const [a, b] = [await rows.nth(0).boundingBox(), await rows.nth(1).boundingBox()];
    const canvas = await page.locator(".tl-sticky canvas").first().boundingBox();
    const y = (a.y + b.y + b.height) / 2;
    let tip = "";
    for (let x = canvas.x + 4; x < canvas.x + canvas.width && !/Order/.test(tip); x += 4) {
      await page.mouse.move(x, y);
      tip = (await page.locator(".tip").allInnerTexts()).join();
    }
    assert(/from QEMU on compute1/.test(tip) && /to QEMU on compute2/.test(tip) && / ± /.test(tip) && /Order: certain/.test(tip), tip);
    await context.close();
  });

  await test("the table says what the canvas shows", async () => {
    const { page, context } = await open(hogs.url + "#/vm/vm-1000?table=1");
    await page.waitForSelector("caption:has-text('States from') ~ tbody tr");
    await settled(page);
    const shares = await page.evaluate(() => {
      const sums = {};
      for (const tr of document.querySelectorAll("caption ~ tbody tr")) {
        const cells = [...tr.cells].map((c) => c.innerText);
        if (cells.length === 6 && /%/.test(cells[3])) sums[cells[0] + cells[1]] = (sums[cells[0] + cells[1]] ?? 0) + parseFloat(cells[3]);
      }
      return Object.values(sums);
    });
    assert(shares.length > 4, "no rows");
    assert(shares.every((s) => s <= 102), "more than all: " + Math.max(...shares));
    await context.close();
  });

  for (const colorScheme of ["light", "dark"])
    await test(`axe finds nothing serious, ${colorScheme}`, async () => {
      const { page, context } = await open(hogs.url, { colorScheme, bypassCSP: true });
      await settled(page);
      const all = [];
      for (const hash of [...PAGES.map((p) => "#/" + p), "#/vm/vm-1000?table=1", "#/migration/vm-1000%2F1", "#/host/compute1"]) {
        await goTo(page, hash);
        for (const d of await defects(page)) all.push(hash + " " + d);
      }
      assert(all.length === 0, all.slice(0, 6).join("\n  "));
      await context.close();
    });

  await test("with the keyboard alone: to the first finding, its page, a row", async () => {
    const { page, context } = await open(hogs.url);
    await settled(page);
    const reach = async (is) => {
      for (let i = 0; i < 80; i++) {
        await page.keyboard.press("Tab");
        if (await page.evaluate(is)) return true;
      }
      return false;
    };
    assert(await reach("!!document.activeElement.closest('.finding h2')"), "Tab does not reach the finding");
    const ring = await page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle);
    assert(ring !== "none", "the focus can't be seen");
    await page.keyboard.press("Enter");
    await page.waitForFunction(() => /^#\/(vm|host)\//.test(location.hash));
    await settled(page);
    assert(await reach("!!document.activeElement.closest('.tl-names li .row')"), "Tab does not reach a row");
    await page.keyboard.press("Enter");
    await page.waitForFunction(() => location.hash.includes("row="));
    await page.keyboard.press("]");
    await page.waitForSelector(".pick a.button");
    await context.close();
  });

  await test("a server that was gone is said to be, and found again", async () => {
    const { page, context, trouble } = await open(hogs.url + "#/vm/vm-1000");
    await settled(page);
    const port = new URL(hogs.url).port;
    await stop(hogs.child);
    await page.evaluate(() => (location.hash = "#/requests"));
    await page.waitForSelector(".gone");
    const again = await serve("migration-hogs", port);
    await page.waitForSelector(".gone", { state: "detached", timeout: 20000 });
    await goTo(page, "#/vm/vm-1000");
    assert((await painted(page)) > 5000, "no states after the server came back");
    assert(!trouble.some((t) => t.startsWith("error")), trouble.join("; "));
    await context.close();
    await stop(again.child);
  });
}

if (hogs) await operations();
await browser.close();
for (const s of servers) await stop(s);
process.exit(failed ? 1 : 0);
