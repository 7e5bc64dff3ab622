import { TelltaleError } from '../../protocol/index.ts';

/** What the disk or LevelDB said, as one of our codes. LevelDB passes on only the text of the system's error. */
export function diskError(error: unknown): TelltaleError {
  if (error instanceof TelltaleError) return error;
  const texts: string[] = [];
  for (let one: unknown = error; one instanceof Error; one = one.cause) texts.push(one.message);
  const detail = texts.join(': ') || String(error);
  const isFull = /ENOSPC|EDQUOT|No space left|quota exceeded/i.test(detail);
  return new TelltaleError(isFull ? 'storage_full' : 'log_unavailable', detail, {}, { cause: error });
}
