import { TelltaleError } from '../protocol/index.ts';
import { type Command, DEFAULT_URL, EXIT, parse, usageError } from './command.ts';
import { onInterrupt } from './interrupt.ts';
import { Server } from './server.ts';
import { Watch } from './watch.ts';

export const tail: Command = {
  help: `telltale tail <run or thread> [--thread] [--from start|now] [--json] [--url <url>]

Shows what happened and goes on live, until the run ends (a thread does not end). Nothing that is missed while the
server is away is lost: it comes when the server is back. Ctrl-C leaves; the run goes on.

  --thread           the thread of this id, though there is such a run too: with the runs that it starts
  --from start|now   with everything from the beginning (default), or only what happens from now on
  --json             one event per line, as JSON
  --url <url>        the server (default ${DEFAULT_URL}, or TELLTALE_URL)

Exit code: 0 at the end of the run (however it ended), 1 when it cannot be shown, 2 used wrongly, 130 after Ctrl-C.

Examples:
  telltale tail 8k2v0c…
  telltale tail 8k2v0c… --json | jq -r 'select(.type == "tool.called") | .data.name'
`,

  async run(args) {
    const options = {
      url: { type: 'string' },
      thread: { type: 'boolean' },
      from: { type: 'string', default: 'start' },
      json: { type: 'boolean' },
    } as const;
    const { values, positionals } = parse(args, options);
    const [id, ...more] = positionals;
    if (id === undefined || more.length > 0) throw usageError('Say which run or thread, and only one.');
    if (values.from !== 'start' && values.from !== 'now') throw usageError('--from is "start" or "now".');
    const server = new Server(values.url);
    const isOne = (await isRun(server, id)) && !values.thread;
    const stream = isOne ? server.url`/v1/runs/${id}/stream` : server.url`/v1/threads/${id}/stream`;

    const leave = new AbortController();
    onInterrupt((times) => {
      if (times > 1) process.exit(EXIT.interrupted);
      leave.abort();
    });
    // One event per line: what jq selects by type must not depend on how fast it came.
    const whole = values.json ? '&coalesce=off' : '';
    await new Watch(values.json).show(`${stream}?from=${values.from}${whole}`, leave.signal);
    return leave.signal.aborted ? EXIT.interrupted : EXIT.done;
  },
};

/** @throws {TelltaleError} `run_not_found` when it is neither a run nor a thread. */
async function isRun(server: Server, id: string): Promise<boolean> {
  for (const url of [server.url`/v1/runs/${id}`, server.url`/v1/threads/${id}`]) {
    try {
      await server.get(url);
      return url.includes('/runs/');
    } catch (error) {
      if (!(error instanceof TelltaleError) || error.status !== 404) throw error;
    }
  }
  throw new TelltaleError('run_not_found', `There is no run and no thread ${id}.`);
}
