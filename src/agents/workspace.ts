import { constants, type Dirent } from 'node:fs';
import { lstat, open, opendir, realpath, stat } from 'node:fs/promises';
import { isAbsolute, join, posix, relative, sep, win32 } from 'node:path';
import { TelltaleError } from '../protocol/index.ts';
import { holdsSecrets } from './secrets.ts';

/** One thing found in the workspace. Paths are relative to it, with "/" between their parts. */
export interface Entry {
  readonly path: string;
  /** Links are named but not followed, `ignored` folders not entered, files that hold secrets (`ignored`, too) not read. */
  readonly kind: 'file' | 'link' | 'ignored';
  readonly bytes: number;
}

/** A text file as it was when it was read. */
export interface TextFile {
  readonly path: string;
  /** Line 1 is at index 0; without line ends. */
  readonly lines: readonly string[];
  /** Set where the file is longer than what was read. */
  readonly truncated?: true;
}

/** Folders that hold what people did not write: packages and what a build made. */
const IGNORED = new Set('node_modules .venv __pycache__ .cache dist coverage target'.split(' '));
const SECRET = 'what has such a name holds keys or passwords';
const FILE_BYTES = 1024 * 1024;
/** Entries of one folder that are looked at: a folder of a million files must not fill the memory. */
const FOLDER_ENTRIES = 20_000;
const DEPTH = 32;

/**
 * A folder that agents may read, and nothing beside it. Paths come from questions, so each one is resolved with all its
 * links and must then lie inside: "..", absolute paths, links that lead out (also links of folders, also those made
 * after an earlier look) and NUL are refused with `path_refused`, and so is what holds keys or passwords by its name.
 */
export class Workspace {
  readonly root: string;

  private constructor(root: string) {
    this.root = root;
  }

  /** @throws {TelltaleError} `not_found` when it is no folder. */
  static async open(folder: string): Promise<Workspace> {
    const root = await realpath(folder).catch(() => undefined);
    if (root === undefined || !(await stat(root)).isDirectory()) {
      throw new TelltaleError(
        'not_found',
        `The workspace ${folder} is not a folder. Start the server with one that is.`,
      );
    }
    return new Workspace(root);
  }

  /** The real place of a path. @throws {TelltaleError} `path_refused`, `not_found`. */
  async resolve(path: string): Promise<string> {
    if (path.includes('\0')) throw refused(path, 'it contains a NUL character');
    if (isAbsolute(path) || win32.isAbsolute(path))
      throw refused(path, 'only paths relative to the workspace are read');
    const wanted = join(this.root, path);
    if (!this.#holds(wanted)) throw refused(path, 'it leads out of the workspace');
    if (holdsSecrets(this.#name(wanted))) throw refused(path, SECRET);
    const real = await realpath(wanted).catch((error: NodeJS.ErrnoException) => {
      throw error.code === 'ELOOP'
        ? refused(path, 'its links go in a circle')
        : new TelltaleError('not_found', `There is no ${path} in the workspace.`, { path });
    });
    if (!this.#holds(real)) throw refused(path, 'a link leads out of the workspace');
    if (holdsSecrets(this.#name(real))) throw refused(path, SECRET);
    return real;
  }

  /** @throws {TelltaleError} `path_refused`, `not_found`; `tool_failed` for what is not UTF-8 text. */
  async read(path: string, signal: AbortSignal): Promise<TextFile> {
    signal.throwIfAborted();
    // No link in the last place, should it have become one since; and no waiting for the writer of a FIFO.
    const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
    const file = await open(await this.resolve(path), flags).catch((error: NodeJS.ErrnoException) => {
      if (error instanceof TelltaleError) throw error;
      throw new TelltaleError('tool_failed', `${path} cannot be opened (${error.code}).`, { path });
    });
    try {
      const facts = await file.stat();
      if (!facts.isFile()) throw new TelltaleError('tool_failed', `${path} is not a file.`, { path });
      // What was opened must be what lies inside now: a folder on the way may have been exchanged for a link meanwhile.
      const now = await stat(await this.resolve(path));
      if (now.ino !== facts.ino || now.dev !== facts.dev) throw refused(path, 'it changed while it was opened');
      const buffer = Buffer.alloc(Math.min(facts.size, FILE_BYTES));
      let length = 0;
      while (length < buffer.length) {
        const { bytesRead } = await file.read(buffer, length, buffer.length - length, length);
        if (bytesRead === 0) break;
        length += bytesRead;
      }
      const truncated = facts.size > FILE_BYTES;
      const text = decode(buffer.subarray(0, length), truncated);
      if (text === undefined) throw new TelltaleError('tool_failed', `${path} is not UTF-8 text.`, { path });
      return { path: this.#name(join(this.root, path)), lines: linesOf(text), ...(truncated && { truncated }) };
    } finally {
      await file.close();
    }
  }

  /** Everything below a folder (or the one file), in the order of its names, until the caller has enough. */
  async *walk(folder: string, signal: AbortSignal): AsyncGenerator<Entry, void, void> {
    const start = await this.resolve(folder);
    if (!(await stat(start)).isDirectory()) {
      yield await this.#file(start);
      return;
    }
    const open = [{ path: this.#name(start), depth: 0 }];
    for (let here = open.pop(); here; here = open.pop()) {
      const below: { path: string; depth: number }[] = [];
      for (const entry of await this.#children(here.path, signal)) {
        const path = posix.join(here.path, entry.name);
        const full = join(this.root, path);
        if (entry.isSymbolicLink()) yield { path, kind: 'link', bytes: 0 };
        else if (!entry.isFile() && !entry.isDirectory()) continue;
        else if (holdsSecrets(path)) yield { path, kind: 'ignored', bytes: 0 };
        else if (entry.isFile()) yield await this.#file(full);
        else if (IGNORED.has(entry.name) || here.depth >= DEPTH) yield { path, kind: 'ignored', bytes: 0 };
        else below.push({ path, depth: here.depth + 1 });
      }
      open.push(...below.reverse());
    }
  }

  async #children(folder: string, signal: AbortSignal): Promise<Dirent[]> {
    signal.throwIfAborted();
    const entries: Dirent[] = [];
    // Resolved anew: it may have become a link since its parent was read. One that is gone or closed to us holds nothing.
    const handle = await this.resolve(folder).then(opendir, () => undefined);
    for await (const entry of handle ?? []) {
      if (entries.push(entry) >= FOLDER_ENTRIES) break;
    }
    return entries.sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  async #file(full: string): Promise<Entry> {
    const facts = await lstat(full).catch(() => undefined);
    return { path: this.#name(full), kind: 'file', bytes: facts?.size ?? 0 };
  }

  #holds(full: string): boolean {
    return full === this.root || full.startsWith(this.root.endsWith(sep) ? this.root : this.root + sep);
  }

  #name(full: string): string {
    return relative(this.root, full).split(sep).join('/') || '.';
  }
}

/** True for paths of folders that a walk does not enter. */
export function isIgnored(path: string): boolean {
  return path.split('/').some((part) => IGNORED.has(part));
}

function refused(path: string, why: string): TelltaleError {
  return new TelltaleError('path_refused', `${JSON.stringify(path)} is not read: ${why}.`, { path });
}

function decode(bytes: Uint8Array, truncated: boolean): string | undefined {
  if (bytes.includes(0)) return undefined;
  try {
    // `stream` lets a character that was cut in two go.
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes, { stream: truncated });
  } catch {
    return undefined;
  }
}

function linesOf(text: string): string[] {
  const lines = text.split(/\r?\n/);
  if (lines.at(-1) === '') lines.pop();
  return lines;
}
