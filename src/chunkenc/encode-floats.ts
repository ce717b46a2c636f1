/** Float samples from columns into XOR chunks. */
import { Encoding } from "./encoding.ts";
import type { XorAppender } from "./xor.ts";

/** Where Prometheus cuts chunks that it encodes anew. */
export const samplesPerEncodedChunk = 120;

export interface EncodedChunk {
  readonly encoding: number;
  readonly mint: number;
  readonly maxt: number;
  /** Valid until the next chunk is asked for. */
  readonly bytes: Uint8Array;
}

/** The samples [from, to) of the columns; times increase. `appender` is used for all of the chunks. */
export function* encodeFloats(
  t: Float64Array,
  v: Float64Array,
  from: number,
  to: number,
  appender: XorAppender,
): Generator<EncodedChunk> {
  for (let start = from; start < to; start += samplesPerEncodedChunk) {
    const end = Math.min(start + samplesPerEncodedChunk, to);
    appender.reset();
    for (let i = start; i < end; i++) appender.append(t[i], v, i);
    yield { encoding: Encoding.xor, mint: t[start], maxt: t[end - 1], bytes: appender.bytes() };
  }
}
