import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isTabMessage, type TabMessage } from './tab-message.ts';

const stream = '/v1/runs/r/stream';
const MESSAGES: readonly TabMessage[] = [
  { kind: 'join', stream, member: 'm', cursor: undefined },
  { kind: 'leave', stream, member: 'm' },
  { kind: 'ping', members: ['m'] },
  { kind: 'pong' },
  { kind: 'lead' },
  { kind: 'joined', stream, member: 'm', isOn: true },
  { kind: 'frames', stream, from: undefined, to: 'e.1', frames: [{ event: 'custom', id: 'e.1', data: '{}' }] },
  { kind: 'heartbeat', stream },
  { kind: 'cut', stream, problem: { code: 'unreachable' } },
  { kind: 'end', stream },
];

test('what tabs say is taken, also as a browser copies it', () => {
  for (const message of MESSAGES) expect(isTabMessage(structuredClone(message))).toBe(true);
});

test('a message of which a field is missing or of another type is not', () => {
  for (const message of MESSAGES) {
    for (const key of Object.keys(message)) {
      for (const other of [7, null, [7], { length: 1 }]) {
        if (key === 'problem' && typeof other === 'object' && other) continue;
        expect([key, isTabMessage({ ...message, [key]: other })]).toEqual([key, false]);
      }
    }
  }
});

test('whatever other code says is not, and harms nothing', () => {
  fc.assert(fc.property(fc.anything({ withNullPrototype: true }), (value) => !isTabMessage(value)));
  for (const kind of ['toString', '__proto__', 'constructor']) expect(isTabMessage({ kind })).toBe(false);
});
