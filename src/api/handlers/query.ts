/** query, query_range and query_exemplars: the parameters are checked here, the rest happens in a query thread. */
import { ApiError, invalidParameter } from "../answer.ts";
import type { Handler } from "../handler.ts";
import { readLimit, readLookback, readParameter, readTime, readTimeout } from "../params/read.ts";
import {
  fromMs,
  isBefore,
  maxTime,
  minTime,
  nanosBetween,
  parseDuration,
  parseTime,
  toEngineMs,
  toMs,
} from "../params/time.ts";

/** Enough for 60 s resolution over a week, or an hour's over a year. */
const pointsMax = 11_000n;

export const query: Handler = ({ queries, status }, { form, signal }) => {
  const limit = readLimit(form);
  const timeMs = toEngineMs(readTime(form, "time", fromMs(status.nowMs())));
  const timeoutMs = readTimeout(form);
  const lookbackMs = readLookback(form);
  return queries.answer(
    {
      kind: "instant",
      query: form.get("query"),
      timeMs,
      limit,
      timeoutMs,
      lookbackMs,
      stats: form.get("stats"),
    },
    signal,
  );
};

export const queryRange: Handler = ({ queries }, { form, signal }) => {
  const limit = readLimit(form);
  const start = readParameter("start", form.get("start"), parseTime);
  const end = readParameter("end", form.get("end"), parseTime);
  if (isBefore(end, start)) throw invalidParameter("end", "end timestamp must not be before start time");
  const step = readParameter("step", form.get("step"), parseDuration);
  if (step <= 0n) {
    throw invalidParameter(
      "step",
      "zero or negative query resolution step widths are not accepted. Try a positive integer",
    );
  }
  if (nanosBetween(start, end) / step > pointsMax) {
    throw new ApiError(
      "bad_data",
      "exceeded maximum resolution of 11,000 points per timeseries. Try decreasing the query resolution (?step=XX)",
    );
  }
  const timeoutMs = readTimeout(form);
  const lookbackMs = readLookback(form);
  const stepMs = Number(step / 1_000_000n);
  if (stepMs === 0) throw new ApiError("execution", "the query resolution step must be at least 1ms");
  return queries.answer(
    {
      kind: "range",
      query: form.get("query"),
      startMs: toEngineMs(start),
      endMs: toEngineMs(end),
      stepMs,
      limit,
      timeoutMs,
      lookbackMs,
      stats: form.get("stats"),
    },
    signal,
  );
};

export const queryExemplars: Handler = ({ queries }, { form, signal }) => {
  const start = readTime(form, "start", minTime);
  const end = readTime(form, "end", maxTime);
  if (isBefore(end, start))
    throw new ApiError("bad_data", "end timestamp must not be before start timestamp");
  return queries.answer(
    { kind: "exemplars", query: form.get("query"), startMs: toMs(start), endMs: toMs(end) },
    signal,
  );
};
