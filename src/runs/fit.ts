import {
  type EncodedEvent,
  type EventContext,
  type EventDraft,
  encodeEvent,
  parseDraft,
  TelltaleError,
  utf8Length,
} from '../protocol/index.ts';

/** Characters kept of a value that is too large, and of a text that has to stay a text. */
const PREVIEW = 1024;
const TEXT_PREVIEW = 16 * 1024;

/** What stands in the log for a value that was too large. */
export interface Truncated {
  readonly truncated: true;
  /** UTF-8 length of the value as JSON. */
  readonly bytes: number;
  readonly preview: string;
}

export interface Fitted {
  readonly events: readonly EncodedEvent[];
  /** Something of it had to be left out. */
  readonly truncated: boolean;
}

/**
 * Encodes an event so that it fits, whatever its size: a delta as several deltas, without loss; else the largest members
 * of `data` give way to a `Truncated`, or, where the type wants a text, to the text's beginning.
 *
 * @throws {TelltaleError} `event_too_large` where nothing helps (a plan of ten thousand steps); `invalid_event`.
 */
export function fitEvent(draft: EventDraft, context: EventContext, maxBytes: number): Fitted {
  try {
    return { events: [encodeEvent(draft, context, maxBytes)], truncated: false };
  } catch (error) {
    if (!(error instanceof TelltaleError) || error.code !== 'event_too_large') throw error;
    if (draft.type.endsWith('.delta') && typeof draft.data.delta === 'string') {
      return { events: split(draft, draft.data.delta, context, maxBytes), truncated: false };
    }
    return { events: [shrink(draft, context, maxBytes, error)], truncated: true };
  }
}

/** Pieces of text of which each fits into one event of `maxBytes`, even if every character takes six bytes (`\u001f`). */
export function* pieces(text: string, maxBytes: number): Generator<string> {
  // A quarter of the event is left to its envelope and to the ids in it.
  const size = Math.max(1, Math.floor((maxBytes * 3) / 4 / 6));
  for (let start = 0; start < text.length; ) {
    // Not between the halves of a surrogate pair: each piece shall be readable by itself.
    const whole = text.slice(start, start + size);
    const piece = beginning(whole, size) || whole;
    yield piece;
    start += piece.length;
  }
}

function split(draft: EventDraft, delta: string, context: EventContext, maxBytes: number): EncodedEvent[] {
  return Array.from(pieces(delta, maxBytes), (piece) =>
    encodeEvent({ ...draft, data: { ...draft.data, delta: piece } }, context, maxBytes),
  );
}

function shrink(draft: EventDraft, context: EventContext, maxBytes: number, tooLarge: TelltaleError): EncodedEvent {
  let data: Readonly<Record<string, unknown>> | undefined = draft.data;
  for (;;) {
    data = shorten(data, (candidate) => isValid({ ...draft, data: candidate }));
    if (!data) throw tooLarge;
    try {
      return encodeEvent({ ...draft, data }, context, maxBytes);
    } catch (error) {
      if (!(error instanceof TelltaleError) || error.code !== 'event_too_large') throw error;
    }
  }
}

type Data = Readonly<Record<string, unknown>>;

/** `data` with its largest member that can be shortened, shortened; `undefined` when none can. */
function shorten(data: Data, isAllowed: (candidate: Data) => boolean): Data | undefined {
  const members = Object.entries(data)
    .map(([key, value]) => ({ key, value, json: JSON.stringify(value) ?? '' }))
    .sort((a, b) => b.json.length - a.json.length);
  for (const { key, value, json } of members) {
    for (const shorter of replacements(value, json)) {
      // Only what becomes smaller: so this ends.
      if (JSON.stringify(shorter).length >= json.length) continue;
      const candidate = { ...data, [key]: shorter };
      if (isAllowed(candidate)) return candidate;
    }
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
      const inner = shorten(value as Data, (candidate) => isAllowed({ ...data, [key]: candidate }));
      if (inner) return { ...data, [key]: inner };
    }
  }
  return undefined;
}

function replacements(value: unknown, json: string): (Truncated | string)[] {
  const bytes = utf8Length(json);
  const text = typeof value === 'string' ? value : json;
  const marker: Truncated = { truncated: true, bytes, preview: beginning(text, PREVIEW) };
  if (typeof value !== 'string') return [marker];
  return [marker, `${beginning(text, TEXT_PREVIEW)} … [truncated: ${bytes} bytes]`];
}

/** The first characters, not cut within a surrogate pair. */
function beginning(text: string, length: number): string {
  return text.slice(0, /[\ud800-\udbff]/.test(text.charAt(length - 1)) ? length - 1 : length);
}

function isValid(draft: EventDraft): boolean {
  try {
    parseDraft(draft);
    return true;
  } catch {
    return false;
  }
}
