import fc from "fast-check";
import { RE2JS } from "re2js";
import { describe, expect, test } from "vitest";
import { ParseError } from "../base/errors.ts";
import { CapturingRegexp, compileAnchored } from "./regexp.ts";
import { shapesOf } from "./regexp-shape.ts";

/** The plain way: the whole pattern, anchored, by RE2. Undefined where it is not valid. */
function oracle(pattern: string): ((text: string) => boolean) | undefined {
  try {
    const compiled = RE2JS.compile(pattern, RE2JS.DOTALL);
    return (text) => compiled.matches(text);
  } catch {
    return undefined;
  }
}

test.each([
  ["", [""], ""],
  ["foo", ["foo"], "foo"],
  ["foo|bar|foo", ["foo", "bar"], ""],
  ["fo(o|x)|fab", ["foo", "fox", "fab"], "f"],
  ["^foo$", ["foo"], "foo"],
  ["^foo|bar$", ["foo", "bar"], ""],
  ["a\\.b", ["a.b"], "a.b"],
  ["[ab]c[1-3]", ["ac1", "ac2", "ac3", "bc1", "bc2", "bc3"], ""],
  ["ab?", ["a", "ab"], "a"],
  ["(?:a|b)?", ["", "a", "b"], ""],
  ["a|", ["a", ""], ""],
  ["(?i)a", undefined, ""],
  [".*", undefined, ""],
  ["foo.*", undefined, "foo"],
  ["foo-[0-9]+", undefined, "foo-"],
  ["foo-\\d+|foo-x", undefined, "foo-"],
  ["foo*", undefined, "fo"],
  ["[^a]b", undefined, ""],
  ["[a-z][a-z]", undefined, ""],
  ["x{2}", undefined, ""],
])("%s has the literals %j and the prefix %j", (pattern, literals, prefix) => {
  const compiled = compileAnchored(pattern);
  expect([compiled.literals, compiled.prefix]).toEqual([literals, prefix]);
});

test.each([
  ["foo.*", ["foo", "foobar", "foo\n"], ["fo", "xfoo", ""]],
  [".*foo", ["foo", "a\nfoo"], ["foox"]],
  [".*foo.*", ["foo", "xfoox"], ["fo o"]],
  ["a.*a", ["aa", "aba"], ["a", "ab"]],
  ["a.+a", ["aba", "a\u{1f600}a"], ["aa", "a"]],
  [".+", ["x", "\n"], [""]],
  [".+.+", ["xy"], ["", "x", "\u{1f600}"]],
  ["a.+.*.+b", ["axyb"], ["ab", "axb"]],
  [".*-.*-.*", ["--", "a-b-c"], ["-", "a-b"]],
  [".+b.*b.+", ["abcbd", "abbc"], ["bb", "abb", "bbc", "ab"]],
  ["(?i)foo.*", ["FOO", "fOobar"], ["fo", "xfoo"]],
  ["(?i).*kiss.*", ["xKISS", "\u212ai\u017fs"], ["ki s"]],
  ["(?i)a|b.*", ["A", "Bx"], ["ab"]],
  ["(dev|prod)-.*-(a|b)", ["dev-x-a", "prod--b"], ["dev-a", "test-x-a"]],
  ["[0-9]{2,3}", ["12", "123"], ["1", "1234"]],
  ["a|b|c.*d|e", ["a", "cd", "cxd", "e"], ["c", "f"]],
])("%s matches %j and not %j", (pattern, yes, no) => {
  const { matches } = compileAnchored(pattern);
  for (const text of yes) expect([text, matches(text)]).toEqual([text, true]);
  for (const text of no) expect([text, matches(text)]).toEqual([text, false]);
});

test.each([
  "(",
  "a)",
  "a)|(b",
  "*",
  "a**",
  "[",
  "[]",
  "[b-a]",
  "\\",
  "\\8",
  "a{2}{3}",
  "(?=a)",
  "(?<n>a)(?<n>b)",
  "\\q",
  "a{1001}",
])("%s is refused", (pattern) => {
  expect(() => compileAnchored(pattern)).toThrow(ParseError);
  expect(() => compileAnchored(pattern)).toThrow(/^error parsing regexp: /);
});

describe("equal to RE2", () => {
  const char = fc.constantFrom("a", "b", "k", "S", "-", "\n", "é", "\u{1f600}", "\u212a", "\u017f", "1");
  const plainAtom = fc.oneof(
    { weight: 6, arbitrary: char },
    { weight: 3, arbitrary: fc.constantFrom(".*", ".+", ".*?", ".") },
    { weight: 2, arbitrary: fc.constantFrom("[ab]", "[a-c]", "[^a]", "\\d", "\\.", "\\n") },
  );
  const shapedAtom = fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom("a", "b", "k", "S", "-", "\u{1f600}") },
    { weight: 2, arbitrary: fc.constantFrom(".*", ".+", "[ab]", "a?", "(a|b)", "(?:k|-)?") },
  );
  const oddAtom = fc.oneof(
    plainAtom,
    fc.constantFrom("^", "$", "(", ")", "{2}", "\\b", "*", "?", "(?i)", "[[:alpha:]]", "\\Q.\\E", "\\x61"),
    fc.constantFrom("[k-s]", "[\\]a]", "[]a]", "[a-]", "[-a]", "[b-a]"),
  );
  const patternOf = (atom: fc.Arbitrary<string>) =>
    fc.letrec<{ alternation: string; concatenation: string; part: string }>((tie) => ({
      part: fc.oneof(
        { maxDepth: 3, depthIdentifier: "p" },
        atom,
        fc.tuple(atom, fc.constantFrom("", "?", "*", "+", "??")).map((pair) => pair.join("")),
        tie("alternation").map((inner) => `(${inner})`),
        tie("alternation").map((inner) => `(?:${inner})?`),
      ),
      concatenation: fc.array(tie("part"), { maxLength: 5 }).map((parts) => parts.join("")),
      alternation: fc
        .array(tie("concatenation"), { minLength: 1, maxLength: 3 })
        .map((parts) => parts.join("|")),
    })).alternation;
  const pattern = fc.oneof(
    fc
      .array(
        fc.array(shapedAtom, { maxLength: 5 }).map((parts) => parts.join("")),
        { minLength: 1, maxLength: 3 },
      )
      .map((parts) => parts.join("|")),
    patternOf(plainAtom),
    patternOf(oddAtom),
  );
  const flagged = fc.tuple(fc.constantFrom("", "", "(?i)"), pattern).map((pair) => pair.join(""));
  const text = fc
    .array(fc.oneof(char, fc.constantFrom("A", "K", "s", "B")), { maxLength: 6 })
    .map((chars) => chars.join(""));

  test("in what is valid, what matches, and what is said of all matches", () => {
    let shaped = 0;
    let matched = 0;
    fc.assert(
      fc.property(flagged, fc.array(text, { minLength: 8, maxLength: 8 }), (source, texts) => {
        const reference = oracle(source);
        if (reference === undefined) {
          expect(() => compileAnchored(source)).toThrow(ParseError);
          return;
        }
        const compiled = compileAnchored(source);
        if (shapesOf(source)?.sequences !== undefined) shaped++;
        for (const literal of compiled.literals ?? []) expect(reference(literal), literal).toBe(true);
        for (const candidate of [...texts, "", compiled.prefix]) {
          const wanted = reference(candidate);
          if (wanted) matched++;
          expect([candidate, compiled.matches(candidate)]).toEqual([candidate, wanted]);
          if (!wanted) continue;
          expect(candidate.startsWith(compiled.prefix), candidate).toBe(true);
          if (compiled.literals !== undefined) expect(compiled.literals).toContain(candidate);
        }
      }),
      { numRuns: 500 },
    );
    expect(shaped).toBeGreaterThan(100);
    expect(matched).toBeGreaterThan(100);
  });

  test("in relabelling rules too", () => {
    fc.assert(
      fc.property(flagged, text, (source, candidate) => {
        let reference: RE2JS;
        try {
          reference = RE2JS.compile(`^(?s:${source})$`);
        } catch {
          expect(() => new CapturingRegexp(source)).toThrow(ParseError);
          return;
        }
        const compiled = new CapturingRegexp(source);
        expect(compiled.matches(candidate)).toBe(reference.test(candidate));
        expect(compiled.exec(candidate) !== undefined).toBe(reference.test(candidate));
      }),
      { numRuns: 200 },
    );
  });
});

test("thousands of alternatives, as dashboards write them, are one set", () => {
  const names = Array.from({ length: 5000 }, (_, i) => `host-${i}.example.com`);
  for (const source of [names.join("|"), `(${names.join("|")})`]) {
    const { literals, matches, prefix } = compileAnchored(source.replaceAll(".", "\\."));
    expect([literals?.length, prefix, matches("host-4999.example.com")]).toEqual([5000, "host-", true]);
  }
});

test("patterns that explode elsewhere stay linear", () => {
  for (const source of ["(a*)*b", "(a|a)*b", "(a|b|ab)*c", "(?i)(x+x+)+y", ".*.*.*.*.*x"]) {
    expect(compileAnchored(source).matches(`${"a".repeat(20_000)}!`)).toBe(false);
  }
  const wide = `(${new Array(300).fill("a|b").join("|")})(${new Array(300).fill("c|d").join("|")})`;
  expect(compileAnchored(wide).matches("ad")).toBe(true);
  const deep = `${"(".repeat(200)}a${")".repeat(200)}`;
  expect(compileAnchored(deep).matches("a")).toBe(true);
});
