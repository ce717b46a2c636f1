/**
 * Asks both servers and says what differs.
 *
 * Prometheus hands series from operator to operator in the random order of a Go map: sums over them differ from one
 * time to the next in their last digits, topk picks others among equals. Where the answers differ Prometheus is asked
 * again, and where it does not agree with itself ("unstable") ours only has to lie between its answers.
 */
import { allowances, changedCounts, comparable, modernised } from "./allowed.ts";
import { type Answer, ask, difference, isEmpty } from "./answers.ts";
import { Envelope } from "./envelope.ts";
import { describeQuestion, parameterOf, type Question } from "./questions.ts";
import type { ServerPair } from "./server-pair.ts";

export interface Outcome {
  /** Both gave the same answer, and it was one. */
  readonly answered: boolean;
  readonly problem?: string;
}

/** How often Prometheus is asked again if its answers differ, and if they do not: a map of two is turned around rarely. */
const repetitions = { unstable: 60, stable: 250 };
/** Of equals they pick other ones each time. */
const picksSome = /\b(topk|bottomk)\b/i;

export class Comparison {
  asked = 0;
  errors = 0;
  empty = 0;
  unstable = 0;
  /** How often each allowance was made use of. */
  readonly allowed = new Map<string, number>();

  async ask(pair: ServerPair, question: Question): Promise<Outcome> {
    this.asked++;
    const theirs = await ask(pair.theirs, question);
    const ours = await ask(pair.ours, question);
    if (theirs.error !== undefined) this.errors++;
    else if (isEmpty(theirs)) this.empty++;
    const problem = differenceOf(question, theirs, ours);
    if (problem === undefined) return { answered: theirs.error === undefined && !isEmpty(theirs) };
    const allowance = allowances.find(({ holds }) =>
      holds(parameterOf(question, "query"), theirs, ours, question),
    );
    if (allowance !== undefined) {
      this.allowed.set(allowance.reason, (this.allowed.get(allowance.reason) ?? 0) + 1);
      return { answered: false };
    }
    const envelope = await envelopeOf(pair, question, theirs);
    if (envelope === undefined)
      return { answered: false, problem: `${describeQuestion(question)}\n  ${problem}` };
    this.unstable++;
    const misfit = picksSome.test(parameterOf(question, "query")) ? undefined : envelope.misfit(ours);
    return { answered: false, problem: misfit && `${describeQuestion(question)}\n  unstable: ${misfit}` };
  }

  summary(): string {
    const { asked, errors, empty, unstable } = this;
    const allowed = [...this.allowed].map(([reason, count]) => `${count} × ${reason}`).join("; ");
    return `${asked} questions: ${errors} errors alike, ${empty} empty, ${unstable} unstable; allowed: ${allowed || "none"}`;
  }
}

function differenceOf(question: Question, theirs: Answer, ours: Answer): string | undefined {
  if (theirs.text === ours.text) return undefined;
  if (!question.path.startsWith("query")) return `theirs ${theirs.text}\n  ours   ${ours.text}`;
  return difference(modernised(theirs, changedCounts(question)), comparable(ours));
}

/** All answers that Prometheus has; undefined where it has only one. */
async function envelopeOf(
  pair: ServerPair,
  question: Question,
  theirs: Answer,
): Promise<Envelope | undefined> {
  const envelope = new Envelope();
  envelope.add(theirs);
  let isUnstable = false;
  for (let i = 0; i < (isUnstable ? repetitions.unstable : repetitions.stable); i++) {
    const again = await ask(pair.theirs, question);
    envelope.add(again);
    isUnstable ||= difference(theirs, again) !== undefined;
  }
  return isUnstable ? envelope : undefined;
}
