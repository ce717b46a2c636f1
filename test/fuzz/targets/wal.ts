/** The write-ahead log: single records, and whole segments with what is done about damage. */
import { readFileSync } from "node:fs";
import { ByteWriter } from "../../../src/base/bytes.ts";
import { crc32c } from "../../../src/base/crc32c.ts";
import { Labels } from "../../../src/model/labels.ts";
import { MemFs } from "../../../src/testkit/mem-fs.ts";
import { RecordingLogger } from "../../../src/testkit/recording-logger.ts";
import { decodeExemplars, encodeExemplars } from "../../../src/tsdb/record/exemplars.ts";
import { decodeHistogramRecord, HistogramBatch } from "../../../src/tsdb/record/histograms.ts";
import { decodeMetadata, encodeMetadata } from "../../../src/tsdb/record/metadata.ts";
import { decodeMmapMarkers, encodeMmapMarkers } from "../../../src/tsdb/record/mmap-markers.ts";
import { isHistogramRecord, RecordType, recordType } from "../../../src/tsdb/record/record-type.ts";
import { decodeSamples, encodeSamples, SampleBatch } from "../../../src/tsdb/record/samples.ts";
import { addSeries, beginSeries, SeriesCursor } from "../../../src/tsdb/record/series.ts";
import { decodeTombstones, encodeTombstones } from "../../../src/tsdb/record/tombstones.ts";
import { replayWal } from "../../../src/tsdb/wal/replay.ts";
import {
  type Compression,
  FragmentType,
  fragmentHeaderBytes,
  fragmentTypeMask,
  pageBytes,
} from "../../../src/tsdb/wal/segment.ts";
import { SegmentReader } from "../../../src/tsdb/wal/segment-reader.ts";
import { SegmentWriter } from "../../../src/tsdb/wal/segment-writer.ts";
import { codecs, ReplayedWal, sampleLines } from "../../tsdb/wal-world.ts";
import { sharedFiles } from "../shared-seeds.ts";
import { check, type FuzzTarget } from "../target.ts";

function record(write: (out: ByteWriter) => void): Uint8Array {
  const out = new ByteWriter();
  write(out);
  return out.bytes().slice();
}

const time = 1_700_000_000_000;
const column = (...numbers: number[]) => Float64Array.from(numbers);
const histogram = "00063c9cd2b297d889bc020c40326666666666660200020201010002030403040202 01";
const hex = (text: string) => new Uint8Array(Buffer.from(text.replaceAll(" ", ""), "hex"));

/** One of each kind. */
export function sampleRecords(): Uint8Array[] {
  const labels = Labels.of({ __name__: "up", job: "a", zone: "ä" });
  return [
    record((out) => {
      beginSeries(out);
      addSeries(out, 7, labels);
      addSeries(out, 300, Labels.of({ __name__: "b" }));
    }),
    record((out) => encodeMetadata([{ walRef: 7, metadata: { type: "gauge", unit: "s", help: "h" } }], out)),
    record((out) =>
      encodeSamples(column(7, 300, 7), column(time, time + 1, time + 15_000), column(1, NaN, 0.1), 0, 3, out),
    ),
    record((out) =>
      encodeExemplars([{ walRef: 7, t: time, value: 0.5, labels: Labels.of({ id: "x" }) }], out),
    ),
    record((out) =>
      encodeTombstones(
        [
          { walRef: 7, mint: 0, maxt: 999 },
          { walRef: 300, mint: -(2 ** 63), maxt: 2 ** 63 },
        ],
        out,
      ),
    ),
    record((out) => encodeMmapMarkers([{ walRef: 7, chunkRef: 2 ** 32 + 8 }], out)),
    hex("0b0ac801643ff00000000000000200014000000000000000030400 7ff0000000000002"),
    hex(`07 0000000000000007 0000018bcfe56800 0000 ${histogram}`),
    hex(`0c 06c80102 ${histogram} 020a0207 ${histogram}`),
  ];
}

function decodeRecord(bytes: Uint8Array): boolean {
  const type = recordType(bytes);
  if (type === undefined) return false;
  const batch = new SampleBatch();
  if (isHistogramRecord(type)) decodeHistogramRecord(bytes, new HistogramBatch());
  else if (type === RecordType.samples || type === RecordType.samplesV2) checkSamples(bytes, batch);
  else if (type === RecordType.series) {
    for (const cursor = new SeriesCursor(bytes); cursor.next(); ) cursor.labels();
  } else if (type === RecordType.metadata) decodeMetadata(bytes);
  else if (type === RecordType.exemplars) decodeExemplars(bytes);
  else if (type === RecordType.tombstones) decodeTombstones(bytes);
  else decodeMmapMarkers(bytes);
  return true;
}

/** What was decoded can be encoded again, as far as numbers are exact. */
function checkSamples(bytes: Uint8Array, batch: SampleBatch): void {
  decodeSamples(bytes, batch);
  const { walRefs, t, v, n } = batch;
  for (let i = 0; i < n; i++) {
    check(Number.isSafeInteger(walRefs[i]) && walRefs[i] >= 0, `WAL ref ${walRefs[i]}`);
    if (!Number.isSafeInteger(t[i]) || Math.abs(t[i]) > 2 ** 51) return;
    if (Math.abs(walRefs[i] - walRefs[0]) > 2 ** 51) return;
  }
  const again = new SampleBatch();
  decodeSamples(
    record((out) => encodeSamples(walRefs, t, v, 0, n, out)),
    again,
  );
  const lines = sampleLines(walRefs, t, v, n).join("\n");
  check(
    sampleLines(again.walRefs, again.t, again.v, again.n).join("\n") === lines,
    "samples change on their way",
  );
}

export function segmentOf(records: readonly Uint8Array[], compression: Compression = "snappy"): Uint8Array {
  const fs = new MemFs();
  fs.makeDir("wal");
  const writer = SegmentWriter.create({ fs, codecs }, "wal", 0, {
    compression,
    segmentBytes: 4 * pageBytes,
    finish() {},
  });
  for (const one of records) writer.write([one], false);
  const path = "wal/00000000";
  const bytes = fs.readFile(path);
  writer.close();
  return bytes;
}

/** Gives every fragment of a segment the checksum of its data, as far as they can be followed. */
export function sealSegment(bytes: Uint8Array): Uint8Array {
  for (let at = 0; at + fragmentHeaderBytes <= bytes.length; ) {
    const pageEnd = at - (at % pageBytes) + pageBytes;
    const end = at + fragmentHeaderBytes + ((bytes[at + 1] << 8) | bytes[at + 2]);
    if (bytes[at] === 0) at = pageEnd;
    else if (end > Math.min(pageEnd, bytes.length)) return bytes;
    else {
      const data = new DataView(bytes.buffer, bytes.byteOffset);
      data.setUint32(at + 3, crc32c(bytes, at + fragmentHeaderBytes, end));
      at = end;
    }
  }
  return bytes;
}

/** The beginning of real segments, up to the end of a record. */
export function sharedSegments(): Uint8Array[] {
  return sharedFiles("data/prometheus-3.5.3-crashed/wal", /^\d+$/).map((path) => {
    const page = readFileSync(path).subarray(0, pageBytes);
    let end = 0;
    for (let at = 0; at + fragmentHeaderBytes <= page.length; ) {
      const type = page[at] & fragmentTypeMask;
      at += fragmentHeaderBytes + page.readUInt16BE(at + 1);
      if (type === FragmentType.full || type === FragmentType.last) end = at;
      if (end > sharedBytesMax) break;
    }
    return new Uint8Array(page.subarray(0, end));
  });
}

/** Longer seeds only make the inputs slow. */
const sharedBytesMax = 4096;

/** What a replay of the log in `fs` delivers, and how much was set aside. */
function replay(fs: MemFs): { contents: string; setAside: number } {
  const sink = new ReplayedWal();
  const logger = new RecordingLogger();
  const { setAside, walRefMax, recordCount, nextSegment } = replayWal(
    { codecs, logger, fs },
    "wal",
    { quarantineDir: "quarantine" },
    sink,
  );
  const isFound = logger.at("warn").every(({ message }) => !message.includes("could not be found out"));
  check(isFound, "what is missing could not be found out");
  const contents = [
    ...[...sink.labels].map(([walRef, labels]) => `${walRef} ${labels}`),
    ...sink.sampleLines,
    ...sink.tombstoneEntries.map(({ walRef, mint, maxt }) => `${walRef} ${mint} ${maxt}`),
    ...sink.exemplarEntries.map(({ walRef, t, value, labels }) => `${walRef} ${t} ${value} ${labels}`),
    ...sink.metadataEntries.map(({ walRef, metadata }) => `${walRef} ${metadata.type} ${metadata.help}`),
    `${sink.histogramCount} ${walRefMax} ${recordCount} ${nextSegment}`,
  ].join("\n");
  return { contents, setAside: setAside.length };
}

/** Replays a log with the segment in it, repairs included; a second replay must find all in order and say the same. */
function replayWith(path: string, segment: Uint8Array): boolean {
  const fs = new MemFs();
  fs.makeDir("wal/checkpoint.00000001");
  for (const other of ["wal/checkpoint.00000001/00000000", "wal/00000002", "wal/00000003", "wal/00000004"]) {
    if (other !== path) fs.open(other, "create").writeAt(goodSegment, 0);
  }
  fs.open(path, "create").writeAt(segment, 0);
  const first = replay(fs);
  const second = replay(fs);
  check(second.setAside === 0, "what was repaired is still damaged");
  check(second.contents === first.contents, "after the repair the log says something else");
  return first.setAside === 0;
}

/** The reader alone: its records, until damage ends it, each from where the one before ended. */
function readSegment(bytes: Uint8Array): boolean {
  const fs = new MemFs();
  fs.open("00000000", "create").writeAt(bytes, 0);
  const reader = new SegmentReader({ fs, codecs }, { index: 0, path: "00000000" });
  let end = 0;
  while (reader.next()) {
    check(reader.start >= end && reader.end > reader.start && reader.end <= bytes.length, "records overlap");
    end = reader.end;
  }
  return true;
}

export function segments(): Uint8Array[] {
  return [
    ...(["none", "snappy", "zstd"] as const).map((compression) => segmentOf(sampleRecords(), compression)),
    segmentOf([...sampleRecords(), longRecord()], "none"),
    ...sharedSegments(),
  ];
}

const goodSegment = segmentOf(sampleRecords().slice(0, 4));

export const walTargets: readonly FuzzTarget[] = [
  { name: "wal-record", share: 1, seeds: sampleRecords, run: decodeRecord },
  { name: "wal-segment", share: 1, seeds: segments, seal: sealSegment, run: readSegment },
  {
    name: "wal-replay",
    share: 0.1,
    seeds: segments,
    seal: sealSegment,
    run: (bytes) => replayWith("wal/00000003", bytes),
  },
  {
    name: "wal-checkpoint",
    share: 0.1,
    seeds: segments,
    seal: sealSegment,
    run: (bytes) => replayWith("wal/checkpoint.00000001/00000000", bytes),
  },
];

/** Longer than a page. */
function longRecord(): Uint8Array {
  return record((out) => {
    beginSeries(out);
    addSeries(out, 8, Labels.of({ __name__: "long", text: "x".repeat(pageBytes) }));
  });
}
