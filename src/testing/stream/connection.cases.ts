/** What only a connection shows: old versions of HTTP, requests behind a stream, connections that break. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import type { StreamCase, StreamHost } from '../stream.cases.ts';
import { END, openRun, viewersAre } from './kit.ts';

interface Said {
  text: string;
}

/** Sends requests as they are, on one connection. */
function send(host: StreamHost, ...requests: readonly [path: string, version: string][]): [Socket, Said] {
  const { hostname, port, host: name, pathname } = new URL(host.url);
  const mount = pathname === '/' ? '' : pathname;
  const said: Said = { text: '' };
  const socket = host.connect?.() ?? connect(Number(port), hostname);
  socket.setEncoding('utf8').on('data', (text: string) => {
    said.text += text;
  });
  socket.on('error', () => {});
  socket.write(
    requests.map(([path, version]) => `GET ${mount}${path} HTTP/${version}\r\nHost: ${name}\r\n\r\n`).join(''),
  );
  return [socket, said];
}

/** Resolves when the server has said enough, or has closed the connection. */
async function listen(socket: Socket, said: Said, enough: (text: string) => boolean): Promise<void> {
  while (!enough(said.text) && !socket.closed) {
    await new Promise((resolve) => {
      socket.once('data', resolve);
      socket.once('close', resolve);
    });
  }
}

const BYE = /^event: stream\.bye$/gm;
const count = (text: string, pattern: RegExp): number => [...text.matchAll(pattern)].length;
const hasCaughtUp = (text: string): boolean => text.includes('stream.caught-up');

export const connectionCases: readonly StreamCase[] = [
  {
    name: 'speaks HTTP/1.0: no chunks, and the connection ends the body',
    needs: ['connections'],
    async run(host) {
      const { path, append } = await openRun(host);
      await append(END);
      const [socket, said] = send(host, [path, '1.0']);
      await once(socket, 'close');
      assert.match(said.text, /^HTTP\/1\.[01] 200 OK\r\n/);
      assert.doesNotMatch(said.text, /transfer-encoding/i);
      const body = said.text.slice(said.text.indexOf('\r\n\r\n') + 4);
      assert.match(body, /^: connected\n\nretry: /);
      assert.match(body, /event: stream\.bye\ndata: \{"reason":"ended"\}\n\n$/);
    },
  },
  {
    name: 'a request behind a stream on its connection is answered after it, or not at all',
    needs: ['connections'],
    async run(host) {
      const { path, append } = await openRun(host);
      const [socket, said] = send(host, [path, '1.1'], [path, '1.1']);
      await listen(socket, said, hasCaughtUp);
      await append(END);
      // A host refuses the second by ending the connection: after the first (RFC 9112 section 9.6), or at once.
      await listen(socket, said, (text) => count(text, BYE) === 2);
      socket.destroy();
      const answers = said.text.split(/^HTTP\/1\.1 200 OK\r$/m).slice(1);
      for (const answer of answers) {
        const byes = count(answer, BYE);
        assert.ok(byes === 1 || (byes === 0 && answer === answers.at(-1)), 'an answer begins inside another');
        assert.ok(count(answer, /^event: run\.started$/gm) <= 1);
      }
      await viewersAre(host, 0);
    },
  },
  {
    name: 'a connection that breaks releases every stream that was asked for on it',
    needs: ['connections'],
    async run(host) {
      const { path } = await openRun(host);
      for (let i = 0; i < 4; i++) {
        const [socket, said] = send(host, [path, '1.1'], [path, '1.1']);
        if (i % 2) await listen(socket, said, hasCaughtUp);
        else await once(socket, 'connect');
        // TLS has no reset.
        if (host.connect) socket.destroy();
        else socket.resetAndDestroy();
        if (!socket.closed) await once(socket, 'close');
      }
      await viewersAre(host, 0);
    },
  },
];
