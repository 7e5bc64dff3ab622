/** The style of GET /docs: the reader's own font, light or dark, one column on a phone. */
export const STYLE = `
:root { color-scheme: light dark; --page: #fff; --text: #1c2024; --faint: #5b6570; --line: #d9dde2; --code: #f3f5f7;
  --link: #0b5cad; --get: #0a6640; --post: #0b5cad; --other: #8a3b00; --refused: #a31515; }
@media (prefers-color-scheme: dark) {
  :root { --page: #14171a; --text: #e6e9ec; --faint: #a3adb8; --line: #343b42; --code: #1e2327;
    --link: #79b8ff; --get: #5fd39a; --post: #79b8ff; --other: #ffb27a; --refused: #ff9d96; }
}
* { box-sizing: border-box; }
html { scroll-padding-top: 1rem; }
body { margin: 0 auto; max-width: 78rem; padding: 1.5rem; background: var(--page); color: var(--text);
  font: 1rem/1.55 system-ui, sans-serif; display: grid; gap: 0 2.5rem; grid-template-columns: 19rem minmax(0, 1fr); }
header { grid-column: 1 / -1; border-bottom: 1px solid var(--line); margin-bottom: 1rem; }
h1, h2, h3, h4 { line-height: 1.25; overflow-wrap: anywhere; }
h1 { margin: 0; }
h4 { margin: 1.25rem 0 .5rem; color: var(--faint); font-size: .9rem; }
p { margin: .5rem 0; max-width: 46rem; }
a { color: var(--link); }
:focus-visible { outline: 3px solid var(--link); outline-offset: 2px; }
main:focus { outline: none; }
.skip { position: absolute; left: -99rem; }
.skip:focus { left: 1rem; top: 1rem; background: var(--page); padding: .5rem; }
nav { align-self: start; position: sticky; top: 0; max-height: 100vh; overflow: auto; padding: .5rem .25rem; font-size: .875rem; }
nav h2 { font-size: .875rem; margin: 1rem 0 .25rem; color: var(--faint); }
nav ul { list-style: none; margin: 0; padding: 0; }
nav a { display: block; padding: .25rem; text-decoration: none; color: var(--text); border-radius: .25rem; }
nav a:hover { background: var(--code); }
nav code { background: none; padding: 0; }
code, pre { font: .875em/1.5 ui-monospace, monospace; overflow-wrap: anywhere; }
code { background: var(--code); padding: .1em .25em; border-radius: .25rem; }
pre { background: var(--code); border: 1px solid var(--line); border-radius: .375rem; padding: .75rem; margin: .5rem 0;
  white-space: pre-wrap; }
pre code { background: none; padding: 0; font-size: 1em; }
.command { user-select: all; }
article { border-top: 1px solid var(--line); padding: .5rem 0 1.5rem; }
article h3 { margin: .75rem 0 .25rem; }
.summary { font-weight: 600; }
.method { display: inline-block; font: 700 .75em/1.5 ui-monospace, monospace; min-width: 3.2em; }
.get { color: var(--get); } .post { color: var(--post); } .method:not(.get, .post) { color: var(--other); }
.kind, .type { color: var(--faint); font-size: .875rem; }
dl { margin: .25rem 0; }
dt { margin-top: .5rem; }
dd { margin: 0 0 0 1.25rem; }
.refused code { color: var(--refused); }
.content > p { margin: .25rem 0; }
summary { cursor: pointer; padding: .25rem 0; }
@media (max-width: 56rem) {
  body { display: block; padding: 1rem; }
  nav { position: static; max-height: none; border-bottom: 1px solid var(--line); padding-bottom: 1rem; }
  nav a { padding: .5rem .25rem; }
}
`;
