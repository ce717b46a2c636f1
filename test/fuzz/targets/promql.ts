/** Queries: the parser, the engine over a little data, selectors, regular expressions. */
import { RE2JS } from "re2js";
import { decodeUtf8 } from "../../../src/base/bytes.ts";
import { Labels } from "../../../src/model/labels.ts";
import { Matcher } from "../../../src/model/matcher.ts";
import { CapturingRegexp, compileAnchored } from "../../../src/model/regexp.ts";
import { expandTemplate } from "../../../src/model/regexp-template.ts";
import { Engine } from "../../../src/promql/engine.ts";
import { parseExpression, parseMetricSelector } from "../../../src/promql/parser/parser.ts";
import { printExpression } from "../../../src/promql/parser/printer.ts";
import { MemoryStorage } from "../../promql/memory-storage.ts";
import { check, type FuzzTarget, texts } from "../target.ts";

/** Has no range evaluation. */
const stringQuery = '"text"';

const queries = [
  "1",
  "-1 ^ 2 ^ -3 * 4 % 5",
  stringQuery,
  "a",
  'a{b="c",d!="e",f=~"g.*|h",i!~"j+"}',
  '{"a.b","c d"=~"é"}',
  "rate(a[5m])",
  'sum by (b, c) (rate(a{b=~".+"}[5m] offset 1m)) / on (b) group_left (d) max without (le) (c)',
  "topk(3, a) or bottomk(1, b) and c unless ignoring (d) e",
  "histogram_quantile(0.9, sum by (le) (rate(h_bucket[1m])))",
  "avg_over_time(rate(a[1m])[10m:30s] @ end() offset -5m)",
  "a @ 1600000000.5 > bool b == 0x1F",
  'label_replace(a, "x", "$1-$name", "b", "(?P<name>.*)") atan2 time()',
  'label_join(a, "x", "-", "b", "c") + scalar(b) - vector(1)',
  'count_values("v", a) * quantile(0.5, b) + stddev(c)',
  'absent_over_time(a[1h30m]) or absent(b{c="d"})',
  "max_over_time((a > 1)[5m:1m]) - clamp(b, 1, 2) # comment",
  "predict_linear(a[10m], 3600) + deriv(a[5m]) + quantile_over_time(0.1, a[5m])",
  "day_of_month(a) + timestamp(b) + sgn(c) + round(d, 0.1)",
  "sort_desc(a) + (b + (c + (d)))",
  "a[step() + 5m * 2] offset (range() / 2)",
];

const words =
  `foo a:b sum by without ( ) { } [ ] , + - * / % ^ == != < <= > >= and or unless atan2 bool on ignoring group_left
  group_right offset @ 5m 1 0 -1 2.5 0x1F inf nan 1e3 "x" 'y' \`z\` a="b" c!~"d" = =~ !~ : rate( abs( topk( quantile(
  count_values("a", #c 010 1_000 5mm 1h30m [5m] [5m:1m] [5m:] time() pi() histogram_quantile( é $ 🔥 \\ ! 0. 1e 0s
  label_replace( scalar( vector( 9999999999999999999 by(a,b) on(a) -(1) 1.5h 1e400 {__name__="a"} {} start() end()
  [1000y] [1ms:1ms] @start() @end() sort_by_label( info( limitk( limit_ratio( anchored smoothed fill( min_of( step()
  \\u00e9 \\U0010ffff \\xff \\777`
    .split(/\s+/)
    .filter((word) => word !== "");

/**
 * What prints parses back and prints the same. But `-Inf ^ 2` prints as `-+Inf ^ 2` (in Prometheus too), in which the plus
 * is a sign of its own: infinities are compared without.
 */
function parseTwice(bytes: Uint8Array): boolean {
  const printed = printExpression(parseExpression(decodeUtf8(bytes)));
  const again = printExpression(parseExpression(printed));
  check(withoutPlus(again) === withoutPlus(printed), `${printed} prints differently when parsed again`);
  return true;
}

const withoutPlus = (text: string) => text.replaceAll(/\++Inf/g, "Inf");

const startMs = 1_600_000_000_000;
export const storage = smallStorage();

function smallStorage(): MemoryStorage {
  const filled = new MemoryStorage();
  const value = new Float64Array(1);
  for (const [i, name] of ["a", "b", "c", "d", "e", "foo", "h_bucket"].entries()) {
    for (const le of ["0.1", "1", "+Inf"]) {
      const series = filled.series(Labels.of({ __name__: name, b: `c${i % 3}`, d: "e", le }));
      for (let t = startMs - 3_600_000; t <= startMs; t += 60_000) {
        value[0] = t % 420_000 === 0 ? Number.NaN : Math.sin(t) * i + t / 1e9;
        series.append(t, value, 0);
      }
    }
  }
  return filled;
}

export const engine = new Engine({
  clock: { nowMs: () => startMs, monotonicMs: () => performance.now(), after: () => ({ cancel() {} }) },
  lookbackMs: 300_000,
  samplesMax: 100_000,
  bytesMax: 2 ** 24,
  timeoutMs: 300,
  noStepSubqueryIntervalMs: () => 60_000,
});

/** Both kinds of evaluation end with an answer or an expected error, and keep the timeout. */
function evaluate(bytes: Uint8Array): boolean {
  const query = decodeUtf8(bytes);
  const { warnings } = engine.instant(storage, query, startMs);
  check(
    warnings.every((warning) => warning !== ""),
    "an empty warning",
  );
  engine.range(storage, query, startMs - 1_800_000, startMs, 60_000);
  return true;
}

const patterns = [
  "a",
  "a.*b.+c",
  "foo|bar|baz",
  "(?i:Foo|Ba[rz])",
  "prefix_(a|b|c)_.*",
  "[a-z0-9_-]+\\.example\\.(com|org)",
  "(?P<name>\\w+)-(\\d{1,3})",
  "^a$|\\Aé\\z",
  "(a*)*|(b?){3,5}\\pL",
  ".*|.+||",
];
/** Between a pattern and the texts it is tried on. */
const separator = "\0";
const subjects = [
  "",
  "a",
  "foo",
  "FOO",
  "prefix_b_x",
  "www.example.com",
  "é\n",
  "abc\u212a\u017f",
  "🔥a12-345",
];

/** The short cuts for usual patterns answer as RE2 itself does. */
function matchBoth(bytes: Uint8Array): boolean {
  const [pattern, ...given] = decodeUtf8(bytes).split(separator);
  const short = compileAnchored(pattern);
  const plain = RE2JS.compile(pattern, RE2JS.DOTALL);
  const capturing = new CapturingRegexp(pattern);
  for (const text of [...subjects, ...given]) {
    const want = plain.testExact(text);
    check(short.matches(text) === want, `${JSON.stringify(text)} matches: ${!want}, by RE2: ${want}`);
    check(!want || text.startsWith(short.prefix), `${JSON.stringify(text)} lacks the prefix`);
    check(!want || (short.literals?.includes(text) ?? true), `${JSON.stringify(text)} is no literal`);
    const groups = capturing.exec(text);
    if (groups !== undefined) expandTemplate(given[0] ?? "$1-${name}$$", groups);
  }
  return true;
}

function selectTwice(bytes: Uint8Array): boolean {
  const matchers = parseMetricSelector(decodeUtf8(bytes));
  const printed = `{${matchers.join(",")}}`;
  const again = parseMetricSelector(printed);
  check(`{${again.join(",")}}` === printed, `${printed} prints differently when parsed again`);
  for (const matcher of matchers) {
    check(matcher.inverse().matches("x") !== matcher.matches("x"), `${matcher} and its inverse agree`);
    check(
      matcher.matchesEmpty === new Matcher(matcher.type, matcher.name, matcher.value).matches(""),
      "matchesEmpty",
    );
  }
  return true;
}

export const promqlTargets: readonly FuzzTarget[] = [
  {
    name: "promql-parser",
    share: 1,
    seeds: () => texts(...queries.slice(0, -1)),
    dictionary: words,
    run: parseTwice,
  },
  {
    name: "promql-engine",
    share: 0.1,
    seeds: () => texts(...queries.slice(0, -1).filter((query) => query !== stringQuery)),
    dictionary: words,
    run: evaluate,
  },
  {
    name: "selector",
    share: 1,
    seeds: () => texts("a", 'a{b="c"}', '{"a.b",c!="é",d=~"e|f.*",g!~"\\\\d+"}', '{__name__=~"x",}'),
    dictionary: words,
    run: selectTwice,
  },
  {
    name: "regexp",
    share: 1,
    seeds: () =>
      texts(...patterns.map((pattern) => pattern + separator + ["x${1}y", "foobar"].join(separator))),
    dictionary: [
      "(?i)",
      "(?:",
      "[^",
      "\\d",
      "\\pL",
      "{2,}",
      "{1000}",
      ".*",
      ".+",
      "|",
      "\\Q",
      "\\E",
      "(?s:",
      "$",
      "\\b",
      "[[:alpha:]]",
      "${",
      separator,
    ],
    run: matchBoth,
  },
];
