/**
 * The replacement templates of relabelling, which are those of Go's `regexp.Expand`: `$1` and `${1}` stand for a group
 * by number, `$name` and `${name}` by name, `$$` for a dollar sign. `$name` takes the longest run of letters, digits
 * and underscores, so `$1x` is the group named "1x". A group that does not exist or took no part is empty; a dollar
 * sign that starts none of these stands for itself.
 */

/** Groups of a match: by index (0 is the whole match) and by name. Undefined: took no part. */
export interface MatchGroups {
  readonly groups: readonly (string | undefined)[];
  readonly names: Readonly<Record<string, number>>;
}

const reference = /\$(?:\$|\{([\p{L}\p{Nd}_]+)\}|([\p{L}\p{Nd}_]+))/gu;

export function hasReferences(template: string): boolean {
  return template.includes("$");
}

export function expandTemplate(template: string, match: MatchGroups): string {
  if (!hasReferences(template)) return template;
  return template.replace(reference, (whole, braced?: string, bare?: string) => {
    const name = braced ?? bare;
    return name === undefined ? whole.slice(1) : group(match, name);
  });
}

/** A number with leading zeros, or of more than nine digits, is a name. */
function group(match: MatchGroups, name: string): string {
  if (/^(?:0|[1-9]\d{0,8})$/.test(name)) return match.groups[Number(name)] ?? "";
  return match.groups[match.names[name] ?? -1] ?? "";
}
