/** A node with what is known about its dependence on the evaluation time. */
import type { ScalarNode, VectorNode } from "../operators/node.ts";
import { StepInvariantScalarNode } from "../operators/scalars.ts";
import { StepInvariantNode } from "../operators/step-invariant.ts";

export interface Planned<Node> {
  readonly node: Node;
  /** The same at every step. */
  readonly invariant: boolean;
  /** Worth to be evaluated at one step only: not just a literal. */
  readonly worthWrapping: boolean;
}

export function varying<Node>(node: Node): Planned<Node> {
  return { node, invariant: false, worthWrapping: false };
}

export function invariant<Node>(node: Node): Planned<Node> {
  return { node, invariant: true, worthWrapping: true };
}

/** For a parent that itself has to be evaluated at every step. */
export function vectorOnce({ node, worthWrapping }: Planned<VectorNode>): VectorNode {
  return worthWrapping ? new StepInvariantNode(node) : node;
}

export function scalarOnce({ node, worthWrapping }: Planned<ScalarNode>): ScalarNode {
  return worthWrapping ? new StepInvariantScalarNode(node) : node;
}

/**
 * Two operands of one operator: if neither depends on the time the operator does not either, otherwise the one that
 * does not is evaluated once.
 */
export function combine<Left, Right, Node>(
  left: Planned<Left>,
  right: Planned<Right>,
  leftOnce: (planned: Planned<Left>) => Left,
  rightOnce: (planned: Planned<Right>) => Right,
  make: (left: Left, right: Right) => Node,
): Planned<Node> {
  if (left.invariant && right.invariant) return invariant(make(left.node, right.node));
  return varying(make(leftOnce(left), rightOnce(right)));
}
