import { createElement } from 'react';
import { renderToReadableStream, renderToString } from 'react-dom/server';
import { expect, test } from 'vitest';
import { still } from '../readable.ts';
import { arriving, rendering } from './later.ts';

test('code is asked for when it is shown first, again where it did not come, and once for all who show it', async () => {
  let asked = 0;
  const code = arriving(async () => {
    asked++;
    if (asked === 1) throw new TypeError('Failed to fetch dynamically imported module');
    return 'code';
  });
  expect(asked).toBe(0);
  const arrivals = await new Promise<number>((resolve) => {
    let told = 0;
    const leave = code.subscribe(() => {
      throw new Error('Whoever left is told nothing.');
    });
    leave();
    code.subscribe(() => told++);
    code.subscribe(() => resolve(told));
    expect(code.getSnapshot()).toBeUndefined();
  });
  expect(arrivals).toBe(1);
  code.subscribe(() => {});
  expect([asked, code.getSnapshot()]).toEqual([2, 'code']);
});

test('a server waits for code that it renders with, but not where there is nothing to render', async () => {
  const { promise, resolve } = Promise.withResolvers<string>();
  const useCode = rendering(() => promise);
  const Shown = ({ data }: { data?: string }) => createElement('p', null, useCode(still({ data })) ?? 'nothing');
  expect(renderToString(createElement(Shown))).toBe('<p>nothing</p>');
  const known = createElement(Shown, { data: 'a run' });
  expect(() => renderToString(known)).toThrow('suspended');
  const rendered = renderToReadableStream(known);
  resolve('code');
  expect(await new Response(await rendered).text()).toBe('<p>code</p>');
  expect(renderToString(known)).toBe('<p>code</p>');
});
