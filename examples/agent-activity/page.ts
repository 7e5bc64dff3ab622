/** A session as a component of an Angular app would watch it, without Angular. */
import { type AgentActivity, AgentActivityService } from 'telltale/rxjs';

declare const ANSWERED_BY: string;

const find = <T extends HTMLElement>(selector: string): T => document.querySelector<T>(selector)!;

// The session is in the address: a reload, or another tab, has all of it.
const address = new URL(location.href);
const sessionId = address.searchParams.get('session') ?? crypto.randomUUID().replaceAll('-', '');
address.searchParams.set('session', sessionId);
history.replaceState(null, '', address);
find('#answered-by').textContent = ANSWERED_BY;

const service = new AgentActivityService();
const state = find('[role=status]');
service.joinSession(sessionId).then(
  () => (state.textContent = `Watching session ${sessionId}`),
  (error: Error) => (state.textContent = error.message),
);

let shown: readonly AgentActivity[] = [];
service.getActivities().subscribe((activities) => {
  const list = find('#activities');
  // What was shown stays as it is, unless the stream began again.
  if (activities[0] !== shown[0]) list.replaceChildren();
  list.append(...activities.slice(list.childElementCount).map(rowOf));
  find('#nothing').hidden = activities.length > 0;
  shown = activities;
});

service.getStatus().subscribe((agents) => {
  find('#agents').replaceChildren(...agents.map((it) => element('li', '', statusOf(it), ` ${it.agent_name}`)));
});

function rowOf(activity: AgentActivity): HTMLElement {
  const { agent_name, action, details, timestamp } = activity;
  const time = element('time', 'muted', new Date(timestamp).toLocaleTimeString([], { hour12: false }));
  const head = element(
    'p',
    '',
    statusOf(activity),
    element('b', '', ` ${action} `),
    element('span', 'muted', agent_name),
  );
  return element('li', action === 'Message' ? 'answer' : '', time, element('div', '', head, ...detailsOf(details)));
}

/** Never by colour alone: a sign, the word, and its colour. */
function statusOf({ status }: AgentActivity): HTMLElement {
  const sign = { completed: '✓', error: '✕', 'in-progress': '●' }[status] ?? '‖';
  const it = element('span', 'status', `${sign} ${status}`);
  it.dataset.status = status;
  return it;
}

function* detailsOf(details: unknown): Generator<HTMLElement> {
  if (details === undefined) return;
  // A run's input: what was asked is all that a reader wants of it.
  const text = (details as { question?: unknown } | null)?.question ?? details;
  if (typeof text === 'string') return yield element('p', 'text', text);
  const whole = element('pre', 'text', JSON.stringify(details, null, 2));
  yield element('details', '', element('summary', '', 'Details'), whole);
}

/** Text only: what a document says is never markup. */
function element(tag: string, className: string, ...children: (Node | string)[]): HTMLElement {
  const it = document.createElement(tag);
  it.className = className;
  it.append(...children);
  return it;
}

const form = find<HTMLFormElement>('form');
const alert = find('[role=alert]');
const button = find<HTMLButtonElement>('button');

form.addEventListener('submit', async (event) => {
  event.preventDefault();
  alert.textContent = '';
  button.disabled = true;
  try {
    const given = new FormData(form);
    const pdf = given.get('pdf') as File;
    const { document } = await post(`/documents?name=${encodeURIComponent(pdf.name)}`, 'application/pdf', pdf);
    const input = { document, name: pdf.name, question: given.get('question') };
    const run = { agent: 'document-agent', threadId: sessionId, input };
    await post('/v1/runs', 'application/json', JSON.stringify(run));
  } catch (error) {
    alert.textContent = (error as Error).message;
  } finally {
    button.disabled = false;
  }
});

async function post(path: string, type: string, body: BodyInit): Promise<Record<string, string>> {
  const response = await fetch(path, { method: 'POST', headers: { 'content-type': type }, body });
  const answer = await response.json();
  if (!response.ok) throw new Error(answer.detail ?? response.statusText);
  return answer;
}
