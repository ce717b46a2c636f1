/**
 * The answers of the HTTP API: Prometheus's envelope `{"status":…,"data":…}` for what worked and for what did not, and
 * the plain texts that Go's `http.Error` writes.
 */
import type { QueryErrorType } from "../base/errors.ts";
import { goJson } from "./json/go-json.ts";
import type { Answer } from "./services.ts";

const encoder = new TextEncoder();
const jsonHeaders = { "content-type": "application/json" };
const textHeaders = { "content-type": "text/plain; charset=utf-8" };

/** More warnings, and more infos, than this are counted instead of listed. */
const annotationsMax = 10;

/** The code that nginx uses for a client that went away. */
export const clientClosedRequest = 499;

const statusOf: Readonly<Record<QueryErrorType, number>> = {
  bad_data: 400,
  execution: 422,
  canceled: clientClosedRequest,
  timeout: 503,
  internal: 500,
  unavailable: 500,
  not_found: 404,
  not_acceptable: 406,
};

/** An error that the API answers with: its `errorType` and text. */
export class ApiError extends Error {
  override name = "ApiError";
  readonly type: QueryErrorType;

  constructor(type: QueryErrorType, message: string, options?: ErrorOptions) {
    super(message, options);
    this.type = type;
  }
}

/** The error of a parameter that cannot be used. */
export function invalidParameter(name: string, problem: string): ApiError {
  return new ApiError("bad_data", `invalid parameter "${name}": ${problem}`);
}

/** `data` by Go's rules for whole structures. */
export function success(data: unknown, warnings: readonly string[] = []): Answer {
  const text = `{"status":"success","data":${goJson(data)}${annotations(warnings, [])}}`;
  return { status: 200, headers: jsonHeaders, body: encoder.encode(text) };
}

/** A body that is JSON already, envelope included. */
export function jsonAnswer(body: Uint8Array): Answer {
  return { status: 200, headers: jsonHeaders, body };
}

export function failure(type: QueryErrorType, message: string): Answer {
  const text = goJson({ status: "error", errorType: type, error: message });
  return { status: statusOf[type], headers: jsonHeaders, body: encoder.encode(text) };
}

export function noContent(): Answer {
  return { status: 204, headers: {}, body: new Uint8Array(0) };
}

/** A plain text, as it is. */
export function text(status: number, body: string, headers: Readonly<Record<string, string>> = {}): Answer {
  return { status, headers: { ...textHeaders, ...headers }, body: encoder.encode(body) };
}

/** A plain text as Go's `http.Error` sends it. */
export function textError(status: number, message: string): Answer {
  return text(status, `${message}\n`, { "x-content-type-options": "nosniff" });
}

/** While the server starts or ends. */
export function notReady(stopping: boolean): Answer {
  return text(503, "Service Unavailable", { "x-prometheus-stopping": String(stopping) });
}

/** The end of a successful envelope, after `data`: `,"warnings":[…],"infos":[…]` as far as there are any. */
export function annotations(warnings: readonly string[], infos: readonly string[]): string {
  return list("warnings", warnings, "warning") + list("infos", infos, "info");
}

function list(key: string, texts: readonly string[], noun: string): string {
  if (texts.length === 0) return "";
  const shown = texts.slice(0, annotationsMax);
  const hidden = texts.length - shown.length;
  if (hidden > 0) shown.push(`${hidden} more ${noun} annotations omitted`);
  return `,"${key}":${goJson(shown)}`;
}
