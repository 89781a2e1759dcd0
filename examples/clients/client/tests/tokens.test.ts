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

const LONG_MS = 3_600_000;

it("are renewed on the open connection", async () => {
  const { client, problems } = createClient(backend.webSocketUrl, {
    // A connection begins with a short one, also if a slow machine needs several attempts.
    token: () => makeToken("ana", client.getState().status === "connected" ? LONG_MS : 2000),
  });
  client.connect();
  await nextEvent(client, "authenticated");
  expect(client.getState()).toMatchObject({ status: "connected", userId: "ana" });
  expect(problems).toEqual([]);
  client.close();
});

it("that were not renewed are followed by a connection with a newer one", async () => {
  let old = "";
  let wasConnected = false;
  const { client, problems } = createClient(backend.webSocketUrl, {
    token: () => {
      if (wasConnected) {
        // On the open connection the client receives the one that it has.
        return client.getState().status === "connected" ? old : makeToken("ana", LONG_MS);
      }
      return (old = makeToken("ana", 1500));
    },
  });
  client.connect();
  const first = await whenState(client, "connected");
  wasConnected = true;
  await whenState(client, "reconnecting");
  const second = await whenState(client, "connected");
  expect(second.connectionId).not.toBe(first.connectionId);
  expect(problems).toEqual([]);
  client.close();
});
