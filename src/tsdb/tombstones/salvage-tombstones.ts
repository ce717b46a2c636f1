/**
 * Reads a `tombstones` file that is damaged. One changed byte, wherever it is, is put right by the checksum. With more than
 * that the file does not say any more which entries are as they were written: those that can be the block's own are
 * believed, and it is known that others may be missing.
 */
import { ByteReader } from "../../base/bytes.ts";
import { crc32c } from "../../base/crc32c.ts";
import { changedByte } from "../../base/crc32c-correct.ts";
import { CorruptionError } from "../../base/errors.ts";
import { decodeTombstones, tombstonesHeader } from "./file.ts";
import type { Interval } from "./intervals.ts";
import { Tombstones } from "./tombstones.ts";

export interface SalvagedTombstones {
  readonly tombstones: Tombstones;
  /** Whether these are all that the file had. */
  readonly isWhole: boolean;
}

/** `fits`: whether the block has this series, with chunks from the beginning of the interval to its end. */
export function salvageTombstones(
  bytes: Uint8Array,
  path: string,
  fits: (ref: number, interval: Interval) => boolean,
): SalvagedTombstones {
  return wholeTombstones(bytes, path, fits) ?? { tombstones: believable(bytes, path, fits), isWhole: false };
}

const headerBytes = tombstonesHeader.length;
const checksumBytes = 4;
/** In a longer file some byte or other makes any checksum right: of this length, one damaged at random in 260 does. */
const correctableBytesMax = 65_536;

/** Undefined where more than the header and one byte are damaged. */
function wholeTombstones(
  bytes: Uint8Array,
  path: string,
  fits: (ref: number, interval: Interval) => boolean,
): SalvagedTombstones | undefined {
  const end = bytes.length - checksumBytes;
  if (end < headerBytes || end > correctableBytesMax) return undefined;
  const right = bytes.slice();
  right.set(tombstonesHeader);
  const checksum = new DataView(right.buffer, end);
  const changed = changedByte(right, headerBytes, end, checksum.getUint32(0));
  if (changed !== undefined && changed.at < end) right[changed.at] ^= changed.xor;
  if (changed?.at === end) checksum.setUint32(0, crc32c(right, headerBytes, end));
  try {
    const tombstones = decodeTombstones(right, path);
    const isOwn = tombstones.entries().every(([ref, all]) => all.every((interval) => fits(ref, interval)));
    return isOwn ? { tombstones, isWhole: true } : undefined;
  } catch (error) {
    if (!(error instanceof CorruptionError)) throw error;
    return undefined;
  }
}

/**
 * Entry after entry. Where one cannot be the block's, or there is none, the next one is looked for number by number; the
 * first that is found then is left out, because the damage may have taken a part of its series' number.
 */
function believable(
  bytes: Uint8Array,
  path: string,
  fits: (ref: number, interval: Interval) => boolean,
): Tombstones {
  const bySeries = new Map<number, Interval[]>();
  let isInStep = true;
  for (let at = headerBytes; at < bytes.length; ) {
    const entry = entryAt(bytes, path, at);
    if (entry === undefined || !fits(entry.ref, entry.interval)) {
      isInStep = false;
      while (at < bytes.length && bytes[at] >= 0x80) at++;
      at++;
      continue;
    }
    const { ref, interval } = entry;
    if (isInStep) bySeries.set(ref, [...(bySeries.get(ref) ?? []), interval]);
    isInStep = true;
    at = entry.end;
  }
  return Tombstones.of(bySeries);
}

function entryAt(
  bytes: Uint8Array,
  path: string,
  at: number,
): { readonly ref: number; readonly interval: Interval; readonly end: number } | undefined {
  const reader = new ByteReader(bytes, path, 0, at);
  try {
    const ref = reader.uvarint();
    const interval = { mint: reader.varint(), maxt: reader.varint() };
    return { ref, interval, end: reader.position };
  } catch (error) {
    if (!(error instanceof CorruptionError)) throw error;
    return undefined;
  }
}
