/** Asks with the browser's own EventSource and hears the four events of the chat. No library, no build. */
const find = (selector) => document.querySelector(selector);

/** Never by colour alone: a sign, the word, and its colour. */
const STATES = {
  idle: '○ not connected',
  connecting: '◌ connecting',
  connected: '● connected',
  failed: '✕ connection lost',
};
function become(state) {
  const it = find('#connection [role=status]');
  it.textContent = STATES[state];
  it.dataset.state = state;
}

find('form').addEventListener('submit', (event) => {
  event.preventDefault();
  ask(new FormData(event.target).get('message'));
});

function ask(message) {
  const turn = add(find('#talk'), 'li', '');
  add(turn, 'p', 'question', message);
  const work = add(turn, 'ul', 'work');
  const answer = add(turn, 'p', 'answer text');
  const isBusy = (busy) => {
    find('button').disabled = busy;
    turn.ariaBusy = busy;
  };
  isBusy(true);
  become('connecting');

  const source = new EventSource(`/api/chat/stream?message=${encodeURIComponent(message)}`);
  const end = (state) => {
    source.close();
    isBusy(false);
    become(state);
  };
  source.addEventListener('connected', ({ data }) => {
    become('connected');
    // What is shown is void: all of it follows again.
    if (JSON.parse(data).reset) for (const it of [work, answer]) it.replaceChildren();
  });
  source.addEventListener('message', ({ data }) => {
    const told = JSON.parse(data);
    if (told.type === 'text') answer.append(told.content);
    if (told.type === 'specialist_update') add(work, 'li', '', `${told.specialist}: ${told.status}`);
    if (told.type === 'tool_call')
      add(work, 'li', '', `${told.tool}: ${Object.values(told.arguments).flat().join(', ')}`);
    turn.scrollIntoView({ block: 'end' });
  });
  source.addEventListener('done', () => end('idle'));
  source.addEventListener('error', ({ data }) => {
    if (data !== undefined) {
      const failure = add(turn, 'p', 'failure', `It failed: ${JSON.parse(data).error}`);
      failure.role = 'alert';
      end('idle');
    } else if (source.readyState === EventSource.CLOSED) end('failed');
    else become('connecting');
  });
}

function add(parent, name, className, text = '') {
  const it = document.createElement(name);
  it.className = className;
  it.textContent = text;
  parent.append(it);
  return it;
}
