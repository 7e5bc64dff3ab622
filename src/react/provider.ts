import { createContext, createElement, type ReactElement, type ReactNode, useContext, useMemo } from 'react';
import { type Client, createClient } from '../client/index.ts';
import { TelltaleError } from '../protocol/index.ts';
import type { Labels } from './parts/labels.ts';

/** How the parts of `telltale/react/parts` speak. */
export interface Wording {
  /** Words that differ from the English ones; every one may. */
  readonly labels?: Partial<Labels> | undefined;
  /** BCP 47, for numbers and money. Default `en`, not what the machine has: a server renders what the browser does. */
  readonly locale?: string | undefined;
}

export type TelltaleProviderProps = { readonly children?: ReactNode } & Wording &
  ({ readonly client: Client; readonly url?: never } | { readonly url: string; readonly client?: never });

const ClientContext = createContext<Client | undefined>(undefined);
export const WordingContext = createContext<Wording>({});

/**
 * Gives the hooks below it a client: `client`, made outside of any component (for headers, say), or one for `url`.
 * Everybody below shares its stores: ten components on one run are one connection.
 *
 * @example
 * <TelltaleProvider url="/telltale"><App /></TelltaleProvider>
 */
export function TelltaleProvider({ client, url, labels, locale, children }: TelltaleProviderProps): ReactElement {
  // Never closed: a connection is closed by its last user, and StrictMode unmounts what it is about to use again.
  const value = useMemo(() => client ?? createClient({ url: absolute(url ?? '/') }), [client, url]);
  const wording = useMemo(() => ({ labels, locale }), [labels, locale]);
  return createElement(
    ClientContext.Provider,
    { value },
    createElement(WordingContext.Provider, { value: wording }, children),
  );
}

/**
 * The client of the provider above, for requests: `cancel`, `list`, `snapshot`, `events`.
 *
 * @throws {TelltaleError} `invalid_option` where there is no provider.
 */
export function useTelltale(): Client {
  const client = useContext(ClientContext);
  if (!client) throw new TelltaleError('invalid_option', 'Put a <TelltaleProvider> around what uses the hooks.');
  return client;
}

/** A server that renders has no address to be relative to, and never connects: `.invalid` leads nowhere (RFC 2606). */
const absolute = (url: string): string => new URL(url, globalThis.location?.href ?? 'http://rendering.invalid').href;
