import { describe, expect, test } from "vitest";
import { createLogger, type LogFormat, type LogLevel } from "./logger.ts";

function lines(level: LogLevel, format: LogFormat) {
  const written: string[] = [];
  const log = createLogger({ level, format }, { write: (line) => written.push(line) });
  return { log, written: () => written.map((line) => line.replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/, "TIME")) };
}

describe("logfmt", () => {
  test.each([
    ["no fields", {}, ""],
    ["plain words and numbers", { a: "b", n: 1.5, yes: true }, " a=b n=1.5 yes=true"],
    [
      "what needs quotes",
      { s: "a b", q: 'say "x"', e: "", eq: "a=b", nl: "a\nb" },
      ' s="a b" q="say \\"x\\"" e="" eq="a=b" nl="a\\nb"',
    ],
    ["an error is its message", { error: new Error("disk full") }, ' error="disk full"'],
    ["numbers that JSON lacks", { n: Number.NaN, i: Infinity, b: 12n }, " n=NaN i=Infinity b=12"],
    ["structures as JSON", { list: [1, "x"], none: null }, ' list="[1,\\"x\\"]" none=null'],
    ["fields do not hide what every line has", { msg: "other", level: "x" }, " msg_=other level_=x"],
  ])("%s", (_, fields, want) => {
    const { log, written } = lines("info", "logfmt");
    log.info("Server is ready", fields);
    expect(written()).toEqual([`time=TIME level=INFO msg="Server is ready"${want}\n`]);
  });
});

test("JSON", () => {
  const { log, written } = lines("debug", "json");
  log.child({ component: "wal" }).warn("Cut", { segment: 3 });
  expect(written().map((line) => JSON.parse(line))).toEqual([
    { level: "WARN", time: "TIME", component: "wal", segment: 3, msg: "Cut" },
  ]);
});

test("levels", () => {
  for (const [level, want] of [
    ["debug", "DEBUG INFO WARN ERROR"],
    ["info", "INFO WARN ERROR"],
    ["warn", "WARN ERROR"],
    ["error", "ERROR"],
  ] as const) {
    const { log, written } = lines(level, "logfmt");
    log.debug("d");
    log.info("i");
    log.warn("w");
    log.error("e");
    expect(
      written()
        .map((line) => /level=(\w+)/.exec(line)?.[1])
        .join(" "),
    ).toBe(want);
  }
});
