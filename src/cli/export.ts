import { once } from 'node:events';
import { runFileHeader, type TelltaleEvent } from '../protocol/index.ts';
import { type Command, DEFAULT_URL, EXIT, parse, usageError } from './command.ts';
import { plain, plainJson } from './plain.ts';
import { Server } from './server.ts';

interface Page {
  readonly events: readonly TelltaleEvent[];
  readonly cursor: string;
  readonly more: boolean;
  readonly ended: boolean;
}

export const exportRun: Command = {
  help: `telltale export <run> [--url <url>]

Writes a run to standard output, as "telltale import" takes it: a line that says what it is, then one event per line, as
JSON, exactly as they are in the log. Of a run that has not ended, what there is now.

  --url <url>   the server (default ${DEFAULT_URL}, or TELLTALE_URL)

Exit code: 0 written, 1 it cannot be read, 2 used wrongly.

Example:
  telltale export 8k2v0c… > run.ndjson
`,

  async run(args) {
    const { values, positionals } = parse(args, { url: { type: 'string' } });
    const [run, ...more] = positionals;
    if (run === undefined || more.length > 0) throw usageError('Say which run, and only one.');
    const server = new Server(values.url);
    const address = `${server.url`/v1/runs/${run}/events`}?limit=1000`;

    let page = (await server.get(address)) as Page;
    const first = page.events[0];
    if (first) await write(runFileHeader(run, first.threadId));
    if (first?.type !== 'run.queued' && first?.type !== 'run.started') {
      note('The beginning of this run is no longer in the log: it cannot be imported.');
    }
    for (;;) {
      for (const event of page.events) await write(event);
      if (!page.more) break;
      page = (await server.get(`${address}&after=${page.cursor}`)) as Page;
    }
    if (!page.ended) note('This run has not ended. Import it when it has: export it again then.');
    return EXIT.done;
  },
};

/** One line, when there is room for it. */
async function write(line: object): Promise<void> {
  if (!process.stdout.write(`${plainJson(line)}\n`)) await once(process.stdout, 'drain');
}

const note = (text: string): void => void process.stderr.write(`telltale: ${plain(text)}\n`);
