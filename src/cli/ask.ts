import { follow } from '../client/index.ts';
import {
  type Command as Asked,
  emptySnapshot,
  isEnded,
  type RunSnapshot,
  type RunStatus,
  reduce,
  TelltaleError,
} from '../protocol/index.ts';
import { type Command, calledAs, DEFAULT_URL, EXIT, parse, usageError } from './command.ts';
import { failure } from './phrases.ts';
import { plain } from './plain.ts';
import { Server } from './server.ts';

type Wish = Asked['command'];

/** What a run is like when it is as it was asked to be. */
const WISHED: Readonly<Record<Wish, RunStatus>> = { cancel: 'cancelled', pause: 'paused', resume: 'running' };

/** `cancel`, `pause` and `resume`: each asks a run, waits, and says what came of it. */
const ask = (wish: Wish, about: string): Command => ({
  help: `telltale ${wish} <run> [--reason <text>] [--url <url>]

${about}
Waits until the log tells what came of it. Ctrl-C leaves; what was asked for stays asked for.

  --reason <text>   why, for everybody who watches the run
  --url <url>       the server (default ${DEFAULT_URL}, or TELLTALE_URL)

Exit code: 0 the run is ${WISHED[wish]}, 1 it is not (refused, not followed in time, or it had ended), 2 used wrongly.

Example:
  telltale ${wish} 8k2v0c… --reason "Let me look at this first"
`,

  async run(args) {
    const { values, positionals } = parse(args, { url: { type: 'string' }, reason: { type: 'string' } });
    const [runId, ...more] = positionals;
    if (runId === undefined || more.length > 0) throw usageError(`Say which run to ${wish}, and only one.`);
    const server = new Server(values.url);
    const body = { by: `telltale ${wish}`, ...(values.reason !== undefined && { reason: values.reason }) };
    const answer = (await server.post(server.url`/v1/runs/${runId}/${wish}`, body)) as Answer;
    if (answer.commandId === undefined) {
      print(isEnded(answer.status) ? `Run ${runId} had ended: ${answer.status}.` : `Run ${runId} is ${answer.status}.`);
      return answer.status === WISHED[wish] ? EXIT.done : EXIT.failed;
    }
    notice(`Asked run ${runId} to ${wish}.`);
    const outcome = await outcomeOf(server.url`/v1/runs/${runId}/stream`, runId, answer.commandId);
    print(words(wish, runId, outcome));
    return outcome.run.status === WISHED[wish] ? EXIT.done : EXIT.failed;
  },
});

export const pause = ask(
  'pause',
  'What is under way finishes; before its next tool, model call or checkpoint the agent is held, until "resume".',
);
export const resume = ask('resume', 'Lets a run that is paused, or was asked to pause, go on.');
export const cancel = ask('cancel', 'Stops a run: its agent may tidy up, and the run ends as cancelled.');

interface Answer {
  readonly status: RunStatus;
  readonly commandId?: string;
}

interface Outcome {
  readonly asked: Asked;
  readonly run: RunSnapshot;
}

/** Folds what is said about commands until it tells what came of this one. @throws {TelltaleError} what `follow` does. */
async function outcomeOf(stream: string, runId: string, commandId: string): Promise<Outcome> {
  let run = emptySnapshot(runId);
  for await (const it of follow(`${stream}?types=control.*,run.*`)) {
    if (it.kind === 'disconnected' && it.attempt === 1) notice(`${it.error.message} Trying again.`);
    if (it.kind === 'reset') run = emptySnapshot(runId);
    if (it.kind !== 'event') continue;
    run = reduce(run, it.event);
    const asked = run.commands.find(({ id }) => id === commandId);
    if (asked && asked.status !== 'requested') return { asked, run };
  }
  throw new TelltaleError('stream_broken', `The log of run ${runId} ended without a word about this. Ask again.`);
}

function words(wish: Wish, runId: string, { asked, run }: Outcome): string {
  switch (asked.status) {
    case 'applied':
      return `Run ${runId} ${wish === 'cancel' ? 'was' : 'is'} ${WISHED[wish]}.`;
    case 'refused':
      return `Refused: ${asked.error ? failure(asked.error) : 'no reason was given.'}`;
    case 'void':
      return `Run ${runId} ended first: ${run.status}.`;
    default:
      return `Nothing has followed it yet; it may still be. "${calledAs()} tail ${runId}" shows when.`;
  }
}

const print = (text: string): boolean => process.stdout.write(`${plain(text)}\n`);
const notice = (text: string): boolean => process.stderr.write(`* ${plain(text)}\n`);
