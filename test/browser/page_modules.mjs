// The page's modules for node: they are plain .js files for the browser, which node takes for modules only beside a
// package.json that says so. They are imported from a copy.
import { cpSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const PAGE = join(dirname(fileURLToPath(import.meta.url)), "../../src/lab/page");
const folder = mkdtempSync(join(tmpdir(), "cairn-page-"));
cpSync(PAGE, folder, { recursive: true });
writeFileSync(join(folder, "package.json"), '{"type":"module"}');
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));

export const load = (name) => import(pathToFileURL(join(folder, name)));
