/**
 * Relabelling: rules that rewrite, keep or drop a label set; applied to targets before a scrape and to series after
 * it. What each action does is Prometheus's definition (docs/configuration, "relabel_config").
 */
import type { Labels } from "./labels.ts";
import { isLegacyLabelName } from "./labels.ts";
import { LabelsBuilder } from "./labels-builder.ts";
import { md5 } from "./md5.ts";
import { CapturingRegexp } from "./regexp.ts";
import { expandTemplate, hasReferences } from "./regexp-template.ts";
import { lowerCase, upperCase } from "./simple-case.ts";

export const relabelActions = [
  "replace",
  "keep",
  "drop",
  "keepequal",
  "dropequal",
  "hashmod",
  "labelmap",
  "labeldrop",
  "labelkeep",
  "lowercase",
  "uppercase",
] as const;

export type RelabelAction = (typeof relabelActions)[number];

/** Which names a label may have: any non-empty UTF-8 text, or `[a-zA-Z_][a-zA-Z0-9_]*`. */
export type ValidationScheme = "utf8" | "legacy";

/** One rule, already validated. A plain object: it can be posted between threads. */
export interface RelabelRule {
  readonly action: RelabelAction;
  readonly sourceLabels: readonly string[];
  readonly separator: string;
  /** Anchored at both ends. Undefined means the default, `(.*)`. */
  readonly regex: string | undefined;
  /** For `hashmod`; 0 elsewhere. */
  readonly modulus: number;
  readonly targetLabel: string;
  readonly replacement: string;
  readonly validationScheme: ValidationScheme;
}

export const defaultRelabelRule: RelabelRule = {
  action: "replace",
  sourceLabels: [],
  separator: ";",
  regex: undefined,
  modulus: 0,
  targetLabel: "",
  replacement: "$1",
  validationScheme: "utf8",
};

export function isValidLabelName(name: string, scheme: ValidationScheme): boolean {
  return scheme === "legacy" ? isLegacyLabelName(name) : name !== "" && !/\p{Surrogate}/u.test(name);
}

/** The label set after all rules; undefined where one of them drops it. */
export function relabel(labels: Labels, rules: readonly RelabelRule[]): Labels | undefined {
  if (rules.length === 0) return labels;
  const builder = new LabelsBuilder(labels);
  return relabelBuilder(builder, rules) ? builder.labels() : undefined;
}

/** The same on a label set that is being built. False where a rule drops it: the builder is then half-changed. */
export function relabelBuilder(builder: LabelsBuilder, rules: readonly RelabelRule[]): boolean {
  for (const rule of rules) if (!apply(rule, builder)) return false;
  return true;
}

/** Compiled once per rule object; rules live as long as the configuration that holds them. */
const compiled = new WeakMap<RelabelRule, CapturingRegexp>();

function regexpOf(rule: RelabelRule): CapturingRegexp {
  let regexp = compiled.get(rule);
  if (regexp === undefined) {
    regexp = new CapturingRegexp(rule.regex ?? "(.*)");
    compiled.set(rule, regexp);
  }
  return regexp;
}

function apply(rule: RelabelRule, builder: LabelsBuilder): boolean {
  const value = rule.sourceLabels.map((name) => builder.get(name)).join(rule.separator);
  switch (rule.action) {
    case "keep":
      return regexpOf(rule).matches(value);
    case "drop":
      return !regexpOf(rule).matches(value);
    case "keepequal":
      return builder.get(rule.targetLabel) === value;
    case "dropequal":
      return builder.get(rule.targetLabel) !== value;
    case "replace":
      replace(rule, value, builder);
      break;
    case "lowercase":
      builder.set(rule.targetLabel, lowerCase(value));
      break;
    case "uppercase":
      builder.set(rule.targetLabel, upperCase(value));
      break;
    case "hashmod":
      builder.set(rule.targetLabel, String(hashMod(value, rule.modulus)));
      break;
    case "labelmap":
      mapNames(rule, builder);
      break;
    case "labeldrop":
      dropNames(rule, builder, true);
      break;
    case "labelkeep":
      dropNames(rule, builder, false);
      break;
  }
  return true;
}

function replace(rule: RelabelRule, value: string, builder: LabelsBuilder): void {
  const constant = !hasReferences(rule.targetLabel) && !hasReferences(rule.replacement);
  if (constant && rule.regex === undefined) return builder.set(rule.targetLabel, rule.replacement);
  const match = regexpOf(rule).exec(value);
  if (match === undefined) return;
  const target = expandTemplate(rule.targetLabel, match);
  if (!isValidLabelName(target, rule.validationScheme)) return;
  builder.set(target, expandTemplate(rule.replacement, match));
}

/** The last eight bytes of the MD5, big-endian, modulo `modulus`. */
function hashMod(value: string, modulus: number): number {
  const digest = md5(value);
  const hash = new DataView(digest.buffer).getBigUint64(8);
  return Number(hash % BigInt(modulus));
}

function mapNames(rule: RelabelRule, builder: LabelsBuilder): void {
  const regexp = regexpOf(rule);
  for (const [name, value] of builder.entries()) {
    const match = regexp.exec(name);
    if (match !== undefined) builder.set(expandTemplate(rule.replacement, match), value);
  }
}

function dropNames(rule: RelabelRule, builder: LabelsBuilder, matching: boolean): void {
  const regexp = regexpOf(rule);
  for (const [name] of builder.entries()) if (regexp.matches(name) === matching) builder.delete(name);
}
