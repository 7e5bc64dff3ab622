import { describe, expect, test } from 'vitest';
import { Weather } from './weather.ts';

const frame = (seq: number, type = 'custom'): string => `event: ${type}\nid: e.${seq}\ndata: {"seq":${seq}}\n\n`;

/** A server that sends what it is told to, and what it was asked. */
function server() {
  const asked: Request[] = [];
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
  const writer = writable.getWriter();
  const fetch = async (input: RequestInfo | URL, init?: RequestInit): Promise<Response> => {
    asked.push(new Request(input, init));
    return new Response(readable, { headers: { 'content-type': 'text/event-stream; charset=utf-8' } });
  };
  const send = (text: string): Promise<void> => writer.write(new TextEncoder().encode(text));
  return { asked, fetch, send, end: () => writer.close() };
}

describe('the weather of a page', () => {
  test('lets everything through when it is fine, whatever the pieces', async () => {
    const { fetch, send, end } = server();
    const text = `: connected\nretry: 100\n\n${frame(1)}${frame(2).replace('"seq"', '"ë€😀"')}`;
    const answer = await new Weather(fetch as typeof globalThis.fetch).fetch('http://a.test/');
    const heard = answer.text();
    for (const piece of text) await send(piece);
    await end();
    expect(await heard).toBe(text);
    expect(answer.headers.get('content-type')).toContain('text/event-stream');
  });

  test('loses as many events as it was told to, never half of one, a comment, or the end of a run', async () => {
    const { fetch, send, end } = server();
    const weather = new Weather(fetch as typeof globalThis.fetch);
    const heard = (await weather.fetch('http://a.test/')).text();
    weather.lose(2);
    await send(`: heartbeat\n\n${frame(1)}${frame(2).slice(0, 9)}`);
    await send(`${frame(2).slice(9)}${frame(3)}`);
    await end();
    expect(await heard).toBe(`: heartbeat\n\n${frame(3)}`);
    expect(weather.getSnapshot()).toMatchObject({ toLose: 0, hasLost: 2 });
    const other = server();
    const short = new Weather(other.fetch as typeof globalThis.fetch);
    const all = (await short.fetch('http://a.test/')).text();
    short.lose(20);
    await other.send(frame(1) + frame(2, 'run.completed') + frame(3));
    await other.end();
    expect(await all).toBe(frame(2, 'run.completed') + frame(3));
  });

  test('cuts streams that are open, and asks for the place of another log once', async () => {
    const { asked, fetch } = server();
    const weather = new Weather(fetch as typeof globalThis.fetch);
    const cut = (await weather.fetch('http://a.test/')).text();
    weather.goAstray();
    await expect(cut).rejects.toThrow('dropped in this page');
    const again = { headers: { 'last-event-id': 'e.7' } };
    for (let i = 0; i < 2; i++) await weather.fetch('http://a.test/', again).catch(() => {});
    expect(asked.map((it) => it.headers.get('last-event-id'))).toEqual([null, 'nowhere.7', 'e.7']);
  });
});
