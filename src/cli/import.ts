import { createReadStream } from 'node:fs';
import { access, constants } from 'node:fs/promises';
import { TelltaleError } from '../protocol/index.ts';
import { type Command, DEFAULT_URL, EXIT, parse, usageError } from './command.ts';
import { plain } from './plain.ts';
import { Server } from './server.ts';
import { upload } from './upload.ts';

/** What the server says of each batch that is stored. */
interface Stored {
  readonly runId: string;
  readonly first: number;
  readonly last: number;
  readonly duplicate?: boolean;
  readonly status?: string;
}

export const importRun: Command = {
  help: `telltale import [file] [--as <run>] [--thread <thread>] [--url <url>]

Brings a run that "telltale export" wrote into the log of a server, from a file or from standard input. Its events keep
their times, agents and traces, and get new numbers. Until its end is stored it is an open run. When it is broken off,
the same command again goes on.

  --as <run>          under another id; its own must not be taken
  --thread <thread>   into this thread, instead of one of its own
  --url <url>         the server (default ${DEFAULT_URL}, or TELLTALE_URL)

Exit code: 0 the whole run is stored, 1 it is not, 2 used wrongly.

Example:
  telltale export 8k2v0c… | telltale import --as copy --url http://other:4747
`,

  async run(args) {
    const options = { url: { type: 'string' }, as: { type: 'string' }, thread: { type: 'string' } } as const;
    const { values, positionals } = parse(args, options);
    const [file, ...more] = positionals;
    if (more.length > 0) throw usageError('Name one file at most.');
    if (file !== undefined) await checkReadable(file);
    const query = new URLSearchParams({
      ...(values.as !== undefined && { runId: values.as }),
      ...(values.thread !== undefined && { threadId: values.thread }),
    });
    const url = `${new Server(values.url).url`/v1/runs/import`}?${query}`;

    let count = 0;
    let isNew = false;
    for await (const it of upload(url, file === undefined ? process.stdin : createReadStream(file))) {
      const { runId, first, last, duplicate, status } = it as Stored;
      count += last - first + 1;
      isNew ||= duplicate !== true;
      if (status === undefined) continue;
      tell(`run ${runId}: ${count} events, ${status}${isNew ? '' : ' (it was there before)'}`);
      return EXIT.done;
    }
    throw new TelltaleError(
      'unreachable',
      'The answer broke off. The same command again goes on where this one ended.',
    );
  },
};

async function checkReadable(file: string): Promise<void> {
  await access(file, constants.R_OK).catch(() => {
    throw usageError(`${file} cannot be read.`);
  });
}

const tell = (text: string): void => void process.stderr.write(`telltale: ${plain(text)}\n`);
