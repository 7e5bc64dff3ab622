import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { getMimeType } from 'hono/utils/mime';
import { TelltaleError } from '../../protocol/index.ts';

/** Bytes that are sent as they are, with what names them (RFC 9110 section 8.8.3): each coding has a tag of its own. */
export interface Sent {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly etag: string;
}

/** A file below `assets/`. */
export interface Asset extends Sent {
  readonly type: string;
  /** The name changes with the content. */
  readonly isHashed: boolean;
  /** As the build compressed it. */
  readonly br?: Sent;
  readonly gzip?: Sent;
}

/** A console as it was built. */
export interface Built {
  /** The page, for addresses from which the console's root is this way. */
  readonly pages: Readonly<Record<Root, Sent>>;
  /** By name. What is not in here is not served: no name leads out of the folder. */
  readonly assets: ReadonlyMap<string, Asset>;
}

/** The way from an address of the console to its root. */
export type Root = './' | '../';

/** `-` and eight characters of base64url, as Vite writes them. */
const HASHED = /-[\w-]{8}\.\w+$/;
const CODINGS = /\.(?:br|gz)$/;
const BASE = /<base href="[^"]*" ?\/?>/;

/** The folder of a built console, read whole when it is first asked for. */
export class ConsoleFiles {
  readonly #folder: URL | null;
  #built: Promise<Built> | undefined;

  /** @param folder ends with a slash; null where it cannot be known. */
  constructor(folder: URL | null) {
    this.#folder = folder;
  }

  /** @throws {TelltaleError} `not_found` as long as it is not built. */
  read(): Promise<Built> {
    if (!this.#built) {
      this.#built = readBuilt(this.#folder);
      // It may be built while the server runs.
      this.#built.catch(() => {
        this.#built = undefined;
      });
    }
    return this.#built;
  }
}

/**
 * The one that is built beside this package, from its sources and from `dist` alike. Not `new URL`, which bundlers would
 * take for a file to bring along, and which throws where they leave no address of a module.
 */
export const builtConsole = new ConsoleFiles(URL.parse('../../../dist/console/', import.meta.url));

async function readBuilt(folder: URL | null): Promise<Built> {
  if (!folder) throw notBuilt();
  const page = await readFile(new URL('index.html', folder), 'utf8').catch(unlessAbsent);
  if (!BASE.test(page)) throw new TelltaleError('internal', 'The page of the console has no <base> to be set.');
  const names = await readdir(new URL('assets/', folder)).catch(unlessAbsent);
  const files = await Promise.all(
    names.map(async (name) => [name, sent(await readFile(new URL(`assets/${name}`, folder)))] as const),
  );
  const all = new Map(files);
  const plain = files.filter(([name]) => !(CODINGS.test(name) && all.has(name.replace(CODINGS, ''))));
  return {
    pages: { './': pageAt(page, './'), '../': pageAt(page, '../') },
    assets: new Map(plain.map(([name, file]) => [name, asset(name, file, all)])),
  };
}

const pageAt = (page: string, root: Root): Sent => sent(Buffer.from(page.replace(BASE, `<base href="${root}">`)));

function asset(name: string, file: Sent, all: ReadonlyMap<string, Sent>): Asset {
  const [br, gzip] = [all.get(`${name}.br`), all.get(`${name}.gz`)];
  return {
    ...file,
    type: getMimeType(name) ?? 'application/octet-stream',
    isHashed: HASHED.test(name),
    ...(br && { br }),
    ...(gzip && { gzip }),
  };
}

function sent(bytes: Buffer<ArrayBuffer>): Sent {
  return { bytes, etag: `"${createHash('sha256').update(bytes).digest('base64url')}"` };
}

function unlessAbsent(error: NodeJS.ErrnoException): never {
  throw error.code === 'ENOENT' ? notBuilt() : error;
}

const notBuilt = (): TelltaleError =>
  new TelltaleError(
    'not_found',
    'The console is not built here. Run "npm run build" in the folder of Telltale, then ask again; a bundler has to leave the package out of its bundle. GET /docs shows every other address.',
  );
