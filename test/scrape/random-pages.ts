// Seeded pages of the text formats, from valid to almost valid to broken.
import type { SeededRandom } from "../../src/testkit/seeded-random.ts";

export interface RandomPage {
  readonly body: Uint8Array;
  readonly contentType: string;
}

const names = ["a", "ab_total", "a:b", "_x", "h_bucket", "h_sum", "s", "s_count", "nope"];
const labels = [
  'b="c"',
  'd="e f"',
  'b="\\"\\\\\\n"',
  'le="1"',
  'le="0.5"',
  'le="+Inf"',
  'quantile="0.99"',
  'ü="x"',
  '"a.b"="ü"',
  'b=""',
  'x="}{,="',
  "y",
  'z="',
  "=",
  '"u.v"',
];
const values = [
  "1",
  "0",
  "-0",
  "1.5",
  "1e3",
  "123456789012345678",
  "0.1",
  "NaN",
  "+Inf",
  "-Inf",
  "nan",
  "inf",
  "1e-320",
  "4.9e-324",
  "1e309",
  "0x1p3",
  "1_0",
  "x",
  "",
  "1.",
  ".5",
  "+5",
];
const metadata = [
  "# HELP a Some help",
  "# HELP a With \\n escapes \\\\ and \\x",
  "# TYPE a gauge",
  "# TYPE h histogram",
  "# TYPE s summary",
  "# TYPE a counter",
  "# TYPE a what",
  "# TYPE  a gauge",
  "# HELP",
  "# a comment",
  "#comment",
  "# UNIT h_seconds seconds",
  "# UNIT h seconds",
  "",
  " ",
  "# EOF",
];
const validMetadata = {
  text: metadata.filter((line) => !/what|UNIT| {2}a/.test(line)),
  openMetrics: [
    '# HELP a Some \\"help\\"',
    "# TYPE h histogram",
    "# TYPE s summary",
    "# TYPE a gauge",
    "# UNIT h_seconds seconds",
  ],
};
const validValues = values.filter((value) => !/^(1e309|0x1p3|1_0|x|)$/.test(value));
const tails = [" ", "\t", " x", " 1 2"];
const exemplars = [' # {t="x"} 1', ' # {t="x",u="y"} 0.5 123.456', " # {} 1"];
const brokenExemplars = [" # {t} 1", " # {", ' # {t="x"}', ' # {t="x"} 1 2 3', " #"];

/** What a page's lines are made with; `tidy` ones are valid. */
interface Style {
  readonly openMetrics: boolean;
  readonly tidy: boolean;
  /** Timestamps lie in the minute after it, ms. */
  readonly oldest: number;
}

/** `oldest` (ms): timestamps lie in the minute after it. */
export function randomPage(random: SeededRandom, oldest: number): RandomPage {
  const style = { openMetrics: random.chance(0.4), tidy: random.chance(0.6), oldest };
  const lines: string[] = [];
  for (let n = random.below(7); n >= 0; n--) {
    lines.push(random.chance(0.25) ? metadataLine(random, style) : sampleLine(random, style));
  }
  if (style.openMetrics && (style.tidy || random.chance(0.9))) lines.push("# EOF");
  const text = lines.join("\n") + (random.chance(0.9) ? "\n" : "");
  const body = new TextEncoder().encode(text);
  return {
    body: random.chance(0.15) ? mutated(random, body) : body,
    contentType: style.openMetrics
      ? "application/openmetrics-text; version=1.0.0"
      : "text/plain; version=0.0.4",
  };
}

function metadataLine(random: SeededRandom, { openMetrics, tidy }: Style): string {
  if (!tidy) return random.pick(metadata);
  return random.pick(openMetrics ? validMetadata.openMetrics : validMetadata.text);
}

function sampleLine(random: SeededRandom, style: Style): string {
  const { openMetrics, tidy } = style;
  const strict = openMetrics && tidy;
  const parts: string[] = [];
  for (let n = random.below(3); n > 0; n--) parts.push(tidy ? labels[random.below(7)] : random.pick(labels));
  if (random.chance(0.1)) parts.unshift(`"${random.pick(["q", "a b", 'x\\"y'])}"`);
  const name = parts[0]?.includes("=") === false ? "" : random.pick(names);
  const comma = strict ? "," : random.pick([",", ",", ", ", " "]);
  const bare = parts.length === 0 && random.chance(0.8);
  const braces = bare ? "" : `{${parts.join(comma)}${parts.length > 0 && random.chance(0.1) ? "," : ""}}`;
  const gap = strict ? " " : random.pick([" ", " ", "\t", "  ", ""]);
  const value = random.pick(tidy ? validValues : values);
  return `${name}${braces}${bare && gap === "" ? " " : gap}${value}${timestamp(random, style)}${behind(random, style)}`;
}

function timestamp(random: SeededRandom, { openMetrics, oldest }: Style): string {
  if (!random.chance(0.2)) return "";
  const t = oldest + random.below(60_000);
  return ` ${openMetrics ? (t / 1000).toFixed(random.pick([0, 3, 4])) : t}`;
}

function behind(random: SeededRandom, { openMetrics, tidy }: Style): string {
  if (!random.chance(0.2)) return "";
  if (!openMetrics) return random.pick(tidy ? tails.slice(0, 2) : tails);
  return random.pick(tidy ? exemplars : [...exemplars, ...brokenExemplars]);
}

/** A byte or two changed, removed, inserted or doubled. */
export function mutated(random: SeededRandom, page: Uint8Array): Uint8Array {
  const bytes = [...page];
  for (let n = 1 + random.below(2); n > 0; n--) {
    const at = random.below(bytes.length + 1);
    const byte = random.chance(0.5)
      ? random.below(256)
      : random.pick([...'{}",=# \n\\\t0-e'].map((c) => c.charCodeAt(0)));
    const removed = random.pick([0, 1, 1, 2]);
    bytes.splice(at, removed, ...(random.chance(0.7) ? [byte] : []));
  }
  return Uint8Array.from(bytes);
}
