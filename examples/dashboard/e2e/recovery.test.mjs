// Events that a page misses while its connection is cut: each order's event reaches a handler once.
import assert from "node:assert/strict";
import { once } from "node:events";
import net from "node:net";
import { after, afterEach, before, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { Backend } from "./support/backend.mjs";
import { closePages, launchBrowser, NO_SERVER, openPage } from "./support/browser.mjs";
import { Dashboard } from "./support/dashboard.mjs";

const N_ORDERS = 60;
const ORDERS_BETWEEN_CUTS = 12;

let browser;

before(async () => {
  browser = await launchBrowser();
});

afterEach(() => closePages(browser));

after(() => browser?.close());

/** Passes bytes on to a port; `cut` ends its WebSockets with an RST on both sides, `reconnected` waits
 * for the next one. */
async function startPassage(port) {
  const upgraded = new Set();
  const server = net.createServer((inner) => {
    const outer = net.connect(port, "127.0.0.1");
    inner.once("data", (head) => {
      if (head.includes("GET /ws?") || head.includes("GET /ws ")) {
        upgraded.add(inner).add(outer);
      }
    });
    for (const socket of [inner, outer]) {
      socket.on("error", () => undefined);
      socket.on("close", () => {
        upgraded.delete(socket);
        inner.destroy();
        outer.destroy();
      });
    }
    inner.pipe(outer).pipe(inner);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    cut: () => {
      assert.ok(upgraded.size > 0, "there is a connection to cut");
      upgraded.forEach((socket) => socket.resetAndDestroy());
      upgraded.clear();
    },
    // The delay after several cuts is long; a signal of the browser ends it, once there is one.
    reconnected: async (page) => {
      while (upgraded.size === 0) {
        await page.evaluate(() => window.dispatchEvent(new Event("online")));
        await pause(20);
      }
    },
    stop: () => server.close(),
  };
}

/** The ids of the orders in the page's event log, which one handler writes; oldest first. */
async function loggedOrders({ page }) {
  await page.locator(".log-viewport").evaluate((viewport) => viewport.style.setProperty("flex", "0 0 9000px"));
  await page.getByLabel("Filter events").fill("order_created");
  const texts = page.getByRole("region", { name: "Event log" }).getByText(/^Order #\d+ by /);
  await texts.nth(N_ORDERS - 1).waitFor();
  return (await texts.allTextContents()).map((text) => Number(/#(\d+)/.exec(text)[1])).reverse();
}

test("cuts lose no order and repeat none", async () => {
  const backend = await Backend.start();
  const passage = await startPassage(backend.port);
  const dashboard = new Dashboard(await openPage(browser, passage.url, { expected: NO_SERVER }));
  await dashboard.whenStatus("Connected");
  const placed = [];
  for (let i = 0; i < N_ORDERS; i++) {
    placed.push((await backend.order("WIDGET-1", 1)).id);
    if (i % ORDERS_BETWEEN_CUTS === 3) {
      passage.cut();
    } else if (i % ORDERS_BETWEEN_CUTS === ORDERS_BETWEEN_CUTS - 1) {
      await passage.reconnected(dashboard.page);
    }
  }
  await dashboard.order(placed.at(-1)).waitFor();
  await dashboard.whenStatus("Connected");
  assert.deepEqual(await loggedOrders(dashboard), placed);
  await dashboard.close();
  passage.stop();
  await backend.stop();
});

test("after a restart the page is notified of missed events, and reloads its lists", async () => {
  let backend = await Backend.start();
  const dashboard = new Dashboard(await openPage(browser, backend.url, { expected: NO_SERVER }));
  await dashboard.whenStatus("Connected");
  const { id } = await backend.order();
  await dashboard.order(id).waitFor();
  await backend.stop("SIGKILL");
  await dashboard.whenStatus("Reconnecting");
  backend = await Backend.start({ port: backend.port });
  const lists = dashboard.page.waitForResponse((response) => response.url().includes("/api/orders"));
  await dashboard.whenStatus("Connected");
  await lists;
  await dashboard.panel("Events").getByText("Events were missed; reloading").waitFor();
  // The new backend's database is empty.
  await dashboard.panel("Orders").getByText("No orders yet").waitFor();
  await dashboard.close();
  await backend.stop();
});
