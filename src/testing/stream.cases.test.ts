/** The suite itself: a host that is right passes, and each that is wrong is found. */
import { describe, expect, it } from 'vitest';
import { mounted } from '../http/host.fixture.ts';
import { STREAM_CASES, type StreamHarness, type StreamHost, streamCases } from './stream.cases.ts';

type Fetch = StreamHost['fetch'];

const isStream = (answer: Response) => answer.status === 200 && answer.body !== null;

/** A host that changes the bytes of every stream on their way. */
const changing =
  (change: (text: string) => string): ((fetch: Fetch) => Fetch) =>
  (fetch) =>
  async (request) => {
    const answer = await fetch(request);
    if (!isStream(answer) || !answer.headers.get('content-type')?.startsWith('text/event-stream')) return answer;
    const changed = answer
      .body!.pipeThrough(new TextDecoderStream())
      .pipeThrough(new TransformStream<string, string>({ transform: (text, out) => out.enqueue(change(text)) }))
      .pipeThrough(new TextEncoderStream());
    return new Response(changed, answer);
  };

const withHeaders = (request: Request, change: (headers: Headers) => void) => {
  const headers = new Headers(request.headers);
  change(headers);
  return new Request(request, { headers });
};

const mutants: Record<string, (fetch: Fetch) => Fetch> = {
  'drops Last-Event-ID': (fetch) => (request) =>
    fetch(withHeaders(request, (headers) => headers.delete('last-event-id'))),
  'turns 204 into 200': (fetch) => async (request) => {
    const answer = await fetch(request);
    return answer.status === 204 ? new Response('', { headers: answer.headers }) : answer;
  },
  'forgets a header': (fetch) => async (request) => {
    const answer = new Response((await fetch(request)).body);
    answer.headers.set('content-type', 'text/event-stream; charset=utf-8');
    return answer;
  },
  'answers 200 to everything': (fetch) => async (request) => {
    const answer = await fetch(request);
    return new Response(answer.body, { headers: answer.headers });
  },
  'keeps heartbeats back': changing((text) => text.replace(/^: heartbeat.*\n\n/gm, '')),
  'keeps bye back': changing((text) => text.replace(/^event: stream\.bye\n.*\n\n/gm, '')),
  'says an event twice': changing((text) => text.replace(/(id: \S+\nevent: custom\n.*\n\n)/, '$1$1')),
  'writes CRLF': changing((text) => text.replaceAll('\n', '\r\n')),
  'reads the whole stream before it answers': (fetch) => async (request) => {
    const answer = await fetch(request);
    if (!isStream(answer)) return answer;
    const rest = answer.body!.getReader();
    const parts: Uint8Array<ArrayBuffer>[] = [];
    for (let it = await rest.read(); !it.done; it = await rest.read()) parts.push(new Uint8Array(it.value));
    return new Response(new Blob(parts), answer);
  },
  'reads on for a client that went away': (fetch) => async (request) => {
    const answer = await fetch(request);
    if (!isStream(answer)) return answer;
    const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
    const writer = writable.getWriter();
    const readOn = async () => {
      for await (const piece of answer.body!) writer.write(piece).catch(() => {});
      await writer.close();
    };
    readOn().catch(() => {});
    return new Response(readable, answer);
  },
};

/** The first case that fails, or does not come to an end. */
async function failure(mutate: (fetch: Fetch) => Fetch): Promise<string | undefined> {
  const telltale = mounted();
  const fetch = mutate(telltale.fetch);
  const viewers = () => telltale.hub.viewers;
  for (const { name, needs, run } of STREAM_CASES) {
    if (needs) continue;
    let failed = false;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise((_, reject) => {
      timer = setTimeout(() => reject(new Error(name)), 1000);
    });
    const url = 'http://localhost';
    await Promise.race([run({ url, fetch, viewers }), late]).catch(() => {
      failed = true;
    });
    clearTimeout(timer);
    if (failed) return name;
  }
  await telltale.close();
  return undefined;
}

describe('the case suite', () => {
  it('finds nothing wrong with a host that is right', async () => {
    expect(await failure((fetch) => fetch)).toBeUndefined();
  });

  it.each(Object.entries(mutants))('finds the host that %s', async (_name, mutate) => {
    expect(await failure(mutate)).toBeDefined();
  });

  it('counts what a host does not run, with the reason', () => {
    const ran: string[] = [];
    const skipped: [string, string][] = [];
    const harness: StreamHarness = {
      test: (name) => ran.push(name),
      skip: (name, why) => skipped.push([name, why]),
      host: () => expect.fail('nothing runs while cases are registered'),
      lacks: { connections: 'because' },
    };
    streamCases(harness);
    expect(ran.length + skipped.length).toBe(STREAM_CASES.length);
    expect(new Set(skipped.map(([, why]) => why))).toEqual(new Set(['because']));
    expect(new Set(STREAM_CASES.map(({ name }) => name)).size).toBe(STREAM_CASES.length);
  });
});
