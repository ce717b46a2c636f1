// The scanner, in TypeScript and in WebAssembly, against the full parser on every line: whatever pages come, samples,
// reports, counters, exemplars and metadata must be the same.
import fc from "fast-check";
import { expect, test } from "vitest";
import { IngestFixture, kernel, readLineByLine } from "../../test/scrape/ingest-fixture.ts";
import { ScrapeMemory } from "../kernels/scrape-memory.ts";
import type { TargetSettings } from "./sink.ts";

const wasm = kernel();

const fixtures = (settings: Partial<TargetSettings>) => [
  new IngestFixture(settings, { read: readLineByLine }),
  new IngestFixture(settings),
  new IngestFixture(settings, { memory: new ScrapeMemory(2, wasm) }),
];

async function outcome(f: IngestFixture, pages: readonly Page[]): Promise<unknown> {
  const reports = [];
  for (const [i, page] of pages.entries())
    reports.push(
      await f.scrape(i + 1, page.text, page.openMetrics ? "application/openmetrics-text" : "text/plain"),
    );
  const metadata = [...(await f.ingest.metadata(1))].sort((a, b) => (a.metric < b.metric ? -1 : 1));
  const { cacheBytes, ...stats } = f.ingest.stats;
  return { reports, samples: f.appender.dump(), stats, metadata, exemplars: f.appender.exemplars };
}

interface Page {
  readonly text: Uint8Array | string;
  readonly openMetrics: boolean;
}

async function expectAgreement(
  pages: readonly Page[],
  settings: Partial<TargetSettings> = {},
): Promise<void> {
  const [oracle, ...scanners] = await Promise.all(fixtures(settings).map((f) => outcome(f, pages)));
  for (const scanner of scanners) expect(scanner).toEqual(oracle);
}

const key = fc.constantFrom(
  "a",
  "ab",
  "abc_total",
  "a:b",
  "_x",
  'a{b="c"}',
  'a{b="c",d="e"}',
  'a{b="c" , d="e",}',
  'a{b="}{"}',
  'a{b="\\"\\\\\\n"}',
  'a{b="x\ny"}',
  'a{b="ü"}',
  '{"a.b"}',
  '{"a.b",c="d"}',
  'a {b="c"}',
  " a",
  'h_bucket{le="1"}',
  's{quantile="0.5"}',
  'a{b="c',
  "a{b}",
  "9",
);
const number = fc.oneof(
  fc.double().map(String),
  fc.double().map((v) => v.toExponential()),
  fc.integer().map(String),
  fc.bigInt({ min: 0n, max: 10n ** 25n }).map(String),
  fc.constantFrom(
    "NaN",
    "+Inf",
    "-Inf",
    "Inf",
    "nan",
    "inf",
    "-0",
    "+1",
    "1.",
    ".5",
    "1e400",
    "1e-400",
    "5e-324",
    "1_0",
    "",
    "x",
    "-",
    "1{",
  ),
);
const text = fc.record({
  key,
  number,
  gap: fc.constantFrom(" ", " ", " ", "\t ", ""),
  tail: fc.oneof(
    { weight: 6, arbitrary: fc.constant("") },
    fc.constantFrom(" ", " 1000", "\t2000 ", " 99999999999999999", " 1.5", " -1", " x"),
  ),
});
const textLine = fc.oneof(
  { weight: 8, arbitrary: text.map(({ key, number, gap, tail }) => `${key}${gap}${number}${tail}`) },
  fc.constantFrom(
    "",
    " ",
    "#",
    "# comment",
    "# HELP a help",
    "# HELP a other",
    "# TYPE h histogram",
    "# TYPE s summary",
    "# TYPE a counter",
    "# TYPE a what",
    "a\0 1",
    "# \0",
  ),
);
const openMetrics = fc.record({
  key,
  number,
  tail: fc.oneof(
    { weight: 4, arbitrary: fc.constant("") },
    fc.constantFrom(
      " 1",
      " 1.5",
      " 1e3",
      " -0.0001",
      " NaN",
      " 12345678901234567890",
      ' # {t="x"} 1',
      ' 2 # {t="x",} 1e-3 5',
      " # {} NaN 1",
      ' # {t="\\""} 1',
      ' # {t="ü"} 1',
      " # {t} 1",
      " # {}",
      " # x",
      " ",
    ),
  ),
});
const openMetricsLine = fc.oneof(
  { weight: 8, arbitrary: openMetrics.map(({ key, number, tail }) => `${key} ${number}${tail}`) },
  fc.constantFrom(
    "# HELP a help",
    "# TYPE h histogram",
    "# TYPE a counter",
    "# UNIT a_b b",
    "# EOF",
    "",
    "# x",
  ),
);

/** Pages that follow each other as a target's do: mostly the same lines, some values new, now and then a line. */
function pages(line: fc.Arbitrary<string>, isOpenMetrics: boolean): fc.Arbitrary<Page[]> {
  const edit = fc.record({ at: fc.nat(20), lines: fc.array(line, { maxLength: 2 }), removed: fc.nat(2) });
  return fc
    .record({
      first: fc.array(line, { maxLength: 12 }),
      edits: fc.array(fc.array(edit, { maxLength: 2 }), { minLength: 1, maxLength: 4 }),
      end: fc.boolean(),
    })
    .map(({ first, edits, end }) => {
      const close = isOpenMetrics ? "# EOF" : "";
      const page = (lines: string[]) => ({
        text: [...lines, ...(end || isOpenMetrics ? [close] : [])].join("\n"),
        openMetrics: isOpenMetrics,
      });
      const all = [page(first)];
      let lines = first;
      for (const round of edits) {
        lines = [...lines];
        for (const { at, lines: inserted, removed } of round)
          lines.splice(Math.min(at, lines.length), removed, ...inserted);
        all.push(page(lines));
      }
      return all;
    });
}

const settings = fc.record({
  honorTimestamps: fc.boolean(),
  trackTimestampsStaleness: fc.boolean(),
  sampleLimit: fc.constantFrom(0, 0, 0, 3),
});

/** Valid lines only, so that pages get far. */
const validLine = fc
  .record({
    key: fc.nat(30),
    value: fc.oneof(fc.double({ noNaN: true }), fc.integer()),
    t: fc.option(fc.nat(10_000)),
  })
  .map(({ key, value, t }) => `m${key % 7}{i="${key}"} ${value}${t === null ? "" : ` ${t}`}`);

test.each([
  ["text", pages(textLine, false)],
  ["OpenMetrics", pages(openMetricsLine, true)],
  ["valid text", pages(validLine, false)],
  ["valid OpenMetrics", pages(validLine, true)],
])("%s pages, one after the other", async (_, arbitrary) => {
  await fc.assert(fc.asyncProperty(arbitrary, settings, expectAgreement), { numRuns: 60 });
});

test("large pages: several windows, full columns, growing tables, lines moved about", async () => {
  const line = (i: number, value: number) =>
    `metric_${i % 97}{series="${i}",path="/some/longer/path/${i * 7919}"} ${value}`;
  const all = Array.from({ length: 4600 }, (_, i) => i);
  const page = (ids: number[], round: number): Page => ({
    text: ids.map((i) => line(i, i * 1.25 + round)).join("\n"),
    openMetrics: false,
  });
  const shuffled = [...all].sort((a, b) => ((a * 7919) % 4603) - ((b * 7919) % 4603));
  await expectAgreement([
    page(all, 0),
    page(all, 1),
    page(
      all.filter((i) => i % 100 !== 0),
      2,
    ),
    page(all, 3),
    page(shuffled, 4),
    page(all.slice(0, 10), 5),
    page(all, 6),
  ]);
}, 30_000);

test("lines longer than a window, and values that need 70,000 digits", async () => {
  const long = `a{b="${"x".repeat(300_000)}"} 1`;
  const digits = `b 0.${"3".repeat(70_000)}`;
  const comment = `# HELP c ${"y".repeat(300_000)}`;
  const page = { text: [long, digits, comment, "c 1", ""].join("\n"), openMetrics: false };
  await expectAgreement([page, page, page]);
});
