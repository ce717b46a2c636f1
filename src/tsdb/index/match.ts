/**
 * From matchers to series: which of a block's series match all of them.
 *
 * A matcher that accepts the empty string also accepts series without the label, so it is answered by what it refuses:
 * the series whose value it refuses are taken away. The others are intersected, smallest list first.
 */

import { compareUtf8 } from "../../base/strings.ts";
import type { Matcher } from "../../model/matcher.ts";
import type { QueryContext } from "../../storage/querier.ts";
import { emptyPostings, intersect, intersects, type Postings, union, without } from "./postings.ts";
import type { IndexReader } from "./reader.ts";

/** Values and series between two looks at the query's limits. */
const checkEvery = 1024;

export function postingsForMatchers(
  context: QueryContext,
  index: IndexReader,
  matchers: readonly Matcher[],
): Postings {
  const wanted: Matcher[] = [];
  const refused: Matcher[] = [];
  for (const matcher of matchers) (matcher.matchesEmpty ? refused : wanted).push(matcher);

  const lists: Postings[] = [];
  for (const matcher of wanted) {
    const list = withAcceptedValue(context, index, matcher);
    if (list.length === 0) return emptyPostings;
    lists.push(list);
  }
  if (lists.length === 0) lists.push(index.postings("", ""));
  lists.sort((a, b) => a.length - b.length);
  let result = lists.reduce(intersect);
  for (const matcher of refused) {
    if (result.length === 0) break;
    result = without(result, withRefusedValue(context, index, matcher));
  }
  return result;
}

/** The series whose value of the label the matcher accepts; it does not accept the empty one. */
function withAcceptedValue(context: QueryContext, index: IndexReader, matcher: Matcher): Postings {
  if (matcher.type === "=") return index.postings(matcher.name, matcher.value);
  if (matcher.type === "=~" && matcher.literals !== undefined) {
    return union(matcher.literals.map((value) => index.postings(matcher.name, value)));
  }
  return withValue(context, index, matcher.name, matcher.type === "=~" ? matcher.prefix : "", (value) =>
    matcher.matches(value),
  );
}

/** The series whose value of the label the matcher refuses; it accepts the empty one. */
function withRefusedValue(context: QueryContext, index: IndexReader, matcher: Matcher): Postings {
  if (matcher.type === "!=") return index.postings(matcher.name, matcher.value);
  if (matcher.type === "!~" && matcher.literals !== undefined) {
    return union(matcher.literals.map((value) => index.postings(matcher.name, value)));
  }
  return withValue(
    context,
    index,
    matcher.name,
    matcher.type === "!~" ? matcher.prefix : "",
    (value) => !matcher.matches(value),
  );
}

/** The series with a value of the label that begins with `prefix` and passes `test`. */
function withValue(
  context: QueryContext,
  index: IndexReader,
  name: string,
  prefix: string,
  test: (value: string) => boolean,
): Postings {
  const handles: number[] = [];
  let seen = 0;
  index.forEachValue(name, prefix, (value, handle) => {
    if (++seen % checkEvery === 0) context.check();
    if (prefix !== "" && !value.startsWith(prefix)) return false;
    if (test(value)) handles.push(handle);
    return true;
  });
  const lists = handles.map((handle, i) => {
    if (i % checkEvery === 0) context.check();
    return index.postingsAt(handle);
  });
  return union(lists);
}

/** The names of all labels of the series that match, sorted. */
export function labelNamesFor(
  context: QueryContext,
  index: IndexReader,
  matchers: readonly Matcher[],
): string[] {
  if (matchers.length === 0) return index.labelNames();
  const names = new Set<string>();
  postingsForMatchers(context, index, matchers).forEach((ref, i) => {
    if (i % checkEvery === 0) context.check();
    index.collectLabelNames(ref, names);
  });
  return index.labelNames().filter((name) => names.has(name));
}

/** The values of one label among the series that match, sorted; at most `limit` (0: no limit). */
export function labelValuesFor(
  context: QueryContext,
  index: IndexReader,
  name: string,
  matchers: readonly Matcher[],
  limit: number,
): string[] {
  const own = matchers.filter((matcher) => matcher.name === name);
  const matching = own.length === matchers.length ? undefined : postingsForMatchers(context, index, matchers);
  if (matching !== undefined && matching.length < index.valueCount(name)) {
    return valuesOfSeries(context, index, name, matching, limit);
  }
  const values: string[] = [];
  let seen = 0;
  index.forEachValue(name, "", (value, handle) => {
    if (++seen % checkEvery === 0) context.check();
    if (!own.every((matcher) => matcher.matches(value))) return true;
    if (matching !== undefined && !intersects(matching, index.postingsAt(handle))) return true;
    values.push(value);
    return limit === 0 || values.length < limit;
  });
  return values;
}

/** The same for series that are already known, where those are fewer than the values. */
function valuesOfSeries(
  context: QueryContext,
  index: IndexReader,
  name: string,
  series: Postings,
  limit: number,
): string[] {
  const values = new Set<string>();
  series.forEach((ref, i) => {
    if (i % checkEvery === 0) context.check();
    values.add(index.labelValue(ref, name));
  });
  values.delete("");
  const sorted = [...values].sort(compareUtf8);
  return limit === 0 ? sorted : sorted.slice(0, limit);
}
