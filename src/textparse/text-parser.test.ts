import { expect, test } from "vitest";
import { renderEntries } from "../../test/scrape/render-entries.ts";
import { encodeUtf8 } from "../base/bytes.ts";
import { TextParser } from "./text-parser.ts";

const parse = (page: string | Uint8Array) =>
  renderEntries(new TextParser(typeof page === "string" ? encodeUtf8(page) : page));
const bytes = (page: string) => Uint8Array.from(page, (c) => c.charCodeAt(0));

test("a page of every kind of line", () => {
  const page = `# HELP rpc_seconds How long \\n it took, \\\\o/
# TYPE rpc_seconds summary
rpc_seconds{quantile="0.5"} 1.5e-3
rpc_seconds{quantile="1",service="a"} 2
rpc_seconds_sum 8953.332
# TYPE size histogram
size_bucket{le="1"} 1
size_bucket{le="100000"} 2
size_bucket{le="1000000"} 2
size_bucket{le="+Inf"} 3 1700000000123
\t
# plain comment
#
  #  indented
# TYPEless is a comment
plain{le="1",quantile="1"} +Inf
signed -0
not_a_number nan
`;
  expect(parse(page)).toEqual([
    'help rpc_seconds "How long \\n it took, \\\\o/"',
    "type rpc_seconds summary",
    '{__name__="rpc_seconds",quantile="0.5"} 0.0015',
    '{__name__="rpc_seconds",quantile="1.0",service="a"} 2',
    '{__name__="rpc_seconds_sum"} 8953.332',
    "type size histogram",
    '{__name__="size_bucket",le="1.0"} 1',
    '{__name__="size_bucket",le="100000.0"} 2',
    '{__name__="size_bucket",le="1e+06"} 2',
    '{__name__="size_bucket",le="+Inf"} 3 @1700000000123',
    'comment "# plain comment"',
    'comment "#"',
    'comment "#  indented"',
    'comment "# TYPEless is a comment"',
    '{__name__="plain",le="1.0",quantile="1"} Infinity',
    '{__name__="signed"} -0',
    '{__name__="not_a_number"} NaN',
  ]);
});

test.each([
  [
    "blanks and tabs between tokens",
    'a \t{ b = "c" , d="e" ,} \t 1 \t 2 \t',
    '{__name__="a",b="c",d="e"} 1 @2',
  ],
  ["no comma between labels", 'a{b="c" d="e"} 1', '{__name__="a",b="c",d="e"} 1'],
  ["nothing between name and value", "a+1", '{__name__="a"} 1'],
  ["nothing between brace and value", 'a{b="c"}1', '{__name__="a",b="c"} 1'],
  ["no line break at the end", "a 1", '{__name__="a"} 1'],
  ["a name in quotes", '{"a.b",c="d"} 1', '{__name__="a.b",c="d"} 1'],
  ["a quoted name behind a label", '{c="d","a.b"} 1', '{__name__="a.b",c="d"} 1'],
  ["label names in quotes", 'a{"b.c"="d"} 1', '{__name__="a",b.c="d"} 1'],
  ["escapes", 'a{b="\\"\\\\\\n\\t"} 1', '{__name__="a",b="\\"\\\\\\n\\\\t"} 1'],
  ["a line break in a label value", 'a{b="c\nd"} 1', '{__name__="a",b="c\\nd"} 1'],
  ["braces in a label value", 'a{b="}{"} 1', '{__name__="a",b="}{"} 1'],
  ["an empty label value", 'a{b=""} 1', '{__name__="a",b=""} 1'],
  ["a label twice", 'a{b="1",b="2"} 1', '{__name__="a",b="1",b="2"} 1'],
  ["labels sorted by bytes", 'a{z="1",B="2",_="3"} 1', '{B="2",_="3",__name__="a",z="1"} 1'],
  ["a leading blank is part of the name", " a 1", '{__name__=" a"} 1'],
  ["exponents", "a 1E+2", '{__name__="a"} 100'],
  ["a point and no fraction", "a 1.", '{__name__="a"} 1'],
  ["a point and nothing before it", "a .5", '{__name__="a"} 0.5'],
  ["infinity spelt out", "a -iNFinity", '{__name__="a"} -Infinity'],
  ["seventeen digits", "a 0.30000000000000004", '{__name__="a"} 0.30000000000000004'],
  ["half way between two doubles", "a 9007199254740993", '{__name__="a"} 9007199254740992'],
  ["just above half way", "a 9007199254740993.0000000000000001", '{__name__="a"} 9007199254740994'],
  ["the smallest double", "a 5e-324", '{__name__="a"} 5e-324'],
  ["too small", "a 1e-400", '{__name__="a"} 0'],
  ["the largest timestamp", "a 1 9223372036854775807", '{__name__="a"} 1 @9223372036854776000'],
  ["zeros before a timestamp", "a 1 0000000000000000000000000007", '{__name__="a"} 1 @7'],
  [
    "type of another family",
    '# TYPE h histogram\ng{le="1"} 1',
    ["type h histogram", '{__name__="g",le="1.0"} 1'],
  ],
  ["untyped", "# TYPE u untyped", "type u unknown"],
  ["quoted family", '# HELP "a b" c', 'help a b "c"'],
  ["help without text", "# HELP a", 'help a ""'],
  ["help of blanks", "# HELP a  ", 'help a ""'],
  ["HELP alone is a comment", "# HELP", 'comment "# HELP"'],
])("%s", (_, page, want) => {
  expect(parse(page)).toEqual(Array.isArray(want) ? want : [want]);
});

test.each([
  ["NUL in a label value", 'a{b="c\0d"} 1', '{__name__="a",b="c\\u0000d"} 1'],
  ["NUL in a help text", "# HELP a b\0c", 'help a "b\\u0000c"'],
  ["NUL in a comment", "# b\0c", 'comment "# b\\u0000c"'],
])("%s is taken as it is", (_, page, want) => {
  expect(parse(page)).toEqual([want]);
});

test("NUL where a line begins ends the page without a word, as in Prometheus", () => {
  expect(parse("a 1\n\0 whatever {{{\n")).toEqual(['{__name__="a"} 1']);
});

test.each([
  ["a", 'expected value after metric, got "\\n" ("INVALID") while parsing: "a\\n"'],
  ["1 a", 'expected a valid start token, got "1" ("INVALID") while parsing: "1"'],
  ["a{b}", 'expected equal, got "}\\n" ("BCLOSE") while parsing: "a{b}\\n"'],
  ['{"a"', 'expected equal, got "\\n" ("INVALID") while parsing: "{\\"a\\"\\n"'],
  ['{"a","b"} 1', 'metric name already set while parsing: "{\\"a\\",\\"b\\"}"'],
  ['a{"b"} 1', 'metric name already set while parsing: "a{\\"b\\"}"'],
  ['{b="c"} 1', 'metric name not set while parsing: "{b=\\"c\\"} 1"'],
  ["{} 1", 'metric name not set while parsing: "{} 1"'],
  ["{a} 1", 'expected equal, got "} " ("BCLOSE") while parsing: "{a} "'],
  ["a{b=c} 1", 'expected label value, got "c" ("INVALID") while parsing: "a{b=c"'],
  ['a{,b="c"} 1', 'expected label name, got ",b" ("COMMA") while parsing: "a{,b"'],
  ["a 1 2 3", 'expected next entry after timestamp, got "3\\n" ("TIMESTAMP") while parsing: "a 1 2 3\\n"'],
  ["a 1 2.5", 'expected next entry after timestamp, got "." ("INVALID") while parsing: "a 1 2."'],
  ["a 1 -2", 'expected timestamp or new record, got "-" ("INVALID") while parsing: "a 1 -"'],
  ["a 1{", 'expected timestamp or new record, got "{" ("INVALID") while parsing: "a 1{"'],
  [
    "a 1 9223372036854775808",
    'strconv.ParseInt: parsing "9223372036854775808": value out of range while parsing: "a 1 9223372036854775808"',
  ],
  ["a 1e400", 'strconv.ParseFloat: parsing "1e400": value out of range while parsing: "a 1e400"'],
  ["a 0x10", 'strconv.ParseFloat: parsing "0x10": invalid syntax while parsing: "a 0x10"'],
  ["a +nan", 'strconv.ParseFloat: parsing "+nan": invalid syntax while parsing: "a +nan"'],
  ["a 1_0", 'unsupported character in float while parsing: "a 1_0"'],
  ["a 0x1p4", 'unsupported character in float while parsing: "a 0x1p4"'],
  ["# TYPE a  gauge", 'invalid metric type " gauge"'],
  ["# TYPE a info", 'invalid metric type "info"'],
  ["# TYPE a", 'invalid metric type ""'],
  ["# HELP 1", 'expected metric name after HELP, got "1" ("INVALID") while parsing: "# HELP 1"'],
])("%j is refused", (page, message) => {
  expect(parse(page)).toEqual([`! ${message}`]);
});

test.each([
  ['a{b="\xff"} 1', 'invalid UTF-8 label value: "\\"\\xff\\""'],
  ["# HELP a \xff", 'help text "\\xff" is not a valid utf8 string'],
  ["a\0 1", 'expected value after metric, got "\\x00" ("INVALID") while parsing: "a\\x00"'],
])("bytes that are no text: %j", (page, message) => {
  expect(parse(bytes(page))).toEqual([`! ${message}`]);
});

test("an endless line gives a short error", () => {
  const [error] = parse(`${"a".repeat(100_000)}!`);
  expect(error.length).toBeLessThan(3000);
  expect(error).toContain("100001 bytes");
});

test("a page that is cut anywhere gives the same entries up to there, or an error", () => {
  const page = '# TYPE a counter\na{b="c"} 12 5\nb 1\n';
  const whole = parse(page);
  for (let cut = 0; cut < page.length; cut++) {
    const entries = parse(page.slice(0, cut));
    const complete = entries.slice(0, -1);
    expect(whole.slice(0, complete.length), `cut at ${cut}`).toEqual(complete);
  }
});
