// The browser's own EventSource: events, a restart of the backend, what a page sends, other origins.
import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";
import { Backend } from "./support/backend.mjs";
import { closePages, launchBrowser } from "./support/browser.mjs";

let browser;

before(async () => {
  browser = await launchBrowser();
});

afterEach(() => closePages(browser));

after(() => browser?.close());

/** A page of the backend that collects the events of a stream in `window.events`. */
async function openStream(pageUrl, url, options = {}) {
  const context = await browser.newContext();
  const page = await context.newPage();
  await page.goto(`${pageUrl}/healthz`);
  await page.evaluate(([streamUrl, init]) => {
    window.events = [];
    window.closes = [];
    window.source = new EventSource(streamUrl, init);
    window.source.onmessage = (event) => {
      window.events.push({ ...JSON.parse(event.data), lastEventId: event.lastEventId });
    };
    window.source.addEventListener("close", (event) => window.closes.push(JSON.parse(event.data)));
  }, [url, options]);
  return { page, context };
}

function waitForType(page, type, count = 1) {
  return page.waitForFunction(
    ([wanted, least]) => window.events.filter((event) => event.type === wanted).length >= least,
    [type, count],
  );
}

function messagesOf(page) {
  return page.evaluate(() =>
    window.events.filter((event) => event.type === "notification").map((event) => event.data.message));
}

test("a page receives events, and sends messages with fetch", async () => {
  const backend = await Backend.start({ options: ["--threads", "2", "--no-presence"] });
  try {
    const { page, context } = await openStream(backend.url, "/events");
    await waitForType(page, "welcome");
    await backend.notify("one\ntwo");
    await waitForType(page, "notification");
    assert.deepEqual(await messagesOf(page), ["one\ntwo"]);
    const status = await page.evaluate(async () => {
      const session = window.events[0].data.session_id;
      const response = await fetch(`/events?session=${session}`, {
        method: "POST",
        body: JSON.stringify({ type: "join_room", room: "r", ref: 1 }),
      });
      return response.status;
    });
    assert.equal(status, 204);
    await waitForType(page, "room_joined");
    const ids = await page.evaluate(() => window.events.map((event) => event.lastEventId));
    assert.equal(ids[2], ids[1]);
    await context.close();
  } finally {
    await backend.stop();
  }
});

test("EventSource reconnects by itself and learns what it missed", async () => {
  const first = await Backend.start({ options: ["--no-presence"] });
  const { port } = first;
  const { page, context } = await openStream(first.url, "/events");
  await waitForType(page, "welcome");
  await first.stop();
  await page.waitForFunction(() => window.closes.length === 1);
  const closes = await page.evaluate(() => window.closes);
  assert.equal(closes[0].code, 1012);
  const second = await Backend.start({ port, options: ["--no-presence"] });
  try {
    await waitForType(page, "welcome", 2);
    await waitForType(page, "recovered"); // of another run: complete is false
    const recovered = await page.evaluate(() =>
      window.events.find((event) => event.type === "recovered").data.complete);
    assert.equal(recovered, false);
    await second.notify("after the restart");
    await waitForType(page, "notification");
    await context.close();
  } finally {
    await second.stop();
  }
});

test("pages of an allowed origin may read the stream and send, others may not", async () => {
  const pages = await Backend.start();
  const strangers = await Backend.start();
  const backend = await Backend.start({ options: ["--allow-origin", pages.url, "--no-presence"] });
  try {
    const allowed = await openStream(pages.url, `${backend.url}/events`, { withCredentials: true });
    await waitForType(allowed.page, "welcome");
    const status = await allowed.page.evaluate(async (url) => {
      const session = window.events[0].data.session_id;
      const response = await fetch(`${url}/events?session=${session}`, {
        method: "POST",
        credentials: "include",
        headers: { "Content-Type": "application/json" }, // which needs a preflight
        body: JSON.stringify({ type: "ping" }),
      });
      return response.status;
    }, backend.url);
    assert.equal(status, 204);
    await waitForType(allowed.page, "pong");
    const refused = await openStream(strangers.url, `${backend.url}/events`);
    await refused.page.waitForFunction(() => window.source.readyState === EventSource.CLOSED);
    assert.deepEqual(await refused.page.evaluate(() => window.events), []);
  } finally {
    await Promise.all([pages.stop(), strangers.stop(), backend.stop()]);
  }
});
