/** The endpoints outside of /api/v1: health, readiness, lifecycle, version. */
import { text, textError } from "../answer.ts";
import type { Handler } from "../handler.ts";
import { goJson } from "../json/go-json.ts";
import { type BuildInfo, versionFields } from "./status.ts";

/** The name that Prometheus answers with: health checks look for these very sentences. */
const appName = "Prometheus Server";

export const healthy: Handler = () => text(200, `${appName} is Healthy.\n`);

/** Only reached when the server is ready. */
export const ready: Handler = () => text(200, `${appName} is Ready.\n`);

export const reload: Handler = async ({ lifecycle }) => {
  try {
    await lifecycle.reload();
  } catch (error) {
    return textError(500, `failed to reload config: ${(error as Error).message}`);
  }
  return { status: 200, headers: {}, body: new Uint8Array(0) };
};

export const quit: Handler = ({ lifecycle }) =>
  text(200, lifecycle.quit() ? "Requesting termination... Goodbye!" : "Termination already in progress.");

export const lifecycleDisabled: Handler = () => text(403, "Lifecycle API is not enabled.");

export const onlyPostOrPut: Handler = () => text(405, "Only POST or PUT requests allowed");

export function version(build: BuildInfo): Handler {
  return () => text(200, `${goJson(versionFields(build))}\n`);
}
