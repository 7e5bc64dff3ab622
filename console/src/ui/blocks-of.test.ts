import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { blocksOf } from './blocks-of.ts';

describe('Markdown cut into blocks', () => {
  test.each([
    ['a paragraph\nof two lines\n\n# A heading', ['a paragraph\nof two lines', '# A heading']],
    ['```ts\na\n\nb\n```\n\nafter', ['```ts\na\n\nb\n```', 'after']],
    ['````\n```\n\n````\n\nafter', ['````\n```\n\n````', 'after']],
    ['```\nstill open\n\nand on', ['```\nstill open\n\nand on']],
    ['1. one\n\n2. two\n\n   its second paragraph\n\nafter', ['1. one\n\n2. two\n\n   its second paragraph', 'after']],
    ['no list\n\n    code', ['no list', '    code']],
    [
      '[a] here\n\nnot here\n\n[a]: https://a.example',
      ['[a] here\n\n[a]: https://a.example', 'not here', '[a]: https://a.example\n\n[a]: https://a.example'],
    ],
    ['\n\n', []],
  ])('%j', (text, blocks) => {
    expect(blocksOf(text)).toEqual(blocks);
  });

  test('a text that grows at its end changes its last block only, unless that ends a fence or a list', () => {
    const line = fc.constantFrom('word', '# heading', '', '', '- item', '  more', '```', '| a | b |', '> quote');
    fc.assert(
      fc.property(fc.array(line, { maxLength: 30 }), line, (lines, next) => {
        const before = blocksOf(lines.join('\n'));
        const after = blocksOf([...lines, next].join('\n'));
        expect(after.slice(0, Math.max(0, before.length - 1))).toEqual(before.slice(0, -1));
      }),
    );
  });

  test('nothing of a text is lost but its empty lines', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom('a', '', '- b', '   c', '```', '~~~', '2. d')), (lines) => {
        const kept = (them: readonly string[]) =>
          them
            .join('\n')
            .split('\n')
            .filter((it) => it !== '');
        expect(kept(blocksOf(lines.join('\n')))).toEqual(kept(lines));
      }),
    );
  });
});
