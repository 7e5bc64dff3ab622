import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { type ErrorCode, TelltaleError } from './errors.ts';

const source = readFileSync(new URL('./errors.ts', import.meta.url), 'utf8');
const codes = [...source.matchAll(/^ {2}(\w+): \{ status/gm)].map((match) => match[1] as ErrorCode);

describe('P8: errors', () => {
  it.each(codes)('%s is a problem of RFC 9457 with status, code and retryable', (code) => {
    const problem = new TelltaleError(code, 'What happened.', { expected: 7 }).toProblem();
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
    expect(codes.length).toBeGreaterThan(30);
  });

  it('keep their own fields whatever the particulars say', () => {
    const problem = new TelltaleError('run_closed', 'x', { status: 200, code: 'ok', retryable: true }).toProblem();
    expect(problem).toMatchObject({ status: 409, code: 'run_closed', retryable: false });
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
