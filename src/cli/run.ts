import type { TelltaleError } from '../protocol/index.ts';
import { type Command, DEFAULT_URL, EXIT, parse, usageError } from './command.ts';
import { onInterrupt } from './interrupt.ts';
import { Server } from './server.ts';
import { Watch } from './watch.ts';

export const run: Command = {
  help: `telltale run <agent> <input> [--url <url>]

Starts a run on a server and shows what it does: plan, agents, thinking, tools, answer.
Ctrl-C cancels the run; a second Ctrl-C leaves without waiting for its end.

  --url <url>              the server (default ${DEFAULT_URL}, or TELLTALE_URL)
  --max-cost <amount>      the most that it may cost, in US dollars
  --max-tokens <count>     the most tokens, in and out
  --max-tool-calls <count> the most tool calls
  --on-exceeded <what>     then: stop (default), pause or ask

Exit code: 0 completed, 1 failed or cancelled by others, 2 used wrongly, 130 cancelled with Ctrl-C.

Example:
  telltale run analyst "What are the risks in this project?"
`,

  async run(args) {
    const { values, positionals } = parse(args, { url: { type: 'string' }, ...BUDGET });
    const [agent, ...words] = positionals;
    const input = words.join(' ');
    if (agent === undefined || input === '') throw usageError('Say which agent shall run, and with what input.');
    const server = new Server(values.url);
    const { runId } = (await server.post(server.url`/v1/runs`, {
      ...{ agent, input },
      ...budgetOf(values),
    })) as { runId: string };

    const watch = new Watch();
    const leave = new AbortController();
    let cancelled = false;
    onInterrupt((times) => {
      if (times > 2) process.exit(EXIT.interrupted);
      if (times > 1) return leave.abort();
      cancelled = true;
      watch.notice('Cancelling the run. Ctrl-C again leaves at once.');
      server
        .post(server.url`/v1/runs/${runId}/cancel`, { by: 'telltale run', reason: 'Ctrl-C' })
        .catch((error: TelltaleError) => watch.notice(`The run could not be cancelled: ${error.message}`));
    });
    await watch.show(server.url`/v1/runs/${runId}/stream`, leave.signal);
    const status = watch.snapshot(runId)?.status;
    if (status === 'completed') return EXIT.done;
    if (leave.signal.aborted) watch.notice(`Left. "telltale tail ${runId}" shows the rest.`);
    return cancelled ? EXIT.interrupted : EXIT.failed;
  },
};

const BUDGET = {
  'max-cost': { type: 'string' },
  'max-tokens': { type: 'string' },
  'max-tool-calls': { type: 'string' },
  'on-exceeded': { type: 'string' },
} as const;

/** The server says what is wrong with a number; what is none is told here. */
function budgetOf(values: { readonly [option in keyof typeof BUDGET]?: string | undefined }): { budget?: object } {
  const number = (option: keyof typeof BUDGET) => {
    const text = values[option];
    if (text === undefined) return undefined;
    if (text.trim() === '' || !Number.isFinite(Number(text))) throw usageError(`--${option}: ${text} is no number.`);
    return Number(text);
  };
  const budget = {
    maxCost: number('max-cost'),
    maxTokens: number('max-tokens'),
    maxToolCalls: number('max-tool-calls'),
    onExceeded: values['on-exceeded'],
  };
  return Object.values(budget).some((it) => it !== undefined) ? { budget } : {};
}
