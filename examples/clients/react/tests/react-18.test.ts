/** The tests of hooks and components again, with React 18. */
import { cpSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { copyPackages, findPackage, FOLDER, REACT_18, run } from "./support/packages";

const TESTS = ["connection-status", "hooks", "notification-toast", "rooms", "server-rendering"];

/** Beside a link to the client, whose test servers the tests import. */
const BASE = join(FOLDER, "dist", "react-18");
const COPY = join(BASE, "react");

it("passes all tests with React 18", { timeout: 300_000 }, () => {
  rmSync(BASE, { recursive: true, force: true });
  mkdirSync(COPY, { recursive: true });
  symlinkSync(join(FOLDER, "..", "client"), join(BASE, "client"));
  cpSync(join(FOLDER, "tests", "support"), join(COPY, "tests", "support"), { recursive: true });
  for (const name of TESTS) {
    cpSync(join(FOLDER, "tests", `${name}.test.tsx`), join(COPY, "tests", `${name}.test.tsx`));
  }
  cpSync(join(FOLDER, "vitest.config.ts"), join(COPY, "vitest.config.ts"));
  writeFileSync(join(COPY, "package.json"), '{ "private": true, "type": "module" }');
  const workspace = (name: string) => findPackage(name, FOLDER);
  copyPackages(
    {
      react: findPackage("react", REACT_18),
      "react-dom": findPackage("react-dom", REACT_18),
      scheduler: findPackage("scheduler", findPackage("react-dom", REACT_18)),
      sonner: workspace("sonner"),
      "@testing-library/react": workspace("@testing-library/react"),
      "@ws-manager/react/package.json": join(FOLDER, "package.json"),
      "@ws-manager/react/dist/esm": join(FOLDER, "dist", "esm"),
    },
    COPY,
  );

  const version = run(process.execPath, ["-p", "require('react-dom').version"], COPY);
  expect(version).toMatch(/^18\./);
  const text = run(process.execPath, [join(workspace("vitest"), "vitest.mjs"), "run", "--reporter=json"], COPY);
  const report = JSON.parse(text) as { success: boolean; numPassedTests: number; numFailedTests: number };
  expect(report).toMatchObject({ success: true, numFailedTests: 0 });
  expect(report.numPassedTests).toBeGreaterThan(TESTS.length);
});
