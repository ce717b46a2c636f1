/** admin/tsdb/snapshot; only with `--web.enable-admin-api`. */
import { ApiError, success } from "../answer.ts";
import type { Handler } from "../handler.ts";
import { parseGoBool } from "../params/go-numbers.ts";
import { readParameter } from "../params/read.ts";

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
