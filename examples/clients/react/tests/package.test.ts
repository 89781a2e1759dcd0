/** What others install: both kinds of modules, in applications of their own. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { build } from "vite";
import { expect, it } from "vitest";
import { cleanups } from "../../client/tests/support/cleanups";
import { compile, FOLDER, install, pack, REACT_18, run, temporaryFolder } from "./support/packages";

const REACT = ["react", "react-dom", "@types/react", "@types/react-dom", "sonner"];

function makeFolder(): string {
  const { folder, remove } = temporaryFolder();
  cleanups.push(remove);
  return folder;
}

it("is installed, compiled and run in an application without a framework", () => {
  const archives = makeFolder();
  const app = makeFolder();
  install("plain", { "@ws-manager/client": pack("client", archives) }, [], FOLDER, app);
  compile(app);
  expect(run(process.execPath, ["out/main.js"], app).trim()).toBe("closed");
  expect(run(process.execPath, ["out/required.cjs"], app).trim()).toBe("timeout");
  expect(existsSync(join(app, "node_modules/@ws-manager/client/LICENSE"))).toBe(true);
});

it.each([
  ["React 19 that has registered its events", "registered", FOLDER, "<p>joining</p>"],
  ["React 18 that has registered none", "unregistered", REACT_18, "<p>closed connecting ?</p>"],
])("is installed, compiled and run in an application with %s", (_case, source, react, text) => {
  const archives = makeFolder();
  const app = makeFolder();
  const packed = {
    "@ws-manager/client": pack("client", archives),
    "@ws-manager/react": pack("react", archives),
  };
  install(source, packed, REACT, react, app);
  compile(app);
  const html = run(process.execPath, ["out/main.js"], app);
  expect(html).toContain(text);
  expect(html).toContain("Connecting");
  expect(run(process.execPath, ["out/required.cjs"], app).trim()).toBe("function");
  expect(existsSync(join(app, "node_modules/@ws-manager/react/LICENSE"))).toBe(true);
});

it.each(["esm", "cjs"])("is for clients where a framework has components of servers (%s)", (kind) => {
  const lines = readFileSync(join(FOLDER, "dist", kind, "index.js"), "utf8").split("\n");
  const code = lines.filter((line) => line !== "" && !line.startsWith("/**") && line !== '"use strict";');
  expect(code[0]).toBe('"use client";');
});

it("does not bring toasts along with the hooks alone", async () => {
  const result = await build({
    configFile: false,
    root: FOLDER,
    logLevel: "silent",
    build: {
      write: false,
      lib: { entry: "tests/support/hooks-only.ts", formats: ["es"] },
      rollupOptions: { external: [/^react/] },
    },
  });
  const outputs = [result].flat().flatMap((each) => ("output" in each ? each.output : []));
  const code = outputs.map((chunk) => ("code" in chunk ? chunk.code : "")).join("");
  expect(code).toContain("needs a <WebSocketProvider>");
  expect(code).not.toContain("sonner");
});
