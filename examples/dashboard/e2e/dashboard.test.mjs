// The page's contents and controls, with one backend for all tests.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { after, afterEach, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { Backend, DIST } from "./support/backend.mjs";
import { closePages, launchBrowser, openPage } from "./support/browser.mjs";
import { Dashboard } from "./support/dashboard.mjs";

const PLAIN = fileURLToPath(new URL("../../backend/static", import.meta.url));
const FIRST_LOAD_LIMIT = 150 * 1024;

let browser;
let backend;

before(async () => {
  browser = await launchBrowser();
  backend = await Backend.start();
});

afterEach(() => closePages(browser));

after(async () => {
  await browser?.close();
  await backend?.stop();
});

async function open(query = "", options = {}) {
  const dashboard = new Dashboard(await openPage(browser, `${backend.url}/${query}`, options));
  await dashboard.whenStatus("Connected");
  return dashboard;
}

test("an order placed by REST appears, is marked, and loses the mark", async () => {
  const dashboard = await open();
  // The page's clock stands still, so that the mark does not end before the test has seen it.
  await dashboard.page.clock.setFixedTime(Date.now());
  const { id } = await backend.order("GADGET-1", 3);
  const row = dashboard.order(id);
  await row.getByText("new", { exact: true }).waitFor();
  assert.match(await row.textContent(), /Ada Lovelace.*3 × Gadget.*pending.*\$148\.50/);
  await dashboard.page.clock.setFixedTime(Date.now() + 60_000);
  await row.getByText("new", { exact: true }).waitFor({ state: "detached" });
  await dashboard.panel("Events").getByText(`Order #${id} by Ada Lovelace`).waitFor();
  await dashboard.close();
});

test("an order placed in one page appears in the other, with its changes", async () => {
  const one = await open();
  const other = await open();
  const form = one.panel("New order");
  await form.getByLabel("Client").selectOption({ label: "Grace Hopper" });
  await form.getByLabel("Product").selectOption("CABLE-1");
  await form.getByLabel("Quantity").fill("4");
  await form.getByRole("button", { name: "Place order" }).click();
  const placed = await form.getByText(/Order #\d+ was placed/).textContent();
  const id = /\d+/.exec(placed)[0];
  await other.order(id).getByText("Grace Hopper").waitFor();

  await other.page.getByRole("button", { name: `Confirm order ${id}` }).click();
  await one.order(id).getByText("confirmed").waitFor();
  await one.page.getByRole("button", { name: `Ship order ${id}` }).click();
  await other.order(id).getByText("shipped").waitFor();
  await one.close();
  await other.close();
});

test("the form shows the backend's error at the field", async () => {
  const dashboard = await open("", { expected: [/status of (400|409)/] });
  const form = dashboard.panel("New order");
  await form.getByRole("button", { name: "Add item" }).click();
  const second = form.getByRole("group", { name: "Item 2" });
  await second.getByLabel("Product").selectOption("LIMITED-1");
  await second.getByLabel("Quantity").fill("999");
  await form.getByRole("button", { name: "Place order" }).click();

  const quantity = second.getByLabel("Quantity");
  await second.getByText("not enough of LIMITED-1 in stock").waitFor();
  assert.equal(await quantity.getAttribute("aria-invalid"), "true");
  const described = await quantity.getAttribute("aria-describedby");
  assert.match(await dashboard.page.locator(`[id="${described}"]`).textContent(), /not enough/);
  await dashboard.page.waitForFunction(
    (id) => document.activeElement?.id === id,
    await quantity.getAttribute("id"),
  );
  await dashboard.assertAccessible("with a wrong field");

  await quantity.fill("");
  await form.getByRole("button", { name: "Place order" }).click();
  await second.getByText("must be an integer").waitFor();
  await dashboard.close();
});

test("toasts appear by severity and for low stock, and can be dismissed by keyboard", async () => {
  const dashboard = await open();
  for (const severity of ["info", "success", "warning", "error"]) {
    await backend.notify(`this is ${severity}`, severity);
    // In one look: a toast of an information stays for five seconds only.
    await dashboard.toast(`this is ${severity}`).and(dashboard.page.locator(`[data-type="${severity}"]`)).waitFor();
  }
  const newest = dashboard.toast("this is error");
  await dashboard.page.keyboard.press("Alt+T");
  await newest.getByRole("button", { name: "Dismiss" }).focus();
  await dashboard.page.keyboard.press("Enter");
  await newest.waitFor({ state: "detached" });

  await backend.order("LIMITED-1", 6);
  await dashboard.toast("Low stock: Limited edition, 4 left").waitFor();
  const item = dashboard.panel("Inventory").getByRole("listitem").filter({ hasText: "LIMITED-1" });
  await item.getByText("low", { exact: true }).waitFor();
  await item.getByRole("button", { name: "Restock Limited edition" }).click();
  await item.getByText("15", { exact: true }).waitFor();
  await item.getByText("low", { exact: true }).waitFor({ state: "detached" });
  await dashboard.close();
});

test("three pages receive a broadcast; only members receive a room's messages", async () => {
  const [ana, ben, cleo] = [await open("?user_id=ana"), await open("?user_id=ben"), await open("?user_id=cleo")];
  await ana.joinRoom("lobby");
  await ben.joinRoom("lobby");
  await ana.say("lobby", "only for us");
  await ana.chat("lobby").getByText("You: only for us sent").waitFor();
  await ben.chat("lobby").getByText("ana: only for us").waitFor();
  await backend.notify("for all of you");
  for (const dashboard of [ana, ben, cleo]) {
    await dashboard.toast("for all of you").waitFor();
  }
  // Everyone receives the broadcast after the message.
  await cleo.panel("Events").getByText("for all of you").waitFor();
  assert.equal(await cleo.page.getByText("only for us").count(), 0);
  await ana.panel("Events").getByText("ana in lobby: only for us").waitFor();
  for (const dashboard of [ana, ben, cleo]) {
    await dashboard.close();
  }
});

test("users who come and go are shown by name, and who is typing", async () => {
  // Users that no test before has named: these are there for a while after they have left.
  const first = await open("?user_id=fay");
  const second = await open("?user_id=gus");
  const online = first.panel("Online");
  await online.getByText("fay (this page)").waitFor();
  await online.getByText("gus", { exact: true }).waitFor();
  await online.getByText("2 named users, 2 connections here").waitFor();
  // Also those who were there before.
  await second.panel("Online").getByText("fay", { exact: true }).waitFor();

  await first.joinRoom("lobby");
  await second.joinRoom("lobby");
  await second.panel("Messages").getByLabel("To the room lobby").pressSequentially("hel");
  await first.panel("Messages").getByText("gus is typing…").waitFor();
  await second.panel("Messages").getByRole("button", { name: "Send" }).click();
  await first.chat("lobby").getByText("gus: hel").waitFor();
  await first.panel("Messages").getByText("gus is typing…").waitFor({ state: "detached" });
  await second.close();
  await online.getByText("gus", { exact: true }).waitFor({ state: "detached" });
  await online.getByText("1 named user, 1 connection here", { exact: true }).waitFor();
  await first.close();
});

test("leaving the chat's room \"orders\" does not silence the page", async (context) => {
  const rooms = await Backend.start({ options: ["--topic-rooms"] });
  context.after(() => rooms.stop());
  const dashboard = new Dashboard(await openPage(browser, rooms.url));
  await dashboard.whenStatus("Connected");
  await dashboard.joinRoom("orders");
  await dashboard.say("orders", "hello");
  await dashboard.chat("orders").getByText("You: hello sent").waitFor();
  await dashboard.panel("Messages").getByRole("button", { name: "Leave" }).click();
  await dashboard.panel("Messages").getByLabel("Room", { exact: true }).waitFor();
  const { id } = await rooms.order();
  await dashboard.order(id).waitFor();
  await dashboard.close();
});

test("after a reload the rooms' state is there before any answer of the API, and is no news", async (context) => {
  const rooms = await Backend.start({ options: ["--topic-rooms"] });
  context.after(() => rooms.stop());
  const { id } = await rooms.order("LIMITED-1", 7);
  await rooms.request("PATCH", `/api/orders/${id}/status`, { status: "confirmed" });
  const dashboard = new Dashboard(await openPage(browser, rooms.url));
  const { page } = dashboard;
  await page.route("**/api/**", () => undefined); // never answered
  await page.reload();
  await dashboard.order(id).getByText("confirmed").waitFor();
  await dashboard.panel("Inventory").getByText("Limited edition").waitFor();
  assert.equal(await page.locator(".tag").count(), 0);
  assert.equal(await page.locator("[data-sonner-toast]").count(), 0);
  assert.equal(await page.locator("main").getAttribute("data-event-count"), "0");
  await rooms.request("PATCH", `/api/orders/${id}/status`, { status: "shipped" });
  await dashboard.order(id).getByText("shipped").waitFor();
  assert.equal(await page.locator("main").getAttribute("data-event-count"), "1");
  await dashboard.close();
});

test("the event log can be filtered and paused", async () => {
  const dashboard = await open();
  const log = dashboard.panel("Events");
  await backend.notify("an apple");
  await backend.notify("a pear");
  await log.getByText("a pear").waitFor();
  await log.getByLabel("Filter events").fill("apple");
  await log.getByText("a pear").waitFor({ state: "detached" });
  await log.getByText("an apple").waitFor();
  await log.getByLabel("Filter events").fill("");

  await log.getByRole("button", { name: "Pause" }).click();
  await backend.notify("a plum");
  // There may be others: users of the tests before leave after a grace time.
  await log.getByRole("button", { name: /Resume \([1-9]\d* new\)/ }).waitFor();
  assert.equal(await log.getByText("a plum").count(), 0);
  await log.getByRole("button", { name: "Resume" }).click();
  await log.getByText("a plum").waitFor();
  await dashboard.close();
});

test("a client is added, after an error about the e-mail address", async () => {
  const dashboard = await open("", { expected: [/status of (400|409)/] });
  const clients = dashboard.panel("Clients");
  await clients.getByText("Add a client").click();
  await clients.getByLabel("Name").fill("Edsger Dijkstra");
  await clients.getByLabel("E-mail").fill("edsger");
  await clients.getByRole("button", { name: "Add client" }).click();
  await clients.locator(".field-error", { hasText: "must be an e-mail address" }).waitFor();
  await clients.getByLabel("E-mail").fill("ada@example.com");
  await clients.getByRole("button", { name: "Add client" }).click();
  await clients.locator(".field-error", { hasText: "another client has this" }).waitFor();
  await clients.getByLabel("E-mail").fill("edsger@example.com");
  await clients.getByRole("button", { name: "Add client" }).click();
  await clients.getByText("Edsger Dijkstra was added.").waitFor();
  await clients.getByRole("listitem").filter({ hasText: "edsger@example.com" }).waitFor();
  await dashboard.close();
});

test("after thousands of events the page is small and responsive", async () => {
  const EVENTS = 3000;
  const dashboard = await open();
  const counted = Number(await dashboard.page.locator("main").getAttribute("data-event-count"));
  const lanes = Array.from({ length: 8 }, async (_, lane) => {
    for (let i = lane; i < EVENTS; i += 8) {
      await backend.request("PATCH", "/api/inventory/SENSOR-1", { quantity: 6000 + i });
    }
  });
  await Promise.all(lanes);
  await dashboard.page.waitForFunction(
    (count) => Number(document.querySelector("main").dataset.eventCount) >= count,
    counted + EVENTS,
  );
  const { rows, elements } = await dashboard.page.evaluate(() => ({
    rows: document.querySelectorAll(".log-entry").length,
    elements: document.querySelectorAll("*").length,
  }));
  assert.ok(rows < 100, `${rows} rows of the log`);
  assert.ok(elements < 2000, `${elements} elements`);
  await dashboard.panel("Events").getByLabel("Filter events").fill("sensor");
  const { id } = await backend.order();
  await dashboard.order(id).waitFor();
  await dashboard.close();
});

test("a long table of orders renders only visible rows, and all when scrolled", async () => {
  for (let i = 0; i < 120; i++) {
    await backend.order("CABLE-1", 1);
  }
  const dashboard = await open();
  const table = dashboard.page.getByRole("table");
  await dashboard.order(120).waitFor();
  assert.ok(Number(await table.getAttribute("aria-rowcount")) > 120);
  assert.ok((await dashboard.page.locator("tr[data-order]").count()) < 60);
  const viewport = dashboard.page.getByRole("region", { name: "Table of orders" });
  await viewport.focus();
  await dashboard.page.keyboard.press("End");
  await dashboard.order(1).waitFor();
  await dashboard.close();
});

for (const colorScheme of ["light", "dark"]) {
  for (const [device, viewport] of [["desktop", { width: 1440, height: 900 }], ["phone", { width: 360, height: 740 }]]) {
    test(`nothing is seriously inaccessible, ${colorScheme}, on a ${device}`, async () => {
      const dashboard = await open("?user_id=ana", { colorScheme, viewport, reducedMotion: "reduce" });
      await dashboard.joinRoom("lobby");
      const { id } = await backend.order();
      await backend.order("LIMITED-1", 1);
      await backend.notify("a toast", "warning");
      await dashboard.order(id).waitFor();
      await dashboard.toast("a toast").waitFor();
      await dashboard.assertAccessible(`${colorScheme}, ${device}`);
      const overflow = await dashboard.page.evaluate(
        () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
      );
      assert.equal(overflow, 0, "the page scrolls sideways");
      await dashboard.close();
    });
  }
}

test("the theme can be changed, and is kept", async () => {
  const dashboard = await open("", { colorScheme: "light" });
  const background = () =>
    dashboard.page.evaluate(() => window.getComputedStyle(document.body).backgroundColor);
  const light = await background();
  await dashboard.page.getByRole("button", { name: /Change to light/ }).click();
  await dashboard.page.getByRole("button", { name: /Change to dark/ }).click();
  const dark = await background();
  assert.notEqual(dark, light);
  await dashboard.page.reload();
  await dashboard.whenStatus("Connected");
  assert.equal(await background(), dark);
  await dashboard.close();
});

test("failures of the REST API are shown, and can be retried", async () => {
  const dashboard = await open("", { expected: [/status of 503/, /ERR_FAILED/] });
  await dashboard.page.route("**/api/orders?*", (route) =>
    route.fulfill({ status: 503, json: { error: { code: "busy", message: "the database is busy", field: null } } }),
  );
  await dashboard.page.route("**/api/inventory", (route) => route.abort());
  await dashboard.page.reload();
  await dashboard.panel("Orders").getByRole("alert").getByText("the database is busy").waitFor();
  await dashboard.panel("Inventory").getByRole("alert").getByText("the backend cannot be reached").waitFor();
  await dashboard.assertAccessible("with failures");
  await dashboard.page.unrouteAll({ behavior: "wait" });
  await dashboard.panel("Orders").getByRole("button", { name: "Try again" }).click();
  await dashboard.panel("Orders").getByRole("rowheader").first().waitFor();
  await dashboard.panel("Inventory").getByText("SENSOR-1").waitFor();
  await dashboard.close();
});

test("the first load's JavaScript is small, and cached permanently by its name", async () => {
  const page = readFileSync(join(DIST, "index.html"), "utf8");
  const scripts = readdirSync(join(DIST, "assets")).filter((name) => name.endsWith(".js") && page.includes(name));
  assert.ok(scripts.length > 0);
  const bytes = scripts.reduce((sum, name) => sum + gzipSync(readFileSync(join(DIST, "assets", name))).length, 0);
  assert.ok(bytes < FIRST_LOAD_LIMIT, `${bytes} bytes`);
  const asset = await fetch(`${backend.url}/assets/${scripts[0]}`, { headers: { "Accept-Encoding": "br" } });
  assert.match(asset.headers.get("cache-control"), /immutable/);
  assert.equal(asset.headers.get("content-encoding"), "br");
  assert.equal(await asset.text(), readFileSync(join(DIST, "assets", scripts[0]), "utf8"));
  assert.equal((await fetch(backend.url)).headers.get("cache-control"), "no-cache");
});

test("the page of the stock client lists orders live, and places them", async () => {
  const dashboard = new Dashboard(await openPage(browser, `${backend.url}/socketio.html`, { expected: [/status of 409/] }));
  const { page } = dashboard;
  await page.getByRole("status").filter({ hasText: "Connected by websocket" }).waitFor();
  const { id } = await backend.order("GADGET-1", 2);
  await dashboard.order(id).getByText("2 × Gadget").waitFor();
  await backend.request("PATCH", `/api/orders/${id}/status`, { status: "confirmed" });
  await dashboard.order(id).getByText("confirmed").waitFor();
  await page.getByLabel("Product").selectOption({ label: "Cable, 2 m" });
  await page.getByLabel("Quantity").fill("3");
  await page.getByRole("button", { name: "Place order" }).click();
  const placed = await page.getByText(/Order #\d+ was placed/).textContent();
  await dashboard.order(/\d+/.exec(placed)[0]).getByText("3 × Cable, 2 m").waitFor();
  await page.getByLabel("Product").selectOption({ label: "Limited edition" });
  await page.getByLabel("Quantity").fill("999");
  await page.getByRole("button", { name: "Place order" }).click();
  await page.getByText("Not ordered: not enough").waitFor();
  await dashboard.assertAccessible("the page of the stock client");
  await dashboard.close();
});

test("the Content-Security-Policy allows what the pages need, and no more", async (context) => {
  const plain = await Backend.start({ options: ["--static", PLAIN] });
  context.after(() => plain.stop());
  for (const url of [backend.url, plain.url]) {
    const { page, context: window, complaints } = await openPage(browser, url, { expected: [/Content Security Policy/] });
    const taken = await page.evaluate(() => {
      const script = document.createElement("script");
      const style = document.createElement("style");
      script.textContent = "window.wasTaken = true";
      style.textContent = "body { color: red }";
      document.head.append(script, style);
      return { script: window.wasTaken === true, style: style.sheet !== null };
    });
    assert.deepEqual(taken, { script: false, style: false });
    assert.deepEqual(complaints, []);
    await window.close();
  }
  const { page, context: window, complaints } = await openPage(browser, plain.url);
  await page.getByRole("status").filter({ hasText: "open" }).waitFor();
  await page.getByLabel("Product").selectOption("GADGET-1");
  await page.getByRole("button", { name: "Order" }).click();
  await page.getByText(/^Order \d+: 49\.50$/).waitFor();
  await page.getByText("order_created").waitFor();
  assert.deepEqual(complaints, []);
  await window.close();
});
