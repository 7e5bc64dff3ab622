import { setTimeout as sleep } from 'node:timers/promises';
import { type RunWriter, TelltaleError } from '../../protocol/index.ts';
import { counted } from '../rules/move.ts';
import { type Listing, list } from '../tools/list.ts';
import { read } from '../tools/read.ts';
import { type Statistics, statistics } from '../tools/statistics.ts';
import { Workspace } from '../workspace.ts';
import { Faults } from './faults.ts';

/** How long it takes over each thing that it does, and over each word: long enough to watch, and to break. */
const PACE = { stepMs: 900, wordMs: 30 };
const FILES = 3;

export interface RehearsalOptions {
  readonly workspace: string;
  readonly pace?: typeof PACE;
}

/**
 * A small piece of real work at a pace that people can follow: it counts the files of the workspace, and reads some. It
 * thinks nothing and knows no answer to what it is asked. Its use is to be broken: the input `{"break": "tool"}` makes its
 * call of a tool fail, the one under way or else the next, which it makes again; `{"break": "crash"}` makes it throw.
 * Resolves with what it counted, as Markdown.
 *
 * @throws {TelltaleError} `agent_failed` where it was asked to; `invalid_request` for an input that is no text.
 */
export async function rehearse(run: RunWriter, input: unknown, options: RehearsalOptions): Promise<string> {
  if (typeof input !== 'string') throw new TelltaleError('invalid_request', 'The rehearsal takes a text.');
  const { stepMs, wordMs } = options.pace ?? PACE;
  const workspace = await Workspace.open(options.workspace);
  const faults = new Faults(run);
  const { signal } = faults;
  const pause = (ms: number): Promise<void> => sleep(ms, undefined, { signal }).catch(() => signal.throwIfAborted());
  const slowly = async function* (text: string): AsyncGenerator<string> {
    for (const word of text.match(/\s*\S+/g) ?? []) {
      await pause(wordMs);
      yield word;
    }
  };
  const think = (it: RunWriter, text: string): Promise<string> => it.think(slowly(text));

  /** Calls a tool; where that fails because it was asked to, again. */
  async function call<R>(it: RunWriter, name: string, args: object, work: () => Promise<R>): Promise<R> {
    const attempt = async (): Promise<R> => {
      await pause(stepMs);
      faults.failTool();
      return work();
    };
    try {
      return await it.tool(name, args, attempt);
    } catch (error) {
      if (!faults.isOurs(error)) throw error;
      await think(it, `The call of ${name} failed. I make it again.`);
      return call(it, name, args, work);
    }
  }

  const look = (it: RunWriter): Promise<Listing> =>
    it.agent('Scout', async (scout) => {
      await think(scout, 'First I see which files there are.');
      return call(scout, 'list', { folder: '.' }, () => list(workspace, { folder: '.' }, signal));
    });
  const count = (it: RunWriter): Promise<Statistics> =>
    it.agent('Counter', (counter) =>
      call(counter, 'statistics', { folder: '.' }, () => statistics(workspace, { folder: '.' }, signal)),
    );
  const readSome = (it: RunWriter, listing: Listing): Promise<string[]> =>
    it.agent('Reader', async (reader) => {
      const begun: string[] = [];
      for (const { path } of listing.entries.filter(isText).slice(0, FILES)) {
        const passage = await call(reader, 'read', { path, count: 20 }, () =>
          read(workspace, { path, count: 20 }, signal),
        );
        begun.push(`| \`${passage.path}\` | ${passage.total} |`);
      }
      return begun;
    });

  await run.plan('Rehearse', ['Look around', 'Read and count', 'Answer']);
  await think(run, 'This is a rehearsal. Nobody thinks about the question; the work with the files is real.');
  const listing = await run.step('Look around', look);
  const [counts, begun] = await run.step('Read and count', (it) => Promise.all([count(it), readSome(it, listing)]));
  return run.step('Answer', (it) => it.say(slowly(answer(listing, counts, begun, faults.failed))));
}

const isText = ({ path }: { readonly path: string }): boolean =>
  /\.(md|txt|csv|json|[cm]?[jt]sx?|py|html|css)$/i.test(path);

function answer(listing: Listing, counts: Statistics, read: readonly string[], failed: number): string {
  const files = `**${counted(listing.files, 'file')}${listing.truncated ? ' and more' : ''}**`;
  const lines = `${counted(counts.lines, 'line')} and ${counted(counts.words, 'word')} of text`;
  const parts = [
    'This was a rehearsal: by rules, no LLM. It has no answer to your question, but what it counted is so.',
    `There are ${files} in the workspace, with ${lines} in what could be read.`,
    read.length > 0 ? `| read | lines |\n| --- | ---: |\n${read.join('\n')}` : 'There was no text file to read.',
  ];
  if (failed > 0) {
    parts.push(
      `${counted(failed, 'call')} of tools failed because somebody asked for it, and went well the second time.`,
    );
  }
  return parts.join('\n\n');
}
