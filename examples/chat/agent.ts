/** Specialists who look at lab values: each reads its own tests, and one answers. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { RunWriter } from 'telltale';
import { aiSdk } from 'telltale/ai-sdk';
import { type Model, RULES } from '../model.ts';
import { wordsOf } from '../words.ts';
import { describe, isOutside, type Lab, type Series, seriesOf } from './labs.ts';

interface Specialist {
  readonly name: string;
  readonly tests: readonly string[];
  /** Words of questions that are its own, beside the names of its tests. */
  readonly words: readonly string[];
}

const SPECIALISTS: readonly Specialist[] = [
  {
    name: 'Lipid Specialist',
    tests: ['Total cholesterol', 'LDL cholesterol', 'HDL cholesterol', 'Triglycerides'],
    words: ['lipid', 'lipids', 'fat', 'fats', 'heart'],
  },
  { name: 'Blood Sugar Specialist', tests: ['Fasting glucose', 'HbA1c'], words: ['sugar', 'diabetes'] },
  {
    name: 'Kidney Specialist',
    tests: ['Creatinine', 'eGFR', 'Potassium'],
    words: ['kidney', 'kidneys', 'renal'],
  },
  {
    name: 'Blood Count Specialist',
    tests: ['Hemoglobin', 'Ferritin'],
    words: ['iron', 'anemia', 'anaemia', 'tired', 'haemoglobin'],
  },
  { name: 'Thyroid Specialist', tests: ['TSH'], words: ['thyroid', 'metabolism'] },
];

const NO_ADVICE = 'This compares numbers with ranges. It is no medical advice.';

export async function consult(run: RunWriter, question: string, labs: readonly Lab[], model?: Model): Promise<void> {
  const asked = specialistsFor(question);
  const found: Series[] = [];
  for (const { name, tests } of asked) {
    await run.agent(name, async (specialist) => {
      found.push(...(await specialist.tool('read_labs', { tests }, () => seriesOf(labs, tests))));
    });
  }
  if (found.length === 0) throw new Error('There is no value of these tests in the file.');
  const facts = found.map(describe);
  if (model) await answer(run, model, question, facts);
  else await run.say(asSpoken(summary(found, facts)));
}

/** Those whose words are in the question; a question of no one’s is everybody’s. */
function specialistsFor(question: string): readonly Specialist[] {
  const words = new Set(wordsOf(question));
  const own = SPECIALISTS.filter(({ tests, words: more }) =>
    [...tests.flatMap(wordsOf), ...more].some((it) => words.has(it)),
  );
  return own.length > 0 ? own : SPECIALISTS;
}

function summary(found: readonly Series[], facts: readonly string[]): string {
  const outside = facts.filter((_, i) => isOutside(found[i]!));
  const within = facts.filter((it) => !outside.includes(it));
  const list = (title: string, some: readonly string[]) =>
    some.length > 0 ? [`${title}\n${some.map((it) => `• ${it}`).join('\n')}`] : [];
  return [
    ...list('Outside of the reference range:', outside),
    ...list(outside.length > 0 ? 'The rest:' : 'Within the reference range:', within),
    `By ${RULES}. ${NO_ADVICE}`,
  ].join('\n\n');
}

/** As fast as one reads it, so that there is something to see. */
async function* asSpoken(text: string): AsyncGenerator<string> {
  for (const line of text.split(/(?<=\n)/)) {
    yield line;
    await sleep(60);
  }
}

/** With a model; `aiSdk()` tells what it writes, while it does. */
async function answer(run: RunWriter, { model }: Model, question: string, facts: readonly string[]): Promise<void> {
  const { streamText } = await import('ai');
  await streamText({
    model,
    instructions: `You explain lab values in plain words, from these facts alone:\n${facts.join('\n')}\nEnd with: ${NO_ADVICE}`,
    prompt: question,
    abortSignal: run.signal,
    onError: () => {},
    telemetry: { functionId: 'Health Analyst', integrations: aiSdk() },
  }).text;
}
