/** What a remote-write request says about itself, and how it is refused: status codes and texts of Prometheus 3.14. */

/** The request headers that count; "" where missing. */
export interface WriteHeaders {
  readonly contentType: string;
  readonly contentEncoding: string;
}

export interface WriteAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** Text. */
  readonly body: string;
}

export const bodyBytesMax = 32 * 1024 * 1024;

const mediaType = "application/x-protobuf";
const version1 = "prometheus.WriteRequest";
const version2 = "io.prometheus.write.v2.Request";
const rfc = "https://www.rfc-editor.org/rfc/rfc9110#parameter";

/** Why the compression of the body is not acceptable; undefined if it is. */
export function refuseEncoding(encoding: string): WriteAnswer | undefined {
  if (encoding === "" || encoding === "snappy") return undefined;
  const wanted = "is not accepted by this server; only snappy is acceptable";
  return textAnswer(415, `${encoding} encoding (compression) ${wanted}`);
}

/** Why the message in the body is none that this server takes; undefined if it is. */
export function refuseContentType(header: string): WriteAnswer | undefined {
  const contentType = header.trim() || mediaType;
  const [media, ...parameters] = contentType.split(";");
  if (media !== mediaType) {
    return textAnswer(
      415,
      `expected ${mediaType} as the first (media) part, got ${contentType} content-type`,
    );
  }
  for (const parameter of parameters) {
    const pair = parameter.split("=");
    if (pair.length !== 2) {
      const wanted = `as per ${rfc} expected parameters to be key-values`;
      return textAnswer(415, `${wanted}, got ${parameter} in ${contentType} content-type`);
    }
    if (pair[0] === "proto") return refuseMessage(pair[1], contentType);
  }
  return undefined;
}

function refuseMessage(message: string, contentType: string): WriteAnswer | undefined {
  if (message === version1) return undefined;
  if (message === version2) {
    const accepted = `is not accepted by this server; only accepts ${version1}`;
    return textAnswer(415, `${message} protobuf message ${accepted}`);
  }
  const unknown = `unknown type for remote write protobuf message ${message}, supported: ${version1}, ${version2}`;
  return textAnswer(415, `got ${contentType} content type; ${unknown}`);
}

export const noContent: WriteAnswer = { status: 204, headers: {}, body: "" };

/** Nothing was stored, for a reason that passes: Prometheus's sender tries again after so many seconds. */
export function retryLater(problem: string, retryAfterSeconds = 5): WriteAnswer {
  const { headers, body } = textAnswer(503, problem);
  return { status: 503, headers: { ...headers, "retry-after": String(retryAfterSeconds) }, body };
}

/** A refusal, as Go's http.Error words it. */
export function textAnswer(status: number, problem: string): WriteAnswer {
  const headers = { "content-type": "text/plain; charset=utf-8", "x-content-type-options": "nosniff" };
  return { status, headers, body: `${problem}\n` };
}
