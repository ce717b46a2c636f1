/** Protobuf by hand, so that every malformed message can be made. */

export function varint(value: number | bigint): number[] {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  for (; rest >= 128n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128);
  return [...bytes, Number(rest)];
}

/** A length-delimited field. */
export function field(number: number, content: readonly number[] | string): number[] {
  const bytes = typeof content === "string" ? [...new TextEncoder().encode(content)] : content;
  return [...varint((number << 3) | 2), ...varint(bytes.length), ...bytes];
}

export const label = (name: string, value: string) => field(1, [...field(1, name), ...field(2, value)]);

/** The labels in the order given. */
export const labels = (from: Readonly<Record<string, string>>) =>
  Object.entries(from).flatMap(([name, value]) => label(name, value));

export function double(number: number, bits: bigint): number[] {
  const bytes = new Uint8Array(BigUint64Array.of(bits).buffer);
  return [...varint((number << 3) | 1), ...bytes];
}

export function bitsOf(value: number): bigint {
  return new BigUint64Array(Float64Array.of(value).buffer)[0];
}

export const sample = (t: number | bigint, value: number | bigint) =>
  field(2, [...double(1, typeof value === "bigint" ? value : bitsOf(value)), 0x10, ...varint(t)]);

export const exemplar = (t: number, value: number, from: Readonly<Record<string, string>>) =>
  field(3, [...labels(from), ...double(2, bitsOf(value)), 0x18, ...varint(t)]);

export const series = (...parts: readonly number[][]) => field(1, parts.flat());

export const message = (...parts: readonly number[][]) => Uint8Array.from(parts.flat());
