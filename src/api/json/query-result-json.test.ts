import fc from "fast-check";
import { expect, test } from "vitest";
import { formatSampleValue } from "../../model/format-float.ts";
import { Histogram } from "../../model/histogram.ts";
import { Labels } from "../../model/labels.ts";
import { setStale } from "../../model/value.ts";
import type { GridMatrix, QueryValue, SampleMatrix } from "../../promql/result.ts";
import { JsonWriter } from "./json-writer.ts";
import { writeQueryValue } from "./query-result-json.ts";

const decoder = new TextDecoder();

function jsonOf(value: QueryValue, limit = 0): { text: string; truncated: boolean } {
  const writer = new JsonWriter(8);
  const truncated = writeQueryValue(writer, value, limit);
  return { text: `${decoder.decode(writer.finish())}}`, truncated };
}

const up = Labels.of({ __name__: "up", job: "a<b>\n" });
const vector: QueryValue = {
  type: "vector",
  t: 1435781430781,
  labels: [up, Labels.empty],
  values: new Float64Array([1, 1e21]),
};

// The texts are what Prometheus 3.5.3 answers for such values.
test.each<[string, QueryValue, string]>([
  ["a scalar", { type: "scalar", t: 1500, value: 1e21 }, '"scalar","result":[1.5,"1000000000000000000000"]'],
  ["a small scalar", { type: "scalar", t: 0, value: 1e-7 }, '"scalar","result":[0,"0.0000001"]'],
  ["a string", { type: "string", t: 1000, text: "<a>" }, '"string","result":[1,"\\u003ca\\u003e"]'],
  [
    "a vector",
    vector,
    '"vector","result":[{"metric":{"__name__":"up","job":"a<b>\\n"},"value":[1435781430.781,"1"]},{"metric":{},"value":[1435781430.781,"1e+21"]}]',
  ],
  [
    "a vector with a histogram",
    {
      type: "vector",
      t: 1500,
      labels: [Labels.empty],
      values: new Float64Array(1),
      histograms: [
        new Histogram({
          isFloat: false,
          schema: 1,
          zeroThreshold: 0.001,
          zeroCount: 2,
          count: 9,
          sum: 12.5,
          positiveSpans: [{ offset: 0, length: 3 }],
          positiveBuckets: Float64Array.of(1, 0, 3),
          negativeSpans: [{ offset: 1, length: 1 }],
          negativeBuckets: Float64Array.of(3),
        }),
      ],
    },
    '"vector","result":[{"metric":{},"histogram":[1.500,{"count":"9","sum":"12.5","buckets":' +
      '[[1,"-1.414213562373095","-1","3"],[3,"-0.001","0.001","2"],[0,"0.7071067811865475","1","1"],[0,"1.414213562373095","2","3"]]}]}]',
  ],
  [
    "samples of both kinds",
    {
      type: "matrix",
      form: "samples",
      labels: [Labels.empty, up],
      offsets: new Uint32Array([0, 2, 3]),
      t: new Float64Array([1000, 2000, 3000]),
      v: new Float64Array([7, 0, 8]),
      histograms: [undefined, new Histogram({ isFloat: true, count: 0, sum: Number.NaN })],
    },
    '"matrix","result":[{"metric":{},"values":[[1,"7"]],"histograms":[[2,{"count":"0","sum":"NaN"}]]},{"metric":{"__name__":"up","job":"a<b>\\n"},"values":[[3,"8"]]}]',
  ],
  [
    "a grid with histograms only",
    {
      type: "matrix",
      form: "grid",
      startMs: 0,
      stepMs: 1000,
      steps: 2,
      labels: [Labels.empty],
      values: new Float64Array(2),
      present: Uint8Array.of(0, 1),
      histograms: new Map([
        [0, [undefined, new Histogram({ isFloat: true, count: 0.5, zeroCount: 0.5, sum: 1 })]],
      ]),
    },
    '"matrix","result":[{"metric":{},"histograms":[[1,{"count":"0.5","sum":"1","buckets":[[3,"-0","0","0.5"]]}]]}]',
  ],
  [
    "an empty vector",
    { type: "vector", t: 0, labels: [], values: new Float64Array(0) },
    '"vector","result":[]',
  ],
  [
    "samples",
    {
      type: "matrix",
      form: "samples",
      labels: [up, Labels.empty],
      offsets: new Uint32Array([0, 2, 3]),
      t: new Float64Array([1500, 2000, -1500]),
      v: new Float64Array([0.5, Number.NaN, Number.POSITIVE_INFINITY]),
    },
    '"matrix","result":[{"metric":{"__name__":"up","job":"a<b>\\n"},"values":[[1.500,"0.5"],[2,"NaN"]]},{"metric":{},"values":[[-1.500,"+Inf"]]}]',
  ],
])("%s", (_, value, text) => {
  expect(jsonOf(value)).toEqual({ text: `{"resultType":${text}}`, truncated: false });
});

test("a limit cuts vectors and matrices, and says so", () => {
  expect(jsonOf(vector, 1)).toEqual({
    text: '{"resultType":"vector","result":[{"metric":{"__name__":"up","job":"a<b>\\n"},"value":[1435781430.781,"1"]}]}',
    truncated: true,
  });
  expect(jsonOf(vector, 2).truncated).toBe(false);
  expect(jsonOf({ type: "scalar", t: 0, value: 1 }, 1).truncated).toBe(false);
});

/** The plain twin of the writers of matrices. */
function plainMatrix(labels: readonly Labels[], pointsOf: (series: number) => [number, number][]): string {
  const seconds = (ms: number) => {
    const fraction = Math.abs(ms) % 1000;
    const whole = `${ms < 0 ? "-" : ""}${(Math.abs(ms) - fraction) / 1000}`;
    return fraction === 0 ? whole : `${whole}.${String(fraction).padStart(3, "0")}`;
  };
  const series = labels.map((set, i) => {
    const points = pointsOf(i).map(([t, v]) => `[${seconds(t)},"${formatSampleValue(v)}"]`);
    return `{"metric":${JSON.stringify(set.toObject())},"values":[${points.join(",")}]}`;
  });
  return `{"resultType":"matrix","result":[${series.join(",")}]}`;
}

const values = fc.oneof(
  fc.constantFrom(0, -0, 1, 0.1, 100000.5, Number.NaN, Number.POSITIVE_INFINITY, -1.7976931348623157e308),
  fc.double(),
  fc.integer({ min: -1000, max: 1000 }),
);
const labelSets = fc
  .dictionary(fc.stringMatching(/^[a-z]{1,3}$/), fc.string({ minLength: 1, unit: "grapheme" }), {
    maxKeys: 3,
  })
  .map((pairs) => Labels.of(pairs));
const times = fc.integer({ min: -(2 ** 44), max: 2 ** 44 });

test("grids are written as their plain twin writes them", () => {
  const grids = fc
    .record({
      startMs: times,
      stepMs: fc.integer({ min: 1, max: 1e9 }),
      steps: fc.integer({ min: 1, max: 9 }),
      labels: fc.array(labelSets, { maxLength: 4 }),
    })
    .chain((shape) =>
      fc.record({
        shape: fc.constant(shape),
        values: fc.array(values, { minLength: 36, maxLength: 36 }),
        present: fc.array(fc.boolean(), { minLength: 36, maxLength: 36 }),
      }),
    );
  fc.assert(
    fc.property(grids, ({ shape, values: drawn, present: drawnPresent }) => {
      const present = Uint8Array.from(drawnPresent, Number);
      const matrix: GridMatrix = {
        type: "matrix",
        form: "grid",
        ...shape,
        values: new Float64Array(drawn),
        present: withOnePoint(present, shape.steps),
      };
      const pointsOf = (i: number) =>
        Array.from({ length: shape.steps }, (_, k) => k)
          .filter((k) => matrix.present[i * shape.steps + k] === 1)
          .map((k): [number, number] => [
            shape.startMs + k * shape.stepMs,
            matrix.values[i * shape.steps + k],
          ]);
      expect(jsonOf(matrix).text).toBe(plainMatrix(shape.labels, pointsOf));
    }),
    { numRuns: 500 },
  );
});

/** The engine hands out no series without a value. */
function withOnePoint(present: Uint8Array, steps: number): Uint8Array {
  for (let at = 0; at + steps <= present.length; at += steps) {
    if (!present.subarray(at, at + steps).includes(1)) present[at + steps - 1] = 1;
  }
  return present;
}

test("samples are written as their plain twin writes them", () => {
  const samples = fc.array(fc.array(fc.tuple(times, values), { minLength: 1, maxLength: 5 }), {
    maxLength: 4,
  });
  fc.assert(
    fc.property(samples, (series) => {
      const matrix: SampleMatrix = {
        type: "matrix",
        form: "samples",
        labels: series.map((_, i) => Labels.of({ i: String(i) })),
        offsets: Uint32Array.from([0, ...series.map((_, i) => series.slice(0, i + 1).flat().length)]),
        t: Float64Array.from(series.flat(), ([t]) => t),
        v: Float64Array.from(series.flat(), ([, v]) => v),
      };
      expect(jsonOf(matrix).text).toBe(plainMatrix(matrix.labels, (i) => series[i]));
    }),
    { numRuns: 200 },
  );
});

// -0.0000012345678901234567 has 25 characters, more than any other value.
test.each([-1.7976931348623157e308, -1.2345678901234567e-6])("%d, repeated, is written whole", (value) => {
  const steps = 40;
  const long = new Float64Array(steps).fill(value);
  setStale(long, 7);
  const matrix: GridMatrix = {
    type: "matrix",
    form: "grid",
    startMs: -(2 ** 44),
    stepMs: 1,
    steps,
    labels: [Labels.of({ a: "\ud7ff\uffff" })],
    values: long,
    present: new Uint8Array(steps).fill(1),
  };
  const pointsOf = () => Array.from(long, (v, k): [number, number] => [matrix.startMs + k, v]);
  expect(jsonOf(matrix).text).toBe(plainMatrix(matrix.labels, pointsOf));
});
