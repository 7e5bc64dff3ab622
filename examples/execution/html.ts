/** The page that is written: whatever stands in it was text before. */

export interface Section {
  readonly heading: string;
  /** Where it is from. */
  readonly path: string;
  readonly paragraphs: readonly string[];
}

const SIGNS: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

export const escaped = (text: string): string => text.replaceAll(/[&<>"]/g, (it) => SIGNS[it]!);

export function toHtml(title: string, sections: readonly Section[], by: string): string {
  const links = sections.map(({ heading }, i) => `<a href="#s${i}">${escaped(heading)}</a>`);
  const body = sections.map(({ heading, path, paragraphs }, i) => {
    const text = paragraphs.map((it) => `      <p>${escaped(it)}</p>`).join('\n');
    return `    <section id="s${i}">\n      <h2>${escaped(heading)}</h2>\n${text}\n      <p><small>${escaped(path)}</small></p>\n    </section>`;
  });
  return `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>${escaped(title)}</title>
    <link rel="stylesheet" href="style.css">
  </head>
  <body>
    <header>
      <h1>${escaped(title)}</h1>
      <nav>${links.join(' ')}</nav>
    </header>
${body.join('\n')}
    <footer>Written by ${escaped(by)}.</footer>
  </body>
</html>
`;
}

export const STYLE = `:root { color-scheme: light dark; font: 1rem/1.6 system-ui, sans-serif; }
body { margin: 0 auto; max-width: 42rem; padding: 2rem 1rem; background: light-dark(#fff, #0c0e12); color: light-dark(#14181f, #e7eaf0); }
h1 { font-size: 2rem; line-height: 1.2; }
h2 { font-size: 1.25rem; margin-block: 2rem 0.5rem; }
nav { display: flex; flex-wrap: wrap; gap: 0.25rem 1rem; }
a { color: light-dark(#3650c4, #93a8ff); }
p { overflow-wrap: anywhere; }
small, footer { color: light-dark(#566070, #9ca6b4); }
footer { margin-block-start: 3rem; }
`;
