// The house rule on imports: a folder imports only the folders named for it here, all of them below it.
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { expect, test } from "vitest";

const src = resolve(import.meta.dirname, "../src");

/** What each folder of src/ may import besides itself. Order: bottom to top; an arrow never points up. */
const layers: Record<string, readonly string[]> = {
  base: [],
  testkit: ["base"],
  node: ["base"],
  model: ["base"],
  kernels: ["base"],
  chunkenc: ["base", "model", "kernels"],
  textparse: ["base", "model"],
  storage: ["base", "model", "chunkenc"],
  tsdb: ["base", "model", "kernels", "chunkenc", "storage"],
  promql: ["base", "model", "kernels", "storage"],
  config: ["base", "model"],
  discovery: ["base", "model", "config"],
  scrape: ["base", "model", "kernels", "textparse", "storage", "config", "discovery"],
  remote: ["base", "model", "kernels", "storage", "config"],
  api: ["base", "model", "storage", "promql"],
  runtime: [
    "base",
    "node",
    "model",
    "kernels",
    "storage",
    "tsdb",
    "promql",
    "config",
    "scrape",
    "remote",
    "api",
  ],
  server: [
    "base",
    "node",
    "model",
    "storage",
    "tsdb",
    "config",
    "discovery",
    "scrape",
    "remote",
    "api",
    "runtime",
  ],
  cli: ["base", "node", "model", "tsdb", "promql", "config", "server"],
};

/** Within tsdb the same rule holds between its folders. */
const tsdbLayers: Record<string, readonly string[]> = {
  chunks: [],
  tombstones: [],
  record: [],
  wal: ["record"],
  index: [],
  budget: [],
  head: ["chunks", "record", "wal", "index", "tombstones", "budget"],
  "head-snapshot": ["chunks", "record", "wal", "head"],
  block: ["chunks", "index", "tombstones"],
  compact: ["chunks", "index", "tombstones", "block", "head"],
  salvage: ["chunks", "index", "tombstones", "block", "compact", "wal"],
};

/** Only these may touch `node:*`. */
const nodeFolders = new Set(["node", "runtime", "server", "cli"]);

function sources(dir: string): string[] {
  return readdirSync(dir, { withFileTypes: true }).flatMap((entry) => {
    const path = join(dir, entry.name);
    if (entry.isDirectory()) return sources(path);
    return entry.name.endsWith(".ts") && !entry.name.endsWith(".test.ts") ? [path] : [];
  });
}

function imports(file: string): string[] {
  const text = readFileSync(file, "utf8");
  return [
    ...text.matchAll(
      /^\s*(?:import|export)\b[^"';]*?from\s+"([^"]+)"|^\s*import\s+"([^"]+)"|\bimport\("([^"]+)"\)/gm,
    ),
  ].map((match) => match[1] ?? match[2] ?? match[3]);
}

const folderOf = (file: string, base: string) => {
  const parts = relative(base, file).split("/");
  return parts.length > 1 ? parts[0] : "";
};

const files = sources(src);

test("there are sources to check", () => {
  expect(files.length).toBeGreaterThan(5);
});

test("every folder of src/ has its place in the layers", () => {
  const folders = [...new Set(files.map((file) => folderOf(file, src)))].filter((folder) => folder !== "");
  expect(folders.filter((folder) => !(folder in layers))).toEqual([]);
});

test("imports point down, never up", () => {
  const wrong: string[] = [];
  for (const file of files) {
    const from = folderOf(file, src);
    if (from === "") continue;
    for (const name of imports(file)) {
      if (name.startsWith("node:") && !nodeFolders.has(from))
        wrong.push(`${relative(src, file)} imports ${name}`);
      if (!name.startsWith(".")) continue;
      const target = resolve(dirname(file), name);
      const to = folderOf(target, src);
      if (to !== from && !layers[from].includes(to))
        wrong.push(`${relative(src, file)} imports ${relative(src, target)}`);
    }
  }
  expect(wrong).toEqual([]);
});

test("inside tsdb too", () => {
  const tsdb = join(src, "tsdb");
  const wrong: string[] = [];
  for (const file of files.filter((path) => path.startsWith(`${tsdb}/`))) {
    const from = folderOf(file, tsdb);
    if (from === "") continue;
    for (const name of imports(file).filter((specifier) => specifier.startsWith("."))) {
      const target = resolve(dirname(file), name);
      if (!target.startsWith(`${tsdb}/`)) continue;
      const to = folderOf(target, tsdb);
      if (to !== from && !tsdbLayers[from]?.includes(to))
        wrong.push(`${relative(src, file)} imports ${relative(src, target)}`);
    }
  }
  expect(wrong).toEqual([]);
});

/** The circles of imports that run through these files, each as its files in order. */
function circles(inside: readonly string[]): string[] {
  const found: string[] = [];
  const left = new Set<string>();
  const path: string[] = [];
  const visit = (file: string): void => {
    if (left.has(file)) return;
    const at = path.indexOf(file);
    if (at >= 0) {
      found.push([...path.slice(at), file].map((name) => relative(src, name)).join(" → "));
      return;
    }
    path.push(file);
    for (const name of imports(file).filter((specifier) => specifier.startsWith("."))) {
      const target = resolve(dirname(file), name);
      if (inside.includes(target)) visit(target);
    }
    path.pop();
    left.add(file);
  };
  for (const file of inside) visit(file);
  return found;
}

// Elsewhere the matter itself is recursive: expressions in expressions, a block and its readers.
test.each(["api", "server", "runtime", "scrape", "config"])("no circles in %s", (folder) => {
  expect(circles(files.filter((file) => folderOf(file, src) === folder))).toEqual([]);
});
