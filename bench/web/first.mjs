// SPDX-License-Identifier: Apache-2.0
//
// How long until somebody who opens the page reads the first finding: histories are there, the server
// has just begun, and nobody has asked it anything.
//
// usage: node first.mjs path/to/web path/to/neph TRACE...     (as bench/web.sh does)

import { spawn } from "node:child_process";
import { createRequire } from "node:module";
import path from "node:path";

const RUNS = 7;
const [, , web, neph, ...traces] = process.argv;
const { chromium } = createRequire(path.resolve(web, "package.json"))("playwright-core");

function serve() {
  const child = spawn(neph, ["serve", ...traces, "--listen", "127.0.0.1:0"], { stdio: ["ignore", "ignore", "pipe"] });
  return new Promise((done, fail) => {
    let said = "";
    child.on("exit", (code) => fail(new Error(`neph serve ended with ${code}: ${said}`)));
    child.stderr.on("data", (text) => {
      said += text;
      const at = /http:\/\/127\.0\.0\.1:\d+\//.exec(said);
      if (at) done({ child, url: at[0] });
    });
  });
}

function stop(child) {
  return new Promise((done) => {
    child.removeAllListeners("exit");
    child.on("exit", done);
    child.kill("SIGTERM");
  });
}

const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox"] });
const took = [];
for (let i = 0; i <= RUNS; i++) {
  const { child, url } = await serve();
  const context = await browser.newContext({ viewport: { width: 1400, height: 1000 } });
  const page = await context.newPage();
  const begin = performance.now();
  await page.goto(url, { waitUntil: "commit" });
  await page.waitForSelector(".finding h2", { timeout: 120000 });
  if (i > 0) took.push(Math.round(performance.now() - begin)); // the first one makes histories, if there are none
  await context.close();
  await stop(child);
}
await browser.close();
took.sort((a, b) => a - b);
console.log(`first finding: median ${took[RUNS >> 1]} ms of ${took.join(" ")}`);
