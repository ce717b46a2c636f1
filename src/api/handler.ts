/** What an endpoint is: a function from a request to an answer, over the services. */
import type { FormValues } from "./params/form.ts";
import type { Answer, Services } from "./services.ts";

export interface ApiRequest {
  /** Of the URL, and of a form in the body. */
  readonly form: FormValues;
  /** Of the URL alone. */
  readonly urlValues: FormValues;
  /** What stands at `:name` in the route's path, unescaped. */
  readonly pathParameters: Readonly<Record<string, string | undefined>>;
  /** "" where the header is missing. */
  header(name: string): string;
  /** The raw body of the routes that ask for it; owns its memory. */
  readonly body: Uint8Array;
  /** Aborts when the client goes away. */
  readonly signal: AbortSignal;
}

/** May throw an ApiError. */
export type Handler = (services: Services, request: ApiRequest) => Answer | Promise<Answer>;
