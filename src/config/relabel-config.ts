/** Relabelling rules of the configuration: defaults, and which fields go with which action. */

import { CapturingRegexp } from "../model/regexp.ts";
import { hasReferences } from "../model/regexp-template.ts";
import {
  defaultRelabelRule,
  isValidLabelName,
  type RelabelAction,
  type RelabelRule,
  relabelActions,
  type ValidationScheme,
} from "../model/relabel.ts";
import type { ConfigNode } from "./yaml-node.ts";

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** `scheme` is that of the job; it says which label names are valid. */
export function readRelabelRules(node: ConfigNode, scheme: ValidationScheme): RelabelRule[] {
  return node.items().map((item) => {
    if (item.isNull) throw item.error("the relabelling rule is empty");
    return readRule(item, scheme);
  });
}

function readRule(node: ConfigNode, scheme: ValidationScheme): RelabelRule {
  const rule: Mutable<RelabelRule> = { ...defaultRelabelRule, validationScheme: scheme };
  let sourceGiven = false;
  node.readFields({
    source_labels: (value) => {
      sourceGiven = !value.isNull;
      rule.sourceLabels = value.items().map((item) => {
        const name = item.text();
        if (!isValidLabelName(name, "utf8")) throw item.error(`"${name}" is not a valid label name`);
        return name;
      });
    },
    separator: (value) => {
      rule.separator = value.text();
    },
    regex: (value) => {
      const pattern = value.text();
      value.attempt(() => new CapturingRegexp(pattern));
      rule.regex = pattern;
    },
    modulus: (value) => {
      rule.modulus = value.count();
    },
    target_label: (value) => {
      rule.targetLabel = value.text();
    },
    replacement: (value) => {
      rule.replacement = value.text();
    },
    action: (value) => {
      rule.action = readAction(value);
    },
  });
  const problem = checkRule(rule, sourceGiven);
  if (problem !== undefined) throw node.error(problem);
  return rule;
}

function readAction(node: ConfigNode): RelabelAction {
  const text = node.text();
  if (text === "") throw node.error("the relabel action cannot be empty");
  const action = relabelActions.find((name) => name === text.toLowerCase());
  if (action === undefined) {
    throw node.error(`unknown relabel action "${text}"; there are ${relabelActions.join(", ")}`);
  }
  return action;
}

const needsTarget: readonly RelabelAction[] = [
  "replace",
  "hashmod",
  "lowercase",
  "uppercase",
  "keepequal",
  "dropequal",
];
const fixedReplacement: readonly RelabelAction[] = ["lowercase", "uppercase", "keepequal", "dropequal"];

function checkRule(rule: RelabelRule, sourceGiven: boolean): string | undefined {
  const { action, targetLabel, replacement, validationScheme } = rule;
  if (action === "hashmod" && rule.modulus === 0) return "hashmod needs a modulus that is not 0";
  if (needsTarget.includes(action)) {
    if (targetLabel === "") return `${action} needs a target_label`;
    const template = action === "replace" && hasReferences(targetLabel);
    const valid = template
      ? isValidTemplate(targetLabel, validationScheme)
      : isValidLabelName(targetLabel, validationScheme);
    if (!valid) return `"${targetLabel}" is not a valid target_label for ${action}`;
  }
  if (fixedReplacement.includes(action) && replacement !== defaultRelabelRule.replacement) {
    return `replacement cannot be set for ${action}`;
  }
  if (action === "labelmap" && !isValidTemplate(replacement, validationScheme)) {
    return `"${replacement}" is not a valid replacement for labelmap`;
  }
  const regexGiven = rule.regex !== undefined;
  const otherGiven =
    rule.modulus !== 0 ||
    rule.separator !== defaultRelabelRule.separator ||
    replacement !== defaultRelabelRule.replacement;
  if ((action === "keepequal" || action === "dropequal") && (regexGiven || otherGiven)) {
    return `${action} takes only source_labels and target_label`;
  }
  if (
    (action === "labeldrop" || action === "labelkeep") &&
    (sourceGiven || targetLabel !== "" || otherGiven)
  ) {
    return `${action} takes only regex`;
  }
  return undefined;
}

/** A label name in which `$1` and `${name}` may stand for parts. */
function isValidTemplate(template: string, scheme: ValidationScheme): boolean {
  if (scheme === "utf8") return isValidLabelName(template, scheme);
  return /^(?:[a-zA-Z_]|\$(?:\{\w+\}|\w+))(?:\w|\$(?:\{\w+\}|\w+))*$/.test(template);
}
