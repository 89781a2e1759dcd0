// Writes screenshot.png: the dashboard with live data, from a backend of its own.
// `--all` also writes screenshot-dark.png and screenshot-phone.png, to look at.
import { fileURLToPath } from "node:url";
import { Backend } from "./support/backend.mjs";
import { launchBrowser, openPage } from "./support/browser.mjs";

const file = (name) => fileURLToPath(new URL(`../${name}`, import.meta.url));
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

const SKUS = ["WIDGET-1", "GADGET-1", "CABLE-1", "SENSOR-1", "BATTERY-1"];
const WAYS = [[], ["confirmed"], ["confirmed", "shipped"], ["confirmed", "shipped", "delivered"], ["cancelled"]];

/** A day in the shop, in a few seconds. */
async function trade(backend, rounds, pauseMs) {
  for (let i = 0; i < rounds; i++) {
    const { id } = await backend.order(SKUS[(i * 3) % SKUS.length], 1 + ((i * 7) % 9), 1 + (i % 3));
    for (const status of WAYS[(i * 2) % WAYS.length]) {
      await backend.request("PATCH", `/api/orders/${id}/status`, { status });
    }
    await pause(pauseMs * (0.3 + Math.abs(Math.sin(i / 4))));
  }
}

const backend = await Backend.start();
const browser = await launchBrowser();
try {
  await trade(backend, 20, 0);
  const open = (options) => openPage(browser, `${backend.url}/?user_id=ada`, options);
  const shots = [["screenshot.png", { viewport: { width: 1440, height: 1000 }, colorScheme: "light" }]];
  if (process.argv.includes("--all")) {
    shots.push(
      ["screenshot-dark.png", { viewport: { width: 1440, height: 1500 }, colorScheme: "dark" }],
      ["screenshot-phone.png", { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, colorScheme: "light" }],
    );
  }
  const pages = [];
  for (const [name, options] of shots) {
    const { page } = await open(options);
    await page.getByText("Connected", { exact: true }).waitFor();
    pages.push([name, page]);
  }
  const guest = await openPage(browser, `${backend.url}/?user_id=grace`);
  await guest.page.getByText("Connected", { exact: true }).waitFor();
  await trade(backend, 40, 400);
  // Slower in the end, so that not every row is marked as changed.
  await trade(backend, 3, 1800);
  await backend.order("LIMITED-1", 7, 2);
  await backend.notify("The evening delivery has arrived", "success");
  await trade(backend, 1, 0);
  await pause(900); // the toasts glide in
  for (const [name, page] of pages) {
    await page.getByText("The evening delivery has arrived").first().waitFor();
    await page.screenshot({ path: file(name), fullPage: name === "screenshot-phone.png" });
    console.log(name);
  }
} finally {
  await browser.close();
  await backend.stop();
}
