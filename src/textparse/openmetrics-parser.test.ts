import { expect, test } from "vitest";
import { renderEntries } from "../../test/scrape/render-entries.ts";
import { encodeUtf8 } from "../base/bytes.ts";
import { OpenMetricsParser } from "./openmetrics-parser.ts";

const parse = (page: string) => renderEntries(new OpenMetricsParser(encodeUtf8(page)));
const parseLine = (line: string) => parse(`${line}\n# EOF\n`);

test("a page of every kind of line", () => {
  const page = `# HELP req_seconds Time \\"spent\\"
# TYPE req_seconds histogram
# UNIT req_seconds seconds
req_seconds_bucket{le="1"} 1 # {trace_id="abc"} 0.5
req_seconds_bucket{le="+Inf"} 2 1700000000.25 # {trace_id="d e",span="\\"x\\""} 0.67 1700000000.1239
req_seconds_sum 3.5
req_seconds_created 1.6e+09
# TYPE things gaugehistogram
things_bucket{le="1"} 1
# TYPE build info
build_info{version="1"} 1
# TYPE state stateset
state{state="a"} 0
# TYPE other unknown
{"a b"} 1
# EOF
`;
  expect(parse(page)).toEqual([
    'help req_seconds "Time \\"spent\\""',
    "type req_seconds histogram",
    "unit req_seconds seconds",
    '{__name__="req_seconds_bucket",le="1.0"} 1 # {trace_id="abc"} 0.5',
    '{__name__="req_seconds_bucket",le="+Inf"} 2 @1700000000250 # {span="\\\\\\"x\\\\\\"",trace_id="d e"} 0.67 @1700000000123',
    '{__name__="req_seconds_sum"} 3.5',
    '{__name__="req_seconds_created"} 1600000000',
    "type things gaugehistogram",
    '{__name__="things_bucket",le="1"} 1',
    "type build info",
    '{__name__="build_info",version="1"} 1',
    "type state stateset",
    '{__name__="state",state="a"} 0',
    "type other unknown",
    '{__name__="a b"} 1',
  ]);
});

test.each([
  ["an empty page", "# EOF", []],
  ["a fraction of a millisecond is cut off", "a 1 0.0019\n# EOF\n", ['{__name__="a"} 1 @1']],
  ["towards zero", "a 1 -0.0019\n# EOF\n", ['{__name__="a"} 1 @-1']],
  ["nothing left of it", "a 1 -0.0001\n# EOF\n", ['{__name__="a"} 1 @0']],
  ["a timestamp beyond 64 bits", "a 1 1e300\n# EOF\n", ['{__name__="a"} 1 @-9223372036854776000']],
  ["an exemplar without labels", "a 1 # {} 2\n# EOF", ['{__name__="a"} 1 # {} 2']],
  ["a comma at the end", 'a{b="c",} 1 # {d="e",} 2\n# EOF', ['{__name__="a",b="c"} 1 # {d="e"} 2']],
  [
    "an exemplar that is not a number",
    "a 1 # {} NaN\nb 2\n# EOF",
    ['{__name__="a"} 1 # {} NaN', '{__name__="b"} 2'],
  ],
  ["help in quotes", '# HELP "a.b" c\n# EOF\n', ['help a.b "c"']],
  [
    "a label name in quotes in an exemplar",
    'a 1 # {"b c"="d"} 1\n# EOF\n',
    ['{__name__="a"} 1 # {b c="d"} 1'],
  ],
])("%s", (_, page, want) => {
  expect(parse(page)).toEqual(want);
});

test.each([
  ["", "data does not end with # EOF"],
  ["a 1", "data does not end with # EOF"],
  ["a 1\n", "data does not end with # EOF"],
  ["# EOF\n\n", "unexpected data after # EOF"],
  ["# EOFa", "unexpected data after # EOF"],
  ["\n# EOF\n", 'expected a valid start token, got "\\n" ("INVALID") while parsing: "\\n"'],
  ["# a comment\n", 'expected a valid start token, got "# a" ("INVALID") while parsing: "# a"'],
  ["#\n", 'expected a valid start token, got "#\\n" ("INVALID") while parsing: "#\\n"'],
])("%j is refused", (page, message) => {
  expect(parse(page).at(-1)).toBe(`! ${message}`);
});

test.each([
  ["a  1", 'expected value after metric, got "  " ("INVALID") while parsing: "a  "'],
  ["a\t1", 'expected value after metric, got "\\t" ("INVALID") while parsing: "a\\t"'],
  ["a+1", 'expected value after metric, got "+" ("INVALID") while parsing: "a+"'],
  ['a {b="c"} 1', 'strconv.ParseFloat: parsing "{b=\\"c\\"}": invalid syntax while parsing: "a {b=\\"c\\"}"'],
  ['a{b="c" ,d="e"} 1', 'expected comma or brace close, got " " ("INVALID") while parsing: "a{b=\\"c\\" "'],
  ['a{b="c"d="e"} 1', 'expected comma or brace close, got "d=" ("LNAME") while parsing: "a{b=\\"c\\"d="'],
  ['a{b="c\nd"} 1', 'expected label value, got "\\"c\\n" ("INVALID") while parsing: "a{b=\\"c\\n"'],
  ["a 1 ", 'expected a valid start token, got "\\n#" ("LINEBREAK") while parsing: "\\n#"'],
  ["a 1 Inf", "invalid timestamp +Inf"],
  [
    'a 1 # {b="c"}',
    'expected value after exemplar labels, got "\\n" ("INVALID") while parsing: "a 1 # {b=\\"c\\"}\\n"',
  ],
  ['a 1 # {"b"} 1', 'expected label name, got "} " ("BCLOSE") while parsing: "a 1 # {\\"b\\"} "'],
  ['a 1 # {b="c"} 1 NaN', "invalid exemplar timestamp NaN"],
  [
    'a 1 # {b="c"} 1 2 3',
    'expected next entry after exemplar timestamp, got " 3\\n" ("TIMESTAMP") while parsing: "a 1 # {b=\\"c\\"} 1 2 3\\n"',
  ],
  ["# TYPE a untyped", 'invalid metric type "untyped"'],
  ["# TYPE a", "expected text in TYPE"],
  ["# UNIT a_b c", 'unit "c" not a suffix of metric "a_b"'],
  ["# UNIT ab b", 'unit "b" not a suffix of metric "ab"'],
])("%j is refused", (line, message) => {
  expect(parseLine(line).at(-1)).toBe(`! ${message}`);
});

test("what is wrong behind a value is found at the beginning of the next entry", () => {
  expect(parseLine("a 1 # x")).toEqual([
    '{__name__="a"} 1',
    '! expected a valid start token, got "x" ("INVALID") while parsing: "x"',
  ]);
});
