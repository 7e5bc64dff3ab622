import { rm } from 'node:fs/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { encodeEvent } from '../../protocol/index.ts';
import type { Log } from '../index.ts';
import { newDir, openStore } from './place.fixture.ts';

const MIB = 1024 * 1024;
const RUN = { threadId: 't1', runId: 'r1' };

describe('appends that wait for the disk', () => {
  let dir: string;
  let log: Log;
  beforeEach(async () => {
    dir = await newDir();
    log = await openStore(dir, 16 * MIB);
    const time = '2026-11-20T18:00:00.000Z';
    const started = encodeEvent({ type: 'run.started', data: { agent: 'a' } }, { ...RUN, time });
    await log.append('t1', [started], { runId: 'r1', opens: { agent: 'a', createdAt: time } });
  });
  afterEach(async () => {
    await log.close();
    await rm(dir, { recursive: true });
  });

  const custom = (bytes: number) => {
    const data = { name: 'n', value: 'x'.repeat(bytes) };
    return encodeEvent({ type: 'custom', data }, { ...RUN, time: '2026-11-20T18:00:00.000Z' }, bytes + 1024);
  };

  it('P9: beyond 64 MiB are refused as overloaded, before they are accepted; the others are stored', async () => {
    const large = custom(8 * MIB);
    const codes: string[] = [];
    const append = () =>
      log.append('t1', [large], { runId: 'r1' }).then(
        () => 'stored',
        ({ code }) => codes.push(code) && 'refused',
      );
    const outcomes = await Promise.all(Array.from({ length: 10 }, append));
    // Eight of them are a little more than 64 MiB.
    expect(outcomes).toEqual([...Array(8).fill('stored'), ...Array(2).fill('refused')]);
    expect(new Set(codes)).toEqual(new Set(['overloaded']));
    expect(await log.head('t1')).toMatchObject({ last: 9 });
    expect(await append()).toBe('stored');
    expect(await log.head('t1')).toMatchObject({ last: 10 });
  });

  it('P9: those that are refused when they are decided make room too', async () => {
    const large = custom(32 * MIB);
    for (let round = 0; round < 3; round++) {
      const refused = Array.from({ length: 2 }, () =>
        log.append('t1', [large], { runId: 'nobody' }).catch((e) => e.code),
      );
      expect(new Set(await Promise.all(refused))).toEqual(new Set(['run_not_found']));
    }
  });
});
