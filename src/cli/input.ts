import { text } from 'node:stream/consumers';
import { type Command, DEFAULT_URL, EXIT, parse, usageError } from './command.ts';
import { plain } from './plain.ts';
import { Server } from './server.ts';

export const input: Command = {
  help: `telltale input <run> <text> [--url <url>]
telltale input <run> - [--url <url>]

Says something to a run that has not ended; with - what is said comes from standard input, without
its last line feed. An agent that listens gets it.

  --url <url>   the server (default ${DEFAULT_URL}, or TELLTALE_URL)

Exit code: 0 it is in the log, 1 it is not, 2 used wrongly.

Example:
  telltale input 8k2v0c… "Only the last quarter, please"
`,

  async run(args) {
    const { values, positionals } = parse(args, { url: { type: 'string' } });
    const [runId, ...words] = positionals;
    if (runId === undefined || words.length === 0) throw usageError('Say to which run, and what.');
    const server = new Server(values.url);
    const said =
      words.length === 1 && words[0] === '-' ? (await text(process.stdin)).replace(/\r?\n$/, '') : words.join(' ');
    const body = { input: said, by: 'telltale input' };
    const { seq } = (await server.post(server.url`/v1/runs/${runId}/input`, body)) as { readonly seq: number };
    process.stdout.write(`Said to run ${plain(runId)}: event ${seq}.\n`);
    return EXIT.done;
  },
};
