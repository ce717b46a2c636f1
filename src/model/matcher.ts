import { quote } from "../base/quote.ts";
import { isLegacyLabelName } from "./labels.ts";
import { compileAnchored, type StringTest } from "./regexp.ts";

export type MatchType = "=" | "!=" | "=~" | "!~";

/** A condition on the value of one label; a missing label has the value "". */
export class Matcher {
  readonly type: MatchType;
  readonly name: string;
  readonly value: string;
  readonly #test: StringTest | undefined;

  /** Throws a ParseError where `value` is a regular expression that RE2 does not accept. */
  constructor(type: MatchType, name: string, value: string) {
    this.type = type;
    this.name = name;
    this.value = value;
    this.#test = type === "=~" || type === "!~" ? compileAnchored(value) : undefined;
  }

  matches(value: string): boolean {
    switch (this.type) {
      case "=":
        return value === this.value;
      case "!=":
        return value !== this.value;
      case "=~":
        return (this.#test as StringTest).matches(value);
      case "!~":
        return !(this.#test as StringTest).matches(value);
    }
  }

  /** Whether series without this label match. */
  get matchesEmpty(): boolean {
    return this.matches("");
  }

  /** For "=~" and "!~": all strings that the expression matches, where they are few; otherwise undefined. */
  get literals(): readonly string[] | undefined {
    return this.#test?.literals;
  }

  /** For "=~" and "!~": what every matching string starts with; "" where nothing is known. */
  get prefix(): string {
    return this.#test?.prefix ?? "";
  }

  /** The matcher that accepts exactly what this one refuses. */
  inverse(): Matcher {
    const inverse = { "=": "!=", "!=": "=", "=~": "!~", "!~": "=~" } as const;
    return new Matcher(inverse[this.type], this.name, this.value);
  }

  toString(): string {
    const name = isLegacyLabelName(this.name) ? this.name : quote(this.name);
    return `${name}${this.type}${quote(this.value)}`;
  }
}
