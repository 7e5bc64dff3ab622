import {
  type ComponentPropsWithoutRef,
  type ComponentPropsWithRef,
  type Context,
  type CSSProperties,
  createElement,
  type ForwardedRef,
  type HTMLAttributes,
  type ReactElement,
  useContext,
} from 'react';
import { TelltaleError } from '../../protocol/index.ts';
import type { RunSource } from '../run-source.ts';

type Tag = 'div' | 'span' | 'button' | 'section' | 'ol' | 'li' | 'textarea';

/** The run a part shows, and where its stream begins. Parts and hooks of one run share its connection. */
export interface OfRun extends RunSource {
  readonly runId: string | undefined;
}

/**
 * What every element of a part takes: `className`, `style`, `ref`, handlers and the rest of its attributes. `render` puts
 * something else in its place; what it returns must take the props it is given.
 *
 * @example
 * <Answer.Text render={(props, { text }) => <Markdown {...props} source={text} />} />
 */
export type PartProps<T extends Tag, State> = ComponentPropsWithoutRef<T> & {
  readonly render?: ((props: ComponentPropsWithRef<T>, state: State) => ReactElement) | undefined;
};

/** Attributes a part sets by itself. What the page gives counts more, except that handlers are both called. */
export interface Own extends HTMLAttributes<HTMLElement> {
  /** `data-slot`: what it is. */
  readonly slot: string;
  /** `data-state`: `open` or `closed`. */
  readonly isOpen?: boolean | undefined;
  /** `data-status`: how what it shows stands. */
  readonly status?: string | undefined;
  /** `data-agent`: the invocation it belongs to. */
  readonly agent?: string | undefined;
  readonly type?: 'button';
}

/** How full something is, 0 to 1, for the style sheet that draws it: `width: calc(var(--tt-part) * 100%)`. */
export const partStyle = (part: number): CSSProperties => ({ '--tt-part': Math.min(1, part) }) as CSSProperties;

type Handler = (event: { readonly defaultPrevented?: boolean }) => void;

/** Shows one element of a part. A handler of the page is called first; `preventDefault` keeps the part's own from it. */
export function element<T extends Tag, State>(
  tag: T,
  own: Own,
  given: PartProps<T, State>,
  state: State,
  ref: ForwardedRef<never>,
): ReactElement {
  const { slot, isOpen, status, agent, style, ...attributes } = own;
  const { render, ...more } = given;
  const props: Record<string, unknown> = {
    'data-slot': slot,
    'data-state': isOpen === undefined ? undefined : isOpen ? 'open' : 'closed',
    'data-status': status,
    'data-agent': agent,
    ...attributes,
    ...more,
    ref,
  };
  if (style || more.style) props.style = { ...style, ...more.style };
  for (const [name, ours] of Object.entries(attributes)) {
    const theirs = props[name];
    if (typeof ours !== 'function' || theirs === ours) continue;
    props[name] = (event: Parameters<Handler>[0]): void => {
      (theirs as Handler | undefined)?.(event);
      if (!event.defaultPrevented) (ours as Handler)(event);
    };
  }
  return render ? render(props as unknown as ComponentPropsWithRef<T>, state) : createElement(tag, props);
}

/**
 * What the root of a part knows.
 *
 * @throws {TelltaleError} `invalid_option` outside of one.
 */
export function useRoot<T>(context: Context<T | undefined>): T {
  const value = useContext(context);
  if (!value) throw new TelltaleError('invalid_option', 'Put the elements of a part inside of its Root.');
  return value;
}
