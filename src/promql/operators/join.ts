/**
 * Joins two vectors for arithmetic or comparison. The "one" side may have one element per signature and step, the
 * "many" side several (in one-to-one matching one as well). Pairs of series are found once, by signature; their rows
 * are combined as a whole. Only where several series share a signature or a result, which is legal as long as they do
 * not meet at a step, does a pair look at each step for what others did there. Prometheus goes step by step and stops
 * at the first complaint, so of all complaints the one about the earliest step is made.
 */
import type { QueryError } from "../../base/errors.ts";
import { Block } from "../block.ts";
import { countPresent } from "../column.ts";
import { arithmetic, compare, isComparison } from "../functions/binary.ts";
import type { ArithmeticOp, ComparisonOp, VectorMatching } from "../parser/ast.ts";
import { type QueryRun, sameLabelset } from "../query-run.ts";
import { Matching } from "./matching.ts";
import { duplicateOnOneSide, explicitManyToOne, groupingNotUnique } from "./matching-errors.ts";

export interface VectorOperator {
  readonly op: ArithmeticOp | ComparisonOp;
  readonly returnBool: boolean;
  readonly matching: VectorMatching;
}

/** A comparison without bool filters the series of the "many" side as they are. */
export function keepsName({ op, returnBool }: VectorOperator): boolean {
  return isComparison(op) && !returnBool;
}

/** All series of one signature. */
interface Group {
  readonly one: readonly number[];
  manyCount: number;
  /** One-to-one: where a pair of the group met. Made when the group has more than one pair. */
  met: Uint8Array | undefined;
}

export class Join {
  readonly #run: QueryRun;
  readonly #operator: VectorOperator;
  readonly #matching: Matching;
  readonly #swapped: boolean;
  readonly #oneToOne: boolean;
  readonly #many: Block;
  readonly #one: Block;
  readonly #steps: number;
  readonly #result: Block;
  /** The result's rows by label set, and for each the pairs of rows that went into it, one after the other. */
  readonly #rows = new Map<string, number>();
  readonly #pairs: number[][] = [];
  readonly #groups = new Map<string, Group>();
  /** Of every row of the "many" side; undefined where nothing matches. */
  readonly #groupOf: (Group | undefined)[] = [];
  /** Scratch: where a pair has a result, before and after filtering. */
  readonly #met: Uint8Array;
  readonly #kept: Uint8Array;
  readonly #values: Float64Array;
  #complaintStep = Number.POSITIVE_INFINITY;
  /** Of a complaint about the "one" side, which is looked at first, row by row. */
  #complaintRow = -1;
  #complaint: QueryError | undefined;

  constructor(run: QueryRun, operator: VectorOperator, left: Block, right: Block) {
    this.#run = run;
    this.#operator = operator;
    this.#matching = new Matching(operator.matching);
    this.#swapped = operator.matching.cardinality === "one-to-many";
    this.#oneToOne = operator.matching.cardinality === "one-to-one";
    this.#many = this.#swapped ? right : left;
    this.#one = this.#swapped ? left : right;
    this.#steps = left.steps;
    this.#result = new Block(run, left.steps);
    this.#met = new Uint8Array(left.steps);
    this.#kept = new Uint8Array(left.steps);
    this.#values = new Float64Array(left.steps);
  }

  /** One row per result series, in the order of the "many" side; the caller frees it. */
  run(): Block {
    this.#findGroups();
    for (const [, group] of this.#groups) if (group.one.length > 1) this.#checkOneSide(group);
    for (let row = 0; row < this.#many.rows; row++) {
      const group = this.#groupOf[row];
      if (group === undefined) continue;
      this.#run.check();
      for (const oneRow of group.one) this.#combine(group, row, oneRow);
    }
    if (this.#complaint !== undefined) throw this.#complaint;
    return this.#result;
  }

  #findGroups(): void {
    const ones = new Map<string, number[]>();
    for (let row = 0; row < this.#one.rows; row++) {
      const signature = this.#matching.signature(this.#one.labels[row]);
      const rows = ones.get(signature);
      if (rows === undefined) ones.set(signature, [row]);
      else rows.push(row);
    }
    for (const [signature, one] of ones) this.#groups.set(signature, { one, manyCount: 0, met: undefined });
    for (const labels of this.#many.labels) {
      const group = this.#groups.get(this.#matching.signature(labels));
      if (group !== undefined) group.manyCount++;
      this.#groupOf.push(group);
    }
  }

  /** Several series of the "one" side may not meet at a step, unless the "many" side is empty there. */
  #checkOneSide({ one }: Group): void {
    const { present, labels } = this.#one;
    const owner = new Int32Array(this.#steps).fill(-1);
    for (const row of one) {
      for (let k = 0; k < this.#steps; k++) {
        if (present[row * this.#steps + k] === 0) continue;
        const isFirst = this.#complains(k) || (k === this.#complaintStep && row < this.#complaintRow);
        if (owner[k] >= 0 && isFirst && this.#hasMany(k)) {
          const side = this.#swapped ? "left" : "right";
          const matched = this.#matching.matched(labels[row]);
          this.#complain(k, duplicateOnOneSide(side, matched, labels[row], labels[owner[k]]));
          this.#complaintRow = row;
          break;
        }
        owner[k] = row;
      }
    }
  }

  #hasMany(step: number): boolean {
    const { present, rows } = this.#many;
    for (let row = 0; row < rows; row++) if (present[row * this.#steps + step] === 1) return true;
    return false;
  }

  #combine(group: Group, manyRow: number, oneRow: number): void {
    if (!this.#evaluate(manyRow, oneRow)) return;
    if (this.#oneToOne && (group.manyCount > 1 || group.one.length > 1)) {
      if (group.met === undefined) group.met = this.#met.slice();
      else this.#checkMeetings(group.met, explicitManyToOne);
    }
    const labels = this.#matching.result(
      this.#many.labels[manyRow],
      this.#one.labels[oneRow],
      keepsName(this.#operator),
    );
    const row = this.#rows.get(labels.key);
    if (row === undefined) {
      this.#rows.set(labels.key, this.#result.addEmpty(labels));
      this.#pairs.push([manyRow, oneRow]);
      this.#storeNew();
      return;
    }
    if (!this.#oneToOne) this.#checkPairs(group, this.#pairs[row]);
    this.#pairs[row].push(manyRow, oneRow);
    this.#store(row);
  }

  /** In many-to-one matching the pairs of one group may not meet in one result, even where the filter drops them. */
  #checkPairs(group: Group, pairs: readonly number[]): void {
    const before = new Uint8Array(this.#steps);
    for (let i = 0; i < pairs.length; i += 2) {
      if (this.#groupOf[pairs[i]] === group) this.#findMeetings(pairs[i], pairs[i + 1], before);
    }
    this.#checkMeetings(before, groupingNotUnique);
  }

  /** Computes the pair into the scratch rows; false where the two series have no step in common. */
  #evaluate(manyRow: number, oneRow: number): boolean {
    const steps = this.#steps;
    const { op, returnBool } = this.#operator;
    const many = this.#many;
    const one = this.#one;
    const m = manyRow * steps;
    const o = oneRow * steps;
    const met = this.#met.fill(0);
    this.#findMeetings(manyRow, oneRow, met);
    if (countPresent(met, 0, steps) === 0) return false;
    const left = this.#swapped ? one.values : many.values;
    const right = this.#swapped ? many.values : one.values;
    const l = this.#swapped ? o : m;
    const r = this.#swapped ? m : o;
    const kept = this.#kept;
    kept.set(met);
    if (!isComparison(op)) {
      arithmetic(op, left, l, right, r, this.#values, 0, steps);
    } else if (returnBool) {
      compare(op, left, l, right, r, kept, 0, steps);
      this.#values.set(kept);
      kept.set(met);
    } else {
      compare(op, left, l, right, r, kept, 0, steps);
      this.#values.set(left.subarray(l, l + steps));
    }
    return true;
  }

  /** Adds the steps at which both series have a value. */
  #findMeetings(manyRow: number, oneRow: number, met: Uint8Array): void {
    const steps = this.#steps;
    const many = this.#many.present;
    const one = this.#one.present;
    const m = manyRow * steps;
    const o = oneRow * steps;
    for (let k = 0; k < steps; k++) met[k] |= many[m + k] & one[o + k];
  }

  #checkMeetings(before: Uint8Array, error: () => QueryError): void {
    for (let k = 0; k < this.#steps; k++) {
      if (this.#met[k] === 1 && before[k] === 1 && this.#complains(k)) this.#complain(k, error());
      before[k] |= this.#met[k];
    }
  }

  #storeNew(): void {
    const result = this.#result;
    const row = result.rows - 1;
    result.values.set(this.#values, row * this.#steps);
    result.present.set(this.#kept, row * this.#steps);
    result.counts[row] = countPresent(this.#kept, 0, this.#steps);
  }

  #store(row: number): void {
    const { values, present, counts } = this.#result;
    const start = row * this.#steps;
    for (let k = 0; k < this.#steps; k++) {
      if (this.#kept[k] === 0) continue;
      if (present[start + k] === 1 && this.#complains(k)) this.#complain(k, sameLabelset());
      present[start + k] = 1;
      values[start + k] = this.#values[k];
    }
    counts[row] = countPresent(present, start, start + this.#steps);
  }

  /** Whether a complaint about this step would be the earliest so far. */
  #complains(step: number): boolean {
    return step < this.#complaintStep;
  }

  #complain(step: number, error: QueryError): void {
    this.#complaintStep = step;
    this.#complaint = error;
  }
}
