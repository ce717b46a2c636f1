/** The `match[]` parameters: each a series selector. */
import { ParseError } from "../base/errors.ts";
import type { Matcher } from "../model/matcher.ts";
import { parseMetricSelector } from "../promql/parser/parser.ts";
import { ApiError } from "./answer.ts";

/** Throws an ApiError with Prometheus's text where one cannot be parsed or would select every series. */
export function checkMatches(matches: readonly string[]): readonly (readonly Matcher[])[] {
  const sets = matches.map((match) => {
    try {
      return parseMetricSelector(match);
    } catch (error) {
      if (!(error instanceof ParseError)) throw error;
      throw new ApiError("bad_data", error.message);
    }
  });
  if (sets.some((matchers) => matchers.every((matcher) => matcher.matchesEmpty))) {
    throw new ApiError("bad_data", "match[] must contain at least one non-empty matcher");
  }
  return sets;
}
