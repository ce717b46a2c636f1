// Builds dist/: the AssemblyScript kernels, then the TypeScript sources. Skips what is already newer than its
// sources, so that `npm start` and `npm test` may always call it.
import { spawnSync } from "node:child_process";
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join, resolve } from "node:path";
import { ensureInstalled, root } from "./ensure-installed.mjs";

const stamp = join(root, "dist/.built");

function newestMtime(dir, skip) {
  let newest = 0;
  for (const entry of readdirSync(dir, { withFileTypes: true })) {
    const path = join(dir, entry.name);
    if (entry.isDirectory()) newest = Math.max(newest, newestMtime(path, skip));
    else if (!skip.test(entry.name)) newest = Math.max(newest, statSync(path).mtimeMs);
  }
  return newest;
}

function run(args) {
  const done = spawnSync(process.execPath, args, { cwd: root, stdio: ["ignore", 2, 2] });
  if (done.status !== 0) throw new Error(`build step failed: node ${args.join(" ")}`);
}

function kernelEntries() {
  const dir = join(root, "assembly");
  return existsSync(dir) ? readdirSync(dir).filter((name) => name.endsWith(".kernel.ts")) : [];
}

const headMemory = [
  ...["--sharedMemory", "--initialMemory", "65536", "--maximumMemory", "65536"],
  ...["--enable", "threads,simd,bulk-memory,sign-extension"],
];

/** Kernels work on the shared head unless they stand here. */
const memoryOf = {
  // src/kernels/scrape-layout.ts: the writer thread's own memory, which grows.
  "scrape.kernel.ts": [
    ...["--initialMemory", "8", "--maximumMemory", "65536"],
    ...["--enable", "simd,bulk-memory,sign-extension"],
  ],
};

/** Builds the WebAssembly kernels from `assembly/*.kernel.ts` into `src/kernels/*.wasm` where they are out of date. */
export function buildKernels() {
  const entries = kernelEntries();
  if (entries.length === 0) return;
  const sources = newestMtime(join(root, "assembly"), /\.md$/);
  mkdirSync(join(root, "src/kernels"), { recursive: true });
  for (const entry of entries) {
    const wasm = join(root, "src/kernels", entry.replace(".kernel.ts", ".wasm"));
    if (existsSync(wasm) && statSync(wasm).mtimeMs > sources) continue;
    run([
      "node_modules/assemblyscript/bin/asc.js",
      join("assembly", entry),
      "--outFile",
      wasm,
      ...["-O3", "--noAssert", "--runtime", "stub", "--use", "abort=", "--memoryBase", "1024"],
      ...["--importMemory", ...(memoryOf[entry] ?? headMemory)],
    ]);
  }
}

function copyKernels() {
  const from = join(root, "src/kernels");
  if (!existsSync(from)) return;
  mkdirSync(join(root, "dist/kernels"), { recursive: true });
  for (const name of readdirSync(from).filter((file) => file.endsWith(".wasm"))) {
    copyFileSync(join(from, name), join(root, "dist/kernels", name));
  }
}

export function build() {
  ensureInstalled();
  buildKernels();
  const sources = Math.max(
    newestMtime(join(root, "src"), /\.test\.ts$/),
    statSync(join(root, "package-lock.json")).mtimeMs,
  );
  if (existsSync(stamp) && statSync(stamp).mtimeMs > sources) return;
  rmSync(join(root, "dist"), { recursive: true, force: true });
  run(["node_modules/typescript/bin/tsc", "-p", "tsconfig.build.json"]);
  copyKernels();
  chmodSync(join(root, "dist/cli/main.js"), 0o755);
  writeFileSync(stamp, "");
}

if (resolve(process.argv[1]) === resolve(import.meta.filename)) build();
