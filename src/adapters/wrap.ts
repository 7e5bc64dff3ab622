import { currentRun } from './current.ts';

/**
 * A function that reports as an agent of the run that it is called in: from where it begins to where it ends, with what it
 * was given and gave. It needs to be handed nothing; outside of runs it does what it always did.
 *
 * @example
 * const triage = agentMiddleware('Triage', async (question: string) => route(question));
 */
export function agentMiddleware<This, Args extends unknown[], R>(
  name: string,
  fn: (this: This, ...args: Args) => Promise<R> | R,
): (this: This, ...args: Args) => Promise<R> {
  return async function (...args) {
    const run = currentRun();
    const input = inputOf(args);
    const about = input === undefined ? {} : { input };
    return run ? run.agent(name, () => fn.apply(this, args), about) : fn.apply(this, args);
  };
}

/**
 * The same for a function that an agent calls: a tool. It does not begin while the run is paused, or may spend no more.
 *
 * @example
 * const listChangeRequests = functionMiddleware('list_change_requests', async (state: string) => find({ state }));
 */
export function functionMiddleware<This, Args extends unknown[], R>(
  name: string,
  fn: (this: This, ...args: Args) => Promise<R> | R,
): (this: This, ...args: Args) => Promise<R> {
  return async function (...args) {
    const run = currentRun();
    return run ? run.tool(name, inputOf(args), () => fn.apply(this, args)) : fn.apply(this, args);
  };
}

/** One argument stands for itself. */
const inputOf = (args: readonly unknown[]): unknown => (args.length > 1 ? args : args[0]);
