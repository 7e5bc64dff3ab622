import {
  type ComponentPropsWithoutRef,
  type ComponentPropsWithRef,
  type Context,
  type CSSProperties,
  createElement,
  type ForwardedRef,
  type ForwardRefExoticComponent,
  forwardRef,
  type HTMLAttributes,
  type PropsWithoutRef,
  type ReactElement,
  type RefAttributes,
  useContext,
} from 'react';
import { TelltaleError } from '../../protocol/index.ts';
import type { RunSource } from '../run-source.ts';
import { useWords, type Words } from './words.ts';

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
  /** `data-state`: `open` or `closed`. */
  readonly isOpen?: boolean | undefined;
  /** `data-status`: how what it shows stands. */
  readonly status?: string | undefined;
  /** `data-agent`: the invocation it belongs to. */
  readonly agent?: string | undefined;
  readonly type?: 'button';
}

/** Text with its line breaks. */
export const PRE_WRAP: CSSProperties = { whiteSpace: 'pre-wrap' };
/** The same, which may be one endless word. */
export const ANYWHERE: CSSProperties = { ...PRE_WRAP, overflowWrap: 'anywhere' };

/**
 * How far something is. `--tt-part`, 0 to 1, is for the style sheet that draws it: `width: calc(var(--tt-part) * 100%)`.
 */
export const rangeOf = (name: string, now: number, max: number, part = max > 0 ? now / max : 1) => ({
  'aria-label': name,
  'aria-valuemin': 0,
  'aria-valuenow': now,
  'aria-valuemax': max,
  style: { '--tt-part': Math.min(1, part) } as CSSProperties,
});

/** An element whose ref is that of its tag. */
type Part<T extends Tag, Props> = ForwardRefExoticComponent<
  PropsWithoutRef<Props> & RefAttributes<HTMLElementTagNameMap[T]>
>;

/** What a root tells the elements inside of it: what it gives to `render`, and what only they need. */
export interface Shown<State> {
  readonly state: State;
}

/** What the root itself shows: its own attributes, and what it tells. */
export type RootShown<S extends Shown<unknown>> = S & {
  readonly own: Own;
  /** What is rendered next to it, whatever the page puts inside of it. */
  readonly beside?: ReactElement | undefined;
};

type Handler = (event: { readonly defaultPrevented?: boolean }) => void;

/** Shows one element of a part. A handler of the page is called first; `preventDefault` keeps the part's own from it. */
function element(
  tag: Tag,
  slot: string,
  own: Own,
  given: object,
  state: unknown,
  ref: ForwardedRef<unknown>,
): ReactElement {
  const { isOpen, status, agent, style, ...attributes } = own;
  // What parts are told is no attribute.
  const {
    render,
    runId,
    from,
    initialSnapshot,
    agentId,
    approvalId,
    by,
    confirm,
    tool,
    row,
    open,
    defaultOpen,
    onOpenChange,
    autoOpen,
    show,
    step,
    group,
    reveal,
    ...more
  } = given as Record<string, never>;
  const props: Record<string, unknown> = {
    'data-slot': slot,
    'data-state': isOpen === undefined ? undefined : isOpen ? 'open' : 'closed',
    'data-status': status,
    'data-agent': agent,
    ...attributes,
    ...more,
    ref,
  };
  if (style || more.style) props.style = { ...style, ...(more.style as CSSProperties | undefined) };
  for (const [name, ours] of Object.entries(attributes)) {
    const theirs = props[name];
    if (typeof ours !== 'function' || theirs === ours) continue;
    props[name] = (event: Parameters<Handler>[0]): void => {
      (theirs as Handler | undefined)?.(event);
      if (!event.defaultPrevented) (ours as Handler)(event);
    };
  }
  return render ? (render as PartProps<'div', unknown>['render'] & object)(props, state) : createElement(tag, props);
}

/**
 * The root of a part: shows `own` of what `show`, a hook, makes of its props, and tells the elements inside of it the rest.
 * Nothing is shown where that is nothing.
 */
export function rootOf<T extends Tag, S extends Shown<unknown>, Props extends PartProps<T, S['state']>>(
  context: Context<S | undefined>,
  tag: T,
  slot: string,
  show: (props: Props, words: Words) => RootShown<S> | undefined,
): Part<T, Props> {
  return named(slot, (given: Props, ref) => {
    const value = show(given, useWords());
    if (!value) return null;
    const shown = element(tag, slot, value.own, given, value.state, ref);
    return createElement(context.Provider, { value }, shown, value.beside);
  });
}

/** An element inside of a root: shows what `show`, a hook, makes of what the root tells; nothing where that is nothing. */
export function partOf<T extends Tag, S extends Shown<unknown>, Props = PartProps<T, S['state']>>(
  context: Context<S | undefined>,
  tag: T,
  slot: string,
  show: (shown: S, words: Words, given: Props) => Own | undefined,
): Part<T, Props> {
  return named(slot, (given: Props, ref) => {
    const shown = useRoot(context);
    const own = show(shown, useWords(), given);
    return own ? element(tag, slot, own, given as object, shown.state, ref) : null;
  });
}

function named<T extends Tag, Props>(
  displayName: string,
  render: (given: Props, ref: ForwardedRef<unknown>) => ReactElement | null,
): Part<T, Props> {
  return Object.assign(forwardRef(render as never), { displayName }) as unknown as Part<T, Props>;
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
