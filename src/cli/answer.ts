import type { Approval, RunSnapshot } from '../protocol/index.ts';
import { type Command, calledAs, DEFAULT_URL, EXIT, parse, usageError } from './command.ts';
import { plain, plainLine } from './plain.ts';
import { Server } from './server.ts';

type Word = 'approve' | 'deny';

/** `approve` and `deny`: both answer what a run asks. */
const answer = (word: Word, about: string, more: string): Command => ({
  help: `telltale ${word} <run> [question]${word === 'approve' ? ' [--decision <option>]' : ''} [--comment <text>] [--url <url>]

${about}
Without a question it is the one that waits; where several do, they are listed. The first answer counts, whoever gives it.

${more}  --comment <text>       why, for the agent and everybody who watches
  --url <url>            the server (default ${DEFAULT_URL}, or TELLTALE_URL)

Exit code: 0 it is the answer, 1 it is not (somebody was faster, it expired, nothing is asked), 2 used wrongly.

Example:
  telltale ${word} 8k2v0c… approval-1 --comment "${word === 'approve' ? 'Looks good' : 'Not on a Friday'}"
`,

  async run(args) {
    const text = { type: 'string' } as const;
    const { values, positionals } = parse(args, { url: text, comment: text, decision: text });
    if (word === 'deny' && values.decision !== undefined) throw usageError('--decision goes with "approve".');
    const [runId, approvalId, ...rest] = positionals;
    if (runId === undefined || rest.length > 0) throw usageError('Say which run, and at most one of its questions.');
    const server = new Server(values.url);
    const run = (await server.get(server.url`/v1/runs/${runId}`)) as RunSnapshot;
    const open = run.approvals.filter(({ status }) => status === 'requested');
    if (approvalId === undefined && open.length !== 1)
      return open.length === 0 ? asksNothing(run) : asksMore(run, open);
    const question = approvalId === undefined ? open[0] : run.approvals.find(({ id }) => id === approvalId);
    const decision = values.decision ?? (question && meaning(word, question)) ?? word;
    const at = server.url`/v1/runs/${runId}/approvals/${approvalId ?? (question as Approval).id}`;
    const { comment } = values;
    await server.post(at, { decision, by: `telltale ${word}`, ...(comment !== undefined && { comment }) });
    process.stdout.write(`Answered ${plainLine(decision)}: ${plainLine(question?.prompt ?? '')}\n`);
    return EXIT.done;
  },
});

export const approve = answer(
  'approve',
  'Answers what a run asks with a yes: the first of its options.',
  '  --decision <option>    another of its options\n',
);
export const deny = answer('deny', 'Answers what a run asks with a no.', '');

/** @throws {TelltaleError} `invalid_option` where a question has no such answer. */
function meaning(word: Word, { options }: Approval): string | undefined {
  if (word === 'approve' || options === undefined) return options?.[0];
  if (options.includes(word)) return word;
  throw usageError(`Its answers are ${options.join(' / ')}. Choose one: ${calledAs()} approve … --decision <option>.`);
}

function asksNothing({ runId, status }: RunSnapshot): number {
  process.stderr.write(`Run ${plain(runId)} (${status}) asks nothing now.\n`);
  return EXIT.failed;
}

function asksMore({ runId }: RunSnapshot, open: readonly Approval[]): number {
  const lines = open.map(
    ({ id, prompt, options = [] }) => `  ${plainLine(`${id}  ${prompt}  ${options.join(' / ')}`)}\n`,
  );
  process.stderr.write(`Run ${plain(runId)} asks more than one thing. Say which:\n${lines.join('')}`);
  return EXIT.usage;
}

/** What to type to answer a question. */
export function howToAnswer(runId: string, { id, options = [] }: Approval): string {
  // Ids are the producer's: what is copied into a shell holds no other ones. Without an id, the command asks which.
  const it = /^\w[\w.:-]*$/.test(id) ? `${runId} ${id}` : runId;
  const deny = options.includes('deny') || options.length === 0;
  const other = deny ? `or ${calledAs()} deny ${it}` : 'or with --decision <option>';
  return `The run waits for an answer: ${calledAs()} approve ${it}, ${other}`;
}
