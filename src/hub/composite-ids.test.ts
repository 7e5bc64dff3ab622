import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { digest, streamKey, writeComment, writeFrame } from '../protocol/index.ts';
import { CompositeIds } from './composite-ids.ts';

const frame = fc.oneof(
  fc
    .tuple(fc.constantFrom('e1', 'e2', 'k3f9x0q2vd'), fc.nat(), fc.constantFrom('custom', undefined), fc.string())
    .map(([epoch, seq, event, text]) => ({ epoch, seq, ...(event && { event }), data: JSON.stringify({ text }) })),
  fc.string({ unit: 'grapheme' }).map((text) => ({ event: 'stream.hello', data: JSON.stringify(text) })),
  fc.string().map((comment) => ({ comment })),
);

test('P4: frames keep all but their ids, and each id has the newest part of every stream, its own first', () => {
  const names = ['run:a', 'run:b', 'thread:c'];
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.constantFrom(...names), fc.array(frame))), (pieces) => {
      const key = streamKey('run:b');
      const ids = new CompositeIds(names, new Map([[key, { key, epoch: digest('old'), seq: 7 }]]));
      const newest = new Map([['run:b', `~${key}${digest('old')}.7`]]);
      for (const [name, frames] of pieces) {
        const given = frames.map((it) => {
          if ('comment' in it) return writeComment(it.comment);
          return writeFrame('seq' in it ? { ...it, id: `${it.epoch}.${it.seq}` } : it);
        });
        const wanted = frames.map((it, i) => {
          if (!('seq' in it)) return given[i];
          newest.delete(name);
          const part = `~${streamKey(name)}${digest(it.epoch)}.${it.seq}`;
          const others = names.map((other) => newest.get(other) ?? '').join('');
          newest.set(name, part);
          return given[i]!.replace(/^id: .*$/m, () => `id: ${part}${others}`);
        });
        const stamped = ids.stamp(name, new TextEncoder().encode(given.join('')));
        expect(new TextDecoder().decode(stamped)).toBe(wanted.join(''));
      }
    }),
  );
});
