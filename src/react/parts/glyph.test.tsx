import { renderToString } from 'react-dom/server';
import { expect, test } from 'vitest';
import { Glyph } from './glyph.tsx';
import { english } from './labels.ts';

test('what a producer says may be called as what all objects have', () => {
  for (const status of ['__proto__', 'constructor', 'toString']) {
    expect(renderToString(<Glyph status={status} />)).toContain('○');
    expect(english.approvalOption(status, 'en')).toBe(status);
  }
});
