import './json-tree.css';
import { type ReactElement, useState } from 'react';
import { visible } from 'telltale/react/parts';
import { Copy } from './copy.tsx';
import { count, plural } from './format.ts';

/** So many members, or characters of a text, are shown at a time: what nobody looks at costs nothing. */
const MEMBERS = 100;
const CHARACTERS = 2_000;
/** Names of members that stand for an object that is closed. */
const PREVIEW = 4;

export interface JsonTreeProps {
  readonly value: unknown;
  /** What it is called: `result`. Paths begin with it. */
  readonly name: string;
}

/**
 * A JSON value to look into. Objects and lists open one level at a time, and long ones piece by piece, so that one of many
 * megabytes is as quick as a small one. Each value, and the way to it, can be copied.
 *
 * @example
 * <JsonTree name="result" value={tool.result} />
 */
export function JsonTree({ value, name }: JsonTreeProps): ReactElement {
  return (
    <div className="json">
      <Node value={value} name={name} path={name} isOpenAtFirst />
    </div>
  );
}

interface NodeProps extends JsonTreeProps {
  readonly path: string;
  readonly isOpenAtFirst?: boolean;
}

function Node(props: NodeProps): ReactElement {
  return typeof props.value === 'object' && props.value !== null ? <Branch {...props} /> : <Leaf {...props} />;
}

function Branch({ value, name, path, isOpenAtFirst = false }: NodeProps): ReactElement {
  const [isOpen, setIsOpen] = useState(isOpenAtFirst);
  const [shown, show] = useState(MEMBERS);
  const isList = Array.isArray(value);
  const keys = isList ? undefined : Object.keys(value as object);
  const total = isList ? value.length : (keys?.length ?? 0);
  const members = Array.from({ length: isOpen ? Math.min(shown, total) : 0 }, (_, i) => keys?.[i] ?? String(i));
  return (
    <div className="json-branch">
      <div className="json-line">
        <button type="button" className="json-trigger" aria-expanded={isOpen} onClick={() => setIsOpen(!isOpen)}>
          <span aria-hidden="true">{isOpen ? '▾ ' : '▸ '}</span>
          <Name name={name} />
          <span className="json-size">{isList ? `[${count(total)}]` : previewOf(keys ?? [])}</span>
        </button>
        <Copies value={value} path={path} />
      </div>
      {members.map((key) => (
        <Node
          key={key}
          name={key}
          value={(value as Record<string, unknown>)[key]}
          path={isList ? `${path}[${key}]` : pathOf(path, key)}
        />
      ))}
      {isOpen && total > shown && (
        <button type="button" className="json-more" onClick={() => show(shown + MEMBERS)}>
          {count(Math.min(MEMBERS, total - shown))} more of {count(total)}
        </button>
      )}
    </div>
  );
}

function Leaf({ value, name, path }: NodeProps): ReactElement {
  const [shown, show] = useState(CHARACTERS);
  const isText = typeof value === 'string';
  const text = isText ? value : String(value);
  return (
    <div className="json-line json-leaf">
      <Name name={name} />
      <span className="json-value" data-type={value === null ? 'null' : typeof value} dir="auto">
        {visible(text.slice(0, shown), true)}
        {text === '' && <span className="json-size">empty text</span>}
      </span>
      {text.length > shown && (
        <button type="button" className="json-more" onClick={() => show(shown * 4)}>
          {plural(text.length - shown, 'more character')}
        </button>
      )}
      <Copies value={value} path={path} />
    </div>
  );
}

const Name = ({ name }: { readonly name: string }): ReactElement => (
  <>
    <bdi className="json-name">{visible(name)}</bdi>{' '}
  </>
);

function Copies({ value, path }: { readonly value: unknown; readonly path: string }): ReactElement {
  const text = (): string => (typeof value === 'string' ? value : JSON.stringify(value, null, 2));
  return (
    <span className="json-copies">
      <Copy text={text}>Copy</Copy>
      <Copy text={path}>Path</Copy>
    </span>
  );
}

/** `{id, name, …}` */
const previewOf = (keys: readonly string[]): string =>
  `{${visible(keys.slice(0, PREVIEW).join(', ')).slice(0, 80)}${keys.length > PREVIEW ? `, … ${count(keys.length)}` : ''}}`;

/** As a program would write it: `result.items[3]["a b"]`. */
const pathOf = (path: string, key: string): string =>
  /^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u.test(key) ? `${path}.${key}` : `${path}[${JSON.stringify(key)}]`;
