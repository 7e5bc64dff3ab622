import { execFileSync } from 'node:child_process';
import { expect, it } from 'vitest';

/** Tells every package that loading the entry asks for. */
const PROBE = `
  import { registerHooks } from 'node:module';
  const asked = new Set();
  registerHooks({
    resolve(specifier, context, next) {
      if (context.parentURL?.includes('/src/') && /^[^./]/.test(specifier) && !/^(node|file):/.test(specifier)) asked.add(specifier);
      return next(specifier, context);
    },
  });
  const { logCases, logProperties } = await import(${JSON.stringify(new URL('./index.ts', import.meta.url).href)});
  console.log(JSON.stringify([...asked, typeof logCases, typeof logProperties]));
`;

it('the published cases load without a test runner and without fast-check', () => {
  const said = execFileSync(process.execPath, ['--input-type=module', '--eval', PROBE], { encoding: 'utf8' });
  expect(JSON.parse(said)).toEqual(['zod', 'function', 'function']);
});
