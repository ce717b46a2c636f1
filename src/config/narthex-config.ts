/**
 * The second file: settings that only Narthex has. They stand apart so that the main file stays one that Prometheus and
 * promtool accept. There are no settings yet; the file may exist, and anything in it is refused as unknown.
 */
import { ConfigError } from "../base/errors.ts";
import type { Fs } from "../base/fs.ts";
import { dirName, joinDirectory } from "./path.ts";
import { parseYaml } from "./yaml-node.ts";

// biome-ignore lint/complexity/noBannedTypes: the first setting makes this an ordinary interface
export type NarthexConfig = Readonly<{}>;

export function parseNarthexConfig(content: Uint8Array | string, file: string): NarthexConfig {
  parseYaml(content, file).readFields({});
  return {};
}

/**
 * `file` as --narthex.config.file names it; "" means `narthex.yml` beside the main file, which need not exist. Throws a
 * ConfigError.
 */
export function loadNarthexConfig(
  fs: Pick<Fs, "readFile" | "stat">,
  file: string,
  mainFile: string,
): NarthexConfig {
  const beside = joinDirectory(dirName(mainFile), "narthex.yml");
  if (file === "" && fs.stat(beside) === undefined) return {};
  const path = file === "" ? beside : file;
  return parseNarthexConfig(readFile(fs, path), path);
}

function readFile(fs: Pick<Fs, "readFile">, path: string): Uint8Array {
  try {
    return fs.readFile(path);
  } catch (error) {
    const { message } = error as Error;
    throw new ConfigError(path, 0, "", `cannot be read: ${message}; --narthex.config.file names it`, {
      cause: error,
    });
  }
}
