/**
 * Reads every sample of a Prometheus through its remote-read endpoint: unlike the query API that shows staleness markers
 * and NaNs by their bits.
 */
import { compressSync, uncompressSync } from "snappy";

/** Labels as `name="value",…` sorted → [time in ms, value bits as 16 hex digits] in time order. */
export type AllSamples = Map<string, [number, string][]>;

/** All float samples in [startMs, endMs]; native histograms are counted in `histograms`. */
export async function remoteRead(
  url: string,
  startMs: number,
  endMs: number,
): Promise<{ samples: AllSamples; histograms: number }> {
  // LabelMatcher{1: type, 2: name, 3: value}; type 2 is "=~"
  const matcher = Buffer.concat([
    varintField(1, 2),
    bytesField(2, Buffer.from("__name__")),
    bytesField(3, Buffer.from(".+")),
  ]);
  const query = Buffer.concat([varintField(1, startMs), varintField(2, endMs), bytesField(3, matcher)]);
  const response = await fetch(`${url}/api/v1/read`, {
    method: "POST",
    headers: {
      "Content-Type": "application/x-protobuf",
      "Content-Encoding": "snappy",
      "X-Prometheus-Remote-Read-Version": "0.1.0",
    },
    body: new Uint8Array(compressSync(bytesField(1, query))),
  });
  const body = Buffer.from(await response.arrayBuffer());
  if (response.status !== 200) throw new Error(`remote read answered ${response.status}: ${body.toString()}`);
  return decodeResponse(uncompressSync(body) as Buffer);
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 128);
  bytes.push(rest);
  return Buffer.from(bytes);
}

const varintField = (number: number, value: number) =>
  Buffer.concat([Buffer.from([number << 3]), varint(value)]);
const bytesField = (number: number, bytes: Buffer) =>
  Buffer.concat([Buffer.from([(number << 3) | 2]), varint(bytes.length), bytes]);

/** The fields of a protobuf message: [number, varint | bytes]. */
function* fields(bytes: Buffer): Generator<[number, bigint, Buffer]> {
  let at = 0;
  const readVarint = () => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = bytes[at++];
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 128) return value;
    }
  };
  const none = Buffer.alloc(0);
  while (at < bytes.length) {
    const key = Number(readVarint());
    switch (key & 7) {
      case 0:
        yield [key >> 3, readVarint(), none];
        break;
      case 1:
        yield [key >> 3, bytes.readBigUInt64LE(at), none];
        at += 8;
        break;
      case 2: {
        const length = Number(readVarint());
        yield [key >> 3, 0n, bytes.subarray(at, at + length)];
        at += length;
        break;
      }
      default:
        throw new Error(`protobuf wire type ${key & 7} in a remote-read response`);
    }
  }
}

/** ReadResponse{1: QueryResult{1: TimeSeries{1: Label{1, 2}*, 2: Sample{1: value, 2: t}*, 4: Histogram*}*}*} */
function decodeResponse(bytes: Buffer): { samples: AllSamples; histograms: number } {
  const samples: AllSamples = new Map();
  let histograms = 0;
  for (const [, , result] of fields(bytes)) {
    for (const [, , series] of fields(result)) {
      const labels: string[] = [];
      const points: [number, string][] = [];
      for (const [number, , field] of fields(series)) {
        if (number === 1) labels.push(decodeLabel(field));
        else if (number === 2) points.push(decodeSample(field));
        else if (number === 4) histograms++;
      }
      if (points.length > 0) samples.set(labels.sort().join(","), points);
    }
  }
  return { samples, histograms };
}

function decodeLabel(bytes: Buffer): string {
  const parts = ["", ""];
  for (const [number, , text] of fields(bytes)) parts[number - 1] = text.toString();
  return `${parts[0]}=${JSON.stringify(parts[1])}`;
}

function decodeSample(bytes: Buffer): [number, string] {
  let t = 0n;
  let bits = 0n;
  for (const [number, value] of fields(bytes)) {
    if (number === 1) bits = value;
    else t = BigInt.asIntN(64, value);
  }
  return [Number(t), bits.toString(16).padStart(16, "0")];
}

/** What differs between two directories' samples, at most `most` lines; empty when they are the same bit for bit. */
export function compareSamples(want: AllSamples, got: AllSamples, most = 10): string[] {
  const differences: string[] = [];
  for (const [labels, points] of want) {
    if (differences.length >= most) break;
    const other = got.get(labels);
    if (other === undefined) differences.push(`missing {${labels}}, ${points.length} samples`);
    else {
      const at = points.findIndex(([t, bits], i) => other[i]?.[0] !== t || other[i][1] !== bits);
      if (at >= 0) differences.push(`{${labels}} sample ${at}: want ${points[at]}, got ${other[at]}`);
      else if (other.length > points.length)
        differences.push(`{${labels}}: ${other.length - points.length} samples too many`);
    }
  }
  for (const labels of got.keys()) {
    if (differences.length < most && !want.has(labels)) differences.push(`unexpected {${labels}}`);
  }
  return differences;
}
