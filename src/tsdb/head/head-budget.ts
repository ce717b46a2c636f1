/**
 * What the head may hold: the pages of its arena, and how many series, in all and by scrape job. Decides about every new
 * series; what exists already goes on. The writer's alone.
 */
import { Pair, Purpose, pageWords, Root } from "../../kernels/head-layout.ts";
import { hashBytes } from "../../kernels/label-hash.ts";
import { findPair } from "../../kernels/pair-find.ts";
import { RefusedSeries } from "../budget/refused-series.ts";
import { pagesKept, Urgency, urgencyScore } from "../budget/urgency.ts";
import type { Arena } from "./arena.ts";
import { LabelBytes, LabelCursor } from "./label-bytes.ts";
import { type HeadMemory, pairHeader } from "./memory.ts";

/** How many series there may be; 0 and what is not named: any number. */
export interface SeriesLimits {
  readonly series: number;
  readonly seriesByJob: Readonly<Record<string, number>>;
}

/** Why a new series is refused. */
export const Refusal = { none: 0, memory: 1, series: 2, seriesOfJob: 3 } as const;
export type Refusal = (typeof Refusal)[keyof typeof Refusal];

const purposes = Object.values(Purpose);
const mebibyte = 2 ** 20;

export class HeadBudget {
  readonly urgency = new Urgency();
  readonly refused = new RefusedSeries();
  readonly #memory: HeadMemory;
  readonly #arena: Arena;
  readonly #series: () => number;
  readonly #labelBytes = new LabelBytes();
  readonly #cursor = new LabelCursor();
  #limits: SeriesLimits = { series: 0, seriesByJob: {} };
  #limitedJobs = 0;
  #pages: number;
  #limitText = "";

  /** `series` counts those that live. */
  constructor(memory: HeadMemory, arena: Arena, series: () => number) {
    this.#memory = memory;
    this.#arena = arena;
    this.#series = series;
    this.#pages = arena.pagesMax;
  }

  set limits(limits: SeriesLimits) {
    this.#limits = limits;
    this.#limitedJobs = Object.keys(limits.seriesByJob).length;
  }

  /** Pages that the arena should not go beyond; new series keep away from its end. */
  set pages(pages: number) {
    this.#pages = pages;
  }

  get pages(): number {
    return this.#pages;
  }

  /** How --storage.tsdb.memory-limit is shown in refusals; "" where the limit is the memory's own end. */
  set limitText(text: string) {
    this.#limitText = text;
  }

  /** Bytes of all slabs and runs that are in use. */
  get heldBytes(): number {
    const { words } = this.#memory;
    let held = 0;
    for (const purpose of purposes) held += words[Root.wordsInUse + purpose];
    return held * 4;
  }

  /** The score as of now. */
  score(): number {
    return urgencyScore(this.heldBytes / (pageWords * 4), this.#arena.pagesTaken, this.#pages);
  }

  /** Whether the series with these label bytes, which is not there yet, may be created. Counts it where not. */
  judge(bytes: Uint8Array, start: number, end: number): Refusal {
    const { series } = this.#limits;
    let refusal: Refusal = Refusal.none;
    if (this.score() >= 1) refusal = Refusal.memory;
    else if (series > 0 && this.#series() >= series) refusal = Refusal.series;
    else if (this.#limitedJobs > 0 && this.#jobIsFull(this.#value(bytes, start, end, "job"))) {
      refusal = Refusal.seriesOfJob;
    }
    if (refusal !== Refusal.none) this.count(bytes, start, end);
    return refusal;
  }

  /** Counts a series that was refused. */
  count(bytes: Uint8Array, start: number, end: number): void {
    this.refused.add(this.#value(bytes, start, end, "job"), this.#value(bytes, start, end, "__name__"));
  }

  /** What is to be said of a refusal; a clause without a subject. */
  reason(refusal: Refusal): string {
    switch (refusal) {
      case Refusal.none:
        return "";
      case Refusal.memory: {
        const held = Math.ceil(this.heldBytes / mebibyte);
        const whose =
          this.#limitText === "" ? "its memory" : `--storage.tsdb.memory-limit=${this.#limitText}`;
        return `the head holds ${this.#series()} series in ${held} MiB, all that ${whose} leaves for it`;
      }
      case Refusal.series:
        return `the head holds ${this.#series()} series and tsdb.limits.max_series is ${this.#limits.series}`;
      case Refusal.seriesOfJob:
        return "the series of their job have reached its tsdb.limits.max_series_per_job";
    }
  }

  /** Pages that are kept from new series. */
  get pagesKept(): number {
    return pagesKept(this.#pages);
  }

  #jobIsFull(job: string): boolean {
    const limit = this.#limits.seriesByJob[job];
    return limit !== undefined && limit > 0 && this.#seriesOf(job) >= limit;
  }

  /** The length of the job's posting list: dead series count until they are collected. */
  #seriesOf(job: string): number {
    const { words } = this.#memory;
    this.#labelBytes.setOne("job", job);
    const { bytes, length } = this.#labelBytes;
    const id = findPair(words, bytes, 0, length, hashBytes(bytes, 0, length, words[Root.hashSeed]));
    return id === 0 ? 0 : words[pairHeader(words, id) + Pair.length];
  }

  /** The value of a label in label bytes; "" where there is none. */
  #value(bytes: Uint8Array, start: number, end: number, name: string): string {
    const cursor = this.#cursor;
    cursor.reset(bytes, start, end);
    while (cursor.next()) if (cursor.name() === name) return cursor.value();
    return "";
  }
}
