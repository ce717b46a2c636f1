// What vectors that do not match are told, and in which order: Prometheus goes step by step.
import { expect, test } from "vitest";
import { runScript } from "../../test/promql/run-script.ts";
import { ManualClock } from "../testkit/manual-clock.ts";
import { Engine } from "./engine.ts";

const engine = new Engine({
  clock: new ManualClock(),
  lookbackMs: 60_000,
  samplesMax: 1e6,
  bytesMax: 2 ** 30,
  timeoutMs: 1e6,
  noStepSubqueryIntervalMs: () => 60_000,
});

const manyToOne =
  "multiple matches for labels: many-to-one matching must be explicit (group_left/group_right)";
const notUnique = "multiple matches for labels: grouping labels must ensure unique matches";
const duplicate = (side: string, group: string, series: string) =>
  `found duplicate series for the match group ${group} on the ${side} hand-side of the operation: [${series}]` +
  ";many-to-many matching not allowed: matching labels must be unique on one side";

/** From minute 2 on everything meets; before, each label set has its own minute. */
const data = `
load 1m
  many{a="1", b="x"} 1 _ 1 1
  many{a="1", b="y"} _ 1 1 1
  one{a="1", c="p"}  2 _ 2 2
  one{a="1", c="q"}  _ 2 2 2
  info{a="1", v="7"} 1 1 1 1
  late{a="1", b="x"} _ _ _ 1
`;

test.each([
  ["many + on (a) info", "2m", manyToOne],
  ["many > on (a) info", "2m", manyToOne],
  ["many == bool on (a) info", "2m", manyToOne],
  [
    "info + on (a) one",
    "2m",
    duplicate("right", '{a="1"}', '{__name__="one", a="1", c="p"}, {__name__="one", a="1", c="q"}'),
  ],
  [
    "one + on (a) group_right many",
    "2m",
    duplicate("left", '{a="1"}', '{__name__="one", a="1", c="p"}, {__name__="one", a="1", c="q"}'),
  ],
  ["many * on (a) group_left (b) info", "2m", notUnique],
  ["many > on (a) group_left (b) info", "2m", notUnique],
])("%s at %s fails", (query, time, message) => {
  const script = `${data}
eval instant at ${time} ${query}
  expect fail msg:${message}
`;
  expect(runScript(script, engine, () => undefined)).toMatchObject({ passed: 1, failures: [] });
});

test.each([
  ["series that never meet match all the same", "many + on (a) info", "0 1m 1m", '{a="1"} 2 2'],
  ["also on the one side", "info + on (a) one", "0 1m 1m", '{a="1"} 3 3'],
  ["with nothing on the many side nothing is checked", "late + on (a) one", "0 2m 1m", ""],
  [
    "filters keep the name of the left side",
    "many < on (a) group_left () info + 1",
    "0 0 1m",
    'many{a="1", b="x"} 1',
  ],
  [
    "labels of the one side",
    "many * on (a) group_left (v) info",
    "0 1m 1m",
    '{a="1", b="x", v="7"} 1 _\n{a="1", b="y", v="7"} _ 1',
  ],
  ["or fills in", "many or on (a) one", "0 1m 1m", 'many{a="1", b="x"} 1 _\nmany{a="1", b="y"} _ 1'],
  ["unless at each step", "info unless on (a) late", "0 3m 1m", 'info{a="1", v="7"} 1 1 1 _'],
])("%s: %s", (_, query, range, expected) => {
  const [start, end, step] = range.split(" ");
  const lines = expected === "" ? "" : expected.replace(/^/gm, "  ");
  const script = `${data}
eval range from ${start} to ${end} step ${step} ${query}
${lines}
`;
  expect(runScript(script, engine, () => undefined)).toMatchObject({ passed: 1, failures: [] });
});
