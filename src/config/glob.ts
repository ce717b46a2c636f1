/**
 * The file patterns of `scrape_config_files` and `file_sd_configs`: `*` and `?` match within one path segment,
 * `[a-z]` and `[^a-z]` one character, a backslash takes the next character literally.
 */
import { ParseError } from "../base/errors.ts";
import type { Fs } from "../base/fs.ts";
import { dirName } from "./path.ts";

/** The existing paths that match, sorted within a directory. Directories that cannot be read match nothing. */
export function glob(fs: Pick<Fs, "stat" | "list">, pattern: string): string[] {
  if (!hasMagic(pattern)) return fs.stat(pattern) === undefined ? [] : [pattern];
  const dir = dirName(pattern);
  const name = pattern.slice(pattern.lastIndexOf("/") + 1);
  const test = segmentPattern(name);
  const dirs = hasMagic(dir) ? glob(fs, dir) : [dir];
  return dirs.flatMap((parent) => {
    const prefix = parent === "." && !pattern.startsWith("./") ? "" : parent === "/" ? "/" : `${parent}/`;
    return namesIn(fs, parent)
      .filter((entry) => test.test(entry))
      .map((entry) => prefix + entry);
  });
}

/** Throws a ParseError where the pattern is not well formed. */
export function checkGlob(pattern: string): void {
  for (const segment of pattern.split("/")) segmentPattern(segment);
}

function hasMagic(pattern: string): boolean {
  return /[*?[\\]/.test(pattern);
}

function namesIn(fs: Pick<Fs, "stat" | "list">, dir: string): string[] {
  if (fs.stat(dir)?.isDirectory !== true) return [];
  try {
    return fs.list(dir);
  } catch {
    // It vanished, or may not be read: for a pattern that is the same as holding no file.
    return [];
  }
}

/** Longer than any path may be. */
const segmentLengthMax = 4096;

function segmentPattern(segment: string): RegExp {
  if (segment.length > segmentLengthMax) {
    throw new ParseError(`a part of a pattern has more than ${segmentLengthMax} characters`, 0);
  }
  let source = "";
  let at = 0;
  while (at < segment.length) {
    const rest = segment.slice(at);
    const set = /^\[(\^?)((?:\\.|[^\\\]])+)\]/su.exec(rest);
    if (set !== null) {
      source += `[${set[1]}${rangeSource(set[2], segment)}]`;
      at += set[0].length;
      continue;
    }
    const escapes = rest[0] === "\\" ? 1 : 0;
    const code = rest.codePointAt(escapes);
    if (code === undefined || rest[0] === "[") throw malformed(segment);
    const char = String.fromCodePoint(code);
    if (rest[0] === "*") source += "[^/]*";
    else if (rest[0] === "?") source += "[^/]";
    else source += literal(char);
    at += char.length + escapes;
  }
  return new RegExp(`^${source}$`, "su");
}

/** Inside of brackets: characters and ranges, each end perhaps escaped. */
function rangeSource(body: string, segment: string): string {
  const chars = [...body.matchAll(/\\(.)|(.)/gsu)].map((match) => ({
    char: match[1] ?? match[2],
    dash: match[2] === "-",
  }));
  let source = "";
  for (let i = 0; i < chars.length; i++) {
    const low = chars[i];
    if (low.dash) throw malformed(segment);
    if (!chars[i + 1]?.dash) {
      source += literal(low.char);
      continue;
    }
    const high = chars[i + 2];
    if (high === undefined || high.dash) throw malformed(segment);
    // An empty range matches nothing, which a regular expression cannot say.
    if (low.char <= high.char) source += `${literal(low.char)}-${literal(high.char)}`;
    i += 2;
  }
  return source;
}

function literal(char: string): string {
  return `\\u{${(char.codePointAt(0) as number).toString(16)}}`;
}

function malformed(pattern: string): ParseError {
  return new ParseError(`syntax error in pattern "${pattern}"`, 0);
}
