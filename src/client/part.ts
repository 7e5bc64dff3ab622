import { TelltaleError } from '../protocol/index.ts';

/**
 * A part of the client that is loaded where it is needed.
 *
 * @throws {TelltaleError} `unreachable` where it does not come: asked for again, it may.
 */
export const part = <T>(loading: Promise<T>): Promise<T> =>
  loading.catch((cause: unknown) => {
    throw new TelltaleError('unreachable', 'A part of the client could not be loaded.', {}, { cause });
  });
