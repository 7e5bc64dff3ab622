/** What a question is after. A question can be after several things. */
export type Intent = 'risks' | 'history' | 'numbers' | 'code' | 'meaning';

export interface Question {
  readonly text: string;
  readonly intents: ReadonlySet<Intent>;
  /** The words it is about, as the beginnings of words to search for. */
  readonly terms: readonly string[];
  /** What looks like a path in it, as it stands there. */
  readonly paths: readonly string[];
}

const INTENTS: Readonly<Record<Intent, RegExp>> = {
  risks:
    /\b(?:risk|danger|unsafe|secur|vulnerab|wrong|problem|bug|todo|fixme|deprecat|debt|weak|threat|careful|warn|secret|password)/,
  history: /\b(?:who|when|changed?|changes|recent|commit|author|history|yesterday|since|latest|git|blame|contributor)/,
  numbers:
    /\bhow (?:many|much|big|long|large)\b|\b(?:count|number|statistic|total|sum|average|mean|larg|big|small|size|lines|percent|max|min|highest|lowest|most|csv|table)/,
  code: /\b(?:function|class|method|implement|defin|code|module|api|called|calls|returns?|import|variable|interface)/,
  meaning:
    /\b(?:what (?:is|are|does|do)|how (?:do|does|is|are|to|can)|why|explain|describe|meaning|about|overview|summar)/,
};

/** Words that say how something is asked, not what is asked about. */
const STOP = new Set(
  `a about actually all also am an and any anything are as ask at author authors average be because been before below
  between big bigger biggest both but by call called calls can changed change changes class code commit commits could count csv
  csvs danger dangers dangerous define defined definition describe did different do document documentation documents does
  doing done each else ever every example exist exists explain explained file files find first folder folders for found
  from function functions get git give given had happen happens has have here highest history how i if implement
  implemented in inside into is it its just kind know large larger largest last latest like line lines list long look
  lot lots lowest made main make makes many maximum may me mean meaning means method might minimum module more most much must
  my need no not now number numbers of on once one only or other our out over overview please problem problems project
  read recent recently repository risk risks risky say says see should show side since size small smallest so some
  something statistic statistics still sum summarise summarize summary table tell than that the their them then there
  these they thing things this those through to today total under until up us use used uses using very want was way we
  were what when where which while who whom whose why will with work works would wrong you your`.split(/\s+/),
);

const MAX = { terms: 8, paths: 5, text: 2_000 };

/** Reads a question by its words alone. Everything it decides is in what it returns. */
export function understand(text: string): Question {
  const lower = text.slice(0, MAX.text).toLowerCase();
  const intents = new Set((Object.keys(INTENTS) as Intent[]).filter((it) => INTENTS[it].test(lower)));
  const paths = pathsIn(text.slice(0, MAX.text));
  const rest = paths.reduce((left, path) => left.replace(path.toLowerCase(), ' '), lower);
  const words = (rest.match(/[\p{L}\p{N}_$@][\p{L}\p{N}_$-]*/gu) ?? []).filter((it) => it.length > 2 && !STOP.has(it));
  const terms = [...new Set(words.map(stem))].slice(0, MAX.terms);
  return { text, intents, terms, paths };
}

/** The beginning that the forms of a word share: a search for it finds the plural, too. */
function stem(word: string): string {
  if (word.length >= 6 && word.endsWith('ies')) return word.slice(0, -3);
  if (word.length >= 7 && word.endsWith('ing')) return word.slice(0, -3);
  if (word.length >= 6 && /(?:ed|y)$/.test(word)) return word.slice(0, word.endsWith('y') ? -1 : -2);
  return word.length >= 4 && /[^s]s$/.test(word) ? word.slice(0, -1) : word;
}

/** Words with a slash or an extension, and those that would lead out: these shall be refused aloud, not overlooked. */
function pathsIn(text: string): string[] {
  const words = text.split(/[\s"'`“”‘’()<>]+/).map((it) => it.replace(/[.,;:?!]+$/, ''));
  const paths = words.filter(
    (it) => it.length > 1 && (it.includes('/') || it.startsWith('..') || /\w\.\w{1,8}$/.test(it)),
  );
  return [...new Set(paths)].slice(0, MAX.paths);
}

/** Paths that lead out of any workspace, whatever exists. */
export function leadsOut(path: string): boolean {
  return path.startsWith('/') || path.split('/').includes('..');
}
