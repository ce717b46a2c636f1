/**
 * Cases of Prometheus's scripts that are known to fail, each with its reason; one that passes is reported too, so that
 * the list cannot outlive its reasons. Native histograms and experimental syntax need no entry (run-script.ts).
 */
import type { SkipRule } from "./run-script.ts";

interface Skip {
  /** The script. */
  readonly file: string;
  /** Of the query. */
  readonly query: RegExp;
  readonly reason: string;
}

const delayedNames = "delayed removal of names, which needs a feature flag";

const skips: readonly Skip[] = [
  {
    file: "start_timestamps.test",
    query: /^(?!increase\((cumulative|delta)\[5m:1m\])/,
    reason: "start timestamps, which need a feature flag",
  },
  {
    file: "name_label_dropping.test",
    query: /^label_(replace|join)\((sum by \(__name__\) \()?rate/,
    reason: delayedNames,
  },
  { file: "name_label_dropping.test", query: /^sum\(rate\(\{env="1"\}/, reason: delayedNames },
  {
    file: "name_label_dropping.test",
    query: /^sum by \(__name__\) \(.*env="[12]".* or .*env="[12]"/,
    reason: delayedNames,
  },
  { file: "histograms.test", query: /^histogram_(quantile|fraction)\(.*, series\)$/, reason: delayedNames },
  {
    file: "native_histograms.test",
    query: /^histogram_quantile\(0.5, myHistogram[12]\)$/,
    reason: delayedNames,
  },
  {
    file: "type_and_unit.test",
    query: /^\(http_requests_total\{group="canary"\} \+ 1\) (and http_requests_total\{instance="0"\}|or)/,
    reason: delayedNames,
  },
  { file: "functions.test", query: /"\\xff"/, reason: "strings that are not UTF-8: ours are text" },
];

export function skipRule(file: string): SkipRule {
  const own = skips.filter((skip) => skip.file === file);
  return ({ query }) => own.find((skip) => skip.query.test(query))?.reason;
}
