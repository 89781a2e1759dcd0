/** What the build does beyond Vite's own, for a server with a Content-Security-Policy. */
import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import type { Plugin } from "vite";

const TEXTS = /\.(css|html|js|json|svg|txt|webmanifest)$/;

/** Writes each text as FILE.br and FILE.gz too, where that is smaller: a server need not compress. */
export function compressedCopies(): Plugin {
  let folder = "";

  function writeSmaller(file: string, original: Buffer, copy: Buffer): void {
    if (copy.length < original.length) {
      writeFileSync(file, copy);
    }
  }

  return {
    name: "compressed-copies",
    apply: "build",
    configResolved(config) {
      folder = config.build.outDir;
    },
    closeBundle() {
      for (const name of readdirSync(folder, { recursive: true, encoding: "utf8" })) {
        const file = join(folder, name);
        if (!TEXTS.test(name) || !statSync(file).isFile()) {
          continue;
        }
        const content = readFileSync(file);
        const parameters = { [constants.BROTLI_PARAM_SIZE_HINT]: content.length };
        writeSmaller(`${file}.br`, content, brotliCompressSync(content, { params: parameters }));
        writeSmaller(`${file}.gz`, content, gzipSync(content, { level: constants.Z_BEST_COMPRESSION }));
      }
    },
  };
}

/**
 * Sonner puts its styles into the page by a script, which the policy forbids. They are imported from its
 * file instead (main.tsx), and that call goes.
 */
export function sonnerStylesFromFile(): Plugin {
  return {
    name: "sonner-styles-from-file",
    apply: "build",
    transform(code, id) {
      if (!id.endsWith("/sonner/dist/index.mjs")) {
        return null;
      }
      const without = code.replace(/^__insertCSS\(".*"\);?$/m, "");
      if (without === code) {
        this.error("sonner inserts its styles in another way by now");
      }
      return { code: without, map: null };
    },
  };
}
