/**
 * Runs one input of a target and says what became of it. The bounds that every decoder has to keep are here: no error
 * but the expected ones, no endless loop, no second of work, no memory by an unchecked length.
 */
import { getHeapStatistics } from "node:v8";
import { Script } from "node:vm";
import { type FuzzTarget, isExpected } from "./target.ts";

/** For one input of at most 64 KiB. */
const inputMsMax = 1000;
/** A decoder may hold several times what came in; a length that nobody checked asks for more than that. */
const inputBytesMax = 48 * 1024 * 1024;

/** What became of an input. `problem` is "" where it was accepted or refused as it should be. */
export interface Verdict {
  readonly accepted: boolean;
  /** The expected error. */
  readonly refusal: string;
  readonly problem: string;
  readonly ms: number;
}

export function judge(target: FuzzTarget, input: Uint8Array): Verdict {
  // A decoder may keep views of its input, or even scribble on it: the caller's bytes must stay as they are.
  const bytes = input.slice();
  const before = usedBytes();
  const start = performance.now();
  let accepted = false;
  let refusal = "";
  let problem = "";
  try {
    accepted = target.run(bytes);
  } catch (error) {
    if (isExpected(error)) refusal = (error as Error).message;
    else problem = describe(error);
  }
  const ms = performance.now() - start;
  const grown = usedBytes() - before;
  if (problem === "" && ms > inputMsMax) problem = `slow: more than ${inputMsMax} ms`;
  if (problem === "" && grown > inputBytesMax) problem = `large: more than ${inputBytesMax >> 20} MiB`;
  return { accepted, refusal, problem, ms };
}

function usedBytes(): number {
  const { used_heap_size, external_memory } = getHeapStatistics();
  return used_heap_size + external_memory;
}

/** The error and where it came from, without what varies from input to input. */
function describe(error: unknown): string {
  if (!(error instanceof Error)) return `threw ${String(error)}`;
  const frames = (error.stack ?? "").split("\n").filter((line) => /\/(src|test)\//.test(line));
  const place = frames
    .slice(0, 2)
    .map((line) => line.replace(/^\s*at /, "").replace(/\(?\S*\/(src|test)\//, "($1/"));
  return `${error.name}: ${error.message.slice(0, 200)} ${place.join(" < ")}`;
}

const slot = Symbol.for("narthex.fuzz.action");
const script = new Script(`globalThis[Symbol.for("narthex.fuzz.action")]()`);

/** Runs `action` to its end, or stops it wherever it is after `timeoutMs` and returns false. */
export function runGuarded(action: () => void, timeoutMs: number): boolean {
  const globals = globalThis as Record<symbol, unknown>;
  globals[slot] = action;
  try {
    script.runInThisContext({ timeout: timeoutMs });
    return true;
  } catch (error) {
    if ((error as { code?: string }).code !== "ERR_SCRIPT_EXECUTION_TIMEOUT") throw error;
    return false;
  } finally {
    delete globals[slot];
  }
}

const hangMs = 10_000;

/** {@link judge} for a single input, which may also hang. Slow or large ones get two more chances: the machine is shared. */
export function judgeGuarded(target: FuzzTarget, input: Uint8Array): Verdict {
  let verdict: Verdict = {
    accepted: false,
    refusal: "",
    problem: `hangs: more than ${hangMs} ms`,
    ms: hangMs,
  };
  for (let attempt = 0; attempt < 3; attempt++) {
    const finished = runGuarded(() => {
      verdict = judge(target, input);
    }, hangMs);
    if (!finished || !/^(slow|large):/.test(verdict.problem)) break;
  }
  return verdict;
}
