/**
 * Log lines on standard error in Prometheus's two formats: logfmt (`time=… level=INFO msg="…" key=value`) and JSON.
 * Written at once, so that the last words of a crashing thread are not lost.
 */
import { type Logger as PinoLogger, pino } from "pino";
import type { LogFields, Logger } from "../base/env.ts";

export const logLevels = ["debug", "info", "warn", "error"] as const;
export type LogLevel = (typeof logLevels)[number];

export const logFormats = ["logfmt", "json"] as const;
export type LogFormat = (typeof logFormats)[number];

/** Where lines go: one call per line, with its line feed. */
export interface LineSink {
  write(line: string): void;
}

export function createLogger(
  options: { readonly level: LogLevel; readonly format: LogFormat },
  sink: LineSink = pino.destination({ fd: 2, sync: true }),
): Logger {
  const destination: LineSink =
    options.format === "json" ? sink : { write: (line) => sink.write(toLogfmt(JSON.parse(line))) };
  return adapt(
    pino(
      {
        level: options.level,
        base: null,
        timestamp: () => `,"time":"${new Date().toISOString()}"`,
        formatters: { level: (label) => ({ level: label.toUpperCase() }) },
      },
      destination,
    ),
  );
}

function adapt(log: PinoLogger): Logger {
  return {
    debug: (message, fields) => log.debug(plain(fields), message),
    info: (message, fields) => log.info(plain(fields), message),
    warn: (message, fields) => log.warn(plain(fields), message),
    error: (message, fields) => log.error(plain(fields), message),
    child: (fields) => adapt(log.child(plain(fields))),
  };
}

/** The keys of a line that are not fields. */
const ownKeys = new Set(["time", "level", "msg"]);

/** Errors as their message, numbers that JSON has no form for as text; fields named as our own keys with a "_". */
function plain(fields: LogFields = {}): Record<string, unknown> {
  const result: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(fields)) {
    const key = ownKeys.has(name) ? `${name}_` : name;
    if (value instanceof Error) result[key] = value.message;
    else if (typeof value === "bigint" || (typeof value === "number" && !Number.isFinite(value)))
      result[key] = String(value);
    else result[key] = value;
  }
  return result;
}

/** Time, level and message first, then the fields as they came. */
function toLogfmt(line: Record<string, unknown>): string {
  const { time, level, msg, ...fields } = line;
  const pairs = Object.entries({ time, level, msg, ...fields });
  return `${pairs.map(([key, value]) => `${key}=${logfmtValue(value)}`).join(" ")}\n`;
}

function logfmtValue(value: unknown): string {
  const text = typeof value === "string" ? value : (JSON.stringify(value) ?? "");
  return text === "" || /[\s"=\x00-\x1f\x7f]/.test(text) ? JSON.stringify(text) : text;
}
