import { describe, expect, it } from 'vitest';
import { ERROR_CODES, TelltaleError } from './errors.ts';
import { problemOf } from './problem.ts';

describe('P8: errors', () => {
  it.each(ERROR_CODES)('%s is a problem of RFC 9457 with status, code and retryable', (code) => {
    const problem = problemOf(new TelltaleError(code, 'What happened.', { expected: 7 }));
    expect(problem).toEqual({
      type: `urn:telltale:error:${code}`,
      title: expect.stringMatching(/^[A-Z].*[^.]$/),
      status: expect.any(Number),
      detail: 'What happened.',
      code,
      retryable: expect.any(Boolean),
      expected: 7,
    });
    expect(problem.status).toBeGreaterThanOrEqual(400);
    expect(problem.status).toBeLessThan(600);
    // What a client did wrong stays wrong; only what came too slowly (408) may come again.
    if (problem.status < 500 && problem.status !== 408) expect(problem.retryable).toBe(false);
  });

  it('are all in the table', () => {
    expect(ERROR_CODES.length).toBeGreaterThan(30);
  });

  it('keep their own fields whatever the particulars say', () => {
    const problem = problemOf(new TelltaleError('run_closed', 'x', { status: 200, code: 'ok', retryable: true }));
    expect(problem).toMatchObject({ status: 409, code: 'run_closed', retryable: false });
  });

  it('come back from problem details, in the words there are', () => {
    const problem = problemOf(new TelltaleError('producer_gap', 'Number 7 is missing.', { expected: 7 }));
    const read = (said: unknown) => TelltaleError.fromProblem(said, 'unreachable');
    expect(read(problem)).toMatchObject({
      code: 'producer_gap',
      message: 'Number 7 is missing.',
      particulars: { expected: 7 },
    });
    expect(read({ title: 'Bad Gateway', code: 'teapot' })).toMatchObject({
      code: 'unreachable',
      message: 'Bad Gateway',
    });
    for (const nothing of [undefined, null, 'text', {}, { detail: {}, title: 7 }]) {
      expect(read(nothing).message).toBe('unreachable');
    }
  });

  it('wrap what is not ours with its cause, and leave ours alone', () => {
    const ours = new TelltaleError('not_found', 'x');
    expect(TelltaleError.from(ours, 'internal')).toBe(ours);
    const theirs = new Error('disk');
    const wrapped = TelltaleError.from(theirs);
    expect([wrapped.code, wrapped.message, wrapped.cause]).toEqual(['internal', 'disk', theirs]);
    expect(TelltaleError.from('text', 'storage_full')).toMatchObject({ code: 'storage_full', message: 'text' });
    expect(TelltaleError.from(null).message).toBe('null');
  });
});
