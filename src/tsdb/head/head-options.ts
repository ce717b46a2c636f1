import type { ChunkEncodings } from "../../chunkenc/encode-samples.ts";
import type { HeadKernel } from "../../kernels/head-kernel.ts";

/** Settings of a head; the defaults are Prometheus's. */
export interface HeadOptions {
  /** The length of a block of the head. Default 2 h. */
  readonly chunkRangeMs?: number;
  /** The number of samples that a chunk is aimed at. Default 120. */
  readonly samplesPerChunk?: number;
  /** How many exemplars are kept. Default 0: none. */
  readonly exemplarsMax?: number;
  /** Of chunks. Default: those that Prometheus 3.5 can read. */
  readonly encodings?: ChunkEncodings;
  /** Whether start times are logged and kept. Default: they are dropped. */
  readonly keepsStarts?: boolean;
  /** The first WAL ref that was never used, as the loading of the WAL found it. Default 1. */
  readonly nextWalRef?: number;
  /** The kernel made for this memory (kernels/head-kernel.ts). Default: its TypeScript twin. */
  readonly kernel?: HeadKernel;
}

export interface HeadMemoryOptions {
  /**
   * The size of the shared memory in pages of 64 KiB. Default, and what the WebAssembly kernels need: 65536 (4 GiB).
   * Committed by the operating system as it is touched.
   */
  readonly pages?: number;
  /** Mixed into all hashes, so that nobody outside can choose labels that collide. */
  readonly hashSeed?: number;
  /** For tests: memory is overwritten when it is freed. */
  readonly poison?: boolean;
  /** For tests that show that the guard is needed: memory is freed without waiting for readers. */
  readonly unguarded?: boolean;
}
