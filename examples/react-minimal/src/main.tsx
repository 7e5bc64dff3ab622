import { createRoot } from 'react-dom/client';
import { TelltaleProvider, useRun, useStartRun, useTimeline } from 'telltale/react';

function App() {
  const { start, data: run, error } = useStartRun();
  const ask = (form: FormData) => void start({ agent: 'analyst', input: String(form.get('question')) });
  return (
    <main>
      <form action={ask}>
        <input name="question" aria-label="Question" defaultValue="What are the risks in this project?" />
        <button type="submit">Ask</button>
      </form>
      {error && <p role="alert">{error.message}</p>}
      {run && <Watch key={run.runId} runId={run.runId} />}
    </main>
  );
}

function Watch({ runId }: { runId: string }) {
  const { status, connection, error, data } = useRun(runId);
  const { rows, toggle } = useTimeline(runId);
  return (
    <>
      <p role="status">{`${status} · ${error?.message ?? connection} · ${data?.events ?? 0} events`}</p>
      <ol>
        {rows.map((row) => (
          <li key={row.key} style={{ marginInlineStart: `${row.depth * 1.5}em` }}>
            <button type="button" aria-expanded={row.isOpen} onClick={() => toggle(row)}>
              {row.kind === 'agent' || row.kind === 'tool' ? row.item.name : row.kind}
            </button>
            {row.isOpen && (row.kind === 'thinking' || row.kind === 'message') && <p>{row.item.text}</p>}
          </li>
        ))}
      </ol>
    </>
  );
}

createRoot(document.getElementById('root')!).render(
  <TelltaleProvider url="/">
    <App />
  </TelltaleProvider>,
);
