// One writer and readers opened at any moment, also in the middle of a batch, against a naive model: every reader sees
// exactly what was committed when it was opened, however long it stays, through chunk cuts, failing chunk files and
// collections.
import fc from "fast-check";
import { expect, test } from "vitest";
import { append, dump, hints, MemoryChunks, MemoryLog, noContext } from "../../../test/head/fixture.ts";
import { appendStaged } from "../../kernels/head-append.ts";
import { Append, Note, Series } from "../../kernels/head-layout.ts";
import { headTwin } from "../../kernels/head-twin.ts";
import { Labels } from "../../model/labels.ts";
import { Matcher } from "../../model/matcher.ts";
import type { QueryContext } from "../../storage/querier.ts";
import { SampleColumns } from "../../storage/sample-columns.ts";
import { HeadAppender } from "./appender.ts";
import { Collection } from "./collection.ts";
import { Head } from "./head.ts";
import type { HeadQuerier } from "./head-querier.ts";
import { HeadReader } from "./head-reader.ts";
import { visibleSamples } from "./isolation.ts";
import { HeadMemory, seriesRecord } from "./memory.ts";

const all = [new Matcher("=", "job", "x")];
const rangeMs = 100_000;
const start = 1_700_000_000_000;

/** What the head should hold, in the plainest form. */
class Model {
  readonly series = new Map<string, { t: number; value: number }[]>();
  maxTime = -Infinity;
  minValidTime = -Infinity;

  copy(minTime: number): Record<string, string[]> {
    const shown: Record<string, string[]> = {};
    for (const [labels, samples] of this.series) {
      const visible = samples.filter(({ t }) => t >= minTime);
      if (visible.length > 0) shown[labels] = visible.map(({ t, value }) => `${t}:${value}`);
    }
    return shown;
  }

  /** The rules of a commit: in order within each series, in bounds as of the batch's begin. */
  commit(rows: readonly { labels: string; t: number; value: number }[], firstTime: number | undefined): void {
    if (firstTime === undefined) return;
    if (this.maxTime === -Infinity) this.maxTime = firstTime;
    const minValid = Math.max(this.maxTime - rangeMs / 2, this.minValidTime);
    for (const { labels, t, value } of rows) {
      if (t < minValid) continue;
      const samples = this.series.get(labels) ?? [];
      const last = samples.at(-1);
      if (last !== undefined && t <= last.t) continue;
      samples.push({ t, value });
      this.series.set(labels, samples);
      this.maxTime = Math.max(this.maxTime, t);
    }
  }
}

/** Draws numbers from a list, again and again. */
class Dice {
  #next = 0;
  readonly #numbers: readonly number[];
  constructor(numbers: readonly number[]) {
    this.#numbers = numbers;
  }
  below(n: number): number {
    return this.#numbers[this.#next++ % this.#numbers.length] % n;
  }
}

interface OpenReader {
  readonly querier: HeadQuerier;
  readonly expected: Record<string, string[]>;
}

class World {
  readonly dice: Dice;
  readonly memory: HeadMemory;
  readonly head: Head;
  readonly appender: HeadAppender;
  readonly chunks = new MemoryChunks();
  readonly model = new Model();
  readonly reader: HeadReader;
  readers: OpenReader[] = [];
  collection: Collection | undefined;
  clock = start;
  checks = 0;
  #writing = false;
  #reading = false;
  /** Whenever a reader asks whether it may go on, the writer goes on first. */
  readonly context: QueryContext = {
    ...noContext,
    check: () => {
      if (this.#writing || this.dice.below(3) > 0) return;
      this.batch();
      this.collect();
    },
  };

  constructor(dice: Dice) {
    this.dice = dice;
    this.memory = HeadMemory.create({ pages: 512, poison: true, hashSeed: dice.below(1000) });
    const { words, doubles } = this.memory;
    // One sample at a time, so that readers come in the middle of a batch.
    const stepping = (control: number) => {
      const count = words[control + Append.count];
      for (;;) {
        const next = words[control + Append.next];
        words[control + Append.count] = Math.min(next + 1, count);
        const status = appendStaged(words, doubles, control);
        words[control + Append.count] = count;
        if (status !== 0 || words[control + Append.next] === count) return status;
        if (this.dice.below(4) === 0) this.read();
      }
    };
    const kernel = { ...headTwin(words, doubles), appendStaged: stepping };
    const options = { chunkRangeMs: rangeMs, samplesPerChunk: 4 + dice.below(20), kernel };
    this.head = new Head(this.memory, this.chunks, options);
    this.appender = new HeadAppender(this.head, new MemoryLog());
    this.reader = new HeadReader(HeadMemory.attach(this.memory.handle), this.chunks);
  }

  /** Opens a reader, or looks at one again, or closes one. */
  read(): void {
    if (this.#reading) return;
    this.#reading = true;
    this.#read();
    this.#reading = false;
  }

  #read(): void {
    const { dice, readers } = this;
    const what = dice.below(5);
    if (what < 2 && readers.length < 6) {
      const querier = this.reader.querier(-Infinity, Infinity);
      readers.push({ querier, expected: this.model.copy(querier.state.minTime) });
    } else if (readers.length > 0) {
      const i = dice.below(readers.length);
      if (what < 4) this.check(readers[i]);
      else readers.splice(i, 1)[0].querier.close();
    }
  }

  check({ querier, expected }: OpenReader): void {
    const shown: Record<string, string[]> = {};
    for (const [labels, samples] of Object.entries(dump(querier, all, this.context))) {
      const plain = samples.map((sample) => {
        const [t, bits] = sample.split(":");
        return `${t}:${new Float64Array(BigUint64Array.of(BigInt(`0x${bits}`)).buffer)[0]}`;
      });
      if (plain.length > 0) shown[labels] = plain;
    }
    expect(shown).toEqual(expected);
    this.#checkLast({ querier, expected });
    this.checks++;
  }

  /** What is told to need only the last sample of a range shows that one. */
  #checkLast({ querier, expected }: OpenReader): void {
    const maxt = this.clock - this.dice.below(60_000);
    const mint = maxt - this.dice.below(30_000);
    const out = new SampleColumns();
    const shown: Record<string, string> = {};
    for (const series of querier.select(this.context, all, mint, maxt, { ...hints, lastOnly: true }, false)) {
      out.clear();
      series.read(out, mint, maxt);
      if (out.n > 0) shown[series.labels.toString()] = `${out.t[out.n - 1]}:${out.v[out.n - 1]}`;
    }
    const want: Record<string, string> = {};
    for (const [labels, samples] of Object.entries(expected)) {
      const last = samples.findLast((sample) => {
        const t = Number(sample.split(":")[0]);
        return mint <= t && t <= maxt;
      });
      if (last !== undefined) want[labels] = last;
    }
    expect(shown).toEqual(want);
  }

  batch(): void {
    this.#writing = true;
    this.#batch();
    this.#writing = false;
  }

  #batch(): void {
    const { dice, head, appender, model } = this;
    this.clock += 200 + dice.below(3000);
    const n = dice.below(24);
    const rows: { labels: string; t: number; value: number }[] = [];
    const refs = new Uint32Array(n);
    for (let i = 0; i < n; i++) {
      // Names of series move on, so that some of them die and labels come and go.
      const name = `s${Math.floor((this.clock - start) / 40_000)}_${dice.below(12)}`;
      const labels = Labels.of({ job: "x", name, group: `g${dice.below(3)}` });
      refs[i] = appender.series(labels);
      rows.push({
        labels: labels.toString(),
        t: this.clock - (dice.below(8) === 0 ? dice.below(60_000) : 0) + dice.below(6),
        value: dice.below(5) === 0 ? dice.below(1000) / 7 : dice.below(3),
      });
    }
    const times = Float64Array.from(rows, ({ t }) => t);
    const values = Float64Array.from(rows, ({ value }) => value);
    const outcomes = new Uint8Array(n);
    this.chunks.failing = dice.below(10) === 0;
    appender.append(refs, times, values, n, outcomes);
    if (dice.below(12) === 0) {
      // The head's first time stays, as Prometheus's does.
      if (n > 0 && model.maxTime === -Infinity) model.maxTime = times[0];
      appender.rollback();
      return;
    }
    appender.commit();
    model.commit(rows, n > 0 ? times[0] : undefined);
    expect(head.maxTime).toBe(model.maxTime);
  }

  collect(): void {
    const { dice, head, model } = this;
    if (this.collection === undefined) {
      if (!head.isInitialized) return;
      const mint = Math.max(head.minTime, head.maxTime - rangeMs + dice.below(rangeMs / 2));
      this.collection = Collection.truncation(head, mint);
    }
    for (let i = dice.below(4); i >= 0; i--) {
      if (this.collection.step(() => true) === "done") {
        this.collection = undefined;
        break;
      }
    }
    model.minValidTime = head.minValidTime;
    model.maxTime = Math.max(model.maxTime, head.maxTime);
  }

  run(steps: number): void {
    for (let i = 0; i < steps; i++) {
      const what = this.dice.below(8);
      if (what < 5) this.batch();
      else if (what < 7) this.read();
      else this.collect();
    }
    this.#reading = true;
    for (const reader of this.readers) {
      this.check(reader);
      reader.querier.close();
    }
    this.readers = [];
    this.chunks.failing = false;
    append(this.appender, []);
    while (this.collection !== undefined) this.collect();
    this.head.publish();
    expect(this.head.retired.waiting).toBe(0);
    expect(this.head.cuts.waiting).toBe(0);
    this.check({
      querier: this.reader.querier(-Infinity, Infinity),
      expected: this.model.copy(this.head.minTime),
    });
  }
}

const numbers = fc.array(fc.nat(1_000_000), { minLength: 50, maxLength: 400 });

test("every reader sees what was committed when it was opened", () => {
  let checks = 0;
  fc.assert(
    fc.property(numbers, (drawn) => {
      const world = new World(new Dice(drawn));
      world.run(80);
      checks += world.checks;
    }),
    { numRuns: 10 },
  );
  expect(checks).toBeGreaterThan(150);
});

test("a series keeps as many notes as its readers need, and drops them afterwards", () => {
  const world = new World(new Dice([1, 2, 3]));
  const row = (i: number) => [{ job: "x" }, start + i, i] as const;
  append(world.appender, [row(0)]);
  const queriers: HeadQuerier[] = [];
  for (let i = 1; i <= 100; i++) {
    queriers.push(world.reader.querier(-Infinity, Infinity));
    append(world.appender, [row(i)]);
  }
  const { words } = world.memory;
  const record = seriesRecord(words, 1);
  queriers.forEach((querier, i) => {
    expect(visibleSamples(words, record, querier.state.batch)).toBe(i + 1);
    const [series] = querier.select(
      noContext,
      [new Matcher("=", "job", "x")],
      -Infinity,
      Infinity,
      hints,
      false,
    );
    expect(series.labels.toString()).toBe('{job="x"}');
  });
  expect(world.head.bytesInUse(7)).toBe(99 * 16);
  for (const querier of queriers.slice(0, 60)) querier.close();
  for (let i = 101; i <= 140; i++) append(world.appender, [row(i)]);
  let length = 0;
  for (let note = words[record + Series.olderNotes]; note !== 0; note = words[note + Note.older]) length++;
  // 40 readers, 40 batches after them, and what the walk that comes every 16 notes has not seen yet.
  expect(length).toBeLessThanOrEqual(40 + 40 + 16);
  for (const querier of queriers.slice(60)) querier.close();
  append(world.appender, [row(141)]);
  append(world.appender, [row(142)]);
  expect(words[record + Series.olderNotes]).toBe(0);
  expect(world.head.bytesInUse(7)).toBe(0);
});
