// The modules of the package in this folder are ES modules, except those in dist/cjs.
import { writeFileSync } from "node:fs";

writeFileSync("dist/cjs/package.json", '{ "type": "commonjs" }\n');
