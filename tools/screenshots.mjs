// SPDX-License-Identifier: Apache-2.0
//
// usage: node screenshots.mjs path/to/web path/to/neph FOLDER-WITH-CLOUDS OUT, as tools/screenshots
// calls it.

import { spawn } from "node:child_process";
import { createRequire } from "node:module";
import path from "node:path";

const [, , web, neph, clouds, out] = process.argv;
const { chromium } = createRequire(path.resolve(web, "package.json"))("playwright-core");

const SHOTS = [
  { name: "overview", cloud: "migration-hogs", hash: "#/overview", height: 720 },
  { name: "instance", cloud: "migration-hogs", hash: "#/vm/vm-1000", height: 900, zoom: 6, hover: "CPU 0/KVM" },
  { name: "migration", cloud: "migration-hogs", hash: "#/migration/vm-1000%2F1", height: 840 },
  { name: "host", cloud: "migration-hogs", hash: "#/host/compute1", height: 780, dark: true },
  { name: "request", cloud: "cloud-kernel", first: "#/requests", height: 800 },
];

function serve(cloud) {
  return new Promise((done, fail) => {
    const child = spawn(neph, ["serve", path.join(clouds, cloud), "--listen", "127.0.0.1:0"], {
      stdio: ["ignore", "ignore", "pipe"],
    });
    let said = "";
    child.stderr.on("data", (d) => {
      said += d;
      const at = /http:\/\/127\.0\.0\.1:\d+\//.exec(said);
      if (at) done({ child, url: at[0] });
    });
    child.on("exit", () => fail(new Error(said)));
  });
}

async function settled(page) {
  await page.waitForLoadState("networkidle");
  await page.waitForTimeout(900);
}

const browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox"] });
const servers = {};
for (const shot of SHOTS) {
  servers[shot.cloud] ??= await serve(shot.cloud);
  const page = await browser.newPage({
    viewport: { width: 1140, height: shot.height },
    colorScheme: shot.dark ? "dark" : "light",
  });
  await page.goto(servers[shot.cloud].url + (shot.first ?? shot.hash));
  await page.waitForSelector("h1");
  await settled(page);
  if (shot.first) {
    await page.locator("main tbody a").first().click();
    await settled(page);
  }
  for (let i = 0; i < (shot.zoom ?? 0); i++) await page.keyboard.press("w");
  if (shot.zoom) await settled(page);
  if (shot.hover) {
    const row = await page.locator(".tl-name", { hasText: shot.hover }).first().boundingBox();
    const canvas = await page.locator(".tl-sticky canvas").first().boundingBox();
    await page.mouse.move(canvas.x + canvas.width * 0.45, row.y + row.height / 2);
    await settled(page);
  }
  await page.screenshot({ path: path.join(out, shot.name + ".png") });
  await page.close();
}
await browser.close();
for (const { child } of Object.values(servers)) child.kill("SIGTERM");
// The server's "exit" is expected now.
process.exit(0);
