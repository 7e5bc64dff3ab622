/** A page of all parts, as the tests of the parts drive it. */
import { type ReactNode, useState } from 'react';
import { createRoot, type Root } from 'react-dom/client';
import { createClient } from '../../client/index.ts';
import { TelltaleProvider, useRun } from '../index.ts';
import {
  Announcer,
  Answer,
  ApprovalCard,
  BudgetMeter,
  Commands,
  ConnectionStatus,
  type Labels,
  Plan,
  Thinking,
  Timeline,
  ToolCard,
} from './index.ts';
import { STYLES } from './styles.fixture.ts';

const client = createClient({ url: '/' });

interface Props {
  readonly runId: string;
}

function Tools({ runId }: Props): ReactNode {
  const tools = useRun(runId, { select: ({ data }) => data?.tools });
  return tools?.map((tool) => <ToolCard.Root key={`${tool.agentId} ${tool.id}`} runId={runId} tool={tool} />);
}

function Lines({ runId }: Props): ReactNode {
  return (
    <Timeline.Root runId={runId}>
      <Timeline.Viewport style={{ height: 400 }} />
      <Timeline.ToEnd />
    </Timeline.Root>
  );
}

type Look = Pick<Timeline.RootProps, 'show' | 'step' | 'group' | 'reveal'>;

function Story({ runId }: Props): ReactNode {
  const [look, setLook] = useState<Look>({});
  page.look = setLook;
  return (
    <Timeline.Root runId={runId} {...look}>
      <Timeline.Viewport style={{ height: 400 }} />
      <Timeline.ToEnd />
    </Timeline.Root>
  );
}

function Controlled({ runId }: Props): ReactNode {
  const [open, setOpen] = useState(false);
  const [asked, ask] = useState(0);
  const change = (next: boolean): void => {
    ask(asked + 1);
    if (asked > 0) setOpen(next);
  };
  return (
    <>
      <Thinking.Root runId={runId} open={open} onOpenChange={change} />
      <output id="asked">{asked}</output>
    </>
  );
}

function Slots({ runId }: Props): ReactNode {
  const [clicks, click] = useState(0);
  const [tag, setTag] = useState('');
  return (
    <>
      <Thinking.Root
        runId={runId}
        className="mine"
        style={{ color: 'red' }}
        id="root"
        ref={(it) => setTag(it?.tagName ?? '')}
      >
        <Thinking.Trigger
          title="a chip"
          onClick={(event) => {
            click(clicks + 1);
            if (clicks === 0) event.preventDefault();
          }}
        />
        <Thinking.Content render={(props, { spans }) => <article {...props}>{spans.length} thoughts</article>} />
      </Thinking.Root>
      <output id="slots">{`${clicks} ${tag}`}</output>
    </>
  );
}

function Questions({ runId }: Props): ReactNode {
  const ids = useRun(runId, { select: ({ data }) => data?.approvals.map(({ id }) => id) });
  return ids?.map((id) => <ApprovalCard.Root key={id} runId={runId} approvalId={id} by="ada" />);
}

function People({ runId }: Props): ReactNode {
  return (
    <main>
      <h1>A run and its people</h1>
      <ConnectionStatus.Root runId={runId} />
      <Announcer runId={runId} />
      <Commands.Root runId={runId} by="ada" confirm />
      <BudgetMeter.Root runId={runId} />
      <Questions runId={runId} />
      <Lines runId={runId} />
    </main>
  );
}

function All({ runId }: Props): ReactNode {
  return (
    <main>
      <h1>A run</h1>
      <ConnectionStatus.Root runId={runId} />
      <Announcer runId={runId} />
      <Plan.Root runId={runId} />
      <BudgetMeter.Root runId={runId} />
      <Thinking.Root runId={runId} />
      <Tools runId={runId} />
      <Answer.Root runId={runId} />
      <Lines runId={runId} />
    </main>
  );
}

const SHOWN = {
  All,
  Tools,
  Lines,
  Story,
  Controlled,
  Slots,
  Thinking: ({ runId }: Props) => <Thinking.Root runId={runId} />,
  Always: ({ runId }: Props) => <Thinking.Root runId={runId} autoOpen="always" />,
  Never: ({ runId }: Props) => <Thinking.Root runId={runId} autoOpen="never" />,
  Answer: ({ runId }: Props) => <Answer.Root runId={runId} />,
  Budget: ({ runId }: Props) => <BudgetMeter.Root runId={runId} />,
  Status: ({ runId }: Props) => <ConnectionStatus.Root runId={runId} />,
  Announcer: ({ runId }: Props) => <Announcer runId={runId} />,
  People,
  Questions,
  Commands: ({ runId }: Props) => <Commands.Root runId={runId} />,
};
export type PartName = keyof typeof SHOWN;

const GERMAN: Partial<Labels> = {
  plan: () => 'Plan',
  budgetUsed: (_limit, used, max) => `${used ?? 'unbekannt'} von ${max}`,
};

const roots: Root[] = [];

export const page = {
  /** How the story is looked at; for what shows it. */
  look: (_: Look): void => {},
  /** What live regions said, and when. */
  said: [] as { at: number; text: string }[],
  mount(name: PartName, runId: string, locale?: 'de'): void {
    document.title = 'Parts';
    document.documentElement.lang = locale ?? 'en';
    document.head.appendChild(document.createElement('style')).textContent = STYLES;
    document.body.replaceChildren();
    const Shown = SHOWN[name];
    const root = createRoot(document.body.appendChild(document.createElement('div')));
    root.render(
      <TelltaleProvider client={client} {...(locale && { locale, labels: GERMAN })}>
        <Shown runId={runId} />
      </TelltaleProvider>,
    );
    roots.push(root);
  },
  unmount(): void {
    for (const root of roots.splice(0)) root.unmount();
  },
  /** Writes down what a screen reader would be told. */
  listen(): void {
    const spoken = (node: Node): Element | null =>
      (node instanceof Element ? node : node.parentElement)?.closest(
        '[role=status],[role=alert],[role=log],[aria-live]',
      ) ?? null;
    new MutationObserver((changes) => {
      const regions = new Set(changes.map((it) => spoken(it.target)));
      for (const region of regions) {
        if (region?.textContent) page.said.push({ at: performance.now(), text: region.textContent });
      }
    }).observe(document.body, { childList: true, characterData: true, subtree: true });
  },
};
