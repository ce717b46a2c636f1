/**
 * The real codecs: snappy by the package of that name, zstd by Node where it has it (22.15 and later), else by a
 * WebAssembly build.
 */
import * as zlib from "node:zlib";
import { compressSync, uncompressSync } from "snappy";
import type { BlockCodec, Codecs } from "../base/codec.ts";

/** Loads what has to be loaded; afterwards everything is synchronous. One per thread. */
export async function loadCodecs(): Promise<Codecs> {
  return { snappy, zstd: zlibZstd(zlib) ?? (await wasmZstd()) };
}

// Without copyOutputData the package wraps native memory, which costs 6 to 9 times as much for records of a few KB.
const copyOutput = { copyOutputData: true } as const;

const snappy: BlockCodec = {
  compress: (bytes) => asBytes(compressSync(bytes as Buffer, copyOutput)),
  decompress(bytes, sizeBytesMax) {
    const declared = snappyDeclaredBytes(bytes);
    if (declared > sizeBytesMax) throw new RangeError(tooLong(declared, sizeBytesMax));
    // The densest element is a copy: 3 bytes for 64.
    if (declared > 22 * bytes.length) {
      throw new RangeError(`${bytes.length} bytes of snappy cannot hold ${declared}`);
    }
    return asBytes(uncompressSync(bytes as Buffer, { asBuffer: true, ...copyOutput }) as Buffer);
  },
};

/** The length in front of a snappy block: a varint of at most 32 bits. */
function snappyDeclaredBytes(bytes: Uint8Array): number {
  let length = 0;
  for (let i = 0; i < 5; i++) {
    if (i >= bytes.length) break;
    length += (bytes[i] & 0x7f) * 2 ** (7 * i);
    if (bytes[i] < 0x80) {
      if (length > 0xffffffff) break;
      return length;
    }
  }
  throw new RangeError("the length in front of a snappy block is not valid");
}

function tooLong(declared: number, sizeBytesMax: number): string {
  return `${declared} bytes decompressed, at most ${sizeBytesMax} are allowed`;
}

/** The same memory, without Buffer's own ideas of slice(). */
function asBytes(buffer: Uint8Array): Uint8Array {
  return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength);
}

interface ZlibZstd {
  zstdCompressSync(bytes: Uint8Array): Uint8Array;
  zstdDecompressSync(bytes: Uint8Array, options: { maxOutputLength: number }): Uint8Array;
}

function zlibZstd(module: object): BlockCodec | undefined {
  if (!("zstdCompressSync" in module)) return undefined;
  const { zstdCompressSync, zstdDecompressSync } = module as ZlibZstd;
  return {
    compress: (bytes) => asBytes(zstdCompressSync(bytes)),
    decompress(bytes, sizeBytesMax) {
      const declared = zstdDeclaredBytes(bytes, sizeBytesMax);
      const result = asBytes(zstdDecompressSync(bytes, { maxOutputLength: sizeBytesMax }));
      return checkLength(result, declared);
    },
  };
}

async function wasmZstd(): Promise<BlockCodec> {
  const { init, compress, decompress } = await import("@bokuweb/zstd-wasm");
  await init();
  return {
    compress: (bytes) => compress(bytes),
    decompress(bytes, sizeBytesMax) {
      const declared = zstdDeclaredBytes(bytes, sizeBytesMax);
      if (declared !== undefined) return checkLength(decompress(bytes), declared);
      // Nobody who writes a WAL leaves the length out: try growing sizes.
      for (let size = 1024 * 1024; ; size *= 4) {
        try {
          return decompress(bytes, { defaultHeapSize: Math.min(size, sizeBytesMax) });
        } catch (error) {
          if (size >= sizeBytesMax) throw error;
        }
      }
    },
  };
}

function checkLength(result: Uint8Array, declared: number | undefined): Uint8Array {
  if (declared !== undefined && result.length !== declared) {
    throw new RangeError(`a zstd frame of ${declared} bytes gave ${result.length}`);
  }
  return result;
}

/**
 * The content size in a zstd frame's header (RFC 8878, 3.1.1.1), if it is there. Throws where there is no frame or the
 * size is over the limit.
 */
function zstdDeclaredBytes(bytes: Uint8Array, sizeBytesMax: number): number | undefined {
  if (bytes.length < 6) throw new RangeError(`${bytes.length} bytes are no zstd frame`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.getUint32(0, true) !== 0xfd2fb528) throw new RangeError("not a zstd frame");
  const descriptor = bytes[4];
  const isSingleSegment = (descriptor & 0x20) !== 0;
  const sizeFieldBytes = [isSingleSegment ? 1 : 0, 2, 4, 8][descriptor >>> 6];
  if (sizeFieldBytes === 0) return undefined;
  const at = 5 + (isSingleSegment ? 0 : 1) + [0, 1, 2, 4][descriptor & 3];
  if (at + sizeFieldBytes > bytes.length) throw new RangeError("a zstd frame ends within its header");
  let declared = bytes[at];
  if (sizeFieldBytes === 2) declared = view.getUint16(at, true) + 256;
  else if (sizeFieldBytes === 4) declared = view.getUint32(at, true);
  else if (sizeFieldBytes === 8) declared = view.getUint32(at, true) + view.getUint32(at + 4, true) * 2 ** 32;
  if (declared > sizeBytesMax) throw new RangeError(tooLong(declared, sizeBytesMax));
  return declared;
}
