/** metadata and targets/metadata: help, type and unit as the targets' last pages gave them. */
import { ParseError } from "../../base/errors.ts";
import { compareUtf8 } from "../../base/strings.ts";
import type { Matcher } from "../../model/matcher.ts";
import { parseMetricSelector } from "../../promql/parser/parser.ts";
import { ApiError, invalidParameter, success } from "../answer.ts";
import type { ApiRequest, Handler } from "../handler.ts";
import { goJson, RawJson } from "../json/go-json.ts";
import { pairsJson } from "../json/labels-json.ts";
import { parseGoInt } from "../params/go-numbers.ts";
import type { LabelPairs, ScrapeStatus, TargetFamily, TargetStatus } from "../services.ts";

/** -1: no limit. */
function readCount(form: ApiRequest["form"], name: string): number {
  const text = form.get(name);
  if (text === "") return -1;
  try {
    return parseGoInt(text);
  } catch {
    throw new ApiError("bad_data", `${name} must be a number`);
  }
}

/** The families of one target; only `metric` unless that is "". */
async function familiesOf(
  scrape: ScrapeStatus,
  target: TargetStatus,
  metric: string,
): Promise<readonly TargetFamily[]> {
  const families = await scrape.metadata(target.id);
  return metric === "" ? families : families.filter((family) => family.metric === metric);
}

/** By metric: every different combination of type, unit and help, each once. */
export const metadata: Handler = async ({ scrape }, { form }) => {
  const limit = readCount(form, "limit");
  const limitPerMetric = readCount(form, "limit_per_metric");
  const metric = form.get("metric");
  const entries = new Map<string, Map<string, RawJson>>();
  for (const target of scrape.activeTargets()) {
    for (const family of await familiesOf(scrape, target, metric)) {
      const known = entries.get(family.metric) ?? new Map<string, RawJson>();
      entries.set(family.metric, known);
      if (limitPerMetric > 0 && known.size >= limitPerMetric) continue;
      const { type, unit, help } = family;
      known.set([type, unit, help].join("\xff"), metadataJson(type, unit, help));
    }
  }
  const names = [...entries.keys()].sort(compareUtf8);
  const shown = limit >= 0 ? names.slice(0, limit) : names;
  return success(Object.fromEntries(shown.map((name) => [name, [...(entries.get(name)?.values() ?? [])]])));
};

export const targetMetadata: Handler = async ({ scrape }, { form }) => {
  const limit = readCount(form, "limit");
  const matchTarget = form.get("match_target");
  const matchers = matchTarget === "" ? [] : readMatchers(matchTarget);
  const metric = form.get("metric");
  const entries: object[] = [];
  for (const target of scrape.activeTargets()) {
    // As Prometheus: the limit is looked at before each target, whose families are then all listed.
    if (limit >= 0 && entries.length >= limit) break;
    if (!matchers.every((matcher) => matcher.matches(labelValue(target.labels, matcher.name)))) continue;
    for (const { type, help, unit, ...family } of await familiesOf(scrape, target, metric)) {
      entries.push({
        target: new RawJson(pairsJson(target.labels)),
        metric: metric === "" ? family.metric : undefined,
        type,
        help,
        unit,
      });
    }
  }
  return success(entries);
};

function metadataJson(type: string, unit: string, help: string): RawJson {
  return new RawJson(goJson({ type, unit, help }));
}

function readMatchers(selector: string): readonly Matcher[] {
  try {
    return parseMetricSelector(selector);
  } catch (error) {
    if (!(error instanceof ParseError)) throw error;
    throw invalidParameter("match_target", error.message);
  }
}

function labelValue(pairs: LabelPairs, name: string): string {
  for (let i = 0; i < pairs.length; i += 2) if (pairs[i] === name) return pairs[i + 1];
  return "";
}
