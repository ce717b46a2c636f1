/** The CORS headers of the API's answers, by `--web.cors.origin`. */
import { compileAnchored } from "../model/regexp.ts";

const corsHeaders = {
  "access-control-allow-headers": "Accept, Authorization, Content-Type, Origin",
  "access-control-allow-methods": "GET, POST, OPTIONS",
  "access-control-expose-headers": "Date",
};

/** From a request's Origin header ("" if missing) to the headers of its answer. */
export type CorsPolicy = (origin: string) => Readonly<Record<string, string>>;

/** Throws a ParseError where `pattern` is no regular expression. */
export function corsPolicy(pattern: string): CorsPolicy {
  const allowed = compileAnchored(pattern);
  return (origin) => {
    if (origin === "") return {};
    return allowed.matches(origin) ? { ...corsHeaders, "access-control-allow-origin": origin } : corsHeaders;
  };
}
