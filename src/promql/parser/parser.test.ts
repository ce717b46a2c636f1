import fc from "fast-check";
import { expect, test } from "vitest";
import { depthMax, nestingMax } from "./cursor.ts";
import { PromqlParseError } from "./parse-error.ts";
import { type ParserFeatures, parseExpression, parseMetricSelector } from "./parser.ts";
import { printExpression } from "./printer.ts";

const everything: ParserFeatures = {
  experimentalFunctions: true,
  extendedRangeSelectors: true,
  fillModifiers: true,
};

// [query, canonical form ("" if equal)]
const valid: readonly (readonly [string, string])[] = [
  ["1", ""],
  ["+Inf", ""],
  ["-nan", "NaN"],
  ["0x1F", "31"],
  ["010", "8"],
  ["08", "8"],
  ["1_000.5e1_0", "10005000000000"],
  ["5m", ""],
  ["-1h30m", ""],
  ["90s", "1m30s"],
  ['"a\\"b\\x41\\u00fc\\n"', '"a\\"bAü\\n"'],
  ["'it\\'s'", '"it\'s"'],
  ["`a\\b`", '"a\\\\b"'],
  ["foo # comment\n  + bar", "foo + bar"],
  ["-2 ^ 2", "-2 ^ 2"],
  ["1 + 2 * 3 ^ 4 ^ 5 - 6", ""],
  ["a or b and c unless d == e + f * g ^ h", ""],
  ["sum(foo) BY (a, b,)", "sum by (a, b) (foo)"],
  ["sum without () (foo)", "sum without () (foo)"],
  ['topk by ("a.b", on) (3, foo)', 'topk by ("a.b", on) (3, foo)'],
  ["sum + by * offset - start / and", ""],
  ["fill + fill_left / step > range", ""],
  ['{"a.b", c="d"}', '{__name__="a.b",c="d"}'],
  ['foo{"a b"!="c", d=~".*", e!~`x`,}', 'foo{"a b"!="c",d=~".*",e!~"x"}'],
  ["foo[5m] offset -1w @ 1.2345", "foo[5m] @ 1.235 offset -1w"],
  ["foo @ end() offset 90m", "foo @ end() offset 1h30m"],
  ["rate(foo[1h])[1d:] @ start() offset 3", "rate(foo[1h])[1d:] @ start() offset 3s"],
  ["foo[0.5:1.5]", "foo[500ms:1s500ms]"],
  ["foo[5m + step() * 2]", "foo[5m + step() * 2]"],
  ["foo[-(-5m)]", "foo[-(-5m)]"],
  ["foo offset -(1h / 2)", "foo offset -(1h / 2)"],
  ["foo offset - -5m + 1m", "foo offset 5m + 1m"],
  ["foo offset 5m + 1", "foo offset 5m + 1"],
  ["foo[max_of(5m, range()):min_of(1m, step())]", ""],
  ["a == bool on (x) group_left (y) b", "a == bool on (x) group_left (y) b"],
  ["a / ignoring() group_right b", "a / ignoring () group_right () b"],
  ["a </ 5 >/ 2", ""],
  ["a + on(x) fill_left(-1) fill_right(2) b", "a + on (x) fill_left (-1) fill_right (2) b"],
  ["a + fill(0) b", "a + fill (0) b"],
  ["rate(foo[5m] smoothed)", "rate(foo[5m] smoothed)"],
  ["foo anchored @ 5", "foo @ 5.000 anchored"],
  ["round(foo) + round(foo, 5) + hour()", ""],
  ["label_join(foo, 'a', '-')", 'label_join(foo, "a", "-")'],
  ["info(foo, {a='b'})", 'info(foo, {a="b"})'],
  ["info(foo, {})", "info(foo, )"],
  ["limitk(2, foo)", ""],
  ["count_values('v', foo)", 'count_values("v", foo)'],
];

test.each(valid)("%s", (query, canonical) => {
  expect(printExpression(parseExpression(query, everything))).toBe(canonical || query);
});

test.each(
  valid.filter(([, canonical]) => !canonical.endsWith(", )")),
)("the canonical form of %s is canonical", (query, canonical) => {
  expect(printExpression(parseExpression(canonical || query, everything))).toBe(canonical || query);
});

test.each([
  ["", "unknown position: parse error: no expression found in input"],
  [" \n ", "1:1: parse error: no expression found in input"],
  ["foo\n  bar", '2:3: parse error: unexpected identifier "bar"'],
  ["(foo", "1:5: parse error: unclosed left parenthesis"],
  ["foo)", "1:5: parse error: unexpected right parenthesis ')'"],
  ["ö", "1:1: parse error: unexpected character: 'ö'"],
  ['"öö" $', "1:8: parse error: unexpected character: '$'"],
  ["foo{", "1:5: parse error: unexpected end of input inside braces"],
  ["foo{a}", '1:6: parse error: unexpected "}" in label matching, expected label matching operator'],
  ["foo{a=b}", '1:7: parse error: unexpected identifier "b" in label matching, expected string'],
  ["foo{a='b' c}", '1:11: parse error: unexpected identifier "c" in label matching, expected "," or "}"'],
  ["foo{a=~'('}", "1:5: parse error: error parsing regexp: missing closing ): `(`"],
  ["'a", "1:1: parse error: unterminated quoted string"],
  ["'\\z'", "1:1: parse error: unknown escape sequence U+007A 'z'"],
  ["1e", '1:1: parse error: bad number or duration syntax: "1e"'],
  [
    "1e400",
    '1:1: parse error: error parsing number: strconv.ParseFloat: parsing "1e400": value out of range',
  ],
  ["1.5h", '1:1: parse error: unknown unit "." in duration "1.5h"'],
  [
    "foo[]",
    '1:5: parse error: unexpected "]" in subquery or range selector, expected number, duration, step(), or range()',
  ],
  ["foo[5m", "1:7: parse error: unclosed left bracket"],
  ["foo[5m:foo]", "1:8: parse error: unexpected character: 'f', expected ':'"],
  ["foo[0]", "1:5: parse error: duration must be greater than 0"],
  ["foo[5m / 0]", "1:8: parse error: division by zero"],
  [
    "foo offset bar",
    '1:12: parse error: unexpected identifier "bar" in offset, expected number, duration, step(), or range()',
  ],
  ["foo offset 5m offset 5m", "1:1: parse error: offset may not be set multiple times"],
  ["foo offset 300y", "1:12: parse error: duration out of range"],
  ["foo[nan]", "1:5: parse error: unexpected character in duration expression: 'n'"],
  ["foo offset -nan", "1:12: parse error: duration out of range"],
  ["foo @ bar", '1:7: parse error: unexpected identifier "bar" in @, expected timestamp'],
  [
    "foo @ -1e30",
    "1:1: parse error: timestamp out of bounds for @ modifier: -1000000000000000019884624838656.000000",
  ],
  ["foo @ inf", "1:1: parse error: timestamp out of bounds for @ modifier: +Inf"],
  ["foo offset 1m[5m]", "1:14: parse error: no offset modifiers allowed before range"],
  ["1[5m]", "1:2: parse error: ranges only allowed for vector selectors"],
  ["sum foo", '1:5: parse error: unexpected identifier "foo"'],
  ["sum by foo (bar)", '1:8: parse error: unexpected identifier "foo" in grouping opts, expected "("'],
  ["sum by (1) (bar)", '1:9: parse error: unexpected number "1" in grouping opts, expected label'],
  ["sum(foo bar)", '1:9: parse error: unexpected identifier "bar" in aggregation'],
  ["sum()", "1:1: parse error: no arguments for aggregate expression provided"],
  [
    "topk(foo)",
    "1:1: parse error: wrong number of arguments for aggregate expression provided, expected 2, got 1",
  ],
  ["topk(foo, bar)", "1:6: parse error: expected type scalar in aggregation parameter, got instant vector"],
  ["nope(foo)", '1:1: parse error: unknown function with name "nope"'],
  [
    "rate(foo)",
    '1:6: parse error: expected type range vector in call to function "rate", got instant vector',
  ],
  ["rate(foo[5m],)", "1:13: parse error: trailing commas not allowed in function call args"],
  ["time(1)", '1:1: parse error: expected 0 argument(s) in call to "time", got 1'],
  ["1 == 1", "1:3: parse error: comparisons between scalars must use BOOL modifier"],
  ["foo + bool bar", "1:5: parse error: bool modifier can only be used on comparison operators"],
  ["foo and 1", '1:1: parse error: set operator "and" not allowed in binary scalar expression'],
  ["foo and on(a) group_left() bar", '1:1: parse error: no grouping allowed for "and" operation'],
  [
    "foo + on(a) group_left(a) bar",
    '1:5: parse error: label "a" must not occur in ON and GROUP clause at once',
  ],
  ["foo + on(a) 1", "1:1: parse error: vector matching only allowed between instant vectors"],
  ["foo[5m] + 1", "1:1: parse error: binary expression must contain only scalar and instant vector types"],
  [
    "-foo[5m]",
    '1:1: parse error: unary expression only allowed on expressions of type scalar or instant vector, got "range vector"',
  ],
  ["1[5m:]", "1:1: parse error: subquery is only allowed on instant vector, got scalar instead"],
  ["{}", "1:1: parse error: vector selector must contain at least one non-empty matcher"],
  ["{a=~'.*'}", "1:1: parse error: vector selector must contain at least one non-empty matcher"],
  ["foo{'bar'}", '1:1: parse error: metric name must not be set twice: "foo" or "bar"'],
  [
    "limitk(2, foo)",
    "1:1: parse error: limitk() is experimental and must be enabled with --enable-feature=promql-experimental-functions",
  ],
  ["start()", '1:1: parse error: function "start" is not enabled'],
  ["foo smoothed", "1:1: parse error: smoothed modifier is experimental and not enabled"],
  ["foo + fill(0) bar", "1:1: parse error: binop fill modifiers are experimental and not enabled"],
])("%j is refused", (query, message) => {
  expect(() => parseExpression(query)).toThrow(PromqlParseError);
  expect(() => parseExpression(query)).toThrow(message);
});

test("positions are UTF-16 indices, columns in messages are bytes", () => {
  const expr = parseExpression('label_replace(up, "🔥", "", "", "") + bar');
  expect(expr.kind === "binary" && [expr.right.start, expr.right.end]).toEqual([38, 41]);
  expect(() => parseExpression('"🔥" bar')).toThrow("1:8: ");
});

test("a selector for match[] may match everything and stands alone", () => {
  expect(parseMetricSelector('up{job="a"}').map(String)).toEqual(['job="a"', '__name__="up"']);
  expect(parseMetricSelector("{}")).toEqual([]);
  expect(() => parseMetricSelector("up[5m]")).toThrow('1:3: parse error: unexpected "["');
  expect(() => parseMetricSelector("")).toThrow("parse error: unexpected end of input");
});

test.each([
  ["parentheses", (n: number) => `${"(".repeat(n)}1${")".repeat(n)}`],
  ["signs", (n: number) => `${"-".repeat(n)}foo`],
  ["calls", (n: number) => `${"abs(".repeat(n)}foo${")".repeat(n)}`],
  ["operators in a row", (n: number) => `foo${" + foo".repeat(n)}`],
  ["powers", (n: number) => `2${" ^ 2".repeat(n)}`],
  ["subqueries of subqueries", (n: number) => `foo${"[5m:]".repeat(n)}`],
  ["durations", (n: number) => `foo[${"(".repeat(n)}1${")".repeat(n)}]`],
  ["duration sums", (n: number) => `foo[1${" + 1".repeat(n)}]`],
  ["info arguments", (n: number) => `info(foo, a${" + a".repeat(n)})`],
])("%s nested without end do not exhaust the stack", (_, nest) => {
  expect(() => parseExpression(nest(20_000), everything)).toThrow(
    /more than \d+ levels|only allowed|expected/,
  );
});

test("long chains are fine, deep nesting is not needed", () => {
  parseExpression(`foo${" or foo".repeat(depthMax - 2)}`);
  parseExpression(`${"(".repeat(nestingMax - 1)}foo${")".repeat(nestingMax - 1)}`);
});

const pieces = [
  ...valid.map(([query]) => query),
  ..."( ) { } [ ] , : + - * / % ^ == != =~ !~ < > </ and or unless bool on ignoring group_left offset @ by sum topk".split(
    " ",
  ),
  ...'foo a:b 1 5m 0x 1e inf "x" \'y ` \\ # \n é 🔥 \ud800 rate( [5m] {a= fill( step() start() anchored'.split(
    " ",
  ),
];

test("whatever the input is, the answer is a tree that can be printed, or a parse error", () => {
  const input = fc
    .array(fc.oneof(fc.constantFrom(...pieces), fc.string({ unit: "binary", maxLength: 3 })), {
      maxLength: 12,
    })
    .chain((parts) => fc.constantFrom("", " ").map((glue) => parts.join(glue)));
  fc.assert(
    fc.property(input, (query) => {
      try {
        const printed = printExpression(parseExpression(query, everything));
        expect(typeof printed).toBe("string");
      } catch (error) {
        if (!(error instanceof PromqlParseError)) throw error;
        expect(error.position).toBeLessThanOrEqual(query.length);
      }
    }),
    { numRuns: 1000 },
  );
});
