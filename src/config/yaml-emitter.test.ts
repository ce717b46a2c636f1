import fc from "fast-check";
import { expect, test } from "vitest";
import { FlowList, printYaml, YamlMap, type YamlValue } from "./yaml-emitter.ts";
import { parseYaml } from "./yaml-node.ts";

// As Go's yaml.v2, which Prometheus uses, prints the same values.
test.each<[YamlValue, string]>([
  ["plain text", "plain text"],
  ["", '""'],
  ["true", '"true"'],
  ["yes", '"yes"'],
  ["~", '"~"'],
  ["12", '"12"'],
  ["1_000", '"1_000"'],
  ["0x1f", '"0x1f"'],
  ["1.5", '"1.5"'],
  [".inf", '".inf"'],
  ["12:30:45", '"12:30:45"'],
  ["2020-01-01", '"2020-01-01"'],
  ["<<", '"<<"'],
  ["1.2.3.4:90", "1.2.3.4:90"],
  ["localhost:9090", "localhost:9090"],
  ["a: b", "'a: b'"],
  ["a #b", "'a #b'"],
  ["#a", "'#a'"],
  ["*", "'*'"],
  ["it's: so", "'it''s: so'"],
  ["-", "'-'"],
  ["- a", "'- a'"],
  ["-a", "-a"],
  [" a", "' a'"],
  ["(.*);x", "(.*);x"],
  ["[a]", "'[a]'"],
  ["%a", "'%a'"],
  ["a\tb", '"a\\tb"'],
  ["a\nb", "|-\n  a\n  b"],
  ["a\nb\n", "|\n  a\n  b"],
  ["a\n\n", "|+\n  a\n"],
  [" a\nb", "|2-\n   a\n  b"],
  ["a \nb", '"a \\nb"'],
  ["grüße", "grüße"],
  ["😀", '"\\U0001F600"'],
  ["\ufeff", '"\\uFEFF"'],
  [5, "5"],
  [0.5, "0.5"],
  [true, "true"],
  [[], "[]"],
  [new YamlMap([]), "{}"],
  [["a", "b: c"], "\n- a\n- 'b: c'"],
  [new FlowList(["a", "b,c", "d:e", "f"]), "[a, 'b,c', 'd:e', f]"],
  [
    [
      new YamlMap([
        ["x", "1"],
        ["y", ["z"]],
      ]),
      new YamlMap([]),
    ],
    '\n- x: "1"\n  "y":\n  - z\n- {}',
  ],
])("%j", (value, printed) => {
  const space = printed.startsWith("\n") ? "" : " ";
  expect(printYaml(new YamlMap([["k", value]]))).toBe(`k:${space}${printed}\n`);
});

test("long text breaks at the first space past column 80", () => {
  const words = (count: number) => new Array(count).fill("word").join(" ");
  expect(printYaml(new YamlMap([["k", words(30)]]))).toBe(`k: ${words(16)}\n  ${words(14)}\n`);
  const quoted = printYaml(new YamlMap([["m", new YamlMap([["k", `x: ${words(30)}`]])]]));
  expect(quoted.split("\n").length).toBe(4);
});

test("keys sort by the numbers in them, letters last", () => {
  const keys = ["b", "a10", "a2", "A", "_", "a", "a1", "ä", "a02"];
  const map = YamlMap.sorted(keys.map((key) => [key, 1]));
  expect(map.entries.map(([key]) => key)).toEqual(["_", "A", "a", "a1", "a2", "a02", "a10", "b", "ä"]);
});

test("whatever is printed reads back the same", () => {
  const text = fc.oneof(
    fc.string({ unit: "grapheme" }),
    fc.string({
      unit: fc.constantFrom("a", " ", "\n", ":", "#", "'", '"', "-", "\t", "\\", "1", "[", "{", ",", "é"),
    }),
    fc
      .array(fc.constantFrom("word", "long-word", "x:", "#"), { minLength: 15, maxLength: 40 })
      .map((words) => words.join(" ")),
  );
  fc.assert(
    fc.property(text, fc.array(text, { maxLength: 4 }), text, (value, list, key) => {
      const flow = list.filter((item) => !item.includes("\n"));
      const printed = printYaml(
        new YamlMap([
          ["value", value],
          ["list", list],
          ["flow", new FlowList(flow)],
          ["map", new YamlMap([[key, value]])],
        ]),
      );
      const back = parseYaml(printed, "printed");
      const read = Object.fromEntries(back.entries());
      expect(read.value.text(), printed).toBe(value);
      expect(read.list.texts(), printed).toEqual(list);
      expect(read.flow.texts(), printed).toEqual(flow);
      const [[readKey, readValue]] = read.map.entries();
      expect([readKey, readValue.text()], printed).toEqual([key, value]);
    }),
  );
});
