/** The names that `--enable-feature` takes in Prometheus 3.14, and what each does here. */

/** works: does what it says · later: nothing yet · always: Prometheus too ignores it, for what it names is always on. */
type Effect = "works" | "later" | "always";

const effects: Readonly<Record<string, Effect>> = {
  "auto-reload-config": "later",
  "concurrent-rule-eval": "later",
  "created-timestamp-zero-ingestion": "later",
  "delayed-compaction": "works",
  "exemplar-storage": "works",
  "extra-scrape-metrics": "works",
  "fast-startup": "later",
  "histograms-st-encoding": "works",
  "memory-snapshot-on-shutdown": "later",
  "metadata-wal-records": "later",
  "native-histograms": "always",
  "old-ui": "later",
  "ooo-native-histograms": "always",
  "otlp-deltatocumulative": "later",
  "otlp-native-delta-ingestion": "later",
  "promql-binop-fill-modifiers": "later",
  "promql-delayed-name-removal": "later",
  "promql-duration-expr": "always",
  "promql-experimental-functions": "later",
  "promql-extended-range-selectors": "later",
  "promql-per-step-stats": "later",
  "search-api": "later",
  "st-storage": "works",
  "st-synthesis": "later",
  "type-and-unit-labels": "later",
  "use-start-timestamps": "later",
  "use-uncached-io": "later",
  "xor2-encoding": "works",
};

export class FeatureNames {
  readonly #names: readonly string[];

  /** Each text may hold several names, separated by commas. */
  constructor(texts: readonly string[]) {
    this.#names = texts.flatMap((text) => text.split(","));
  }

  has(name: string): boolean {
    return this.#names.includes(name);
  }

  names(): ReadonlySet<string> {
    return new Set(this.#names);
  }

  /** Names that Prometheus knows and that do nothing in this version. */
  withoutEffect(): string[] {
    return this.#names.filter((name) => Object.hasOwn(effects, name) && effects[name] === "later");
  }

  /** Names whose matter is always on. */
  superfluous(): string[] {
    return this.#names.filter((name) => Object.hasOwn(effects, name) && effects[name] === "always");
  }

  /** Names that Prometheus does not know; it warns of them, and so should the server. */
  unknown(): string[] {
    return this.#names.filter((name) => !Object.hasOwn(effects, name));
  }
}
