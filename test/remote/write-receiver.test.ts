import fc from "fast-check";
import { compressSync, uncompressSync } from "snappy";
import { beforeEach, describe, expect, test } from "vitest";
import type { BlockCodec } from "../../src/base/codec.ts";
import { silentLogger } from "../../src/base/env.ts";
import { NarthexError } from "../../src/base/errors.ts";
import { Labels } from "../../src/model/labels.ts";
import type { WriteHeaders } from "../../src/remote/write-protocol.ts";
import { WriteReceiver } from "../../src/remote/write-receiver.ts";
import { MemoryAppender } from "./memory-appender.ts";
import {
  bitsOf,
  double,
  exemplar,
  field,
  label,
  labels,
  message,
  sample,
  series,
  varint,
} from "./messages.ts";

const now = 1_700_000_000_000;
const clock = { nowMs: () => now, monotonicMs: () => 0, after: () => ({ cancel() {} }) };
const snappy: BlockCodec = {
  compress: (bytes) => compressSync(bytes as Buffer),
  decompress: (bytes) => uncompressSync(bytes as Buffer, { asBuffer: true }) as Buffer,
};
const usual: WriteHeaders = { contentType: "application/x-protobuf", contentEncoding: "snappy" };
const stale = 0x7ff0000000000002n;

let appender: MemoryAppender;
let receiver: WriteReceiver;

beforeEach(() => {
  appender = new MemoryAppender();
  receiver = new WriteReceiver({ clock, logger: silentLogger, snappy }, appender);
});

/** One observation in one bucket. */
function nativeHistogram({ count = 1, t = now, sum = 0 }): number[] {
  const buckets = [...field(11, [0x08, 0, 0x10, 1]), ...field(12, [2])];
  return field(4, [0x08, count, ...double(3, bitsOf(sum)), ...buckets, 0x78, ...varint(t)]);
}

/** `204` or `400 text`. */
function send(bytes: Uint8Array, headers: Partial<WriteHeaders> = {}): string {
  return sendBody(snappy.compress(bytes), headers);
}

function sendBody(body: Uint8Array, headers: Partial<WriteHeaders> = {}): string {
  const answer = receiver.receive(body, { ...usual, ...headers });
  return `${answer.status} ${answer.body}`.trim();
}

describe("what is stored", () => {
  test("series by series, known ones by their label bytes", () => {
    for (let i = 0; i < 3; i++) {
      const t = now + i * 1000;
      const sent = send(
        message(
          series(labels({ __name__: "a", job: "x" }), sample(t, i), sample(t + 1, stale)),
          series(labels({ __name__: "b" }), sample(t, -0)),
        ),
      );
      expect(sent).toBe("204");
    }
    expect(appender.contents()).toEqual({
      'a{job="x"}': [0, 1, 2].map((i) => `${now + i * 1000}:${i} ${now + i * 1000 + 1}:NaN`).join(" "),
      b: [0, 1, 2].map((i) => `${now + i * 1000}:0`).join(" "),
    });
    expect(appender.bitsOf(Labels.of({ __name__: "a", job: "x" }))[1]).toBe(stale);
    expect(receiver.stats.samples).toBe(9);
  });

  test("native histograms, in order with the floats of their series", () => {
    const sent = send(
      message(
        series(labels({ __name__: "h" }), sample(now, 1), nativeHistogram({ t: now + 1, sum: 7 })),
        series(labels({ __name__: "other" }), sample(now, 2)),
      ),
    );
    expect(sent).toBe("204");
    expect(appender.contents()).toEqual({ h: `${now}:1 ${now + 1}:7`, other: `${now}:2` });
    expect(appender.histograms.map(({ t, histogram }) => [t, histogram.count, histogram.sum])).toEqual([
      [now + 1, 1, 7],
    ]);
    expect(receiver.stats.samples).toBe(3);
  });

  test("labels in any order and place, empty ones dropped", () => {
    const scattered = series(
      label("z", "1"),
      sample(now, 1),
      label("__name__", "m"),
      label("empty", ""),
      sample(now + 1, 2),
    );
    expect(send(message(scattered))).toBe("204");
    expect(appender.contents()).toEqual({ 'm{z="1"}': `${now}:1 ${now + 1}:2` });
    // The first and the last group of these labels are series of their own.
    const groups = [label("__name__", "m"), sample(now, 3), label("z", "2"), sample(now + 1, 4)];
    send(message(series(labels({ __name__: "m" }), sample(now, 5))));
    expect(send(message(series(...groups, label("y", "3"))))).toBe("204");
    expect(appender.contents()).toMatchObject({ m: `${now}:5`, 'm{y="3", z="2"}': `${now}:3 ${now + 1}:4` });
  });

  test("unknown fields, groups and metadata are passed over", () => {
    const unknown = [...field(15, "x"), 0x78, 1, 0x7d, 1, 2, 3, 4, ...double(15, 1n), 0x7b, 0x7b, 0x7c, 0x7c];
    const metadata = field(3, [0x08, 1, ...field(2, "m"), ...field(4, "help"), ...field(5, "s")]);
    const sent = message(
      unknown,
      metadata,
      series(labels({ __name__: "m" }), unknown, field(2, [...unknown, 0x10, ...varint(now)])),
    );
    expect(send(sent)).toBe("204");
    expect(appender.contents()).toEqual({ m: `${now}:0` });
  });

  test("out of order inside one request is dropped silently, a duplicate is no error", () => {
    const twice = message(
      series(labels({ __name__: "m" }), sample(now, 1), sample(now - 5, 2), sample(now, 3)),
    );
    expect(send(twice)).toBe("204");
    expect(appender.contents()).toEqual({ m: `${now}:1` });
    expect(send(message(series(labels({ __name__: "m" }), sample(now, 1))))).toBe("204");
  });

  test("series with unacceptable labels are passed over", () => {
    const bad = [
      labels({ a: "no name" }),
      labels({ __name__: "" }),
      labels({ __name__: "m", "": "empty name" }),
    ].map((from) => series(from, sample(now, 1)));
    const doubled = series(label("__name__", "m"), label("a", "1"), label("a", ""), sample(now, 1));
    const notUtf8 = series(
      label("__name__", "m"),
      field(1, [...field(1, "a"), ...field(2, [0xff])]),
      sample(now, 1),
    );
    const good = series(labels({ __name__: "good", "any name": "\ufffd" }), sample(now, 1));
    expect(send(message(...bad, doubled, notUtf8, good))).toBe("204");
    expect(appender.contents()).toEqual({ 'good{"any name"="\ufffd"}': `${now}:1` });
    expect(receiver.stats).toMatchObject({ invalidLabels: 5, samples: 1 });
  });

  test("exemplars, and what is wrong with them fails nothing", () => {
    const lset = { __name__: "m" };
    const sent = message(
      series(
        labels(lset),
        sample(now, 1),
        exemplar(now, 0.5, { trace_id: "t" }),
        exemplar(now + 3_600_000, 1, {}),
      ),
      series(labels({ __name__: "no samples" }), exemplar(now, 1, {})),
    );
    expect(send(sent)).toBe("204");
    expect(appender.exemplarsOf(Labels.of(lset))).toEqual([
      { labels: Labels.of({ trace_id: "t" }), value: 0.5, t: now, hasTimestamp: true },
    ]);
    expect(send(message(series(labels(lset), exemplar(now - 1, 1, {}))))).toBe("204");
    expect(receiver.stats.outOfOrderExemplars).toBe(1);
    expect(Object.keys(appender.contents())).toEqual(["m"]);
  });
});

describe("one bad sample rolls back the request", () => {
  const first = message(series(labels({ __name__: "m" }), sample(now, 1)));
  const other = series(labels({ __name__: "other" }), sample(now, 1));
  test.each([
    [
      "another value",
      sample(now, 2),
      `duplicate sample for timestamp ${now}; overrides not allowed: existing 1, new value 2`,
    ],
    ["older", sample(now - 1, 2), "out of order sample"],
    ["much older", sample(now - 7_200_000, 2), "out of bounds"],
    ["before 1970", sample(-1, 2), "out of bounds"],
    ["ahead of time", sample(now + 600_001, 2), "out of bounds: timestamp is too far in the future"],
    ["end of time", sample(2n ** 63n - 1n, 2), "out of bounds: timestamp is too far in the future"],
  ])("%s", (_, bad, problem) => {
    send(first);
    expect(send(message(other, series(labels({ __name__: "m" }), bad), other))).toBe(`400 ${problem}`);
    expect(appender.contents()).toMatchObject({ m: `${now}:1`, other: "" });
  });

  test("the first bad one is named", () => {
    send(first);
    const late = series(labels({ __name__: "m" }), sample(now + 1, 1), sample(now - 1, 1));
    const future = series(labels({ __name__: "f" }), sample(now + 9e9, 1));
    expect(send(message(late, future))).toBe("400 out of order sample");
    expect(send(message(future, late))).toBe("400 out of bounds: timestamp is too far in the future");
    expect(Object.keys(appender.contents())).toEqual(["m"]);
  });

  test("ten minutes ahead are allowed", () => {
    expect(send(message(series(labels({ __name__: "m" }), sample(now + 600_000, 1))))).toBe("204");
  });

  test.each<[string, { count?: number; t?: number }, string]>([
    [
      "that does not add up",
      { count: 3 },
      "1 observations found in buckets, but the Count field is 3: histogram's observation count should equal the number of observations found in the buckets (in absence of NaN)",
    ],
    ["too far ahead", { t: now + 9e9 }, "out of bounds: timestamp is too far in the future"],
    ["from before", { t: now - 1 }, "out of order sample"],
  ])("a native histogram %s", (_, { count = 1, t = now }, problem) => {
    expect(send(message(series(labels({ __name__: "h" }), nativeHistogram({ t: now }))))).toBe("204");
    const bad = series(labels({ __name__: "h" }), nativeHistogram({ count, t }));
    expect(send(message(other, bad, other))).toBe(`400 ${problem}`);
    expect(appender.contents()).toMatchObject({ other: "" });
  });

  test("a log that cannot be written is no fault of the sender", () => {
    appender.commitError = new NarthexError("STORAGE", "disk full");
    expect(send(first)).toBe("503 disk full");
    expect(send(first)).toBe("204");
  });
});

const whole = message(
  series(labels({ __name__: "m", a: "b" }), sample(now, 1), exemplar(now, 1, { t: "x" })),
);

describe("headers", () => {
  const compressed = snappy.compress(whole);
  test.each([
    [{ contentEncoding: "" }, "204"],
    [
      { contentEncoding: "Snappy" },
      "415 Snappy encoding (compression) is not accepted by this server; only snappy is acceptable",
    ],
    [
      { contentEncoding: "gzip", contentType: "text/plain" },
      "415 gzip encoding (compression) is not accepted by this server; only snappy is acceptable",
    ],
    [{ contentType: "" }, "204"],
    [{ contentType: " application/x-protobuf;proto=prometheus.WriteRequest " }, "204"],
    [{ contentType: "application/x-protobuf;charset=utf-8" }, "204"],
    [
      { contentType: "application/x-protobuf;proto=io.prometheus.write.v2.Request" },
      "415 io.prometheus.write.v2.Request protobuf message is not accepted by this server; only accepts prometheus.WriteRequest",
    ],
    [
      { contentType: "application/x-protobuf;proto=foo" },
      "415 got application/x-protobuf;proto=foo content type; unknown type for remote write protobuf message foo, supported: prometheus.WriteRequest, io.prometheus.write.v2.Request",
    ],
    [
      { contentType: "application/x-protobuf;x" },
      "415 as per https://www.rfc-editor.org/rfc/rfc9110#parameter expected parameters to be key-values, got x in application/x-protobuf;x content-type",
    ],
    [
      { contentType: "application/json" },
      "415 expected application/x-protobuf as the first (media) part, got application/json content-type",
    ],
  ])("%j", (headers, answer) => {
    expect(sendBody(compressed, headers)).toBe(answer);
  });
});

test.each([
  ["nothing", [], "400 s2: corrupt input"],
  ["an endless length", [0xff, 0xff, 0xff, 0xff, 0xff, 0xff], "400 s2: corrupt input"],
  ["a length without content", [5], "400 s2: corrupt input"],
  ["a copy before the start", [4, 0x01, 0xff], "400 s2: corrupt input"],
  [
    "32 MiB and one",
    [...varint(32 * 1024 * 1024 + 1), 0],
    "400 decoded size exceeds the 33554432 bytes limit",
  ],
  ["an empty message", [0], "204"],
])("bodies: %s", (_, body, answer) => {
  expect(sendBody(Uint8Array.from(body))).toBe(answer);
});

test("a body over the limit is refused before it is looked at", () => {
  expect(sendBody(new Uint8Array(32 * 1024 * 1024 + 1))).toBe(
    "413 request body exceeds the 33554432 bytes limit",
  );
});

describe("messages that are none", () => {
  const name = labels({ __name__: "m" });
  test.each([
    ["cut off in a tag", [0x8a], "unexpected EOF"],
    ["cut off in a length", [0x0a, 0x80], "unexpected EOF"],
    ["longer than there is", [0x0a, 5, 0], "unexpected EOF"],
    ["a tag without end", new Array(11).fill(0xff), "proto: integer overflow"],
    ["a negative length", [0x0a, ...varint(-1n)], "proto: negative length found during unmarshaling"],
    ["field 0", [0x02, 0], "proto: WriteRequest: illegal tag 0 (wire type 2)"],
    ["the end of no group", [0x0c], "proto: WriteRequest: wiretype end group for non-group"],
    ["a number for a series", [0x08, 1], "proto: wrong wireType = 0 for field Timeseries"],
    ["an unknown wire type", [0x7e], "proto: illegal wireType 6"],
    ["an unclosed group", [0x7b, 0x08, 1], "unexpected EOF"],
    ["a short double", series(name, field(2, [0x09, 1, 2])), "unexpected EOF"],
    [
      "a string for a time",
      series(name, field(2, [0x12, 0])),
      "proto: wrong wireType = 2 for field Timestamp",
    ],
    ["a broken label", series(field(1, [0x0a, 9])), "unexpected EOF"],
    ["a number for a name", series(field(1, [0x08, 9])), "proto: wrong wireType = 0 for field Name"],
    ["a broken exemplar", series(name, field(3, [0x0a, 9])), "unexpected EOF"],
    [
      "a broken histogram",
      series(name, field(4, [0x0d, 0, 0, 0, 0])),
      "proto: wrong wireType = 5 for field CountInt",
    ],
    ["broken metadata", field(3, [0x0a, 1, 1]), "proto: wrong wireType = 2 for field Type"],
  ])("%s", (_, bytes, problem) => {
    const good = series(labels({ __name__: "good" }), sample(now, 1));
    expect(send(message(good, bytes))).toBe(`400 ${problem}`);
    expect(Object.values(appender.contents()).join("")).toBe("");
  });

  test("cut off or changed anywhere, it is answered and leaves whole series or nothing", () => {
    const change = fc.record({
      at: fc.nat({ max: whole.length - 1 }),
      byte: fc.nat({ max: 255 }),
      cut: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 3 }), (changes) => {
        let bytes = whole.slice();
        for (const { at, byte, cut } of changes) {
          if (cut) bytes = bytes.slice(0, at);
          else if (at < bytes.length) bytes[at] = byte;
        }
        expect(send(bytes)).toMatch(/^(204|400 .+)$/);
      }),
      { numRuns: 1000 },
    );
  });
});
