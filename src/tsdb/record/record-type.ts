/**
 * The kinds of records in the WAL and its checkpoints: the first byte of a record. docs/formats/wal.md has their
 * formats; there is a file here for each that we read or write.
 */
export const RecordType = {
  series: 1,
  samples: 2,
  tombstones: 3,
  exemplars: 4,
  /** Only in the write-behind log for out-of-order samples. */
  mmapMarkers: 5,
  metadata: 6,
  histogramSamples: 7,
  floatHistogramSamples: 8,
  customBucketsHistogramSamples: 9,
  customBucketsFloatHistogramSamples: 10,
  /** Float samples with start timestamps; Prometheus 3.11 and later, by a feature flag. */
  samplesV2: 11,
  /** Histograms with start timestamps; Prometheus 3.12 and later, by a feature flag. */
  histogramSamplesV2: 12,
  floatHistogramSamplesV2: 13,
} as const;
export type RecordType = (typeof RecordType)[keyof typeof RecordType];

const last = RecordType.floatHistogramSamplesV2;

/** Undefined for an empty record and for a type of a future Prometheus: such records are skipped, but never dropped. */
export function recordType(record: Uint8Array): RecordType | undefined {
  const type = record[0];
  return record.length > 0 && type >= 1 && type <= last ? (type as RecordType) : undefined;
}

/** Whether records of this type hold native histograms. */
export function isHistogramRecord(type: RecordType): boolean {
  return (
    (type >= RecordType.histogramSamples && type <= RecordType.customBucketsFloatHistogramSamples) ||
    type >= RecordType.histogramSamplesV2
  );
}
