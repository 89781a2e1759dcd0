/** What others install: both kinds of modules, as they were built, and their size. */
import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "vite";
import { expect, it } from "vitest";

const SIZE_LIMIT = 10_000;

const folder = fileURLToPath(new URL("..", import.meta.url));

it.each([
  ["an ES module", "module", 'import { WebSocketClient } from "@ws-manager/client";'],
  ["a CommonJS module", "commonjs", 'const { WebSocketClient } = require("@ws-manager/client");'],
])("is imported from %s", (_case, type, line) => {
  const options = '{ url: "http://a.b/ws", schemas: {}, WebSocket: class {} }';
  const use = `console.log(new WebSocketClient(${options}).getState().status);`;
  const text = execFileSync(process.execPath, [`--input-type=${type}`, "-e", line + use], {
    cwd: folder,
    encoding: "utf8",
  });
  expect(text.trim()).toBe("closed");
});

it("is small", async () => {
  const result = await build({
    configFile: false,
    root: folder,
    logLevel: "silent",
    build: {
      write: false,
      minify: "esbuild",
      lib: { entry: "src/index.ts", formats: ["cjs"] },
    },
  });
  const outputs = [result].flat().flatMap((each) => ("output" in each ? each.output : []));
  const code = outputs.map((chunk) => ("code" in chunk ? chunk.code : "")).join("");
  expect(code).toContain("welcome");
  expect(gzipSync(code).length).toBeLessThan(SIZE_LIMIT);
});
