import { describe, it } from 'vitest';
import { type DialectDraft, dialectCases } from '../testing/dialect.cases.ts';
import { native } from './native.ts';

const event = (seq: number, [type, data = {}]: DialectDraft) => ({
  id: `e1.${seq}`,
  event: type,
  data: { seq, epoch: 'e1', threadId: 't1', runId: 'r1', type, time: '2026-11-20T18:00:00.000Z', data },
});

const EVENTS: readonly DialectDraft[] = [
  ['run.started', { agent: 'a' }],
  ['my.own', { x: 1 }],
  ['run.completed', {}],
];

describe('the native dialect', () => {
  dialectCases({
    test: it,
    dialect: native,
    golden: [{ name: 'three events', events: EVENTS, frames: EVENTS.map((draft, i) => event(i + 1, draft)) }],
  });
});
