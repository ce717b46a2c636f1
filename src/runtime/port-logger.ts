/** Logging from a thread: lines are posted to the main thread, which alone writes them. */
import type { MessagePort } from "node:worker_threads";
import type { LogFields, Logger } from "../base/env.ts";

type Level = "debug" | "info" | "warn" | "error";

interface LogMessage {
  readonly log: Level;
  readonly message: string;
  readonly fields: LogFields | undefined;
}

/** A logger for a thread whose parent calls {@link receiveLogs}. */
export function portLogger(port: MessagePort, common: LogFields = {}): Logger {
  const line = (log: Level) => (message: string, fields?: LogFields) =>
    port.postMessage({ log, message, fields: postable({ ...common, ...fields }) } satisfies LogMessage);
  return {
    debug: line("debug"),
    info: line("info"),
    warn: line("warn"),
    error: line("error"),
    child: (fields) => portLogger(port, { ...common, ...fields }),
  };
}

/** Errors and other things that cannot be posted become text. */
function postable(fields: LogFields): LogFields {
  const plain: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(fields)) {
    if (value instanceof Error) plain[key] = value.message;
    else if (typeof value === "object" || typeof value === "function") plain[key] = JSON.stringify(value);
    else plain[key] = value;
  }
  return plain;
}

/** Writes what the thread behind `port` logs. */
export function receiveLogs(
  port: { on(event: "message", listener: (message: unknown) => void): unknown },
  logger: Logger,
): void {
  port.on("message", (message) => {
    const { log, message: text, fields } = message as LogMessage;
    if (log !== undefined) logger[log](text, fields);
  });
}
