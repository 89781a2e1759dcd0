/** Tokens that expire, with the real backend. */
import { createHmac, randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { Backend } from "./support/backend";
import { createClient, nextEvent } from "./support/client";
import { whenState } from "./support/states";

const secret = randomBytes(32);
let folder: string;
let backend: Backend;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "tokens-"));
  writeFileSync(join(folder, "secret"), secret, { mode: 0o600 });
  backend = await Backend.start({ arguments: ["--jwt-secret-file", join(folder, "secret")] });
});

afterAll(async () => {
  await backend.stop();
  rmSync(folder, { recursive: true });
});

function makeToken(user: string, lifetimeMs: number): string {
  const encode = (part: object) => Buffer.from(JSON.stringify(part)).toString("base64url");
  const claims = { sub: user, exp: (Date.now() + lifetimeMs) / 1000 };
  const text = `${encode({ alg: "HS256", typ: "JWT" })}.${encode(claims)}`;
  return `${text}.${createHmac("sha256", secret).update(text).digest("base64url")}`;
}

it("are renewed on the open connection", async () => {
  const lifetimes = [2000, 3_600_000];
  const { client, problems } = createClient(backend.webSocketUrl, {
    token: () => makeToken("ana", lifetimes.shift() ?? 0),
  });
  client.connect();
  const { connectionId } = await whenState(client, "connected");
  await nextEvent(client, "authenticated");
  expect(client.getState()).toEqual({ status: "connected", connectionId, userId: "ana" });
  expect(problems).toEqual([]);
  client.close();
});

it("that were not renewed are followed by a connection with a newer one", async () => {
  const old = makeToken("ana", 1500);
  const { client, problems } = createClient(backend.webSocketUrl, {
    // On the open connection the client receives the one that it has.
    token: () => (client.getState().status === "reconnecting" ? makeToken("ana", 3_600_000) : old),
  });
  client.connect();
  const first = await whenState(client, "connected");
  const lost = whenState(client, "reconnecting");
  await lost;
  const second = await whenState(client, "connected");
  expect(second.connectionId).not.toBe(first.connectionId);
  expect(problems).toEqual([]);
  client.close();
});
