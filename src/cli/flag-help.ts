import type { FlagDefinition } from "./flag-definition.ts";
import { narthexFlags, prometheusFlags } from "./flag-table.ts";

const indent = 31;
const width = 100;

/** The text of --help. */
export function flagHelp(): string {
  const visible = (flags: readonly FlagDefinition[]) => flags.filter((flag) => flag.hidden !== true);
  return [
    "usage: narthex [<flags>]",
    "       narthex tsdb verify [<dir>]",
    "       narthex tsdb repair [--dry-run] [<dir>]",
    "",
    "The Prometheus monitoring server, in TypeScript. Flags marked (*) are accepted but do nothing yet.",
    "",
    "Flags:",
    entry("  -h, --help", "Show this help."),
    entry("      --version", "Show the version."),
    ...visible(prometheusFlags).map(describe),
    "",
    "Flags that Prometheus does not have:",
    ...visible(narthexFlags).map(describe),
    "",
  ].join("\n");
}

function describe(flag: FlagDefinition): string {
  const marks = [
    flag.noEffectYet === true ? "(*)" : "",
    flag.words === undefined || flag.kind === "texts" ? "" : `One of: [${flag.words.join(", ")}].`,
    flag.mode === "agent" ? "Agent mode only." : "",
  ];
  return entry(`      ${spelling(flag)}`, [flag.help, ...marks].filter((part) => part !== "").join(" "));
}

function spelling(flag: FlagDefinition): string {
  if (flag.kind === "bool") return `--[no-]${flag.name}`;
  const fallback =
    flag.default === "" || /[ .]$|^\w*$/.test(flag.default) ? `"${flag.default}"` : flag.default;
  const repeated = flag.kind === "texts" ? " ..." : "";
  return `--${flag.name}=${flag.placeholder ?? fallback}${repeated}`;
}

function entry(head: string, text: string): string {
  const lines = wrap(text, width - indent);
  const pad = " ".repeat(indent);
  const first = head.length < indent - 1 ? head.padEnd(indent) + lines[0] : `${head}\n${pad}${lines[0]}`;
  return [first, ...lines.slice(1).map((line) => pad + line)].join("\n");
}

function wrap(text: string, columns: number): string[] {
  const lines = [""];
  for (const word of text.split(" ")) {
    const line = lines[lines.length - 1];
    if (line !== "" && line.length + 1 + word.length > columns) lines.push(word);
    else lines[lines.length - 1] = line === "" ? word : `${line} ${word}`;
  }
  return lines;
}
