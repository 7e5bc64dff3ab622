/** Watches a task with the browser's own EventSource, by the names of the document's events. No library, no build. */
const find = (selector) => document.querySelector(selector);
const show = (selector, text) => {
  find(selector).textContent = text;
};
const TASKS = '/api/v1/agents/survey/tasks';

// The task is in the address: a reload, or another tab, has all of it.
const taskId = new URL(location.href).searchParams.get('task');
if (taskId) watch(taskId);

find('form').addEventListener('submit', async (event) => {
  event.preventDefault();
  show('[role=alert]', '');
  const description = new FormData(event.target).get('description');
  const task = await post(TASKS, { description });
  if (task) location.search = `?task=${task.task_id}`;
});

async function post(path, body) {
  const headers = { 'content-type': 'application/json' };
  try {
    const response = await fetch(path, { method: 'POST', headers, body: JSON.stringify(body) });
    const answer = await response.json();
    if (response.ok) return answer;
    show('[role=alert]', answer.detail);
  } catch {
    show('[role=alert]', 'The server cannot be reached.');
  }
}

function watch(id) {
  for (const it of ['#task', '#work']) find(it).hidden = false;
  const at = location.origin;
  show(
    '#curl',
    `curl ${at}${TASKS} -H 'content-type: application/json' \\
  -d '{"description": "What does it say about budgets?"}'
curl -N ${at}${TASKS}/${id}/events/stream
curl -X POST ${at}${TASKS}/${id}/resume`,
  );
  for (const button of document.querySelectorAll('#commands button')) {
    button.addEventListener('click', () => post(`${TASKS}/${id}/${button.value}`, {}));
  }

  const source = new EventSource(`${TASKS}/${id}/events/stream`);
  const on = (name, take) => source.addEventListener(name, ({ data }) => take(JSON.parse(data)));
  source.onopen = () => show('#connection', 'live');
  source.onerror = () => show('#connection', source.readyState === EventSource.CLOSED ? 'closed' : 'reconnecting');
  // What is shown is void: all of it follows again.
  on('heartbeat', ({ reset }) => reset && location.reload());

  on('WorkflowStarted', ({ input }) => {
    show('#task-title', input);
    find('[name=description]').value = input;
    become('running');
  });
  on('WorkflowPaused', () => become('paused'));
  on('WorkflowResumed', () => {
    become('running');
    tell('');
    // There is a new maximum after a pause for the budget. It is told with the next warning.
    find('#budget').hidden = true;
  });
  const end = (status, text) => {
    source.close();
    show('#connection', '');
    finish(status, text);
  };
  on('WorkflowCompleted', ({ result }) => end('completed', result));
  on('WorkflowFailed', ({ error, error_code }) => end(error_code === 'cancelled' ? 'cancelled' : 'failed', error));

  on('WorkflowStepStarted', ({ step_id, step_name }) => open(find('#steps'), step_id, step_name));
  on('WorkflowStepCompleted', ({ step_id, success, error }) => close(step_id, success, error));
  on('WorkflowToolCallStarted', (it) => open(lastStep(), it.tool_call_id, it.tool_name, ''));
  on('WorkflowToolCallCompleted', (it) => close(it.tool_call_id, it.success, it.error));
  on('WorkflowLLMCallStarted', ({ call_id, model, estimated_cost, currency }) => {
    open(lastStep(), call_id, model, estimated_cost === undefined ? '' : `about ${money(estimated_cost, currency)}`);
  });
  on('WorkflowLLMCallCompleted', ({ call_id, model, success, cost, currency, usage, error }) => {
    // The rules have no tokens: they count words.
    const unit = model.startsWith('rules') ? 'words' : 'tokens';
    const used = usage?.total_tokens === undefined ? '' : `${usage.total_tokens.toLocaleString()} ${unit} · `;
    close(call_id, success, success ? used + (cost === undefined ? 'cost unknown' : money(cost, currency)) : error);
    if (cost !== undefined) spend(cost, currency);
  });
  on('WorkflowBudgetWarning', ({ limit, used, max }) =>
    budget(`${limit}: ${round(used)} of ${round(max)} are used.`, max),
  );
  on('WorkflowBudgetExceeded', ({ limit, used, max, decision }) => {
    const next = decision === 'pause' ? ' Resume gives it the same amount again.' : '';
    budget(`${limit}: ${round(used)} of ${round(max)}. The budget is used up.${next}`, max);
  });
}

const SIGNS = { running: '●', paused: '‖', completed: '✓', failed: '✕', cancelled: '■' };

/** Never by colour alone: a sign, the word, and its colour. */
function become(status) {
  const it = find('#state [role=status]');
  it.textContent = `${SIGNS[status]} ${status}`;
  it.dataset.status = status;
  for (const button of document.querySelectorAll('#commands button')) {
    const can = { pause: status === 'running', resume: status === 'paused' }[button.value];
    button.disabled = !(can ?? !isOver(status));
  }
}

const isOver = (status) => ['completed', 'failed', 'cancelled'].includes(status);

function finish(status, text) {
  become(status);
  tell('');
  find('#answer').hidden = false;
  show('#result', typeof text === 'string' ? text : JSON.stringify(text, null, 2));
}

const tell = (text) => show('#told', text);

function budget(text, max) {
  tell(text);
  find('#budget').hidden = false;
  find('#budget').max = max;
  find('#budget').high = max * 0.8;
}

let spent = 0;
function spend(cost, currency) {
  spent += cost;
  show('#spent', `${money(spent, currency)} spent`);
  find('#budget').value = spent;
}

const round = (amount) => Number(amount.toPrecision(3));
const money = (amount, currency) => `${round(amount)} ${currency}`;

const rows = new Map();

/** A row of the list: a step, or a call in one. */
function open(list, id, name, about = '') {
  const row = document.createElement('li');
  const sign = document.createElement('span');
  const note = document.createElement('span');
  sign.className = 'sign';
  note.className = 'muted figures';
  row.append(sign, ` ${name} `, note, document.createElement('ol'));
  list.append(row);
  rows.set(id, { row, sign, note });
  mark(id, 'running', about);
}

const close = (id, success, about = '') => mark(id, success ? 'completed' : 'failed', about);

function mark(id, status, about) {
  const { row, sign, note } = rows.get(id);
  row.dataset.status = status;
  sign.textContent = SIGNS[status];
  sign.ariaLabel = status;
  sign.role = 'img';
  note.textContent = about;
}

const lastStep = () => find('#steps > li:last-child > ol') ?? find('#steps');
