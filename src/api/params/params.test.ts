import { describe, expect, test } from "vitest";
import { FormValues } from "./form.ts";
import { parseGoBool, parseGoFloat, parseGoInt } from "./go-numbers.ts";
import { unescapeName } from "./label-name.ts";
import {
  fromMs,
  isBefore,
  maxTime,
  minTime,
  nanosBetween,
  parseDuration,
  parseTime,
  toEngineMs,
  toMs,
} from "./time.ts";

// What Prometheus 3.5.3 made of each (test/api/differential.test.ts asks it again, where there is one).
describe("times, in milliseconds", () => {
  test.each([
    ["1.0005", 1000],
    ["1.9996", 2000],
    ["-1.5", -1500],
    ["1_000", 1_000_000],
    ["5.", 5000],
    [".5", 500],
    ["1e3", 1_000_000],
    ["0x1p4", 16_000],
    ["+7", 7000],
    ["1e300", 0],
    ["-1e300", 0],
    ["NaN", -9223372036854],
    ["Inf", -9223372036854],
    ["infinity", -9223372036854],
    ["2020-01-01T00:00:00Z", 1577836800000],
    ["2020-01-01T00:00:00.123456789+01:00", 1577833200123],
    ["2020-01-01T00:00:00,5Z", 1577836800500],
    ["2020-01-01T1:59:50Z", 1577843990000],
    ["2020-01-01T01:59:50+23:59", 1577757650000],
    ["0000-01-01T00:00:00Z", -6826986978871],
  ])("%s", (text, ms) => {
    expect(toEngineMs(parseTime(text))).toBe(ms);
  });

  test("the storage's are rounded down and reach further", () => {
    const both = (text: string) => [toEngineMs(parseTime(text)), toMs(parseTime(text))];
    expect(both("1969-12-31T23:59:59.9995Z")).toEqual([0, -1]);
    expect(both("0001-01-01T00:00:00Z")).toEqual([-6795364578871, -62135596800000]);
    expect(both("1e300")).toEqual([0, 0]);
  });

  test.each([
    "",
    "abc",
    "0x10",
    " 5",
    "1e400",
    "1__0",
    "_1",
    "2020-01-01t00:00:00z",
    "2020-02-30T00:00:00Z",
    "2020-01-01T24:00:00Z",
    "2020-01-01T23:59:60Z",
    "2020-1-01T23:59:50Z",
    "2020-01-01T23:59:50",
    "2020-01-01T01:59:50.Z",
    "2020-01-01T01:59:50+25:00",
    "2020-00-01T00:00:00Z",
  ])("%j is refused", (text) => {
    expect(() => parseTime(text)).toThrow(`cannot parse "${text}" to a valid timestamp`);
  });

  test("the limits read as what they are", () => {
    expect(parseTime("-292273086-05-16T16:47:06Z")).toBe(minTime);
    expect(parseTime("292277025-08-18T07:12:54.999999999Z")).toBe(maxTime);
  });

  test("milliseconds and back", () => {
    for (const ms of [0, 1, -1, 999, -1500, 1795334376814]) {
      expect([toMs(fromMs(ms)), toEngineMs(fromMs(ms))]).toEqual([ms, ms]);
    }
  });

  test("order and distance are exact to the nanosecond", () => {
    const [a, b] = [parseTime("2020-01-01T00:00:00.000000001Z"), parseTime("2020-01-01T00:00:00.000000002Z")];
    expect([isBefore(a, b), isBefore(b, a), isBefore(a, a)]).toEqual([true, false, false]);
    expect(nanosBetween(a, b)).toBe(1n);
    expect(nanosBetween(parseTime("0"), parseTime("1e12"))).toBe(2n ** 63n - 1n);
    expect(nanosBetween(parseTime("1e12"), parseTime("0"))).toBe(-(2n ** 63n));
  });
});

describe("durations, in nanoseconds", () => {
  test.each([
    ["15", 15_000_000_000n],
    ["0.0015", 1_500_000n],
    ["-5", -5_000_000_000n],
    ["1h5m", 3_900_000_000_000n],
    ["1e-10", 0n],
    ["NaN", -(2n ** 63n)],
    ["9223372036.854775807", -(2n ** 63n)],
  ])("%s", (text, nanos) => {
    expect(parseDuration(text)).toBe(nanos);
  });

  test.each(["", "foo", "5x", "1ns", "5s1m", "-5m", "300y"])("%j is refused", (text) => {
    expect(() => parseDuration(text)).toThrow(`cannot parse "${text}" to a valid duration`);
  });

  test.each(["1e300", "-1e300", "1e20"])("%j overflows", (text) => {
    expect(() => parseDuration(text)).toThrow("It overflows int64");
  });
});

describe("numbers", () => {
  test.each([
    ["inf", Number.POSITIVE_INFINITY],
    ["-Infinity", Number.NEGATIVE_INFINITY],
    ["nan", Number.NaN],
    ["-0", -0],
    ["0x.8p1", 1],
    ["-0x1_0p-1", -8],
    ["1e-400", 0],
  ])("the float %s", (text, value) => {
    expect(parseGoFloat(text)).toBe(value);
  });

  test.each([
    "",
    "-nan",
    "0x",
    "0xp1",
    "0x1",
    "1e",
    "1_",
    "e5",
    ".",
    "1.5.1",
    "١",
  ])("%j is no float", (text) => {
    expect(parseGoFloat(text)).toBeUndefined();
  });

  test.each([
    ["+3", 3],
    ["-0", 0],
    ["007", 7],
  ])("the integer %s", (text, value) => {
    expect(parseGoInt(text)).toBe(value);
  });

  test.each([
    ["a", 'strconv.Atoi: parsing "a": invalid syntax'],
    ["1.5", 'strconv.Atoi: parsing "1.5": invalid syntax'],
    ["1_0", 'strconv.Atoi: parsing "1_0": invalid syntax'],
    ["99999999999999999999", 'strconv.Atoi: parsing "99999999999999999999": value out of range'],
  ])("%j is no integer", (text, problem) => {
    expect(() => parseGoInt(text)).toThrow(problem);
  });

  test("32-bit integers have their own name and bound", () => {
    expect(() => parseGoInt("2147483648", "ParseInt", 32)).toThrow(
      'strconv.ParseInt: parsing "2147483648": value out of range',
    );
  });

  test("booleans", () => {
    expect(["1", "t", "T", "TRUE", "true", "True"].map(parseGoBool)).not.toContain(false);
    expect(["0", "f", "F", "FALSE", "false", "False"].map(parseGoBool)).not.toContain(true);
    expect(() => parseGoBool("tRUE")).toThrow('strconv.ParseBool: parsing "tRUE": invalid syntax');
  });
});

describe("forms", () => {
  const formOf = (...encoded: string[]) => {
    const form = new FormValues();
    for (const part of encoded) form.appendEncoded(part);
    return form;
  };

  test("the first value counts, the body's before the URL's", () => {
    const form = formOf("a=1&a=2&b=x%20y+z", "a=3&c");
    expect([form.get("a"), form.all("a"), form.get("b"), form.get("c"), form.get("d")]).toEqual([
      "1",
      ["1", "2", "3"],
      "x y z",
      "",
      "",
    ]);
    expect(form.problem).toBe("");
  });

  test.each([
    ["a=%zz", 'invalid URL escape "%zz"'],
    ["a=%", 'invalid URL escape "%"'],
    ["a=%a&x", 'invalid URL escape "%a"'],
    ["%zz=1", 'invalid URL escape "%zz"'],
    ["a=1;2", "invalid semicolon separator in query"],
  ])("of %s the broken pair is dropped", (encoded, problem) => {
    const form = formOf(encoded, "b=2");
    expect([form.get("a"), form.get("b"), form.problem]).toEqual(["", "2", problem]);
  });

  test("bytes that are not UTF-8 are replaced", () => {
    expect(formOf("a=x%ffy%c3%a9").get("a")).toBe("x\ufffdy\u00e9");
  });
});

test.each([
  ["foo", "foo"],
  ["U__a_2e_b", "a.b"],
  ["U__a__b", "a_b"],
  ["U___1F600_", "\u{1F600}"],
  ["U__a_2e", "U__a_2e"],
  ["U__a_", "U__a_"],
  ["U__a_D800_", "U__a_D800_"],
  ["U__a_110000_", "U__a_110000_"],
  ["U__a_0000041_", "U__a_0000041_"],
])("the escaped label name %s is %s", (name, plain) => {
  expect(unescapeName(name)).toBe(plain);
});
