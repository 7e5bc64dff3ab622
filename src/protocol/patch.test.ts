import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { applyPatch } from './patch.ts';

type Patch = Parameters<typeof applyPatch>[1];

/** JSON as it comes from the wire: `__proto__` is a member like any other. */
const json = (text: string): unknown => JSON.parse(text);
const patched = (document: string, patch: string) => applyPatch(json(document), json(patch) as Patch);

describe('P3: a patch (RFC 6902)', () => {
  it.each([
    ['A.1 adds a member', '{"foo":"bar"}', '[{"op":"add","path":"/baz","value":"qux"}]', '{"baz":"qux","foo":"bar"}'],
    [
      'A.2 adds an element',
      '{"foo":["bar","baz"]}',
      '[{"op":"add","path":"/foo/1","value":"qux"}]',
      '{"foo":["bar","qux","baz"]}',
    ],
    ['A.3 removes a member', '{"baz":"qux","foo":"bar"}', '[{"op":"remove","path":"/baz"}]', '{"foo":"bar"}'],
    [
      'A.4 removes an element',
      '{"foo":["bar","qux","baz"]}',
      '[{"op":"remove","path":"/foo/1"}]',
      '{"foo":["bar","baz"]}',
    ],
    [
      'A.5 replaces a value',
      '{"baz":"qux","foo":"bar"}',
      '[{"op":"replace","path":"/baz","value":"boo"}]',
      '{"baz":"boo","foo":"bar"}',
    ],
    [
      'A.6 moves a value',
      '{"foo":{"bar":"baz","waldo":"fred"},"qux":{"corge":"grault"}}',
      '[{"op":"move","from":"/foo/waldo","path":"/qux/thud"}]',
      '{"foo":{"bar":"baz"},"qux":{"corge":"grault","thud":"fred"}}',
    ],
    [
      'A.7 moves an element',
      '{"foo":["all","grass","cows","eat"]}',
      '[{"op":"move","from":"/foo/1","path":"/foo/3"}]',
      '{"foo":["all","cows","eat","grass"]}',
    ],
    [
      'A.8 tests a value',
      '{"baz":"qux","foo":["a",2,"c"]}',
      '[{"op":"test","path":"/baz","value":"qux"},{"op":"test","path":"/foo/1","value":2}]',
      '{"baz":"qux","foo":["a",2,"c"]}',
    ],
    [
      'A.10 adds a nested object',
      '{"foo":"bar"}',
      '[{"op":"add","path":"/child","value":{"grandchild":{}}}]',
      '{"foo":"bar","child":{"grandchild":{}}}',
    ],
    [
      'A.14 escapes ~ and /',
      '{"/":9,"~1":10}',
      '[{"op":"test","path":"/~01","value":10},{"op":"replace","path":"/~1","value":1}]',
      '{"/":1,"~1":10}',
    ],
    [
      'A.16 adds an array value at the end',
      '{"foo":["bar"]}',
      '[{"op":"add","path":"/foo/-","value":["abc","def"]}]',
      '{"foo":["bar",["abc","def"]]}',
    ],
    ['adds at the very end by number', '[1]', '[{"op":"add","path":"/1","value":2}]', '[1,2]'],
    ['replaces the whole document', '{"a":1}', '[{"op":"replace","path":"","value":null}]', 'null'],
    ['adds over a member that is there', '{"a":1}', '[{"op":"add","path":"/a","value":2}]', '{"a":2}'],
    [
      'copies',
      '{"a":{"b":1}}',
      '[{"op":"copy","from":"/a","path":"/c"},{"op":"replace","path":"/c/b","value":2}]',
      '{"a":{"b":1},"c":{"b":2}}',
    ],
    ['names the empty member', '{"":1}', '[{"op":"replace","path":"/","value":2}]', '{"":2}'],
    [
      'tests objects in any order of their members',
      '{"a":{"x":1,"y":[{}]}}',
      '[{"op":"test","path":"/a","value":{"y":[{}],"x":1}}]',
      '{"a":{"x":1,"y":[{}]}}',
    ],
    ['does nothing when empty', '[1]', '[]', '[1]'],
  ])('%s', (_, document, patch, result) => {
    expect(patched(document, patch)).toEqual({ ok: true, value: json(result) });
  });

  it.each([
    ['A.9 a test that fails', '{"baz":"qux"}', '[{"op":"test","path":"/baz","value":"bar"}]'],
    ['A.12 a place in nothing', '{"foo":"bar"}', '[{"op":"add","path":"/baz/bat","value":"qux"}]'],
    ['A.15 a number that is a text', '{"/":9}', '[{"op":"test","path":"/~1","value":"9"}]'],
    ['removing what is not there', '{}', '[{"op":"remove","path":"/a"}]'],
    ['replacing what is not there', '[1]', '[{"op":"replace","path":"/1","value":2}]'],
    ['replacing the place behind the end', '[1]', '[{"op":"replace","path":"/-","value":2}]'],
    ['an index beyond the end', '[1]', '[{"op":"add","path":"/2","value":2}]'],
    ['an index with a leading zero', '[1,2]', '[{"op":"add","path":"/01","value":2}]'],
    ['an index that is none', '[1]', '[{"op":"add","path":"/x","value":2}]'],
    ['an index with a sign', '[1]', '[{"op":"add","path":"/+0","value":2}]'],
    ['an index in another notation', '[1,2]', '[{"op":"add","path":"/1e0","value":2}]'],
    ['an empty index', '[1]', '[{"op":"add","path":"/","value":2}]'],
    ['the length of an array', '[1]', '[{"op":"replace","path":"/length","value":0}]'],
    ['a member of a text', '{"a":"text"}', '[{"op":"add","path":"/a/0","value":2}]'],
    ['moving into itself', '{"a":{"b":1}}', '[{"op":"move","from":"/a","path":"/a/b"}]'],
    ['moving an element into itself', '[{"a":1},{"b":2}]', '[{"op":"move","from":"/0","path":"/0/x"}]'],
    ['copying from nowhere', '{}', '[{"op":"copy","from":"/a","path":"/b"}]'],
    ['removing the whole document', '{}', '[{"op":"remove","path":""}]'],
    ['an inherited member', '{}', '[{"op":"test","path":"/constructor/name","value":"Object"}]'],
    ['the prototype', '{}', '[{"op":"add","path":"/__proto__/polluted","value":1}]'],
    ['the prototype of the constructor', '{}', '[{"op":"replace","path":"/constructor/prototype/polluted","value":1}]'],
    ['an array, tested as an object', '{"a":[]}', '[{"op":"test","path":"/a","value":{}}]'],
  ])('refuses %s and changes nothing', (_, document, patch) => {
    const before = json(document);
    const first = { op: 'add', path: '', value: before };
    // All or nothing: what came before the failure is not there either.
    const outcome = applyPatch(before, [first, ...(json(patch) as Patch)] as Patch);
    expect(outcome).toEqual({ ok: false, problem: expect.stringMatching(/^operation 1 \(/) });
    expect(before).toEqual(json(document));
    expect('polluted' in {}).toBe(false);
  });

  it('takes __proto__ and constructor for names like any other', () => {
    const outcome = patched(
      '{}',
      '[{"op":"add","path":"/__proto__","value":{"x":1}},{"op":"add","path":"/constructor","value":2}]',
    );
    if (!outcome.ok) throw new Error(outcome.problem);
    expect(JSON.stringify(outcome.value)).toBe('{"__proto__":{"x":1},"constructor":2}');
    expect(Object.getPrototypeOf(outcome.value)).toBe(Object.prototype);
    expect('x' in (outcome.value as object)).toBe(false);
    const deeper = applyPatch(outcome.value, [{ op: 'replace', path: '/__proto__/x', value: 3 }]);
    expect(JSON.stringify(deeper)).toContain('"__proto__":{"x":3}');
    expect('x' in {}).toBe(false);
  });

  it('changes a copy alone, not what it was copied from', () => {
    const steps = [
      '{"op":"add","path":"/a/x","value":1}',
      '{"op":"copy","from":"/a","path":"/b"}',
      '{"op":"add","path":"/a/x","value":2}',
      '{"op":"add","path":"/b/y","value":3}',
      '{"op":"move","from":"/a","path":"/c"}',
      '{"op":"remove","path":"/c/x"}',
    ];
    expect(patched('{"a":{}}', `[${steps}]`)).toEqual({ ok: true, value: { b: { x: 1, y: 3 }, c: {} } });
  });

  it('is not held up by thousands of operations on a large object', () => {
    const large = Object.fromEntries(Array.from({ length: 10_000 }, (_, i) => [`k${i}`, i]));
    const patch = Array.from({ length: 5_000 }, (_, i) => ({ op: 'replace' as const, path: `/k${i}`, value: -i }));
    const start = performance.now();
    expect(applyPatch(large, patch).ok).toBe(true);
    // With a copy per operation: 10 s and more.
    expect(performance.now() - start).toBeLessThan(2_000);
  });

  it('copies a container into itself as it was, also one that the same patch made', () => {
    const patch = [
      { op: 'add', path: '/a', value: 1 },
      { op: 'copy', from: '', path: '/self' },
      { op: 'replace', path: '/a', value: 2 },
    ] as const;
    expect(applyPatch({}, [...patch])).toEqual({ ok: true, value: { a: 2, self: { a: 1 } } });
  });

  it('never throws, never touches its document, and undoes an add by a remove', () => {
    const pointer = fc
      .array(fc.constantFrom('a', '0', '-', '__proto__', '~1', ''), { maxLength: 3 })
      .map((tokens) => tokens.map((it) => `/${it}`).join(''));
    const value = fc.jsonValue({ maxDepth: 2 });
    const operation = fc.oneof(
      fc.record({ op: fc.constantFrom('add' as const, 'replace' as const, 'test' as const), path: pointer, value }),
      fc.record({ op: fc.constant('remove' as const), path: pointer }),
      fc.record({ op: fc.constantFrom('move' as const, 'copy' as const), from: pointer, path: pointer }),
    );
    const document = fc.oneof(value, fc.dictionary(fc.constantFrom('a', '0', ''), value), fc.array(value));
    fc.assert(
      fc.property(document, fc.array(operation, { maxLength: 6 }), (document, patch) => {
        const before = JSON.stringify(document);
        const outcome = applyPatch(document, patch);
        expect(JSON.stringify(document)).toBe(before);
        if (outcome.ok) expect(() => JSON.stringify(outcome.value)).not.toThrow();
      }),
      { numRuns: 2000 },
    );
    fc.assert(
      fc.property(fc.dictionary(fc.string(), value), fc.string(), value, (document, name, value) => {
        const path = `/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`;
        const added = applyPatch(document, [
          { op: 'add', path, value },
          { op: 'test', path, value },
        ]);
        expect(added.ok).toBe(true);
        if (!added.ok || Object.hasOwn(document, name)) return;
        expect(applyPatch(added.value, [{ op: 'remove', path }])).toEqual({ ok: true, value: document });
      }),
    );
  });
});
