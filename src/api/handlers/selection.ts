/** series, labels and label/<name>/values: which series there are, without their samples. */
import { ApiError } from "../answer.ts";
import type { Handler } from "../handler.ts";
import { unescapeName } from "../params/label-name.ts";
import { checkForm, readBounds, readLimit } from "../params/read.ts";
import { maxTime, minTime } from "../params/time.ts";

export const series: Handler = ({ queries }, { form, signal }) => {
  checkForm(form);
  const matches = form.all("match[]");
  if (matches.length === 0) throw new ApiError("bad_data", "no match[] parameter provided");
  const limit = readLimit(form);
  const { startMs, endMs } = readBounds(form, minTime, maxTime);
  return queries.answer({ kind: "series", matches, startMs, endMs, limit }, signal);
};

export const labels: Handler = ({ queries }, { form, signal }) => {
  const limit = readLimit(form);
  const { startMs, endMs } = readBounds(form, minTime, maxTime);
  return queries.answer({ kind: "labels", matches: form.all("match[]"), startMs, endMs, limit }, signal);
};

export const labelValues: Handler = ({ queries }, { form, pathParameters, signal }) => {
  const name = unescapeName(pathParameters.name ?? "");
  const limit = readLimit(form);
  const { startMs, endMs } = readBounds(form, minTime, maxTime);
  return queries.answer(
    { kind: "labelValues", name, matches: form.all("match[]"), startMs, endMs, limit },
    signal,
  );
};
