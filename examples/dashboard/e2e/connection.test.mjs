// The state of the connection as the page shows it, through everything that can happen to it.
import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";
import { Backend } from "./support/backend.mjs";
import { closePages, launchBrowser, NO_SERVER, openPage } from "./support/browser.mjs";
import { Dashboard } from "./support/dashboard.mjs";
import { startProxy } from "./support/proxy.mjs";

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

async function open(url = backend.url, options = {}) {
  return new Dashboard(await openPage(browser, url, options));
}

test("it connects by itself, and says so in words", async () => {
  const dashboard = await open();
  await dashboard.whenStatus("Connected");
  assert.equal((await dashboard.status.textContent()).trim(), "Connected");
  await dashboard.close();
});

test("while the backend is down it shows the next attempt; then it is back in its rooms", async () => {
  const dashboard = await open(backend.url, { expected: NO_SERVER });
  await dashboard.whenStatus("Connected");
  await dashboard.joinRoom("lobby");
  const before = await backend.order();
  await dashboard.order(before.id).waitFor();

  await backend.stop("SIGKILL");
  await dashboard.whenStatus(/Reconnecting\s*attempt \d+/);
  await dashboard.page.getByText(/next attempt in \d+ s/).waitFor();
  await dashboard.page.getByText("Unknown while disconnected.").waitFor();
  // Messages from this time are sent later.
  await dashboard.say("lobby", "are you back?");
  await dashboard.chat("lobby").getByText("You: are you back? sending…").waitFor();

  backend = await Backend.start({ port: backend.port });
  await dashboard.whenStatus("Connected");
  await dashboard.chat("lobby").getByText("You: are you back? sent").waitFor();
  const { rooms } = await backend.request("GET", "/ws/stats");
  assert.equal(rooms.lobby, 1);
  // The new backend began with an empty database, so the page's order is gone.
  await dashboard.panel("Orders").getByText("No orders yet").waitFor();
  const { id } = await backend.order();
  await dashboard.order(id).waitFor();
  await dashboard.close();
});

test("a clean shutdown of the backend is followed by a new connection too", async () => {
  const dashboard = await open(backend.url, { expected: NO_SERVER });
  await dashboard.whenStatus("Connected");
  await backend.stop("SIGTERM");
  await dashboard.whenStatus("Reconnecting");
  backend = await Backend.start({ port: backend.port });
  await dashboard.whenStatus("Connected");
  await dashboard.close();
});

test("it shows that it is offline without a network, and reconnects at once", async () => {
  const dashboard = await open(backend.url, {
    expected: [...NO_SERVER, /net::ERR_INTERNET_DISCONNECTED/],
  });
  await dashboard.whenStatus("Connected");
  await dashboard.context.setOffline(true);
  await backend.stop("SIGKILL");
  await dashboard.whenStatus("Offline");
  backend = await Backend.start({ port: backend.port });
  await dashboard.context.setOffline(false);
  await dashboard.whenStatus("Connected");
  await dashboard.close();
});

test("it shows the reason of a refusal, and reconnects only on request", async () => {
  let connections = 0;
  const proxy = await startProxy(backend.url, (socket) => {
    connections++;
    socket.close(4401, "the token has expired");
  });
  const dashboard = await open(proxy.url);
  await dashboard.whenStatus(/Refused\s*the token has expired \(4401\)/);
  await dashboard.assertAccessible("refused");
  // The page works without a connection: an order is placed and shown.
  await dashboard.panel("New order").getByRole("button", { name: "Place order" }).click();
  await dashboard.panel("New order").getByText(/Order #\d+ was placed/).waitFor();
  await dashboard.panel("Orders").getByRole("rowheader").first().waitFor();
  assert.equal(connections, 1);
  await dashboard.page.getByRole("button", { name: "Try now" }).click();
  await dashboard.whenStatus("Refused");
  await dashboard.close();
  assert.equal(connections, 2);
  await proxy.stop();
});

test("it shows that it is connecting until there is an answer", async () => {
  let arrived;
  const asked = new Promise((resolve) => {
    arrived = resolve;
  });
  const proxy = await startProxy(backend.url, arrived);
  const dashboard = await open(proxy.url);
  const socket = await asked;
  await dashboard.whenStatus("Connecting");
  socket.send(JSON.stringify({
    type: "welcome",
    data: { connection_id: "c", user_id: null, id: "e.0", ping_interval_ms: 0 },
  }));
  await dashboard.whenStatus("Connected");
  await dashboard.close();
  await proxy.stop();
});
