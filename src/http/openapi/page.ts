/** GET /docs: the OpenAPI document as one page that needs no script and loads nothing. */
import { createHash } from 'node:crypto';
import { html, raw } from 'hono/html';
import { curlOf } from './curl.ts';
import type { DocumentedOperation, DocumentedResponse, Media, OpenApiDocument, Parameter } from './document.ts';
import { type Html, prose, schemaView } from './page-schema.ts';
import { STYLE } from './page-style.ts';
import { SCENE } from './scene.ts';

/** The content security policy lets this style in and nothing else. */
export const STYLE_POLICY = `style-src 'sha256-${createHash('sha256').update(STYLE).digest('base64')}'`;

interface Shown {
  readonly method: string;
  readonly path: string;
  readonly operation: DocumentedOperation;
}

/** The page; `origin` stands in the commands. */
export function docsPage(document: OpenApiDocument, origin: string): Html {
  const { info, tags, paths, components } = document;
  const all: Shown[] = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ method: method.toUpperCase(), path, operation })),
  );
  const groups = tags.map((tag) => ({
    ...tag,
    shown: all.filter(({ operation }) => operation.tags.includes(tag.name)),
  }));
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${info.title}: HTTP interface</title>
<style>${raw(STYLE)}</style>
</head>
<body>
<a class="skip" href="#main">Skip to the routes</a>
<header>
<h1>${info.title}</h1>
<p>${prose(info.description)}</p>
<p>The same for programs: <a href="openapi.json">OpenAPI ${document.openapi}</a>. A click on a command selects all of it.</p>
<p>The commands speak of the run <code>first</code> of the thread <code>talk</code>, which has ended, and of the open run
<code>job</code>. These make them; <code>greeter</code> stands for an agent of yours.</p>
${SCENE.map(([path, example]) => paths[path]?.post && commandView('POST', path, paths[path].post, example, origin))}
</header>
<nav aria-label="Routes">
${groups.map(
  ({ name, shown }) => html`<h2>${name}</h2>
<ul>${shown.map(({ method, path, operation }) => html`<li><a href="#${operation.operationId}">${badge(method)} ${breakable(path)}</a></li>`)}</ul>`,
)}
<h2>Schemas</h2>
<ul><li><a href="#schemas">All schemas</a></li></ul>
</nav>
<main id="main" tabindex="-1">
${groups.map(
  ({ name, description, shown }) => html`<section aria-labelledby="group-${name}">
<h2 id="group-${name}">${name}</h2>
<p>${description}</p>
${shown.map((it) => operationView(it, origin))}
</section>`,
)}
<section aria-labelledby="schemas">
<h2 id="schemas">Schemas</h2>
${Object.entries(components.schemas).map(
  ([name, schema]) => html`<article class="schema" id="schema-${name}"><h3>${name}</h3>${schemaView(schema)}</article>`,
)}
</section>
</main>
</body>
</html>
`;
}

const badge = (method: string): Html => html`<span class="method ${method.toLowerCase()}">${method}</span>`;

/** A path that may break behind each slash. */
const breakable = (path: string): Html =>
  html`<code>${path.split('/').map((part, i) => (i === 0 ? part : html`/<wbr>${part}`))}</code>`;

function operationView({ method, path, operation }: Shown, origin: string): Html {
  const { operationId, summary, description, parameters, requestBody } = operation;
  const responses = Object.entries(operation.responses);
  const refusals = responses.filter(isRefusal);
  return html`<article id="${operationId}">
<h3>${badge(method)} ${breakable(path)}</h3>
<p class="summary">${summary}</p>
<p>${prose(description)}</p>
${needsView(operation)}
${operation['x-examples'].map((example) => commandView(method, path, operation, example, origin))}
${parameters.length > 0 && html`<h4>Parameters</h4><dl>${parameters.map(parameterView)}</dl>`}
${requestBody && html`<h4>Body${requestBody.required ? '' : ', may be left out'}</h4>${contentView(requestBody.content)}`}
<h4>Answers</h4>
<dl>${responses.filter((it) => !isRefusal(it)).map(answerView)}</dl>
<details><summary>Refusals: ${refusals.map(([status]) => status).join(', ')}</summary>
<dl>${refusals.map(answerView)}</dl></details>
</article>`;
}

/** Nothing where it is for everybody. */
function needsView({ security }: DocumentedOperation): Html | '' {
  const scope = security.flatMap((it) => Object.values(it).flat())[0];
  return scope === undefined
    ? ''
    : html`<p>Needs the scope <code>${scope}</code> where the server has authentication.</p>`;
}

const commandView = (...request: Parameters<typeof curlOf>): Html =>
  html`<pre class="command"><code>${curlOf(...request)}</code></pre>`;

type Answered = [status: string, response: DocumentedResponse];

const isRefusal = ([, { content = {} }]: Answered): boolean => 'application/problem+json' in content;

const parameterView = ({
  name,
  in: place,
  required,
  description,
  schema,
}: Parameter): Html => html`<dt><code>${name}</code>
<span class="kind">${place}${required ? ', required' : ''}</span></dt>
<dd>${typeof description === 'string' ? prose(description) : ''} ${schemaView(schema)}</dd>`;

function answerView(answer: Answered): Html {
  const [status, { description, headers = {}, content = {} }] = answer;
  const refused = isRefusal(answer);
  return html`<dt class="${refused ? 'refused' : 'fine'}"><code>${status}</code></dt>
<dd>${prose(description)}
${Object.entries(headers).map(([name, header]) => html`<p>Header <code>${name}</code>: ${prose(header.description)}</p>`)}
${!refused && contentView(content)}</dd>`;
}

function contentView(content: Readonly<Record<string, Media>>): readonly Html[] {
  return Object.entries(content).map(([type, media]) => {
    const { example, 'x-line': line, 'x-frames': frames } = media;
    return html`<div class="content"><p><code>${type}</code>${
      line ? html`, each line ${schemaView(line)}` : frames ? html`, in each frame` : html` ${schemaView(media.schema)}`
    }</p>
${frames && html`<ul>${Object.entries(frames).map(([name, schema]) => html`<li><code>${name}</code> ${schemaView(schema)}</li>`)}</ul>`}
${example !== undefined && html`<details><summary>Example</summary><pre><code>${typeof example === 'string' ? example : JSON.stringify(example, null, 2)}</code></pre></details>`}
</div>`;
  });
}
