/** The packages as others install them, and applications that do so. */
import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** The folder of this package. */
export const FOLDER = fileURLToPath(new URL("../..", import.meta.url));

/** The folder from which React 18 is found, a workspace of its own. */
export const REACT_18 = join(FOLDER, "..", "react-18");

/** Runs a program, and returns what it prints. The npm that runs these tests sets variables
 * that are not for the one that they run. */
export function run(program: string, parameters: string[], folder: string): string {
  const env = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^(npm_|VITEST|NODE_ENV$)/i.test(name)),
  );
  const result = spawnSync(program, parameters, { cwd: folder, env, encoding: "utf8" });
  if (result.status !== 0) {
    throw new Error(`${program} ${parameters.join(" ")} failed:\n${result.stdout}${result.stderr}`);
  }
  return result.stdout;
}

/** A folder that is removed by `remove`. */
export function temporaryFolder(): { folder: string; remove: () => void } {
  const folder = mkdtempSync(join(tmpdir(), "ws-manager-"));
  return { folder, remove: () => rmSync(folder, { recursive: true }) };
}

/** The package's archive, as `npm publish` would upload it. */
export function pack(name: "client" | "react", destination: string): string {
  run("npm", ["pack", "--silent", "--pack-destination", destination], join(FOLDER, "..", name));
  const archive = readdirSync(destination).find((file) => file.startsWith(`ws-manager-${name}-`));
  if (archive === undefined) {
    throw new Error(`npm pack has made no archive of ${name}`);
  }
  return join(destination, archive);
}

/** Where the package of that name is, for a package in `from`. */
export function findPackage(name: string, from: string): string {
  const folder = join(from, "node_modules", name);
  if (existsSync(join(folder, "package.json"))) {
    return folder;
  }
  if (dirname(from) === from) {
    throw new Error(`${name} is not installed`);
  }
  return findPackage(name, dirname(from));
}

/** These packages and all that they depend on, by their own names, for a package.json: an
 * application can install them without a network. */
function withDependencies(names: readonly string[], from: string): Record<string, string> {
  const found: Record<string, string> = {};
  for (const name of names) {
    const folder = findPackage(name, from);
    const manifest = JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as {
      name: string;
      dependencies?: Record<string, string>;
    };
    Object.assign(found, withDependencies(Object.keys(manifest.dependencies ?? {}), folder));
    found[manifest.name] = `file:${folder}`;
  }
  return found;
}

/** Installs the archives, and packages as they are found from `from`, in a copy of tests/apps/`app`. */
export function install(
  app: string,
  archives: Record<string, string>,
  names: readonly string[],
  from: string,
  folder: string,
): void {
  cpSync(join(FOLDER, "tests", "apps", app), folder, { recursive: true });
  const dependencies = withDependencies(names, from);
  for (const [name, archive] of Object.entries(archives)) {
    dependencies[name] = `file:${archive}`;
  }
  writeFileSync(join(folder, "package.json"), JSON.stringify({ private: true, type: "module", dependencies }));
  const flags = ["--offline", "--install-links", "--ignore-scripts", "--no-audit", "--no-fund", "--no-package-lock"];
  run("npm", ["install", ...flags], folder);
}

/** Compiles the application with all checks, also of the packages' types. */
export function compile(folder: string): void {
  const compiler = join(findPackage("typescript", FOLDER), "bin", "tsc");
  run(process.execPath, [compiler, "-p", "."], folder);
}

/** Copies packages to `folder`/node_modules, where they find only each other before the workspace's. */
export function copyPackages(names: Record<string, string>, folder: string): void {
  for (const [name, source] of Object.entries(names)) {
    const target = join(folder, "node_modules", name);
    mkdirSync(dirname(target), { recursive: true });
    cpSync(source, target, { recursive: true, dereference: true });
  }
}
