import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Labels } from "./labels.ts";
import { LabelsBuilder } from "./labels-builder.ts";
import { md5 } from "./md5.ts";
import { expandTemplate } from "./regexp-template.ts";
import { defaultRelabelRule, isValidLabelName, type RelabelRule, relabel } from "./relabel.ts";
import { lowerCase, upperCase } from "./simple-case.ts";

const rule = (over: Partial<RelabelRule>): RelabelRule => ({ ...defaultRelabelRule, ...over });
const run = (labels: Record<string, string>, ...rules: Partial<RelabelRule>[]) =>
  relabel(Labels.of(labels), rules.map(rule))?.toObject();

/** Labels, rules, and what comes out; undefined: dropped. */
const table: [string, Record<string, string>, Partial<RelabelRule>[], Record<string, string> | undefined][] =
  [
    [
      "groups",
      { a: "foo", b: "bar" },
      [{ sourceLabels: ["a"], regex: "f(.*)", targetLabel: "d", replacement: "ch${1}-ch${1}" }],
      { a: "foo", b: "bar", d: "choo-choo" },
    ],
    [
      "several sources",
      { a: "foo", b: "bar" },
      [{ sourceLabels: ["a", "b"], regex: "f(.*);(.*)r", targetLabel: "a", replacement: "b${1}${2}m" }],
      { a: "boobam", b: "bar" },
    ],
    [
      "rules one after the other",
      { a: "foo" },
      [
        { sourceLabels: ["a"], targetLabel: "b" },
        { sourceLabels: ["b"], regex: "f(.*)", targetLabel: "a", replacement: "x$1" },
      ],
      { a: "xoo", b: "foo" },
    ],
    [
      "no match leaves all as it is",
      { a: "foo" },
      [{ sourceLabels: ["a"], regex: "o+", targetLabel: "b" }],
      { a: "foo" },
    ],
    [
      "an empty result removes the label",
      { a: "foo" },
      [{ sourceLabels: ["a"], regex: "f(x)?oo", targetLabel: "a", replacement: "$1" }],
      {},
    ],
    ["a constant", { a: "1" }, [{ targetLabel: "b", replacement: "c" }], { a: "1", b: "c" }],
    ["an empty constant", { a: "1" }, [{ targetLabel: "a", replacement: "" }], {}],
    [
      "a target from a group",
      { a: "foo_x" },
      [{ sourceLabels: ["a"], regex: "(.*)_(.*)", targetLabel: "${1}", replacement: "$2" }],
      { a: "foo_x", foo: "x" },
    ],
    [
      "a named group",
      { a: "foo" },
      [{ sourceLabels: ["a"], regex: "(?P<first>.)(.*)", targetLabel: "b", replacement: "$first_$2" }],
      { a: "foo", b: "oo" },
    ],
    [
      "a named group in braces",
      { a: "foo" },
      [{ sourceLabels: ["a"], regex: "(?P<first>.)(.*)", targetLabel: "b", replacement: "${first}-$2" }],
      { a: "foo", b: "f-oo" },
    ],
    [
      "a target that is no name, legacy",
      { a: "b.c" },
      [{ sourceLabels: ["a"], targetLabel: "$1", validationScheme: "legacy" }],
      { a: "b.c" },
    ],
    [
      "a target that is a UTF-8 name",
      { a: "b.c" },
      [{ sourceLabels: ["a"], targetLabel: "$1" }],
      { a: "b.c", "b.c": "b.c" },
    ],
    [
      "an empty target",
      { a: "b" },
      [{ sourceLabels: ["x"], targetLabel: "$1", replacement: "y" }],
      { a: "b" },
    ],
    [
      "another separator",
      { a: "1", b: "2" },
      [{ sourceLabels: ["a", "b", "c"], separator: "-", targetLabel: "d" }],
      { a: "1", b: "2", d: "1-2-" },
    ],
    [
      "a source that is missing",
      {},
      [{ sourceLabels: ["a"], regex: "", targetLabel: "b", replacement: "none" }],
      { b: "none" },
    ],
    [
      "newlines",
      { a: "x\ny" },
      [{ sourceLabels: ["a"], regex: "x.y", targetLabel: "b", replacement: "1" }],
      { a: "x\ny", b: "1" },
    ],
    ["keep", { a: "foo" }, [{ action: "keep", sourceLabels: ["a"], regex: "f.*" }], { a: "foo" }],
    ["keep, anchored", { a: "foo" }, [{ action: "keep", sourceLabels: ["a"], regex: "f" }], undefined],
    ["drop", { a: "foo" }, [{ action: "drop", sourceLabels: ["a"], regex: "foo|bar" }], undefined],
    ["drop, no match", { a: "foo" }, [{ action: "drop", sourceLabels: ["a"], regex: "oo" }], { a: "foo" }],
    [
      "nothing after a drop",
      { a: "1" },
      [
        { action: "drop", regex: "" },
        { targetLabel: "b", replacement: "2" },
      ],
      undefined,
    ],
    [
      "keepequal",
      { a: "x", b: "x" },
      [{ action: "keepequal", sourceLabels: ["a"], targetLabel: "b" }],
      { a: "x", b: "x" },
    ],
    [
      "keepequal, unequal",
      { a: "x", b: "y" },
      [{ action: "keepequal", sourceLabels: ["a"], targetLabel: "b" }],
      undefined,
    ],
    [
      "keepequal, both missing",
      { c: "1" },
      [{ action: "keepequal", sourceLabels: ["a"], targetLabel: "b" }],
      { c: "1" },
    ],
    [
      "dropequal",
      { a: "x", b: "x" },
      [{ action: "dropequal", sourceLabels: ["a"], targetLabel: "b" }],
      undefined,
    ],
    [
      "dropequal, unequal",
      { a: "x" },
      [{ action: "dropequal", sourceLabels: ["a"], targetLabel: "b" }],
      { a: "x" },
    ],
    [
      "hashmod",
      { c: "baz" },
      [{ action: "hashmod", sourceLabels: ["c"], modulus: 1000, targetLabel: "d" }],
      { c: "baz", d: "976" },
    ],
    [
      "hashmod with newlines",
      { a: "foo\nbar" },
      [{ action: "hashmod", sourceLabels: ["a"], modulus: 1000, targetLabel: "b" }],
      { a: "foo\nbar", b: "734" },
    ],
    [
      "labelmap",
      { a: "foo", b1: "bar", b2: "baz" },
      [{ action: "labelmap", regex: "(b.*)", replacement: "x_${1}" }],
      { a: "foo", b1: "bar", b2: "baz", x_b1: "bar", x_b2: "baz" },
    ],
    [
      "labelmap onto existing names",
      { a: "foo", __meta_my_bar: "aaa", __meta_other: "bbb" },
      [{ action: "labelmap", regex: "__meta_(my_bar|a)", replacement: "a" }],
      { a: "aaa", __meta_my_bar: "aaa", __meta_other: "bbb" },
    ],
    [
      "labelmap, the later wins",
      { x_1: "a", x_2: "b" },
      [{ action: "labelmap", regex: "(x)_.*" }],
      { x_1: "a", x_2: "b", x: "b" },
    ],
    [
      "labelmap does not see what it makes",
      { a: "1" },
      [{ action: "labelmap", regex: "(.+)", replacement: "${1}a" }],
      { a: "1", aa: "1" },
    ],
    ["labeldrop", { a: "1", b1: "2", b2: "3" }, [{ action: "labeldrop", regex: "b.*" }], { a: "1" }],
    ["labelkeep", { a: "1", b1: "2" }, [{ action: "labelkeep", regex: "b.*" }], { b1: "2" }],
    ["all labels gone", { a: "1" }, [{ action: "labeldrop", regex: ".*" }], {}],
    [
      "lowercase and uppercase",
      { a: "bAr123Foo" },
      [
        { action: "lowercase", sourceLabels: ["a"], targetLabel: "l" },
        { action: "uppercase", sourceLabels: ["a"], targetLabel: "u" },
      ],
      { a: "bAr123Foo", l: "bar123foo", u: "BAR123FOO" },
    ],
    [
      "a dollar sign",
      { a: "5" },
      [{ sourceLabels: ["a"], targetLabel: "b", replacement: "$$${1}$" }],
      { a: "5", b: "$5$" },
    ],
  ];

test.each(table)("%s", (_, labels, rules, wanted) => {
  const before = JSON.stringify(rules);
  expect(run(labels, ...rules)).toEqual(wanted);
  expect(JSON.stringify(rules)).toBe(before);
});

test("rules can be posted between threads", () => {
  const rules = [rule({ action: "hashmod", sourceLabels: ["a"], modulus: 2 ** 53 - 1, targetLabel: "b" })];
  const there = structuredClone(rules);
  expect(relabel(Labels.of({ a: "x" }), there)?.toObject()).toEqual(
    relabel(Labels.of({ a: "x" }), rules)?.toObject(),
  );
});

test("without rules the label set itself comes back", () => {
  const labels = Labels.of({ a: "1" });
  expect(relabel(labels, [])).toBe(labels);
  expect(relabel(labels, [rule({ action: "keep", sourceLabels: ["a"], regex: "1" })])).toBe(labels);
});

test("hashmod is the low half of the MD5, big-endian", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme" }), fc.integer({ min: 1, max: 2 ** 31 }), (value, modulus) => {
      const hash = createHash("md5").update(value).digest().readBigUInt64BE(8);
      const rules = [rule({ action: "hashmod", sourceLabels: ["a"], modulus, targetLabel: "b" })];
      expect(relabel(Labels.of({ a: value }), rules)?.get("b")).toBe(String(hash % BigInt(modulus)));
    }),
  );
});

test("MD5 of texts of every length around the block size", () => {
  for (let length = 0; length < 140; length++) {
    const text = "é".repeat(length % 7) + "x".repeat(length);
    expect(Buffer.from(md5(text)).toString("hex")).toBe(createHash("md5").update(text).digest("hex"));
  }
});

// Go's regexp.Expand gives the same.
test.each([
  ["$1", "one"],
  ["${1}x", "onex"],
  ["$1x", ""],
  ["$1-x", "one-x"],
  ["$name.", "two."],
  ["${name}s", "twos"],
  ["$names", ""],
  ["$0", "whole"],
  ["$2", "two"],
  ["$3", ""],
  ["$01", ""],
  ["$9999999999", ""],
  ["$$1", "$1"],
  ["$", "$"],
  ["a$", "a$"],
  ["$ 1", "$ 1"],
  ["${", "${"],
  ["${}", "${}"],
  ["${1", "${1"],
  ["${a b}", "${a b}"],
  ["$$$1", "$one"],
  ["$ümlaut", ""],
])("%s expands to %j", (template, wanted) => {
  expect(expandTemplate(template, { groups: ["whole", "one", "two", undefined], names: { name: 2 } })).toBe(
    wanted,
  );
});

test("case is changed one character at a time, as Go does it", () => {
  expect(lowerCase("ABC Straße ΑΣ İ ǅ K ẞ")).toBe("abc straße ας i ǆ k ß".replace("ας", "ασ"));
  expect(upperCase("abc Straße ας ﬁ ŉ ǆ ᾳ ᾀ ῃ ı ſ 𐐨")).toBe("ABC STRAßE ΑΣ ﬁ ŉ Ǆ ᾼ ᾈ ῌ I S 𐐀");
});

test.each([
  ["a", true, true],
  ["_a1", true, true],
  ["1a", true, false],
  ["a.b", true, false],
  ["é", true, false],
  ["", false, false],
  ["\ud800", false, false],
])("the name %j is valid as UTF-8: %s, as legacy: %s", (name, utf8, legacy) => {
  expect([isValidLabelName(name, "utf8"), isValidLabelName(name, "legacy")]).toEqual([utf8, legacy]);
});

describe("a label set that is being built", () => {
  const name = fc.constantFrom("a", "b", "c", "é");
  const value = fc.constantFrom("", "1", "2");
  const step = fc.oneof(
    fc.record({ kind: fc.constant("set" as const), name, value }),
    fc.record({ kind: fc.constant("delete" as const), name, value: fc.constant("") }),
  );

  test("is what a plain map would be", () => {
    fc.assert(
      fc.property(fc.dictionary(name, value), fc.array(step, { maxLength: 8 }), (base, steps) => {
        const model = new Map(Object.entries(base).filter(([, text]) => text !== ""));
        const builder = new LabelsBuilder(Labels.of(base));
        for (const { kind, name, value } of steps) {
          if (kind === "set") builder.set(name, value);
          else builder.delete(name);
          if (value === "") model.delete(name);
          else model.set(name, value);
          for (const each of ["a", "b", "c", "é", "z"]) expect(builder.get(each)).toBe(model.get(each) ?? "");
        }
        expect(Object.fromEntries(builder.entries())).toEqual(Object.fromEntries(model));
        expect(builder.labels().equals(Labels.of(model))).toBe(true);
      }),
    );
  });
});
