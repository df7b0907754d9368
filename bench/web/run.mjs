// SPDX-License-Identifier: Apache-2.0
//
// usage: node run.mjs path/to/web FOLDER-WITH-BUNDLES

import { createRequire } from "node:module";
import { createServer } from "node:http";
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";

const [, , web, folder] = process.argv;
const { chromium } = createRequire(path.resolve(web, "package.json"))("playwright-core");
const ROUNDS = { ours: 3, rival: 1 }; // a round of the rival takes minutes

const server = createServer((request, reply) => {
  const name = path.basename(new URL(request.url, "http://x").pathname);
  const file = path.join(folder, name);
  if (name.endsWith(".js") && existsSync(file)) {
    reply.setHeader("Content-Type", "text/javascript");
    reply.end(readFileSync(file));
  } else {
    reply.setHeader("Content-Type", "text/html");
    reply.end(`<!doctype html><body><script src="/${name || "ours"}.js"></script>`);
  }
});
await new Promise((done) => server.listen(0, "127.0.0.1", done));
const home = `http://127.0.0.1:${server.address().port}/`;

// No GPU, and no waiting for a screen that is not there: a frame takes what it takes.
const browser = await chromium.launch({
  executablePath: "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu", "--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--disable-gpu-vsync", "--disable-frame-rate-limit"],
});

async function measure(name) {
  const medians = [];
  for (let i = 0; i < ROUNDS[name]; i++) {
    const page = await browser.newPage({ viewport: { width: 1440, height: 960 } });
    page.setDefaultTimeout(600000);
    page.on("pageerror", (e) => console.log(`${name}: ${e.message}`));
    await page.goto(home + name);
    await page.waitForTimeout(2500);
    const took = (await page.evaluate(() => window.run())).sort((a, b) => a - b);
    medians.push([took[took.length >> 1], took[Math.floor(took.length * 0.95)]]);
    await page.close();
  }
  medians.sort((a, b) => a[0] - b[0]);
  const [median, p95] = medians[medians.length >> 1];
  console.log(`${name.padEnd(16)} median ${median.toFixed(1)} ms  p95 ${p95.toFixed(1)} ms a frame`);
  return median;
}

console.log("1 M states, 100 rows, 1400 px, zoom to a thousandth and back, 150 frames:");
const ours = await measure("ours");
if (existsSync(path.join(folder, "rival.js"))) {
  const rival = await measure("rival");
  console.log(`timeline-chart 0.4.3 takes ${(rival / ours).toFixed(1)} times as long`);
}
await browser.close();
server.close();
