import type { ScanKernel } from "./scrape-memory.ts";

/**
 * Makes the WebAssembly scanner from the bytes of `scrape.wasm` (built from assembly/scrape.kernel.ts), for
 * {@link ScrapeMemory}'s constructor.
 */
export function scrapeKernel(wasm: Uint8Array): (memory: WebAssembly.Memory) => ScanKernel {
  const module = new WebAssembly.Module(wasm);
  return (memory) => {
    const { scan } = new WebAssembly.Instance(module, { env: { memory } }).exports;
    return scan as ScanKernel;
  };
}
