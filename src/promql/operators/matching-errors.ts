/** What is wrong when vectors do not match as the operator says, in Prometheus's words. */
import { QueryError } from "../../base/errors.ts";
import type { Labels } from "../../model/labels.ts";

export function explicitManyToOne(): QueryError {
  return new QueryError(
    "execution",
    "multiple matches for labels: many-to-one matching must be explicit (group_left/group_right)",
  );
}

export function groupingNotUnique(): QueryError {
  return new QueryError(
    "execution",
    "multiple matches for labels: grouping labels must ensure unique matches",
  );
}

export function duplicateOnOneSide(
  side: "left" | "right",
  matched: Labels,
  first: Labels,
  second: Labels,
): QueryError {
  const series = [`${first}`, `${second}`].sort();
  return new QueryError(
    "execution",
    `found duplicate series for the match group ${matched} on the ${side} hand-side of the operation: ` +
      `[${series.join(", ")}];many-to-many matching not allowed: matching labels must be unique on one side`,
  );
}
