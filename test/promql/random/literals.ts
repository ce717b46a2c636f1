/** Random numbers, durations, strings and names, in every notation that PromQL has for them. */
import type { Grammar } from "./grammar.ts";

const usual = "0 1 2 5 10 100 0.1 0.5 1000".split(" ");
const edges = "3. .25 1e308 5e-324 1e-300 9007199254740993".split(" ");
/** With the part that they stand for. */
const notations: readonly (readonly [string, string])[] = [
  ["0x", "0x1F"],
  ["0x", "0X0a"],
  ["octal", "017"],
  ["octal", "010"],
  ["1_000", "1_000"],
  ["exponent", "1e3"],
  ["exponent", "1E-3"],
  ["exponent", "2.5e+2"],
  ["duration as number", "5m"],
  ["duration as number", "1h30m"],
  ["duration as number", "1ms"],
];

export function number(g: Grammar): string {
  const text = g.weighted([
    [8, () => g.pick(usual)],
    [1, () => g.pick(edges)],
    [1, () => g.use(g.pick(["Inf", "NaN"]))],
    [3, () => notation(g)],
    [3, () => `${(g.below(2000) - 1000) / 8}`],
  ]);
  return g.chance(0.1) ? g.pick(["-", "+"]) + text : text;
}

function notation(g: Grammar): string {
  const [part, text] = g.pick(notations);
  g.use(part);
  return text;
}

const ranges = "5m 2m 10m 1m 90s 17m 1m30s 44s 15s 30m 300 61.5 1h 4m1s500ms 1d".split(" ");

/** The range of a range vector: mostly long enough for some samples. */
export const range = (g: Grammar) => g.pick(ranges);

export const subqueryRange = (g: Grammar) => g.pick(["5m", "10m", "3m", "150s", "7m30s", "1m", "240"]);

const offsets = "1m 5m 30s 7m13s 90 12.5 0s 15m 1m1ms".split(" ");

export function offset(g: Grammar, mayBeNegative: boolean): string {
  const word = g.keyword("offset");
  if (!mayBeNegative || g.chance(0.65)) return `${word} ${g.pick(offsets)}`;
  g.use("-offset");
  return `${word} -${g.pick(offsets)}`;
}

/** As a string literal, in one of the three kinds of quotes. */
export function quoted(g: Grammar, text: string): string {
  const quote = g.pick(['"', '"', '"', "'", "`"]);
  if (quote === "`" && !text.includes("`")) return g.use("`") + text + quote;
  if (quote === "'") return g.use("'") + escaped(text).replaceAll("'", "\\'") + quote;
  return `"${escaped(text).replaceAll('"', '\\"')}"`;
}

const escaped = (text: string) => text.replaceAll("\\", "\\\\").replaceAll("\n", "\\n");

/** The name of a label where one may stand without quotes. */
export function labelName(g: Grammar, name: string): string {
  if (/^[a-zA-Z_]\w*$/.test(name)) return name;
  g.use("quoted label");
  return quoted(g, name);
}

/** `(a, b)`, with the trailing comma that is allowed. */
export function labelList(g: Grammar, names: readonly string[]): string {
  const comma = names.length > 0 && g.chance(0.05) ? "," : "";
  return `(${names.map((name) => labelName(g, name)).join(", ")}${comma})`;
}

/** Some labels: those of one metric, and now and then one that it does not have. */
export function someLabels(g: Grammar, most: number): string[] {
  const { series } = g.metric();
  const own = Object.keys(g.pick(series));
  const all = [...g.vocabulary.labels.keys()];
  const names = new Set<string>();
  for (let i = g.below(most + 1); i > 0; i--)
    names.add(own.length === 0 || g.chance(0.1) ? g.pick(all) : g.pick(own));
  return [...names];
}
