// A real redis-server for test files. Not here: tests.
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { createInterface } from "node:readline";

export const hasRedis = spawnSync("redis-server", ["--version"]).status === 0;

/** A port of 127.0.0.1 that is free at the moment. */
async function freePort() {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  server.close();
  await once(server, "close");
  return port;
}

/** Starts a Redis that ends with the test; returns its URI. */
export async function startRedis(t) {
  const port = await freePort();
  const options = ["--port", `${port}`, "--bind", "127.0.0.1", "--save", "", "--dir", tmpdir()];
  const server = spawn("redis-server", options, { stdio: ["ignore", "pipe", "inherit"] });
  const exited = once(server, "exit");
  t.after(async () => {
    server.kill("SIGKILL");
    await exited;
  });
  for await (const line of createInterface(server.stdout)) if (line.includes("eady to accept connections")) break;
  server.stdout.resume();
  return `redis://127.0.0.1:${port}`;
}

/** Lets a Redis store nothing for some time. */
export async function pauseRedis(uri, ms) {
  const socket = connect(Number(new URL(uri).port), "127.0.0.1");
  socket.write(`CLIENT PAUSE ${ms} WRITE\r\n`);
  await once(socket, "data");
  socket.destroy();
}
