// Starts socketio-echo for a test file. Not here: the clients.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";

/** Starts the server; returns its address and a function that ends it, and checks that it ended well. */
export async function startEcho() {
  const server = spawn(process.env.SOCKETIO_ECHO, ["--listen", "127.0.0.1:0"], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [line] = await once(createInterface(server.stdout), "line");
  const stop = async () => {
    server.kill("SIGTERM");
    const [status] = await once(server, "exit");
    assert.equal(status, 0);
  };
  return { address: /^listening on http:\/\/(.*)$/.exec(line)[1], stop };
}
