// A headless Chromium, a line to the gateway that can be cut, and the checks every page must pass.
import { readFileSync } from "node:fs";
import { createServer, connect } from "node:net";
import { createRequire } from "node:module";
import { chromium } from "playwright-core";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

// No sandbox, as root has none; the rest keeps the browser from asking its maker for anything.
const SWITCHES = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-dev-shm-usage",
  "--disable-background-networking", "--disable-component-update", "--disable-sync"];

export const launch = () =>
  chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", headless: true, args: SWITCHES });

// A port of its own that leads to the gateway until it is cut: connections break, and new ones are refused.
export async function line(target) {
  const open = new Set();
  let port = 0;
  let server = null;
  const mend = () => new Promise((done, failed) => {
    server = createServer((near) => {
      const far = connect(target.port, target.hostname);
      for (const socket of [near, far]) {
        open.add(socket);
        socket.on("error", () => {}).on("close", () => { open.delete(socket); near.destroy(); far.destroy(); });
      }
      near.pipe(far).pipe(near);
    });
    server.once("error", failed).listen(port, "127.0.0.1", () => { port = server.address().port; done(); });
  });
  const cut = () => new Promise((done) => { server.close(done); open.forEach((socket) => socket.destroy()); });
  await mend();
  return { base: `http://127.0.0.1:${port}`, cut, mend };
}

// WCAG 2.2 AA by axe, and nothing wider than the window. What the page's own policy refuses would be in `broken`.
export async function sound(page, where) {
  await page.evaluate(AXE);
  const { violations } = await page.evaluate(() => window.axe.run(document, {
    runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
  }));
  const told = violations.map(({ id, nodes }) =>
    `${id}: ${nodes.map((node) => `${node.target} ${node.failureSummary}`).join(" | ")}`);
  check(told.length === 0, `${where}: ${told.join("\n")}`);
  const [wide, window_] = await page.evaluate(() =>
    [document.documentElement.scrollWidth, document.documentElement.clientWidth]);
  check(wide <= window_, `${where}: ${wide} px of content in a window of ${window_}`);
}

export function check(good, otherwise) {
  if (!good) {
    throw new Error(otherwise);
  }
}

// A page whose script errors and refused loads are remembered.
export async function visitor(browser, options = {}) {
  const context = await browser.newContext({ locale: "en-GB", ...options });
  const page = await context.newPage();
  const broken = [];
  page.on("pageerror", (error) => broken.push(String(error)));
  page.on("console", (said) => {
    if (/Content Security Policy|Refused to/.test(said.text())) {
      broken.push(said.text());
    }
  });
  return { context, page, broken };
}
