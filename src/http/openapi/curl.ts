/** A documented request as a line for a shell. */
import type { DocumentedOperation } from './document.ts';

/** The example of an operation for curl. Everything that a shell could read as more than text is quoted. */
export function curlOf(method: string, path: string, operation: DocumentedOperation, origin: string): string {
  const { headers = {}, body } = operation['x-example'];
  const streams = Object.values(operation.responses).some(({ content }) => content?.['text/event-stream']);
  return [
    'curl',
    ...(streams ? ['-N'] : []),
    ...(method === 'GET' || (method === 'POST' && body) ? [] : ['-X', method]),
    quoted(origin + targetOf(path, operation)),
    ...Object.entries(headers).flatMap(([name, value]) => ['-H', quoted(`${name}: ${value}`)]),
    ...(body ? ['-H', quoted('Content-Type: application/json'), '-d', quoted(JSON.stringify(body))] : []),
  ].join(' ');
}

/** Path and query of the example. */
export function targetOf(path: string, operation: DocumentedOperation): string {
  const { path: values = {}, query = {} } = operation['x-example'];
  const filled = path.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(values[name] ?? ''));
  const search = new URLSearchParams(query).toString();
  return search === '' ? filled : `${filled}?${search}`;
}

/** For POSIX shells: nothing is special between single quotes but a single quote. */
const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;
