/** Small clients of the HTTP API for tests. */

export interface ApiSeries {
  readonly metric: Readonly<Record<string, string>>;
  readonly value?: readonly [number, string];
  readonly values?: readonly (readonly [number, string])[];
  readonly histograms?: readonly (readonly [number, { readonly count: string; readonly sum: string }])[];
}

export interface ApiAnswer {
  readonly status: number;
  readonly body: {
    readonly status: "success" | "error";
    readonly data?: { readonly resultType: string; readonly result: readonly ApiSeries[] };
    readonly errorType?: string;
    readonly error?: string;
    readonly warnings?: readonly string[];
    readonly infos?: readonly string[];
  };
}

async function ask(url: string, parameters: Record<string, string>): Promise<ApiAnswer> {
  const response = await fetch(url, { method: "POST", body: new URLSearchParams(parameters) });
  const text = await response.text();
  try {
    return { status: response.status, body: JSON.parse(text) };
  } catch {
    throw new Error(`${url} answered ${response.status} and no JSON: ${text.slice(0, 300)}`);
  }
}

export function queryInstant(server: string, query: string, time: number): Promise<ApiAnswer> {
  return ask(`${server}/api/v1/query`, { query, time: String(time) });
}

export function queryRange(
  server: string,
  query: string,
  start: number,
  end: number,
  step: number,
): Promise<ApiAnswer> {
  return ask(`${server}/api/v1/query_range`, {
    query,
    start: String(start),
    end: String(end),
    step: String(step),
  });
}

/** The series of a successful answer; throws with the server's error otherwise. */
export function resultOf(answer: ApiAnswer): readonly ApiSeries[] {
  if (answer.body.status !== "success" || answer.body.data === undefined) {
    throw new Error(`the query failed with ${answer.status}: ${answer.body.errorType}: ${answer.body.error}`);
  }
  return answer.body.data.result;
}

/** A label set as a Map key. */
export function keyOf(metric: Readonly<Record<string, string>>): string {
  return JSON.stringify(Object.entries(metric).sort(([a], [b]) => (a < b ? -1 : 1)));
}
