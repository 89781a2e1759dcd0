// Debian's chromium for test files, with pages that have npm's socket.io-client. Not here: tests.
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { after, afterEach, before } from "node:test";
import { closePages, launchBrowser } from "../../examples/dashboard/e2e/support/browser.mjs";

const CLIENT = readFileSync(new URL("node_modules/socket.io-client/dist/socket.io.min.js", import.meta.url), "utf8");

/** Transports of the clients of a page, by name: as they come, which is polling and then an upgrade, or one alone. */
export const TRANSPORTS = { both: undefined, websocket: ["websocket"], polling: ["polling"] };

let browser;

/** Starts the browser before the tests of a file, and ends it after them. */
export function useChromium() {
  before(async () => {
    browser = await launchBrowser();
  });
  afterEach(() => closePages(browser));
  after(() => browser?.close());
}

/** Opens a page of a server, and adds the client to it. */
export async function openPage(url) {
  const page = await (await browser.newContext()).newPage();
  page.setDefaultTimeout(0); // the test's own limit ends what waits for ever
  await page.goto(url);
  await page.evaluate(CLIENT);
  return page;
}

/** Serves an empty page from an origin of its own; returns its URL. */
export async function servePage(t) {
  const server = createServer((_, response) => {
    response.setHeader("Content-Type", "text/html");
    response.end("<!doctype html><title>A page</title>");
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => server.close().closeAllConnections());
  return `http://127.0.0.1:${server.address().port}/`;
}

/** Opens a client of a server for each of TRANSPORTS, as `clients` of the page with what they heard, and waits until
 * they are connected and those that may have changed to WebSocket. */
export async function openClients(page, { address }) {
  await page.evaluate(([url, all]) => {
    window.clients = {};
    for (const name of all.names) {
      const options = { forceNew: true, reconnectionDelay: 10, reconnectionDelayMax: 50, auth: { user_id: "ana" } };
      const socket = window.io(url, { ...options, ...(all.transports[name] && { transports: all.transports[name] }) });
      const client = { socket, heard: [], connections: 0 };
      socket.onAny((...event) => client.heard.push(event));
      socket.on("connect", () => client.connections++);
      window.clients[name] = client;
    }
  }, [`http://${address}/`, { names: Object.keys(TRANSPORTS), transports: TRANSPORTS }]);
  await connected(page, 1);
}

/** Waits until each client of the page has connected so often, and has its last transport. */
export async function connected(page, times) {
  await page.waitForFunction((least) =>
    Object.entries(window.clients).every(([name, { socket, connections }]) =>
      connections >= least && socket.connected &&
      socket.io.engine.transport.name === (name === "polling" ? "polling" : "websocket")), times);
}

/** What each client of the page answers to a function of its socket, which runs in the page, and again if the
 * connection is lost before it has answered; by name. */
export function ask(page, question, argument) {
  return page.evaluate(async ([text, value]) => {
    const of = new Function(`return ${text}`)();
    const lost = Symbol("lost");
    const answer = async (socket) => {
      for (;;) {
        const loss = new Promise((resolve) => socket.once("disconnect", () => resolve(lost)));
        const result = await Promise.race([of(socket, value), loss]);
        if (result !== lost) return result;
      }
    };
    const answers = Object.entries(window.clients).map(async ([name, { socket }]) => [name, await answer(socket)]);
    return Object.fromEntries(await Promise.all(answers));
  }, [String(question), argument]);
}

/** The same value for each client. */
export const each = (value) => Object.fromEntries(Object.keys(TRANSPORTS).map((name) => [name, value]));

/** Waits until each client of the page has heard a notification; returns the orders that each has heard, by name. */
export async function orders(page) {
  await page.waitForFunction(() =>
    Object.values(window.clients).every(({ heard }) => heard.some(([name]) => name === "notification")));
  return page.evaluate(() =>
    Object.fromEntries(Object.entries(window.clients).map(([name, { heard }]) =>
      [name, heard.filter(([type]) => type === "order_created").map(([, event]) => event.data.id)])));
}
