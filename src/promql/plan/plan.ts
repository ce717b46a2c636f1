/** A query ready to run: its operators, and the selectors in them. */

import type { ScalarNode, VectorNode } from "../operators/node.ts";
import type { RangeSource } from "../operators/range-source.ts";
import type { Selector } from "../selection.ts";

export type Root =
  | { readonly type: "vector"; readonly node: VectorNode }
  | { readonly type: "scalar"; readonly node: ScalarNode }
  | { readonly type: "string"; readonly text: string }
  | { readonly type: "matrix"; readonly source: RangeSource };

export interface Plan {
  readonly root: Root;
  readonly selectors: readonly Selector[];
  /** What all selectors together can need, both inclusive; 0 and 0 without any. */
  readonly mint: number;
  readonly maxt: number;
}
