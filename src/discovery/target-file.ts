/** A discovery file: a list of target groups in YAML or, by the name's ending, in JSON. */
import { ConfigError } from "../base/errors.ts";
import { readTargetGroup } from "../config/scrape-config.ts";
import { parseYaml } from "../config/yaml-node.ts";
import { isValidLabelName } from "../model/relabel.ts";
import { type TargetGroup, targetGroup } from "./target-group.ts";

/** Throws a ConfigError where the content is not a list of target groups. */
export function readTargetFile(content: Uint8Array, path: string): TargetGroup[] {
  const groups = path.toLowerCase().endsWith(".json") ? readJson(content, path) : readYaml(content, path);
  return groups.map(({ targets, labels }, i) =>
    targetGroup(`${path}:${i}`, targets, { ...labels, __meta_filepath: path }),
  );
}

interface Group {
  readonly targets: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
}

function readYaml(content: Uint8Array, path: string): Group[] {
  return parseYaml(content, path)
    .items()
    .map((item) => {
      if (item.isNull) throw item.error("the target group is empty");
      return readTargetGroup(item);
    });
}

function readJson(content: Uint8Array, path: string): Group[] {
  const fail = (problem: string, cause?: unknown) => new ConfigError(path, 1, "", problem, { cause });
  let parsed: unknown;
  try {
    parsed = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(content));
  } catch (error) {
    throw fail(`this is not JSON: ${(error as Error).message}`, error);
  }
  if (parsed === null) return [];
  if (!Array.isArray(parsed)) throw fail("a list of target groups expected");
  return parsed.map((group: unknown, i) => {
    if (typeof group !== "object" || group === null) throw fail(`group ${i} is not an object`);
    return readJsonGroup(group, (problem) => fail(`group ${i}: ${problem}`));
  });
}

function readJsonGroup(group: object, fail: (problem: string) => ConfigError): Group {
  let targets: readonly string[] = [];
  let labels: Readonly<Record<string, string>> = {};
  for (const [key, value] of Object.entries(group)) {
    const name = key.toLowerCase();
    if (name === "targets") {
      if (value !== null && !isTexts(value)) throw fail("targets must be a list of texts");
      targets = value ?? [];
    } else if (name === "labels") {
      if (value !== null && !(typeof value === "object" && isTexts(Object.values(value)))) {
        throw fail("labels must be an object of texts");
      }
      labels = value ?? {};
      const wrong = Object.keys(labels).find((label) => !isValidLabelName(label, "utf8"));
      if (wrong !== undefined) throw fail(`"${wrong}" is not a valid label name`);
    } else throw fail(`unknown key "${key}"`);
  }
  return { targets, labels };
}

function isTexts(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((item) => typeof item === "string");
}
