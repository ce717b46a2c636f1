/** What the decoders share: a reader placed after the type byte, and the limits of refs. */
import { assert } from "../../base/assert.ts";
import { ByteReader } from "../../base/bytes.ts";

/** Beyond this a ref is not exact as a number; Prometheus counts them up from 1. */
export const walRefLimit = Number.MAX_SAFE_INTEGER;

/** New series count on from the highest ref that is found; from here on refs can only be a damaged file's. */
const countedBelow = 2 ** 52;

/** The higher of two WAL refs, of which the second was found in a file. */
export function higherWalRef(max: number, found: number): number {
  return found > max && found < countedBelow ? found : max;
}

/** A reader of the body of `record`, whose type must be one of `types`. Its errors count bytes from the record's start. */
export function bodyOf(record: Uint8Array, ...types: readonly number[]): ByteReader {
  assert(types.includes(record[0]), `a record of type ${record[0]} was given to the decoder for ${types}`);
  return new ByteReader(record, "WAL record", 0, 1);
}

/** `ref`, if it is one that can be told apart from its neighbours. */
export function checkedRef(ref: number, reader: ByteReader): number {
  if (!(ref >= 0 && ref <= walRefLimit)) throw reader.corrupt(`series ref ${ref} is out of range`);
  return ref;
}
