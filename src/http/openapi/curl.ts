/** A documented request as a line for a shell. */
import type { DocumentedOperation } from './document.ts';
import type { Example } from './operation.ts';

/** An example of an operation for curl. Everything that a shell could read as more than text is quoted. */
export function curlOf(
  method: string,
  path: string,
  operation: DocumentedOperation,
  example: Example,
  origin: string,
): string {
  const streams = Object.values(operation.responses).some(({ content }) => content?.['text/event-stream']);
  const sent = bodyOf(example);
  const headers = Object.entries({ ...sent?.headers, ...example.headers });
  return [
    'curl',
    ...(streams ? ['-N'] : []),
    ...(method === 'GET' || (method === 'POST' && sent) ? [] : ['-X', method]),
    quoted(origin + targetOf(path, example)),
    ...headers.flatMap(([name, value]) => ['-H', quoted(`${name}: ${value}`)]),
    ...(sent ? ['--data-binary', quoted(sent.body)] : []),
  ].join(' ');
}

/** Path and query of an example. */
export function targetOf(path: string, { path: values = {}, query = {} }: Example): string {
  const filled = path.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(values[name] ?? ''));
  const search = new URLSearchParams(query).toString();
  return search === '' ? filled : `${filled}?${search}`;
}

/** The body of an example as it is sent. */
export function bodyOf({ body, lines }: Example): { headers: Record<string, string>; body: string } | undefined {
  if (body) return { headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) };
  if (!lines) return undefined;
  const text = lines.map((line) => `${JSON.stringify(line)}\n`).join('');
  return { headers: { 'Content-Type': 'application/x-ndjson' }, body: text };
}

/** For POSIX shells: nothing is special between single quotes but a single quote. */
const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;
