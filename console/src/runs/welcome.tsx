import { type ReactElement, useState } from 'react';
import { serverUrl } from '../session/client.ts';
import { Copy } from '../ui/copy.tsx';
import { StartForm, useAgents } from './start.tsx';

/** Taken where it is there: it has something to say to the question of the examples. */
const AGENT = 'analyst';

/** The same run, started from three places. */
const snippets = (url: string, agent: string): Readonly<Record<string, string>> => ({
  curl: `curl -H 'content-type: application/json' \\
  -d '{"agent":"${agent}","input":"What are the risks in this project?"}' ${url}/v1/runs`,
  TypeScript: `import { createClient } from 'telltale/client';

const client = createClient({ url: '${url}' });
const { runId } = await client.start({ agent: '${agent}', input: 'What are the risks in this project?' });
for await (const event of client.run(runId).events()) console.log(event.type);`,
  Python: `import json, urllib.request

body = json.dumps({"agent": "${agent}", "input": "What are the risks in this project?"}).encode()
request = urllib.request.Request("${url}/v1/runs", body, {"content-type": "application/json"})
print(json.load(urllib.request.urlopen(request))["runId"])`,
});

/** A server without runs: three ways to start one from elsewhere, and one from here. */
export function Welcome(): ReactElement {
  const { data: agents = [] } = useAgents();
  const { name } = agents.find((it) => it.name === AGENT) ?? agents[0] ?? { name: AGENT };
  const all = snippets(serverUrl().href.replace(/\/$/, ''), name);
  const [language, choose] = useState('curl');
  return (
    <div className="welcome">
      <section className="panel">
        <h2>No runs yet</h2>
        <p>Start one here: it is a real run, and you watch it live.</p>
        <StartForm />
      </section>
      <section className="panel">
        <h2>Or from elsewhere</h2>
        <p className="muted">Whatever starts a run on this server, it appears in this list at once.</p>
        <fieldset className="welcome-languages" aria-label="Language">
          {Object.keys(all).map((it) => (
            <button type="button" key={it} aria-pressed={it === language} onClick={() => choose(it)}>
              {it}
            </button>
          ))}
          <Copy text={all[language] ?? ''} />
        </fieldset>
        {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reached with the keyboard. */}
        <pre tabIndex={0}>
          <code>{all[language]}</code>
        </pre>
      </section>
    </div>
  );
}
