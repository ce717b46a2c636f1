/**
 * Mutations of valid inputs. Input `i` of a target is a function of (seed, target, i) alone, so that any of them can be
 * made again without those before it.
 */
import { SeededRandom } from "../../src/testkit/seeded-random.ts";

/** What inputs are made from. */
export interface Material {
  readonly seeds: readonly Uint8Array[];
  /** Pieces of the format: words, magic numbers, brackets. */
  readonly dictionary: readonly Uint8Array[];
}

/** No input grows beyond this, but a seed may be longer. */
const bytesMax = 64 * 1024;
const mutationsMax = 6;

export function inputRandom(seed: number, target: string, index: number): SeededRandom {
  let state = seed | 0;
  for (let i = 0; i < target.length; i++) state = Math.imul(state ^ target.charCodeAt(i), 0x01000193);
  const random = new SeededRandom(state);
  return new SeededRandom(random.u32() ^ Math.imul(index + 1, 0x9e3779b1));
}

/** A seed with one or a few things wrong. */
export function mutatedInput(random: SeededRandom, material: Material): Uint8Array {
  // A copy, even of a Buffer, whose slice() is none.
  let bytes = new Uint8Array(random.pick(material.seeds)) as Uint8Array;
  // Mostly one or two: what is broken in many places is refused at the first.
  const count = 1 + Math.floor((random.below(1000) / 1000) ** 3 * mutationsMax);
  for (let i = 0; i < count; i++) bytes = mutateOnce(random, bytes, material);
  return bytes;
}

type Mutation = (random: SeededRandom, bytes: Uint8Array, material: Material) => Uint8Array;

function mutateOnce(random: SeededRandom, bytes: Uint8Array, material: Material): Uint8Array {
  if (bytes.length === 0) return insertBytes(random, bytes);
  const changed = random.pick(mutations)(random, bytes, material);
  return changed.length > Math.max(bytesMax, bytes.length) ? changed.slice(0, bytesMax) : changed;
}

const mutations: readonly Mutation[] = [
  flipBit,
  flipBit,
  setByte,
  setByte,
  addToByte,
  overwriteNumber,
  overwriteNumber,
  overwriteVarint,
  insertBytes,
  insertWord,
  overwriteWord,
  replaceDigits,
  removeRange,
  repeatRange,
  moveRange,
  truncate,
  splice,
  swapBytes,
  repeatOften,
];

function flipBit(random: SeededRandom, bytes: Uint8Array): Uint8Array {
  bytes[random.below(bytes.length)] ^= 1 << random.below(8);
  return bytes;
}

const oddBytes = [0, 1, 0x7f, 0x80, 0xff, 0xfe, 0x0a, 0x20, 0x22, 0x5c, 0x7b, 0x7d, 0x2d, 0xc3, 0xed, 0xf4];

function setByte(random: SeededRandom, bytes: Uint8Array): Uint8Array {
  bytes[random.below(bytes.length)] = random.chance(0.5) ? random.pick(oddBytes) : random.below(256);
  return bytes;
}

function addToByte(random: SeededRandom, bytes: Uint8Array): Uint8Array {
  bytes[random.below(bytes.length)] += random.below(9) - 4;
  return bytes;
}

const extremes = [
  0n,
  1n,
  2n,
  0x7fn,
  0x80n,
  0xffn,
  0x7fffn,
  0x8000n,
  0xffffn,
  0x10000n,
  0x7fff_ffffn,
  0x8000_0000n,
  0xffff_fffen,
  0xffff_ffffn,
  0x1_0000_0000n,
  (1n << 53n) - 1n,
  1n << 53n,
  (1n << 63n) - 1n,
  1n << 63n,
  (1n << 64n) - 1n,
];

/** A length, a count, a time: 2, 4 or 8 bytes in either order become an extreme. */
function overwriteNumber(random: SeededRandom, bytes: Uint8Array): Uint8Array {
  const size = random.pick([2, 4, 4, 8, 8]);
  if (bytes.length < size) return bytes;
  const at = random.below(bytes.length - size + 1);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const value = random.pick(extremes) - (random.chance(0.3) ? BigInt(random.below(16)) : 0n);
  const littleEndian = random.chance(0.3);
  if (size === 2) view.setUint16(at, Number(value & 0xffffn), littleEndian);
  else if (size === 4) view.setUint32(at, Number(value & 0xffff_ffffn), littleEndian);
  else view.setBigUint64(at, BigInt.asUintN(64, value), littleEndian);
  return bytes;
}

/** An extreme as a varint in place of one byte, or one that does not end. */
function overwriteVarint(random: SeededRandom, bytes: Uint8Array): Uint8Array {
  const at = random.below(bytes.length);
  const encoded: number[] = [];
  if (random.chance(0.2))
    encoded.push(...new Array<number>(1 + random.below(12)).fill(0x80 | random.below(128)));
  else {
    let value = random.pick(extremes);
    for (; value >= 0x80n; value >>= 7n) encoded.push(Number(value & 0x7fn) | 0x80);
    encoded.push(Number(value));
  }
  return joined(bytes.subarray(0, at), Uint8Array.from(encoded), bytes.subarray(at + 1));
}

function insertBytes(random: SeededRandom, bytes: Uint8Array): Uint8Array {
  const at = random.below(bytes.length + 1);
  const added = Uint8Array.from({ length: 1 + random.below(8) }, () => random.below(256));
  return joined(bytes.subarray(0, at), added, bytes.subarray(at));
}

function insertWord(random: SeededRandom, bytes: Uint8Array, { dictionary }: Material): Uint8Array {
  if (dictionary.length === 0) return insertBytes(random, bytes);
  const at = random.below(bytes.length + 1);
  return joined(bytes.subarray(0, at), random.pick(dictionary), bytes.subarray(at));
}

function overwriteWord(random: SeededRandom, bytes: Uint8Array, { dictionary }: Material): Uint8Array {
  if (dictionary.length === 0) return setByte(random, bytes);
  const at = random.below(bytes.length);
  const word = random.pick(dictionary);
  return joined(bytes.subarray(0, at), word, bytes.subarray(Math.min(bytes.length, at + word.length)));
}

const oddNumbers = [
  "0",
  "-1",
  "1e309",
  "-1e309",
  "1e-400",
  "5e-324",
  "NaN",
  "+Inf",
  "-Inf",
  "9007199254740993",
  "9223372036854775807",
  "9223372036854775808",
  "-9223372036854775809",
  "18446744073709551616",
  "0x1p-1074",
  "0x1p99999",
  "1_000",
  "00000000000000000001",
  "1.",
  ".5",
  "3".repeat(400),
];

/** A number in a text becomes another. */
function replaceDigits(random: SeededRandom, bytes: Uint8Array): Uint8Array {
  const isDigit = (i: number) => bytes[i] >= 0x30 && bytes[i] <= 0x39;
  const from = random.below(bytes.length);
  let start = from;
  while (start < bytes.length && !isDigit(start)) start++;
  if (start === bytes.length) return setByte(random, bytes);
  while (start > 0 && isDigit(start - 1)) start--;
  let end = start;
  while (end < bytes.length && isDigit(end)) end++;
  const number = Uint8Array.from(random.pick(oddNumbers), (char) => char.charCodeAt(0));
  return joined(bytes.subarray(0, start), number, bytes.subarray(end));
}

/** Two places of the input, the first not behind the second, mostly close together. */
function range(random: SeededRandom, bytes: Uint8Array): [start: number, end: number] {
  const start = random.below(bytes.length);
  const most = random.chance(0.7) ? 16 : bytes.length;
  return [start, Math.min(bytes.length, start + 1 + random.below(most))];
}

function removeRange(random: SeededRandom, bytes: Uint8Array): Uint8Array {
  const [start, end] = range(random, bytes);
  return joined(bytes.subarray(0, start), bytes.subarray(end));
}

function repeatRange(random: SeededRandom, bytes: Uint8Array): Uint8Array {
  const [start, end] = range(random, bytes);
  const piece = bytes.subarray(start, end);
  return joined(
    bytes.subarray(0, end),
    ...new Array<Uint8Array>(1 + random.below(4)).fill(piece),
    bytes.subarray(end),
  );
}

function moveRange(random: SeededRandom, bytes: Uint8Array): Uint8Array {
  const [start, end] = range(random, bytes);
  const piece = bytes.slice(start, end);
  const rest = joined(bytes.subarray(0, start), bytes.subarray(end));
  const at = random.below(rest.length + 1);
  return joined(rest.subarray(0, at), piece, rest.subarray(at));
}

function truncate(random: SeededRandom, bytes: Uint8Array): Uint8Array {
  return random.chance(0.8)
    ? bytes.slice(0, random.below(bytes.length))
    : bytes.slice(random.below(bytes.length));
}

/** The beginning of this one and the end of another. */
function splice(random: SeededRandom, bytes: Uint8Array, { seeds }: Material): Uint8Array {
  const other = random.pick(seeds);
  const at = random.below(bytes.length + 1);
  const from = random.chance(0.5) ? Math.min(at, other.length) : random.below(other.length + 1);
  return joined(bytes.subarray(0, at), other.subarray(from));
}

function swapBytes(random: SeededRandom, bytes: Uint8Array): Uint8Array {
  const a = random.below(bytes.length);
  const b = random.below(bytes.length);
  [bytes[a], bytes[b]] = [bytes[b], bytes[a]];
  return bytes;
}

/** Brackets in brackets, endless lists: rarely, since it makes long inputs. */
function repeatOften(random: SeededRandom, bytes: Uint8Array, { dictionary }: Material): Uint8Array {
  if (!random.chance(0.02)) return flipBit(random, bytes);
  const [start, end] = range(random, bytes);
  const piece =
    dictionary.length > 0 && random.chance(0.5)
      ? random.pick(dictionary)
      : bytes.slice(start, Math.min(end, start + 16));
  const times = Math.min(Math.floor(bytesMax / piece.length), 1 << random.below(15));
  return joined(bytes.subarray(0, start), ...new Array<Uint8Array>(times).fill(piece), bytes.subarray(start));
}

export function joined(...parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}
