/** What a file is for, as its name tells. */
export const FILE_KINDS = ['document', 'code', 'table', 'other'] as const;
export type FileKind = (typeof FILE_KINDS)[number];

const EXTENSIONS: Readonly<Record<Exclude<FileKind, 'other'>, string>> = {
  document: 'md mdx markdown txt rst adoc org tex html htm',
  code: 'ts tsx js jsx mjs cjs mts cts py rb go rs java kt swift c h cc cpp hpp cs php sh bash lua sql scala vue svelte css',
  table: 'csv tsv',
};

const KIND = new Map<string, FileKind>(
  Object.entries(EXTENSIONS).flatMap(([kind, all]) => all.split(' ').map((it) => [it, kind as FileKind] as const)),
);

/** Names without an extension that are documents all the same. */
const DOCUMENTS = /^(readme|license|licence|changelog|contributing|authors|notice|todo|history)$/i;

export function kindOf(path: string): FileKind {
  const name = path.slice(path.lastIndexOf('/') + 1);
  return KIND.get(extensionOf(path)) ?? (DOCUMENTS.test(name) ? 'document' : 'other');
}

/** Without the dot, in lower case; empty where there is none. */
export function extensionOf(path: string): string {
  const name = path.slice(path.lastIndexOf('/') + 1);
  const dot = name.lastIndexOf('.');
  return dot > 0 ? name.slice(dot + 1).toLowerCase() : '';
}

/** A line that is a heading (Markdown), with its text. */
export function headingOf(line: string): string | undefined {
  return /^#{1,6}\s+(\S.*)$/.exec(line.slice(0, 400))?.[1];
}

const BEFORE = '(?:(?:export|default|public|private|protected|static|async|abstract|pub) +)*';
const NAMED = '(?:function\\*?|class|interface|enum|def|fn|func|struct|trait|impl|module) +([A-Za-z_$][\\w$]*)';
/** These stand in import lists and in the middle of things as well; only what is given a value is defined. */
const GIVEN = '(?:type|const|let|var|val) +([A-Za-z_$][\\w$]*)[^=;]{0,80}=';
const DEFINITION = new RegExp(`^ *${BEFORE}(?:${NAMED}|${GIVEN})`);

/** The name that a line of code defines. */
export function definedBy(line: string): string | undefined {
  const match = DEFINITION.exec(line.slice(0, 400).replaceAll('\t', ' '));
  return match?.[1] ?? match?.[2];
}
