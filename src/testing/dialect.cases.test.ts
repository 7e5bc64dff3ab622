/** The suite itself: each dialect that is wrong is found. */
import { describe, expect, it } from 'vitest';
import { type Dialect, type Encoder, workflow } from '../dialects/index.ts';
import { dialectCases } from './dialect.cases.ts';

/** Changes what an encoder is begun with, or what it says. */
const changing = ({
  place = (it) => it,
  text = (it) => it,
  selection = (it) => it,
}: {
  place?: (place: Parameters<Dialect['encoder']>[1]) => Parameters<Dialect['encoder']>[1];
  text?: (text: string) => string;
  selection?: (selection: Parameters<Dialect['encoder']>[0]) => Parameters<Dialect['encoder']>[0];
}): Dialect => ({
  name: 'mutant',
  encoder(of, from) {
    const inner = workflow.encoder(selection(of), place(from));
    const encode: Encoder['encode'] = (block, limit, merge) => {
      const chunk = inner.encode(block, limit, merge);
      const said = text(new TextDecoder().decode(chunk.bytes));
      return { ...chunk, bytes: new TextEncoder().encode(said) };
    };
    return {
      get after() {
        return inner.after;
      },
      encode,
    };
  },
});

const mutants: Record<string, Dialect> = {
  'begins to fold where its client stands': changing({ place: (it) => ({ ...it, begin: it.after }) }),
  'says an event again from its first frame': changing({ place: ({ k: _, ...it }) => it }),
  'says everything again': changing({ place: () => ({ begin: 0, after: 0, prev: 0 }) }),
  'gives all frames of an event one id': changing({ text: (it) => it.replace(/^(id: e1\.\d+)\.\d+$/gm, '$1') }),
  'writes CRLF': changing({ text: (it) => it.replaceAll('\n', '\r\n') }),
  'keeps ids to itself': changing({ text: (it) => it.replace(/^id: .*\n/gm, '') }),
  'breaks data into lines': changing({ text: (it) => it.replace(/^data: \{/gm, 'data: {\ndata: ') }),
  'names events that shall have no name': changing({ selection: ({ asMessages: _, ...it }) => it }),
  'listens to other runs': changing({ selection: ({ runId: _, ...it }) => it }),
};

function failures(dialect: Dialect): string[] {
  const failed: string[] = [];
  const test = (name: string, body: () => void) => {
    try {
      body();
    } catch {
      failed.push(name);
    }
  };
  dialectCases({ test, dialect, golden: [] });
  return failed;
}

describe('the case suite for dialects', () => {
  it('finds nothing wrong with a dialect that is right', () => {
    expect(failures(workflow)).toEqual([]);
  });

  it.each(Object.entries(mutants))('finds the dialect that %s', (_name, dialect) => {
    expect(failures(dialect)).not.toEqual([]);
  });
});
