/** What a test has started, and ends with it. */
import { afterEach } from "vitest";
import { StubServer, type StubOptions } from "./stub-server";

export const cleanups: (() => unknown)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) {
    await cleanup();
  }
});

export async function startStub(options: StubOptions = {}): Promise<StubServer> {
  const stub = await StubServer.start(options);
  cleanups.push(() => stub.stop());
  return stub;
}
