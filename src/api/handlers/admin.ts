/** admin/tsdb/…; only with `--web.enable-admin-api`. */
import { parseDuration } from "../../model/duration.ts";
import { parseMetricSelector } from "../../promql/parser/parser.ts";
import { ApiError, invalidParameter, noContent, success } from "../answer.ts";
import type { Handler } from "../handler.ts";
import { parseGoBool } from "../params/go-numbers.ts";
import { checkForm, readBounds, readParameter } from "../params/read.ts";
import { maxTime, minTime } from "../params/time.ts";

export const snapshot: Handler = async ({ admin }, { form }) => {
  if (admin === undefined) throw new ApiError("unavailable", "admin APIs disabled");
  const text = form.get("skip_head");
  const skipHead =
    text !== "" &&
    readParameter("skip_head", text, (value) => {
      try {
        return parseGoBool(value);
      } catch (error) {
        throw new Error(`unable to parse boolean: ${(error as Error).message}`);
      }
    });
  try {
    return success({ name: await admin.snapshot(skipHead) });
  } catch (error) {
    throw new ApiError("internal", `create snapshot: ${(error as Error).message}`, { cause: error });
  }
};

export const deleteSeries: Handler = async ({ admin }, { form }) => {
  if (admin === undefined) throw new ApiError("unavailable", "admin APIs disabled");
  checkForm(form);
  const matches = form.all("match[]");
  if (matches.length === 0) throw new ApiError("bad_data", "no match[] parameter provided");
  const { startMs, endMs } = readBounds(form, minTime, maxTime);
  for (const match of matches) checkSelector(match);
  await internally(admin.deleteSeries({ matches, mint: startMs, maxt: endMs }));
  return noContent();
};

export const cleanTombstones: Handler = async ({ admin }) => {
  if (admin === undefined) throw new ApiError("unavailable", "admin APIs disabled");
  await internally(admin.cleanTombstones());
  return noContent();
};

/** What the retention rules of narthex.yml free in the next round of maintenance, or would with those of the request. */
export const retentionDryRun: Handler = async ({ admin }, { form }) => {
  if (admin === undefined) throw new ApiError("unavailable", "admin APIs disabled");
  checkForm(form);
  const matches = form.all("match[]");
  const timeMs = matches.length === 0 ? 0 : readParameter("time", form.get("time"), readAge);
  for (const match of matches) checkSelector(match);
  const rules = matches.map((match) => ({ match, timeMs }));
  const blocks = await internally(admin.tryRetentionRules(rules.length === 0 ? undefined : rules));
  return success({ freedBytes: blocks.reduce((sum, { freedBytes }) => sum + freedBytes, 0), blocks });
};

function readAge(text: string): number {
  const ms = parseDuration(text);
  if (ms <= 0) throw new Error("how long the series would be kept: a duration above 0 expected");
  return ms;
}

function checkSelector(text: string): void {
  try {
    parseMetricSelector(text);
  } catch (error) {
    throw invalidParameter("match[]", (error as Error).message);
  }
}

async function internally<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throw new ApiError("internal", (error as Error).message, { cause: error });
  }
}
