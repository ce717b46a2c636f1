/**
 * A remote-write 1.0 request (prometheus.WriteRequest) as columns: no object per series or sample.
 *
 * Labels and exemplars stay bytes: a series that the head knows is found by its label bytes, the rest is read by
 * request-labels.ts. But all of it is checked here, before anything of it is used. Metadata is dropped.
 */
import { type MessageShape, messageShape, Wire, WireCursor } from "./wire.ts";

const { varint, fixed64, bytes } = Wire;

const writeRequest = messageShape("WriteRequest", { 1: ["Timeseries", bytes], 3: ["Metadata", bytes] });
export const timeSeries = messageShape("TimeSeries", {
  1: ["Labels", bytes],
  2: ["Samples", bytes],
  3: ["Exemplars", bytes],
  4: ["Histograms", bytes],
});
export const label = messageShape("Label", { 1: ["Name", bytes], 2: ["Value", bytes] });
export const exemplar = messageShape("Exemplar", {
  1: ["Labels", bytes],
  2: ["Value", fixed64],
  3: ["Timestamp", varint],
});
const sample = messageShape("Sample", { 1: ["Value", fixed64], 2: ["Timestamp", varint] });
const metricMetadata = messageShape("MetricMetadata", {
  1: ["Type", varint],
  2: ["MetricFamilyName", bytes],
  4: ["Help", bytes],
  5: ["Unit", bytes],
});
export const histogram = messageShape("Histogram", {
  1: ["CountInt", varint],
  2: ["CountFloat", fixed64],
  3: ["Sum", fixed64],
  4: ["Schema", varint],
  5: ["ZeroThreshold", fixed64],
  6: ["ZeroCountInt", varint],
  7: ["ZeroCountFloat", fixed64],
  8: ["NegativeSpans", bytes],
  9: ["NegativeDeltas", varint, bytes],
  10: ["NegativeCounts", fixed64, bytes],
  11: ["PositiveSpans", bytes],
  12: ["PositiveDeltas", varint, bytes],
  13: ["PositiveCounts", fixed64, bytes],
  14: ["ResetHint", varint],
  15: ["Timestamp", varint],
  16: ["CustomValues", fixed64, bytes],
});

/** The columns of one request; reused for the next one. */
export class WriteRequest {
  readonly cursor = new WireCursor();
  /** The decoded message, which the ranges below point into. */
  bytes: Uint8Array = new Uint8Array(0);

  series = 0;
  /** Series i is the message at seriesStart[i] to seriesEnd[i]. */
  seriesStart = new Uint32Array(256);
  seriesEnd = new Uint32Array(256);
  /** Its label fields, if they follow each other without a gap; otherwise the end is not behind the start. */
  labelsStart = new Uint32Array(256);
  labelsEnd = new Uint32Array(256);
  /** Its samples are those before firstSample[i + 1], from firstSample[i] on. */
  firstSample = new Uint32Array(257);
  /** Numbers of native histograms and exemplars. */
  histograms = new Uint32Array(256);
  exemplars = new Uint32Array(256);

  samples = 0;
  /** Milliseconds. */
  t = new Float64Array(1024);
  v = new Float64Array(1024);
  /** The same memory as `v`. */
  vWords = new Uint32Array(this.v.buffer);

  /** Throws a ParseError, in Prometheus's words, where `message` is no WriteRequest. `message` must stay as it is. */
  decode(message: Uint8Array): void {
    const { cursor } = this;
    this.bytes = message;
    this.series = 0;
    this.samples = 0;
    cursor.reset(message);
    for (;;) {
      const field = cursor.field(writeRequest, message.length);
      if (field === 0) break;
      const end = cursor.contentEnd(message.length);
      if (field === 1) this.#timeSeries(end);
      else this.#checked(metricMetadata, end);
    }
    this.firstSample[this.series] = this.samples;
  }

  #timeSeries(end: number): void {
    const { cursor } = this;
    if (this.series === this.seriesStart.length) this.#growSeries();
    const index = this.series++;
    this.firstSample[index] = this.samples;
    this.seriesStart[index] = cursor.at;
    this.seriesEnd[index] = end;
    this.labelsStart[index] = none;
    this.labelsEnd[index] = none;
    this.histograms[index] = 0;
    this.exemplars[index] = 0;
    for (;;) {
      this.#labels(index, cursor.at, usualLabelsEnd(this.bytes, cursor.at, end));
      const field = cursor.field(timeSeries, end);
      if (field === 0) break;
      const start = cursor.fieldStart;
      const fieldEnd = cursor.contentEnd(end);
      if (field === 1) {
        this.#checked(label, fieldEnd);
        this.#labels(index, start, fieldEnd);
      } else if (field === 2) this.#sample(fieldEnd);
      else if (field === 3) {
        this.exemplars[index]++;
        this.#exemplar(fieldEnd);
      } else {
        this.histograms[index]++;
        this.#checked(histogram, fieldEnd);
      }
    }
  }

  /** Label fields were found at [start, end). */
  #labels(index: number, start: number, end: number): void {
    if (end === start) return;
    this.cursor.at = end;
    const { labelsStart, labelsEnd } = this;
    if (labelsEnd[index] === none) labelsStart[index] = start;
    else if (labelsEnd[index] !== start) labelsStart[index] = scattered;
    labelsEnd[index] = end;
  }

  #exemplar(end: number): void {
    const { cursor } = this;
    for (;;) {
      const field = cursor.field(exemplar, end);
      if (field === 0) return;
      if (field === 1) this.#checked(label, cursor.contentEnd(end));
      else cursor.skip(end);
    }
  }

  #sample(end: number): void {
    const { cursor } = this;
    if (this.samples === this.t.length) this.#growSamples();
    const index = this.samples++;
    if (this.#usualSample(index, end)) return;
    this.t[index] = 0;
    this.v[index] = 0;
    for (;;) {
      const field = cursor.field(sample, end);
      if (field === 0) return;
      if (field === 1) cursor.fixed64(this.vWords, 2 * index, end);
      else this.t[index] = cursor.int64(end);
    }
  }

  /** Value and time, in this order and nothing else. */
  #usualSample(index: number, end: number): boolean {
    const { cursor, bytes: message } = this;
    const { at } = cursor;
    if (end - at < 11 || message[at] !== 0x09 || message[at + 9] !== 0x10) return false;
    cursor.at = at + 1;
    cursor.fixed64(this.vWords, 2 * index, end);
    cursor.at = at + 10;
    this.t[index] = cursor.int64(end);
    if (cursor.at === end) return true;
    cursor.at = at;
    return false;
  }

  #checked(shape: MessageShape, end: number): void {
    const { cursor } = this;
    while (cursor.field(shape, end) !== 0) cursor.skip(end);
  }

  #growSeries(): void {
    const capacity = this.seriesStart.length * 2;
    const grown = (column: Uint32Array<ArrayBuffer>, length = capacity) => {
      const bigger = new Uint32Array(length);
      bigger.set(column);
      return bigger;
    };
    this.seriesStart = grown(this.seriesStart);
    this.seriesEnd = grown(this.seriesEnd);
    this.labelsStart = grown(this.labelsStart);
    this.labelsEnd = grown(this.labelsEnd);
    this.histograms = grown(this.histograms);
    this.exemplars = grown(this.exemplars);
    this.firstSample = grown(this.firstSample, capacity + 1);
  }

  #growSamples(): void {
    const t = new Float64Array(this.t.length * 2);
    const v = new Float64Array(this.v.length * 2);
    t.set(this.t);
    v.set(this.v);
    this.t = t;
    this.v = v;
    this.vWords = new Uint32Array(v.buffer);
  }
}

/** In labelsStart: there are no labels, or other fields lie between them (no label begins at 0: that is a tag). */
const none = 0;
const scattered = 0xffffffff;

/**
 * Behind all the label fields of the usual form that follow each other from `at` on: name and value, both short, in this
 * order. Nearly all labels are like that.
 */
function usualLabelsEnd(message: Uint8Array, at: number, end: number): number {
  while (at + 6 <= end && message[at] === 0x0a && message[at + 2] === 0x0a) {
    const fieldEnd = at + 2 + message[at + 1];
    const valueStart = at + 6 + message[at + 3];
    if (message[at + 1] > 0x7f || message[at + 3] > 0x7f || fieldEnd > end || valueStart > fieldEnd) break;
    if (message[valueStart - 2] !== 0x12 || valueStart + message[valueStart - 1] !== fieldEnd) break;
    at = fieldEnd;
  }
  return at;
}
