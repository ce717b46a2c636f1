/** An environment variable; undefined where it is not set. */
export type GetEnv = (name: string) => string | undefined;

const reference = /\$(?:\{([^}]*)\}|([a-zA-Z_][a-zA-Z0-9_]*|[*#$@!?0-9-])|\{)/g;

/**
 * Replaces `$NAME` and `${NAME}` by the variable's value, by nothing where there is none; `$$` is a dollar sign. A
 * dollar sign before anything else stays; a brace without its end vanishes, as in Prometheus.
 */
export function expandEnvironment(text: string, getEnv: GetEnv): string {
  return text.replace(reference, (_, braced?: string, bare?: string) => {
    const name = braced ?? bare ?? "";
    if (name === "" || name === "$") return name;
    return getEnv(name) ?? "";
  });
}
