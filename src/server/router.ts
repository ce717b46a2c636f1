/** Finds what a path belongs to. `:name` in a path stands for one segment; longer literal matches win over it. */

export interface Found<T> {
  readonly path: string;
  readonly value: T;
  readonly parameters: Readonly<Record<string, string>>;
}

interface Entry<T> {
  readonly path: string;
  readonly segments: readonly string[];
  readonly value: T;
}

export class Router<T> {
  readonly #literal = new Map<string, Entry<T>>();
  readonly #withParameters: Entry<T>[] = [];

  add(path: string, value: T): void {
    const entry = { path, segments: path.split("/"), value };
    if (path.includes("/:")) this.#withParameters.push(entry);
    else this.#literal.set(path, entry);
  }

  /** Throws a URIError where a segment that is a parameter is not valid percent-encoding. */
  find(path: string): Found<T> | undefined {
    const literal = this.#literal.get(path);
    if (literal !== undefined) return { path: literal.path, value: literal.value, parameters: {} };
    const segments = path.split("/");
    for (const entry of this.#withParameters) {
      if (!fits(entry.segments, segments)) continue;
      const parameters: Record<string, string> = {};
      entry.segments.forEach((segment, i) => {
        if (segment.startsWith(":")) parameters[segment.slice(1)] = decodeURIComponent(segments[i]);
      });
      return { path: entry.path, value: entry.value, parameters };
    }
    return undefined;
  }
}

function fits(pattern: readonly string[], segments: readonly string[]): boolean {
  if (pattern.length !== segments.length) return false;
  return pattern.every((segment, i) =>
    segment.startsWith(":") ? segments[i] !== "" : segment === segments[i],
  );
}
