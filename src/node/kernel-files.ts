/** The WebAssembly kernels, as files beside their TypeScript twins. */
import { readFileSync } from "node:fs";

/** The bytes of `kernels/<name>.wasm`. */
export function readKernel(name: "head" | "scrape"): Uint8Array<ArrayBuffer> {
  return new Uint8Array(readFileSync(new URL(`../kernels/${name}.wasm`, import.meta.url)));
}
