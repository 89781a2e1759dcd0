// Starts nginx or haproxy for a test file (proxies.py). Not here: their configurations.
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const PROXIES = fileURLToPath(new URL("proxies.py", import.meta.url));

/** Also where only the superuser's search path has them. */
const PATH = `${process.env.PATH}:/usr/sbin:/sbin`;
export const hasProxy = (kind) => spawnSync(kind, ["-v"], { env: { ...process.env, PATH } }).status === 0;

/** Starts one in front of the backends at one or two ports; it ends with the test. Returns its address. */
export async function startProxy(t, kind, ...ports) {
  const proxy = spawn("python3", [PROXIES, kind, ...ports.map(String)], { stdio: ["pipe", "pipe", "inherit"] });
  const exited = once(proxy, "exit");
  t.after(async () => {
    proxy.stdin.end();
    assert.deepEqual(await exited, [0, null]);
  });
  const failed = exited.then(([status]) => Promise.reject(new Error(`${kind} did not start: ${status}`)));
  failed.catch(() => {}); // when it ends with the test
  const [port] = await Promise.race([once(createInterface(proxy.stdout), "line"), failed]);
  return { address: `127.0.0.1:${port}` };
}
