// Writes pages in the protobuf exposition format, field by field, so that tests can also write wrong ones.
import { ByteWriter, encodeUtf8 } from "../../src/base/bytes.ts";

export type Field = readonly [
  number: number,
  wire: "varint" | "double" | "bytes",
  value: number | string | Uint8Array,
];

export function message(...fields: readonly Field[]): Uint8Array {
  const out = new ByteWriter();
  for (const [number, wire, value] of fields) writeField(out, number, wire, value);
  return out.bytes().slice();
}

function writeField(out: ByteWriter, number: number, wire: Field[1], value: Field[2]): void {
  if (wire === "varint") {
    out.uvarint(number * 8);
    out.uvarint(value as number);
  } else if (wire === "double") {
    out.uvarint(number * 8 + 1);
    out.raw(new Uint8Array(new Float64Array([value as number]).buffer));
  } else {
    const bytes = typeof value === "string" ? encodeUtf8(value) : (value as Uint8Array);
    out.uvarint(number * 8 + 2);
    out.uvarint(bytes.length);
    out.raw(bytes);
  }
}

/** Messages, each behind its length. */
export function delimited(...messages: readonly Uint8Array[]): Uint8Array {
  const out = new ByteWriter();
  for (const bytes of messages) {
    out.uvarint(bytes.length);
    out.raw(bytes);
  }
  return out.bytes().slice();
}

export function family(name: string, type: number, ...metrics: readonly Uint8Array[]): Uint8Array {
  return message(
    [1, "bytes", name],
    [2, "bytes", `Help of ${name}.`],
    [3, "varint", type],
    ...metrics.map((metric): Field => [4, "bytes", metric]),
  );
}

export function label(name: string, value: string): Field {
  return [1, "bytes", message([1, "bytes", name], [2, "bytes", value])];
}

export function exemplar(traceId: string, value: number, seconds?: number, nanos = 0): Uint8Array {
  const timestamp: Field[] =
    seconds === undefined ? [] : [[3, "bytes", message([1, "varint", seconds], [2, "varint", nanos])]];
  return message(label("trace_id", traceId), [2, "double", value], ...timestamp);
}
