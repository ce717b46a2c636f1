/** What functions over range vectors have to say about their input. */
import { type Labels, metricName } from "../../model/labels.ts";
import { annotationTexts } from "../annotations.ts";
import type { Column } from "../column.ts";
import type { RangeFunction } from "../functions/range-function.ts";
import type { Position } from "../parser/ast.ts";
import type { QueryRun } from "../query-run.ts";

export class RangeAnnotations {
  readonly #run: QueryRun;
  readonly #source: Position;
  /** Where to report series that do not look like counters; undefined: not at all. */
  readonly #counters: Position | undefined;
  #lastName = "";
  /** What is wrong with the scalar argument at each step; undefined if nothing is. */
  readonly #complaints: readonly (string | undefined)[] | undefined;
  readonly #paramPosition: Position;

  constructor(
    run: QueryRun,
    func: RangeFunction,
    source: Position,
    param: { readonly values: Float64Array; readonly position: Position },
  ) {
    this.#run = run;
    this.#source = source;
    this.#counters = func.forCounters ? source : undefined;
    this.#paramPosition = param.position;
    const { checkParam } = func;
    const complaints = checkParam === undefined ? [] : Array.from(param.values, checkParam);
    this.#complaints = complaints.some((text) => text !== undefined) ? complaints : undefined;
  }

  /** A series with results at the steps that are present. */
  note(labels: Labels, { present }: Column): void {
    if (this.#counters !== undefined) this.#noteCounter(labels.get(metricName), this.#counters);
    if (this.#complaints === undefined) return;
    for (let k = 0; k < present.length; k++) {
      const text = present[k] === 1 ? this.#complaints[k] : undefined;
      if (text !== undefined) this.#run.annotations.warn(text, this.#paramPosition);
    }
  }

  /** A series of which some window holds both floats and histograms. */
  noteIgnoredHistograms(labels: Labels): void {
    const text = annotationTexts.histogramsIgnoredInMixedRange(labels.get(metricName));
    this.#run.annotations.info(text, this.#source);
  }

  #noteCounter(name: string, position: Position): void {
    if (name === this.#lastName) return;
    this.#lastName = name;
    if (looksLikeCounter(name)) return;
    this.#run.annotations.info(annotationTexts.possibleNonCounter(name), position);
  }
}

/** By the names that the exposition formats give to counters; a series without a name may be anything. */
function looksLikeCounter(name: string): boolean {
  return name === "" || /_(?:total|sum|count|bucket)$/.test(name);
}
