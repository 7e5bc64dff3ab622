import { TelltaleError } from '../protocol/index.ts';

/** With a slash at its end, so that paths go below it. @throws {TelltaleError} `invalid_option` */
export function baseOf(url: string | URL): URL {
  const base = URL.parse(String(url), globalThis.location?.href);
  if (!base || !/^https?:$/.test(base.protocol)) {
    throw new TelltaleError('invalid_option', `url: ${url} is no http:// or https:// address.`);
  }
  base.pathname = base.pathname.replace(/\/*$/, '/');
  base.search = '';
  base.hash = '';
  return base;
}

/** @example below(base, 'v1/runs', runId, 'stream') */
export const below = (base: URL, root: string, ...rest: readonly string[]): URL =>
  new URL([root, ...rest.map(encodeURIComponent)].join('/'), base);

/** The URL with every parameter that is there. */
export function withQuery(url: URL, query: object): URL {
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined) url.searchParams.set(name, String(value));
  }
  return url;
}
