/** File names as the configuration has them, with "/" between segments. */

export function isAbsolutePath(path: string): boolean {
  return path.startsWith("/");
}

/** The directory part, without a slash at its end: "." where there is none. */
export function dirName(path: string): string {
  const end = path.lastIndexOf("/");
  if (end < 0) return ".";
  return end === 0 ? "/" : path.slice(0, end);
}

/** A path of the configuration, relative to the directory of its file; "" stays "". Absolute ones are left alone. */
export function joinDirectory(dir: string, path: string): string {
  return path === "" || isAbsolutePath(path) ? path : cleanPath(`${dir}/${path}`);
}

/** Without empty and "." segments, ".." applied. */
export function cleanPath(path: string): string {
  const absolute = isAbsolutePath(path);
  const kept: string[] = [];
  for (const segment of path.split("/")) {
    if (segment === "" || segment === ".") continue;
    const up = segment === "..";
    if (up && kept.length > 0 && kept[kept.length - 1] !== "..") kept.pop();
    else if (!up || !absolute) kept.push(segment);
  }
  const joined = kept.join("/");
  if (absolute) return `/${joined}`;
  return joined === "" ? "." : joined;
}
