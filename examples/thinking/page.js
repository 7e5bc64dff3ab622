/** Thinking by the browser's own EventSource, beside the answer of a POST. No library, no build. */
import { closeFlyout, openFlyout, showLines } from './flyout.js';

const find = (selector) => document.querySelector(selector);

// The conversation is in the address: a reload, or another tab, has all of it.
const address = new URL(location.href);
const id = address.searchParams.get('conversation') ?? crypto.randomUUID();
address.searchParams.set('conversation', id);
history.replaceState(null, '', address);
const CONVERSATION = `/api/conversations/${id}`;
const thread = id.replaceAll('-', '');

/** Turns by the id of their run. The id of a line begins with it. */
const turns = new Map();
const runOf = (lineId) => lineId.split('.')[0];

let source;
let lastId;

/** The stream is open before there is anything to tell. It closes with each turn, and waits for the next. */
function watch() {
  source?.close();
  source = new EventSource(`${CONVERSATION}/thinking${lastId ? `?after=${lastId}` : ''}`);
  source.onmessage = ({ data, lastEventId }) => {
    lastId = lastEventId;
    addLine(turnOf(runOf(lastEventId)), lastEventId, data);
  };
  source.addEventListener('waiting', ({ lastEventId }) => {
    lastId = lastEventId;
    refresh();
  });
  source.onerror = () => refresh();
}

find('form').addEventListener('submit', async (event) => {
  event.preventDefault();
  const { message } = Object.fromEntries(new FormData(event.target));
  // Between two turns the browser takes some seconds to come back.
  if (source?.readyState !== EventSource.OPEN) watch();
  isBusy(true);
  say('');
  try {
    const answer = await fetch(`${CONVERSATION}/messages`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ message }),
    });
    const told = await answer.json();
    // A turn that failed is in the list of runs as well, for every tab.
    if (answer.ok) await settle(told.message_id);
    else say(told.detail);
  } catch {
    say('The server cannot be reached.');
  }
  isBusy(false);
  refresh();
});

const isBusy = (busy) => {
  find('form button').disabled = busy;
};
const say = (text) => {
  find('form [role=alert]').textContent = text;
};

/** What has ended, here or in another tab, and has not been told here. */
async function refresh() {
  const runs = await ask(`/v1/runs?threadId=${thread}&limit=50`);
  for (const { runId, status, parentRunId } of runs?.runs.reverse() ?? []) {
    if (parentRunId === undefined && isOver(status)) await settle(runId);
  }
}

const isOver = (status) => ['completed', 'failed', 'cancelled'].includes(status);

async function ask(path) {
  try {
    const answer = await fetch(path);
    return answer.ok ? await answer.json() : undefined;
  } catch {
    return undefined;
  }
}

/** A turn is over: its chip, and its answer. */
async function settle(runId) {
  const turn = turnOf(runId);
  if (turn.isSettled) return;
  turn.isSettled = true;
  const run = await ask(`/v1/runs/${runId}`);
  if (!run) {
    // The next refresh has another try.
    turn.isSettled = false;
    return;
  }
  if (!isWhole(turn)) await replay(turn, run);
  turn.seconds = Math.round(run.durationMs / 1000);
  turn.work.dataset.state = 'finished';
  showLabel(turn);
  const failure = run.errors.at(-1)?.message ?? 'It was cancelled.';
  turn.answer.textContent = run.status === 'completed' ? run.output : `It failed: ${failure}`;
  turn.row.ariaBusy = false;
  find('[role=status]').textContent = 'Thinking finished';
}

/** Each line that begins has one that ends. */
const begun = (turn) => [...turn.lines.values()].filter((it) => !it.endsWith(' finished')).length;
const isWhole = (turn) => turn.lines.size > 0 && turn.lines.size === 2 * begun(turn);

/** All lines of a turn that has ended: what was heard of it before is not added again. */
const replay = (turn, { runId, epoch }) =>
  new Promise((resolve) => {
    const past = new EventSource(`${CONVERSATION}/thinking?after=${runId}.${epoch}.0`);
    const end = () => {
      past.close();
      resolve();
    };
    past.onmessage = ({ data, lastEventId }) => runOf(lastEventId) === runId && addLine(turn, lastEventId, data);
    // Where it is cut in the middle, the browser goes on by itself.
    past.onerror = () => (isWhole(turn) || past.readyState === EventSource.CLOSED) && end();
    past.addEventListener('waiting', end);
  });

/** The row of a turn: what was asked, the indicator that becomes a chip, the answer. */
function turnOf(runId) {
  const known = turns.get(runId);
  if (known) return known;
  const row = add(find('#talk'), 'li', 'turn');
  row.ariaBusy = true;
  const question = add(row, 'p', 'question text');
  const work = add(row, 'div', 'work');
  work.dataset.state = 'thinking';
  const chip = add(work, 'button', 'chip');
  chip.type = 'button';
  chip.setAttribute('aria-expanded', 'false');
  const label = add(chip, 'span', 'label', 'Thinking…');
  const list = add(work, 'ol', 'lines');
  const answer = add(row, 'p', 'answer text');
  const turn = { row, work, chip, label, list, answer, lines: new Map() };
  ask(`/v1/runs/${runId}`).then((run) => {
    question.textContent = run?.input ?? '';
  });
  chip.addEventListener('click', () => {
    if (chip.getAttribute('aria-expanded') === 'true') closeFlyout();
    else openFlyout(chip, turn.lines);
  });
  turns.set(runId, turn);
  find('[role=status]').textContent = 'Thinking';
  row.scrollIntoView({ block: 'start' });
  return turn;
}

function addLine(turn, lineId, text) {
  if (turn.lines.has(lineId)) return;
  turn.lines.set(lineId, text);
  add(turn.list, 'li', '', text);
  turn.list.scrollTop = turn.list.scrollHeight;
  showLabel(turn);
  showLines(turn.chip, turn.lines);
}

function showLabel(turn) {
  if (turn.work.dataset.state !== 'finished') return;
  const steps = begun(turn);
  turn.label.textContent = `Thinking finished · ${turn.seconds} s · ${steps} ${steps === 1 ? 'step' : 'steps'}`;
}

function add(parent, name, className, text = '') {
  const it = document.createElement(name);
  it.className = className;
  it.textContent = text;
  parent.append(it);
  return it;
}

// What was said before comes first, also where a turn is under way.
refresh().then(watch);
