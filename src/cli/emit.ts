import { createInterface } from 'node:readline';
import { Producer } from '../client/index.ts';
import { type EventDraft, isTerminal, TelltaleError } from '../protocol/index.ts';
import { type Command, DEFAULT_URL, EXIT, parse, usageError } from './command.ts';
import { plain } from './plain.ts';
import { Server } from './server.ts';
import { fetchAsCaller } from './token.ts';

export const emit: Command = {
  help: `telltale emit <run> [--url <url>]
telltale emit --new <agent> [--lease <seconds>] [--url <url>]

Appends events from standard input to a run that nobody runs here: one JSON event per line. What is acknowledged is told
on standard error. While the server is away the events wait, and standard input with them.

  --new <agent>       open a run for it, and complete it at the end of the input unless a line has ended it
  --lease <seconds>   with --new: the run fails when nothing was appended for so long (5 to 3600)
  --url <url>         the server (default ${DEFAULT_URL}, or TELLTALE_URL)

Exit code: 0 everything is stored, 1 something was refused, 2 used wrongly.

Example:
  echo '{"type":"status.updated","data":{"status":"building"}}' | telltale emit --new builder
`,

  async run(args) {
    const { values, positionals } = parse(args, {
      url: { type: 'string' },
      new: { type: 'string' },
      lease: { type: 'string' },
    });
    const agent = values.new;
    const [run] = positionals;
    if ((run === undefined) === (agent === undefined) || positionals.length > 1) {
      throw usageError('Say to which run, or open one with --new <agent>.');
    }
    if (values.lease !== undefined && agent === undefined) throw usageError('--lease goes with --new.');
    const server = new Server(values.url);
    const runId = run ?? (await open(server, agent as string, values.lease));
    const producer = new Producer(server.url`/v1/runs/${runId}/events`, {
      fetch: fetchAsCaller,
      onTrouble: ({ message }) => tell(`${message} Trying again.`),
      onAcknowledged: (count) => tell(`${count} stored`),
    });
    let hasEnded = false;
    let number = 0;
    try {
      for await (const line of createInterface({ input: process.stdin })) {
        number++;
        if (line.trim() === '') continue;
        const event = read(line, number);
        await producer.send(event);
        hasEnded = isTerminal(event.type);
      }
    } catch (error) {
      // What came before a line that is none is stored.
      await producer.flush();
      throw error;
    } finally {
      // Who writes to it may go on; a program that waits for that would not end.
      process.stdin.destroy();
    }
    if (agent !== undefined && !hasEnded) await producer.send({ type: 'run.completed', data: {} });
    await producer.close();
    return EXIT.done;
  },
};

async function open(server: Server, agent: string, lease: string | undefined): Promise<string> {
  const request = { agent, mode: 'remote', ...(lease !== undefined && { lease: Number(lease) }) };
  const { runId } = (await server.post(server.url`/v1/runs`, request)) as { runId: string };
  tell(`run ${runId}`);
  return runId;
}

function read(line: string, number: number): EventDraft {
  try {
    return JSON.parse(line);
  } catch (error) {
    throw new TelltaleError('invalid_json', `Line ${number} is not valid JSON: ${(error as Error).message}`);
  }
}

const tell = (text: string): void => void process.stderr.write(`telltale: ${plain(text)}\n`);
