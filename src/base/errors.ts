/**
 * The expected errors: bad input, damaged files, refused queries. Each has a stable `code`; `docs/errors.md` lists
 * them all and a test keeps the two equal. Broken invariants are {@link ./assert.ts BugError}s, misuse of an API is a
 * TypeError or RangeError, and per-sample results are small integers (storage/appender.ts).
 */
export const errorCodes = {
  CORRUPTION: "A file does not hold what its format or its checksum says.",
  PARSE: "A text (PromQL, exposition, duration, label matcher) does not follow its grammar.",
  CONFIG: "A configuration file or flag is not acceptable.",
  QUERY: "A query was refused or could not be finished; `type` is the API's errorType.",
  UNAVAILABLE:
    "The part of the server that is needed is not ready (yet), for example while the WAL is replayed.",
  LOCKED: "Another process holds the data directory.",
  MEMORY:
    "The memory that the storage may use is full (--storage.tsdb.memory-limit); it is freed as older samples go into blocks.",
  STORAGE: "A file operation of the storage failed (disk full, I/O error, read-only file system).",
} as const;

export type ErrorCode = keyof typeof errorCodes;

/** Base of all expected errors. */
export class NarthexError extends Error {
  override name = "NarthexError";
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** A file is damaged. `file` is its path, `offset` the byte at which the damage was noticed. */
export class CorruptionError extends NarthexError {
  override name = "CorruptionError";
  readonly file: string;
  readonly offset: number;

  constructor(file: string, offset: number, problem: string, options?: ErrorOptions) {
    super("CORRUPTION", `${file}: ${problem} (at byte ${offset})`, options);
    this.file = file;
    this.offset = offset;
  }
}

/** A text does not follow its grammar. `position` is an index into the text, in UTF-16 code units. */
export class ParseError extends NarthexError {
  override name = "ParseError";
  readonly position: number;

  constructor(message: string, position: number, options?: ErrorOptions) {
    super("PARSE", message, options);
    this.position = position;
  }
}

/**
 * A configuration value is not acceptable. `line` is 1-based, 0 for the file as a whole or the command line; `key` is
 * the dotted path of the YAML key, or the flag.
 */
export class ConfigError extends NarthexError {
  override name = "ConfigError";
  readonly file: string;
  readonly line: number;
  readonly key: string;

  constructor(file: string, line: number, key: string, problem: string, options?: ErrorOptions) {
    super(
      "CONFIG",
      `${file}${line === 0 ? "" : `:${line}`}: ${key === "" ? "" : `${key}: `}${problem}`,
      options,
    );
    this.file = file;
    this.line = line;
    this.key = key;
  }
}

/** The `errorType` of Prometheus's HTTP API. */
export type QueryErrorType =
  | "bad_data"
  | "execution"
  | "canceled"
  | "timeout"
  | "internal"
  | "unavailable"
  | "not_found"
  | "not_acceptable";

/** A query was refused or did not finish. */
export class QueryError extends NarthexError {
  override name = "QueryError";
  readonly type: QueryErrorType;

  constructor(type: QueryErrorType, message: string, options?: ErrorOptions) {
    super("QUERY", message, options);
    this.type = type;
  }
}
