import type { Cardinality, VectorMatching } from "./ast.ts";
import type { Cursor } from "./cursor.ts";
import { parseGroupingLabels } from "./grouping.ts";
import { parseNumberLiteral, parseSignedNumberLiteral } from "./literals.ts";
import { startsExpression } from "./token.ts";

/** Behind a binary operator: `bool`, `on` or `ignoring`, `group_left` or `group_right`, fill values. */
export function parseBinaryModifiers(cursor: Cursor): { returnBool: boolean; matching: VectorMatching } {
  const returnBool = cursor.accept("bool") !== undefined;
  const { type } = cursor.peek();
  const hasLabels = type === "on" || type === "ignoring";
  if (hasLabels) cursor.next();
  const labels = hasLabels ? parseGroupingLabels(cursor) : [];
  const group = hasLabels ? parseGroup(cursor) : oneToOne;
  return { returnBool, matching: { ...group, on: type === "on", labels, ...parseFills(cursor) } };
}

const oneToOne = { cardinality: "one-to-one", include: [] } as const;

function parseGroup(cursor: Cursor): { cardinality: Cardinality; include: readonly string[] } {
  const { type } = cursor.peek();
  if (type !== "group_left" && type !== "group_right") return oneToOne;
  cursor.next();
  const next = cursor.peek().type;
  // The labels may be left out, but then the parenthesis of the right operand is taken for theirs.
  const isBare = next !== "(" && (startsExpression(next) || next.startsWith("fill"));
  const include = isBare ? [] : parseGroupingLabels(cursor);
  return { cardinality: type === "group_left" ? "many-to-one" : "one-to-many", include };
}

type Fills = Pick<VectorMatching, "fillLeft" | "fillRight">;

function parseFills(cursor: Cursor): Fills {
  const { type } = cursor.peek();
  switch (type) {
    case "fill": {
      const value = parseFillValue(cursor);
      return { fillLeft: value, fillRight: value };
    }
    case "fill_left": {
      const fillLeft = parseFillValue(cursor);
      const fillRight = cursor.peek().type === "fill_right" ? parseFillValue(cursor) : undefined;
      return { fillLeft, fillRight };
    }
    case "fill_right": {
      const fillRight = parseFillValue(cursor);
      const fillLeft = cursor.peek().type === "fill_left" ? parseFillValue(cursor) : undefined;
      return { fillLeft, fillRight };
    }
  }
  return { fillLeft: undefined, fillRight: undefined };
}

/** `fill (-1)` */
function parseFillValue(cursor: Cursor): number {
  cursor.next();
  cursor.expect("(");
  const { type } = cursor.peek();
  const literal =
    type === "+" || type === "-" ? parseSignedNumberLiteral(cursor) : parseNumberLiteral(cursor);
  cursor.expect(")");
  return literal.value;
}
