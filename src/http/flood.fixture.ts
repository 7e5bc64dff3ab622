/**
 * A program: `<url> <runId> <producers>`. Each producer holds a request and sends the next events as soon as some are
 * acknowledged, until the program is killed. Prints a dot for each hundredth acknowledgement.
 */
import { connect } from 'node:net';

const [url, runId, count] = process.argv.slice(2);
const producers = Number(count);
const { host, hostname, port } = new URL(url!);
const HEAD = [
  `POST /v1/runs/${runId}/events HTTP/1.1`,
  `Host: ${host}`,
  'Content-Type: application/x-ndjson',
  'Transfer-Encoding: chunked',
];
const LINE = '{"type":"custom","data":{"name":"n","value":1}}\n';
const CHUNK = `${LINE.length.toString(16)}\r\n${LINE}\r\n`;

/** Of each producer, so that there is always something to read for the server. */
const IN_FLIGHT = 4;

let acknowledged = 0;
for (let n = 0; n < producers; n++) {
  const socket = connect(Number(port), hostname, () => {
    socket.write(`${HEAD.join('\r\n')}\r\n\r\n${CHUNK.repeat(IN_FLIGHT)}`);
  });
  socket.setNoDelay().on('data', (text) => {
    for (const [, first, last] of String(text).matchAll(/"first":(\d+),"last":(\d+)/g)) {
      socket.write(CHUNK.repeat(Number(last) - Number(first) + 1));
      if (++acknowledged % 100 === 0) process.stdout.write('.');
    }
  });
}
