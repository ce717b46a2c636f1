/** Builds and sends remote-write 1.0 requests. Values are given by their bits, so that every NaN can be sent. */
import { compressSync } from "snappy";
import type { Histogram } from "../../src/model/histogram.ts";
import { encodeHistogramMessage } from "../remote/histogram-messages.ts";

export interface WrittenSeries {
  readonly labels: Readonly<Record<string, string>>;
  readonly samples: readonly { readonly t: number; readonly bits: bigint }[];
  readonly histograms?: readonly { readonly t: number; readonly histogram: Histogram }[];
}

export const staleBits = 0x7ff0000000000002n;

const scratch = new DataView(new ArrayBuffer(8));

export function bitsOf(value: number): bigint {
  scratch.setFloat64(0, value);
  return scratch.getBigUint64(0);
}

function varint(value: bigint): Buffer {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, value);
  for (; rest >= 128n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128);
  bytes.push(Number(rest));
  return Buffer.from(bytes);
}

function field(number: number, bytes: Buffer): Buffer {
  return Buffer.concat([Buffer.from([(number << 3) | 2]), varint(BigInt(bytes.length)), bytes]);
}

/** The protobuf of a WriteRequest; labels are sorted by name. */
export function encodeWriteRequest(series: readonly WrittenSeries[]): Buffer {
  return Buffer.concat(
    series.map(({ labels, samples, histograms = [] }) => {
      const names = Object.keys(labels).sort();
      const encodedLabels = names.map((name) =>
        field(1, Buffer.concat([field(1, Buffer.from(name)), field(2, Buffer.from(labels[name]))])),
      );
      const encodedSamples = samples.map(({ t, bits }) => {
        const value = Buffer.alloc(9);
        value[0] = 0x09;
        value.writeBigUInt64LE(bits, 1);
        return field(2, Buffer.concat([value, Buffer.from([0x10]), varint(BigInt(t))]));
      });
      const encodedHistograms = histograms.map(({ t, histogram }) =>
        field(4, encodeHistogramMessage(t, histogram)),
      );
      return field(1, Buffer.concat([...encodedLabels, ...encodedSamples, ...encodedHistograms]));
    }),
  );
}

/** Sends a request; resolves to the status and the answer's text. */
export async function remoteWrite(
  url: string,
  series: readonly WrittenSeries[],
): Promise<{ status: number; text: string }> {
  return remoteWriteBody(url, compressSync(encodeWriteRequest(series)) as Buffer);
}

/** Sends an already compressed body. */
export async function remoteWriteBody(
  url: string,
  body: Uint8Array,
): Promise<{ status: number; text: string }> {
  const response = await fetch(`${url}/api/v1/write`, {
    method: "POST",
    headers: {
      "Content-Type": "application/x-protobuf",
      "Content-Encoding": "snappy",
      "X-Prometheus-Remote-Write-Version": "0.1.0",
    },
    body: new Uint8Array(body),
  });
  return { status: response.status, text: await response.text() };
}
