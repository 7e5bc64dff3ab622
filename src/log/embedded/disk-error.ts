import { TelltaleError } from '../../protocol/index.ts';

/** What the disk or LevelDB said, as one of our codes. LevelDB passes on only the text of the system's error. */
export function diskError(error: unknown): TelltaleError {
  if (error instanceof TelltaleError) return error;
  const detail = textOf(error);
  const isFull = /ENOSPC|EDQUOT|No space left|quota exceeded/i.test(detail);
  return new TelltaleError(isFull ? 'storage_full' : 'log_unavailable', detail, {}, { cause: error });
}

/** True where data is wrong, as opposed to a disk that did not answer. */
export function isCorruption(error: unknown): boolean {
  if (error instanceof TelltaleError) return error.code === 'store_damaged';
  return /corrupt/i.test(textOf(error));
}

function textOf(error: unknown): string {
  const texts: string[] = [];
  for (let one: unknown = error; one instanceof Error; one = one.cause) texts.push(one.message);
  return texts.join(': ') || String(error);
}
