import type { WriteStream } from 'node:tty';
import { styleText } from 'node:util';
import { plain, plainLine } from './plain.ts';
import { clip, columns } from './width.ts';

export type Style = 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'cyan';
/** Text, perhaps with a style. Whatever it holds, it is made plain before it is printed. */
export type Span = string | readonly [text: string, ...styles: Style[]];

/** The next piece of a text that comes bit by bit, or its end. */
export interface Piece {
  readonly kind: 'text' | 'end';
  /** Tells texts apart that come at the same time. */
  readonly key: string;
  /** Stands before each of its lines. */
  readonly before: readonly Span[];
  readonly text: string;
  readonly style?: Style;
}

/** What a timeline shows next. */
export type Output = { readonly kind: 'line'; readonly spans: readonly Span[] } | Piece;

/** Columns of a line in a pipe, where nobody tells. Texts are never cut, only lines of facts. */
const PIPE_COLUMNS = 160;

/**
 * Writes a timeline, only ever forwards: it can be scrolled, copied and piped. On a terminal texts appear as they come;
 * in a pipe they appear line by line, so that texts of agents that work at the same time never share a line.
 */
export class Screen {
  readonly #out: NodeJS.WritableStream;
  readonly #live: boolean;
  readonly #colours: boolean;
  readonly #columns: () => number;
  /** What came of each text and is not printed yet: in a pipe its last line, live at most half of a character. */
  readonly #held = new Map<string, string>();
  /** The text whose line the cursor is in. */
  #current: string | undefined;

  constructor(out: NodeJS.WritableStream) {
    const terminal = 'isTTY' in out && out.isTTY ? (out as WriteStream) : undefined;
    this.#out = out;
    this.#live = terminal !== undefined;
    // Respects NO_COLOR, FORCE_COLOR and TERM=dumb.
    this.#colours = terminal?.hasColors() ?? false;
    this.#columns = () => terminal?.columns || PIPE_COLUMNS;
  }

  show(output: Output): void {
    if (output.kind === 'line') this.line(...output.spans);
    else if (output.kind === 'end') this.#end(output);
    else this.#text(output);
  }

  /** One line of facts, cut where the terminal ends. */
  line(...spans: readonly Span[]): void {
    this.#leave();
    let room = this.#columns();
    let line = '';
    for (const span of spans) {
      line += this.#paint(span, (text) => {
        const whole = plainLine(text);
        const shown = clip(whole, room);
        room = shown === whole ? room - columns(shown) : 0;
        return shown;
      });
      if (room <= 0) break;
    }
    this.#out.write(`${line.trimEnd()}\n`);
  }

  #text({ key, before, text, style }: Piece): void {
    const lines = ((this.#held.get(key) ?? '') + text).split('\n');
    const rest = lines.pop() ?? '';
    for (const line of lines) {
      this.#write(key, before, line, style);
      this.#leave();
    }
    // Half of a character waits for its other half.
    const held = this.#live ? (/[\uD800-\uDBFF]$/.exec(rest)?.[0] ?? '') : rest;
    if (held.length < rest.length) this.#write(key, before, rest.slice(0, rest.length - held.length), style);
    this.#held.set(key, held);
  }

  #end({ key, before, style }: Piece): void {
    const held = this.#held.get(key);
    if (held) this.#write(key, before, held, style);
    if (this.#current === key) this.#leave();
    this.#held.delete(key);
  }

  /** A piece of a text, where the text goes on: in its own line, or in a new one. */
  #write(key: string, before: readonly Span[], text: string, style: Style | undefined): void {
    if (this.#current !== key) {
      this.#leave();
      this.#out.write(before.map((span) => this.#paint(span, plainLine)).join(''));
    }
    this.#current = key;
    this.#out.write(this.#paint(style ? [text, style] : text, plain));
  }

  #leave(): void {
    if (this.#current !== undefined) this.#out.write('\n');
    this.#current = undefined;
  }

  #paint(span: Span, shown: (text: string) => string): string {
    const [text, ...styles] = typeof span === 'string' ? [span] : span;
    if (!this.#colours || styles.length === 0) return shown(text);
    // It was decided once for all lines; not to be asked again of another stream.
    return styleText([...styles], shown(text), { validateStream: false });
  }
}
