import { describe, expect, test } from 'vitest';
import { type Dialect, native } from '../dialects/index.ts';
import { openMemory } from '../log/memory.ts';
import { writeFrame } from '../protocol/index.ts';
import { append, custom, START } from './drafts.fixture.ts';
import { RecordedViewer, until } from './recording.fixture.ts';
import { caughtUp, hubOn, watch } from './watch.fixture.ts';

describe('a dialect with state', () => {
  /** Counts the events of the thread; each becomes two frames. */
  const doubling: Dialect = {
    name: 'doubling',
    encoder(_selection, { begin, after: known, k = 0 }) {
      let after = begin;
      let count = 0;
      return {
        get after() {
          return after;
        },
        encode(block) {
          let text = '';
          for (let seq = after + 1; seq <= block.last; seq++) {
            count++;
            after = seq;
            const frames = [`${block.epoch}.${seq}.1`, `${block.epoch}.${seq}`].map((id, i) =>
              writeFrame({ id, event: 'half', data: JSON.stringify({ seq, count, half: i + 1 }) }),
            );
            if (seq > known) text += frames.slice(seq === known + 1 ? k : 0).join('');
          }
          return { bytes: new TextEncoder().encode(text), lastId: text ? after : 0, ended: false };
        },
      };
    },
  };

  test('folds from the start, is shared live, and resumes inside the frames of one event', async () => {
    const log = openMemory();
    await append(log, 't', [START, custom(1), custom(2)]);
    const { epoch } = (await log.head('t'))!;
    const hub = hubOn(log);
    const viewer = new RecordedViewer('v');
    viewer.cursor = `${epoch}.2.1`;
    await watch(hub, { dialect: doubling, viewer });
    const other = await watch(hub, { dialect: doubling });
    await caughtUp(viewer);
    await append(log, 't', [custom(3)]);
    await until(() => viewer.cursor === `${epoch}.4` && other.viewer.cursor === `${epoch}.4`);
    const halves = (it: RecordedViewer) =>
      it.events.map(({ data }) => JSON.parse(data) as object).map((data) => Object.values(data).join());
    expect(halves(viewer)).toEqual(['2,2,2', '3,3,1', '3,3,2', '4,4,1', '4,4,2']);
    expect(halves(other.viewer)).toHaveLength(8);
  });

  test.each(['live', 'in its history'])(
    'that fails %s loses its own viewers, and nobody else a frame',
    async (when) => {
      const log = openMemory();
      await append(log, 't', [START, custom(1)]);
      const errors: unknown[] = [];
      const hub = hubOn(log, { onError: (error) => errors.push(error) });
      const failing: Dialect = {
        name: 'failing',
        encoder(selection, place) {
          const inner = native.encoder(selection, place);
          return {
            get after() {
              return inner.after;
            },
            encode(block, limit) {
              if (when !== 'live' || block.first > 2) throw new Error('no such frame');
              return inner.encode(block, limit);
            },
          };
        },
      };
      const broken = await watch(hub, { dialect: failing });
      const sound = await watch(hub);
      await caughtUp(sound.viewer);
      await append(log, 't', [custom(2)]);
      await append(log, 't', [custom(3)]);
      await until(() => sound.viewer.events.length === 4);
      await until(() => broken.sink.closed);
      expect([broken.sink.end_, hub.viewers]).toEqual(['abort', 1]);
      expect(errors).toMatchObject([{ message: 'no such frame' }]);
    },
  );
});
