// Pages of two processes of the backend, which share a Redis.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import net from "node:net";
import { after, afterEach, before, test } from "node:test";
import { Backend } from "./support/backend.mjs";
import { closePages, launchBrowser, openPage } from "./support/browser.mjs";
import { Dashboard } from "./support/dashboard.mjs";

let browser;

before(async () => {
  browser = await launchBrowser();
});

afterEach(() => closePages(browser));

after(() => browser?.close());

async function freePort() {
  const server = net.createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  server.close();
  await once(server, "close");
  return port;
}

/** Resolves to null where Redis is not installed. */
async function startRedis() {
  const port = await freePort();
  const options = ["--port", port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"];
  const child = spawn("redis-server", options.map(String), { stdio: ["ignore", "pipe", "inherit"] });
  try {
    await once(child, "spawn");
  } catch {
    return null;
  }
  for await (const text of child.stdout) {
    if (String(text).includes("Ready to accept connections")) {
      break;
    }
  }
  return { url: `redis://127.0.0.1:${port}`, stop: () => child.kill() };
}

test("users and messages of all processes are shown", async (context) => {
  const redis = await startRedis();
  if (redis === null) {
    context.skip("redis-server is not installed");
    return;
  }
  context.after(() => redis.stop());
  const backends = [];
  for (const node of ["one", "two"]) {
    const backend = await Backend.start({ options: ["--redis", redis.url, "--node", node] });
    context.after(() => backend.stop());
    backends.push(backend);
  }
  const [ana, ben] = await Promise.all(
    ["ana", "ben"].map(async (name, i) =>
      new Dashboard(await openPage(browser, `${backends[i].url}/?user_id=${name}`))),
  );
  await ana.panel("Online").getByText("ben", { exact: true }).waitFor();
  await ben.panel("Online").getByText("ana", { exact: true }).waitFor();
  await ana.panel("Online").getByText("2 named users").waitFor();
  assert.equal(await ana.panel("Online").getByText("ana (this page)").count(), 1);

  await ana.joinRoom("lobby");
  await ben.joinRoom("lobby");
  await ben.panel("Messages").getByLabel("To the room lobby").pressSequentially("hel");
  await ana.panel("Messages").getByText("ben is typing…").waitFor();
  await ben.panel("Messages").getByRole("button", { name: "Send" }).click();
  await ana.chat("lobby").getByText("ben: hel").waitFor();

  await ana.panel("Online").getByRole("button", { name: "Disconnect ben" }).click();
  await ana.panel("Online").getByText("ben is being disconnected.").waitFor();
  await ben.whenStatus("disconnected by the staff (4403)");
  await ana.panel("Online").getByText("1 named user", { exact: false }).waitFor();
  await ana.close();
  await ben.close();
});
