/**
 * Block compression as the storage and the network paths use it: whole buffers in, whole buffers out. `node/codecs.ts`
 * has the real ones.
 */
export interface BlockCodec {
  /** The compressed bytes; the result belongs to the caller. */
  compress(bytes: Uint8Array): Uint8Array;
  /**
   * The original bytes; the result belongs to the caller. Throws an error with a plain message where `bytes` are not
   * what the format says, and where the header declares more than `sizeBytesMax` (before anything is allocated).
   */
  decompress(bytes: Uint8Array, sizeBytesMax: number): Uint8Array;
}

export interface Codecs {
  /** The block format, without framing. */
  readonly snappy: BlockCodec;
  readonly zstd: BlockCodec;
}
