/**
 * Random PromQL expressions that are valid and mostly have answers: every function, operator and modifier of the
 * stable language comes up. `parts` of an expression names what is in it, for the count.
 */
import type { SeededRandom } from "../../../src/testkit/seeded-random.ts";
import type { Metric, Vocabulary } from "./vocabulary.ts";

export interface Generated {
  readonly text: string;
  readonly parts: ReadonlySet<string>;
}

const mathFunctions =
  "abs acos acosh asin asinh atan atanh ceil cos cosh deg exp floor ln log10 log2 rad sgn sin sinh sqrt tan tanh".split(
    " ",
  );
const dateFunctions = "day_of_month day_of_week day_of_year days_in_month hour minute month year".split(" ");
const rangeFunctions =
  `avg_over_time changes count_over_time delta deriv idelta increase irate last_over_time max_over_time min_over_time
  present_over_time rate resets stddev_over_time stdvar_over_time sum_over_time`.split(/\s+/);
const simpleAggregations = "avg count group max min stddev stdvar sum".split(" ");
const arithmetic = ["+", "-", "*", "/", "%", "^", "atan2"];
const comparisons = ["==", "!=", "<", "<=", ">", ">="];
const setOperators = ["and", "or", "unless"];

/** All that an expression may be made of, as {@link Generated.parts} names it. */
export const allParts: readonly string[] = [
  ...mathFunctions,
  ...dateFunctions,
  ...rangeFunctions,
  ...simpleAggregations,
  ...arithmetic,
  ...comparisons,
  ...setOperators,
  ..."absent absent_over_time clamp clamp_max clamp_min histogram_fraction histogram_quantile label_join".split(
    " ",
  ),
  ..."label_replace pi predict_linear quantile_over_time round scalar sort sort_desc time timestamp".split(
    " ",
  ),
  ..."vector topk bottomk quantile count_values by without on ignoring group_left group_right bool".split(
    " ",
  ),
  ..."offset @ @start() @end() subquery unary- =~ !~ != {=}".split(" "),
];

export class Generator {
  readonly #random: SeededRandom;
  readonly #vocabulary: Vocabulary;
  #parts = new Set<string>();

  constructor(random: SeededRandom, vocabulary: Vocabulary) {
    this.#random = random;
    this.#vocabulary = vocabulary;
  }

  next(): Generated {
    this.#parts = new Set();
    const text = this.#random.chance(0.05) ? this.#scalar(2) : this.#vector(3);
    return { text, parts: this.#parts };
  }

  #use(part: string): string {
    this.#parts.add(part);
    return part;
  }

  #pick<T>(from: readonly T[]): T {
    return this.#random.pick(from);
  }

  #vector(depth: number): string {
    if (depth === 0) return this.#instantSelector();
    const choices: [number, () => string][] = [
      [3, () => this.#instantSelector()],
      [6, () => this.#rangeCall(depth)],
      [5, () => this.#aggregation(depth)],
      [4, () => `${this.#use(this.#pick(mathFunctions))}(${this.#vector(depth - 1)})`],
      [5, () => this.#binary(depth)],
      [3, () => this.#vectorScalar(depth)],
      [2, () => this.#setOperation(depth)],
      [5, () => this.#otherFunction(depth)],
      [1, () => `${this.#use("unary-").at(-1)}${this.#operand(depth - 1)}`],
    ];
    return this.#weighted(choices);
  }

  #weighted(choices: readonly [number, () => string][]): string {
    let at = this.#random.below(choices.reduce((sum, [weight]) => sum + weight, 0));
    for (const [weight, make] of choices) {
      if (at < weight) return make();
      at -= weight;
    }
    return choices[0][1]();
  }

  /** An expression that can stand beside an operator. */
  #operand(depth: number): string {
    return `(${this.#vector(depth)})`;
  }

  #scalar(depth: number): string {
    if (depth === 0) return this.#number();
    const choices: [number, () => string][] = [
      [4, () => this.#number()],
      [1, () => `${this.#use("time")}()`],
      [1, () => `${this.#use("pi")}()`],
      [1, () => `${this.#use("scalar")}(${this.#vector(depth - 1)})`],
      [
        1,
        () => `(${this.#scalar(depth - 1)} ${this.#use(this.#pick(arithmetic))} ${this.#scalar(depth - 1)})`,
      ],
      [1, () => `(${this.#scalar(0)} ${this.#comparison()} ${this.#use("bool")} ${this.#scalar(depth - 1)})`],
    ];
    return this.#weighted(choices);
  }

  #number(): string {
    return this.#pick(["0", "1", "2", "-3", "0.5", "10", "100", "1e3", "0.1", "7", "-0.25", "Inf", "NaN"]);
  }

  #comparison(): string {
    return this.#use(this.#pick(comparisons));
  }

  #metric(kinds?: readonly Metric["kind"][]): Metric {
    const metrics = this.#vocabulary.metrics.filter(
      ({ kind }) => kinds === undefined || kinds.includes(kind),
    );
    return this.#pick(metrics);
  }

  #selector(metric: Metric): string {
    const matchers: string[] = [];
    for (const [name, values] of Object.entries(metric.labels)) {
      if (!this.#random.chance(0.2)) continue;
      const value = this.#pick(values).replace("+", "\\\\+");
      const type = this.#pick(["=", "!=", "=~", "!~"]);
      this.#use(type === "=" ? "{=}" : type);
      const pattern = type.endsWith("~") ? `${value}|${this.#pick(values).replace("+", "\\\\+")}` : value;
      matchers.push(`${name}${type}"${type.endsWith("~") ? pattern : value.replace("\\\\", "")}"`);
    }
    return matchers.length === 0 ? metric.name : `${metric.name}{${matchers.join(",")}}`;
  }

  #modifiers(): string {
    let text = "";
    if (this.#random.chance(0.15)) {
      text += ` ${this.#use("offset")} ${this.#pick(["1m", "5m", "30s", "-1m", "7m13s"])}`;
    }
    if (this.#random.chance(0.1)) {
      const { startMs, endMs } = this.#vocabulary;
      const at = this.#pick(["start()", "end()", ((startMs + endMs) / 2000).toFixed(3)]);
      this.#use(at.startsWith("s") ? "@start()" : at.startsWith("e") ? "@end()" : "@");
      text += ` @ ${at}`;
    }
    return text;
  }

  #instantSelector(kinds?: readonly Metric["kind"][]): string {
    return this.#selector(this.#metric(kinds)) + this.#modifiers();
  }

  #duration(): string {
    return this.#pick(["1m", "2m", "5m", "10m", "90s", "17m"]);
  }

  #rangeVector(depth: number, kinds?: readonly Metric["kind"][]): string {
    if (depth > 0 && this.#random.chance(0.25)) {
      this.#use("subquery");
      const step = this.#pick(["", "30s", "1m", "17s"]);
      return `(${this.#vector(depth - 1)})[${this.#pick(["5m", "10m", "3m"])}:${step}]${this.#modifiers()}`;
    }
    return `${this.#selector(this.#metric(kinds))}[${this.#duration()}]${this.#modifiers()}`;
  }

  #rangeCall(depth: number): string {
    const name = this.#pick([...rangeFunctions, "predict_linear", "quantile_over_time", "absent_over_time"]);
    this.#use(name);
    const range = this.#rangeVector(depth - 1);
    if (name === "predict_linear")
      return `${name}(${range}, ${this.#pick(["60", "3600", "-10", this.#scalar(1)])})`;
    if (name === "quantile_over_time") return `${name}(${this.#quantile()}, ${range})`;
    return `${name}(${range})`;
  }

  #quantile(): string {
    return this.#pick(["0.5", "0.9", "0", "1", "0.25", "0.99", "1.5", "-1", this.#scalar(1)]);
  }

  #labels(): string {
    const names = [...new Set(this.#vocabulary.metrics.flatMap(({ labels }) => Object.keys(labels)))];
    const count = this.#random.below(3);
    return Array.from({ length: count }, () => this.#pick(names)).join(", ");
  }

  #grouping(): string {
    if (this.#random.chance(0.3)) return "";
    const word = this.#use(this.#pick(["by", "without"]));
    return ` ${word} (${this.#labels()})`;
  }

  #aggregation(depth: number): string {
    const op = this.#use(
      this.#pick([
        ...simpleAggregations,
        ...simpleAggregations,
        "topk",
        "bottomk",
        "quantile",
        "count_values",
      ]),
    );
    const operand = this.#vector(depth - 1);
    switch (op) {
      case "topk":
      case "bottomk":
        return `${op}${this.#grouping()} (${this.#pick(["1", "2", "3", "5", "0"])}, ${operand})`;
      case "quantile":
        return `${op}${this.#grouping()} (${this.#quantile()}, ${operand})`;
      case "count_values":
        return `${op}${this.#grouping()} ("value", ${operand})`;
      default:
        return `${op}${this.#grouping()} (${operand})`;
    }
  }

  #binary(depth: number): string {
    const isComparison = this.#random.chance(0.3);
    let op = isComparison ? this.#comparison() : this.#use(this.#pick(arithmetic));
    if (isComparison && this.#random.chance(0.4)) op += ` ${this.#use("bool")}`;
    const [left, matching, right] = this.#matchedOperands(depth);
    return `${left} ${op} ${matching} ${right}`;
  }

  /** Operands that match: both aggregated by the same labels, or two metrics that share theirs. */
  #matchedOperands(depth: number): [string, string, string] {
    const gauges = ["temperature", "level", "errors_total"];
    const known = this.#vocabulary.metrics.filter(({ name }) => gauges.includes(name));
    switch (this.#random.below(4)) {
      case 0: {
        const grouping = this.#grouping();
        const side = () => `sum${grouping} (${this.#vector(depth - 1)})`;
        return [side(), "", side()];
      }
      case 1: {
        const [many, matching, one] = this.#manyToOne(depth);
        if (this.#random.chance(0.5)) return [many, `${matching} ${this.#use("group_left")} (version)`, one];
        return [one, `${matching} ${this.#use("group_right")} (version)`, many];
      }
      case 2: {
        const matching = this.#pick([
          `${this.#use("on")} (job, instance)`,
          `${this.#use("ignoring")} (zone)`,
          `${this.#use("ignoring")} (zone, code)`,
          "",
        ]);
        const side = () => this.#selector(this.#pick(known.length > 0 ? known : this.#vocabulary.metrics));
        return [side(), matching, side()];
      }
      default: {
        const same = this.#vector(depth - 1);
        return [`(${same})`, "", `(${same})`];
      }
    }
  }

  #manyToOne(depth: number): [string, string, string] {
    const info = this.#metric(["info"]);
    const shared = Object.keys(info.labels).find((name) => name !== "version") ?? "job";
    const many = this.#random.chance(0.5) ? this.#instantSelector() : this.#operand(depth - 1);
    return [many, `${this.#use("on")} (${shared})`, info.name];
  }

  #vectorScalar(depth: number): string {
    const isComparison = this.#random.chance(0.4);
    let op = isComparison ? this.#comparison() : this.#use(this.#pick(arithmetic));
    if (isComparison && this.#random.chance(0.4)) op += ` ${this.#use("bool")}`;
    const vector = this.#operand(depth - 1);
    const scalar = this.#scalar(1);
    return this.#random.chance(0.6) ? `${vector} ${op} ${scalar}` : `${scalar} ${op} ${vector}`;
  }

  #setOperation(depth: number): string {
    const op = this.#use(this.#pick(setOperators));
    const matching = this.#pick(["", "", "on (job)", "ignoring (code, le)", "on (job, instance)"]);
    if (matching !== "") this.#use(matching.startsWith("on") ? "on" : "ignoring");
    return `${this.#operand(depth - 1)} ${op} ${matching} ${this.#operand(depth - 1)}`;
  }

  #otherFunction(depth: number): string {
    const inner = () => this.#vector(depth - 1);
    const name = this.#pick(
      `absent clamp clamp_max clamp_min histogram_fraction histogram_quantile histogram_quantile label_join
       label_replace round sort sort_desc timestamp vector date date`.split(/\s+/),
    );
    if (name === "date") {
      const date = this.#use(this.#pick(dateFunctions));
      return this.#pick([`${date}()`, `${date}(${inner()})`, `${date}(${inner()} * 1e5)`]);
    }
    this.#use(name);
    switch (name) {
      case "clamp":
        return `clamp(${inner()}, ${this.#scalar(1)}, ${this.#scalar(1)})`;
      case "clamp_max":
      case "clamp_min":
        return `${name}(${inner()}, ${this.#scalar(1)})`;
      case "round":
        return this.#random.chance(0.5) ? `round(${inner()})` : `round(${inner()}, ${this.#scalar(1)})`;
      case "vector":
        return `vector(${this.#scalar(2)})`;
      case "timestamp":
        return `timestamp(${this.#random.chance(0.5) ? this.#instantSelector() : inner()})`;
      case "histogram_quantile":
        return `histogram_quantile(${this.#quantile()}, ${this.#buckets()})`;
      case "histogram_fraction":
        return `histogram_fraction(${this.#pick(["0.2", "-Inf", "1", "0.5"])}, ${this.#pick(["2", "+Inf", "0.7"])}, ${this.#buckets()})`;
      case "label_replace":
        return `label_replace(${inner()}, "${this.#pick(["job", "new", "instance"])}", "${this.#pick(["x-$1", "$1", "", "c"])}", "${this.#pick(["job", "instance", "nothing"])}", "${this.#pick(["(.*)", "(a.*)", "(.)(.*)", ""])}")`;
      case "label_join":
        return `label_join(${inner()}, "${this.#pick(["joined", "job"])}", "-", "job", "instance")`;
      default:
        return `${name}(${inner()})`;
    }
  }

  #buckets(): string {
    const buckets = this.#metric(["buckets"]);
    return this.#pick([
      this.#selector(buckets) + this.#modifiers(),
      `rate(${this.#selector(buckets)}[${this.#duration()}])`,
      `sum by (le, job) (rate(${this.#selector(buckets)}[5m]))`,
      `sum by (le) (${this.#selector(buckets)})`,
    ]);
  }
}
