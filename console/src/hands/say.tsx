import './say.css';
import { useMutation } from '@tanstack/react-query';
import { type FormEvent, type KeyboardEvent, type ReactElement, useRef, useState } from 'react';
import { newRunId, type RunSnapshot, TelltaleError } from 'telltale/protocol';
import { type RunResult, useRun, useTelltale } from 'telltale/react';
import { visible } from 'telltale/react/parts';
import { absolute, plural, timeOfDay } from '../ui/format.ts';
import { readInput } from '../ui/read-input.ts';
import { NotAllowed } from './not-allowed.tsx';
import { EventLink } from './run-commands.tsx';

interface OfRun {
  readonly runId: string;
}

const NONE: RunSnapshot['inputs'] = [];
const told = ({ data, status, isEnded, connection }: RunResult) => ({
  inputs: data?.inputs ?? NONE,
  goesOn: status !== 'pending' && !isEnded && connection !== 'replaying',
});

/** Where people say something to a run while it goes on, and what they have said. */
export function Say({ runId }: OfRun): ReactElement | null {
  const { inputs, goesOn } = useRun(runId, { select: told });
  if (!goesOn && inputs.length === 0) return null;
  return (
    <section className="say" aria-label="What people say to this run">
      {inputs.length > 0 && <Said runId={runId} inputs={inputs} />}
      {goesOn && <SayForm runId={runId} inputs={inputs} />}
    </section>
  );
}

interface Inputs extends OfRun {
  readonly inputs: RunSnapshot['inputs'];
}

function Said({ runId, inputs }: Inputs): ReactElement {
  return (
    <details className="said">
      <summary>{plural(inputs.length, 'input')} in the log</summary>
      <ol>
        {inputs.map(({ input, by, seq, receivedAt }) => (
          <li key={seq}>
            <time className="muted" dateTime={receivedAt} title={absolute(receivedAt)}>
              {timeOfDay(receivedAt)}
            </time>{' '}
            {by !== undefined && <b>{visible(by)} </b>}
            <bdi>{visible(typeof input === 'string' ? input : JSON.stringify(input), true)}</bdi>{' '}
            <EventLink runId={runId} seq={seq} />
          </li>
        ))}
      </ol>
    </details>
  );
}

function SayForm({ runId, inputs }: Inputs): ReactElement {
  const client = useTelltale();
  const [text, setText] = useState('');
  const [problem, setProblem] = useState<string>();
  /** Sent again after an error, the same is the same input. */
  const wish = useRef({ text: '', key: '' });
  const { mutate, isPending, data, error } = useMutation({
    mutationFn: ({ value, key }: { value: unknown; key: string }) => client.run(runId).input(value, {}, key),
    onSuccess: () => {
      wish.current = { text: '', key: '' };
      setText((now) => (now === sent.current ? '' : now));
    },
  });
  const sent = useRef('');
  const send = (): void => {
    if (text.trim() === '' || isPending) return;
    const { value, problem } = readInput(text);
    setProblem(problem);
    if (problem !== undefined) return;
    if (wish.current.text !== text) wish.current = { text, key: newRunId() };
    sent.current = text;
    mutate({ value, key: wish.current.key });
  };
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    send();
  };
  const press = (event: KeyboardEvent): void => {
    // While an input method composes, Enter takes its word.
    if (event.key !== 'Enter' || event.shiftKey || event.nativeEvent.isComposing) return;
    event.preventDefault();
    send();
  };
  const refused = error ? TelltaleError.from(error) : undefined;
  const isHere = data && inputs.some(({ inputId, seq }) => inputId === data.inputId || seq === data.seq);
  return (
    <form className="say-form" onSubmit={submit}>
      <textarea
        rows={1}
        value={text}
        placeholder="Say something to this run"
        aria-label="Say something to this run: text, or JSON where it begins with { or ["
        aria-describedby="say-status"
        onChange={({ target }) => setText(target.value)}
        onKeyDown={press}
      />
      <button type="submit" aria-disabled={isPending || text.trim() === '' || undefined}>
        {isPending ? 'Sending…' : 'Send'}
      </button>
      <span id="say-status" role="status" className="say-status">
        {isPending
          ? 'On its way, not in the log yet.'
          : data && !refused && (isHere ? <InLog runId={runId} seq={data.seq} /> : 'Taken; not seen in the log yet.')}
      </span>
      {(problem !== undefined || (refused && refused.code !== 'forbidden')) && (
        <p role="alert" className="say-problem">
          ✕ {problem ?? `It was not taken: ${visible(refused?.message ?? '')} What you typed is kept.`}
        </p>
      )}
      <NotAllowed errors={[refused]} to="say something to it" />
    </form>
  );
}

/** No more than is known: whether and when an agent listens is its own affair. */
const InLog = ({ runId, seq }: { readonly runId: string; readonly seq: number }): ReactElement => (
  <>
    In the log (<EventLink runId={runId} seq={seq} />
    ). The agent reads it when it asks for input.
  </>
);
