/** Build steps for a server with a Content-Security-Policy and without compression of its own. */
import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import type { Plugin } from "vite";

const TEXTS = /\.(css|html|js|json|svg|txt|webmanifest)$/;

/** Also writes each text file as FILE.br and FILE.gz, if that is smaller, so that a server need not
 * compress. */
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
 * Sonner inserts its styles into the page by a script, which the policy forbids. They are imported
 * from its file instead (main.tsx), and that call is removed.
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
        this.error("sonner no longer inserts its styles by this call: adapt this plugin");
      }
      return { code: without, map: null };
    },
  };
}
