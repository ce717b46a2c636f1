import { encodeUtf8 } from "../../base/bytes.ts";
import { ParseError } from "../../base/errors.ts";

/** A query that is no PromQL. The message is Prometheus's: `1:5: parse error: …`, line and column (in bytes) from 1. */
export class PromqlParseError extends ParseError {
  override name = "PromqlParseError";
  /** The message without the place. */
  readonly problem: string;

  /** `position` is a UTF-16 index into `query`. */
  constructor(query: string, position: number, problem: string, options?: ErrorOptions) {
    super(`${placeOf(query, position)}: parse error: ${problem}`, position, options);
    this.problem = problem;
  }
}

function placeOf(query: string, position: number): string {
  if (query === "") return "unknown position";
  const before = query.slice(0, position);
  const line = before.split("\n").length;
  const column = encodeUtf8(before.slice(before.lastIndexOf("\n") + 1)).length + 1;
  return `${line}:${column}`;
}
