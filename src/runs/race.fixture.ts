/**
 * The judge of races: what has to hold of a run here that many people commanded at once, by its log and by what each of
 * them was answered. A rule throws what is wrong. Who adds a way to say something to a run adds its rules.
 */
import { isTerminal, type TelltaleEvent } from '../protocol/index.ts';
import { fold } from './watching.fixture.ts';

/** What somebody asked for, and what came back. */
export interface Answer {
  readonly asked: string;
  readonly commandId?: string;
  readonly seq?: number;
  /** Of the run, as told in the answer. */
  readonly status?: string;
  readonly duplicate?: true;
  /** Of a question: what was answered, or what was told of an answer that came too late. */
  readonly approvalId?: string;
  readonly decision?: string;
  readonly code?: string;
}

type Rule = (events: readonly TelltaleEvent[], answers: readonly Answer[]) => void;

// biome-ignore lint/suspicious/noExplicitAny: the data of any type
const dataOf = (event: TelltaleEvent): any => event.data;
const commandOf = (event: TelltaleEvent): string | undefined => dataOf(event).commandId;
const ofType = (events: readonly TelltaleEvent[], ...types: string[]) => events.filter((it) => types.includes(it.type));

const OUTCOMES = ['run.paused', 'run.resumed', 'run.cancelled', 'control.refused'];
const FOLLOWS: Readonly<Record<string, string>> = {
  'run.paused': 'pause',
  'run.resumed': 'resume',
  'run.cancelled': 'cancel',
};

const oneEnd: Rule = (events) => {
  const ends = events.filter(({ type }) => isTerminal(type));
  if (ends.length !== 1 || ends[0] !== events.at(-1)) throw new Error(`${ends.length} ends, or not at the end`);
};

const everyCommandHasOneOutcome: Rule = (events) => {
  const requests = new Map(ofType(events, 'control.requested').map((it) => [commandOf(it), it]));
  if (requests.size !== ofType(events, 'control.requested').length)
    throw new Error('a command stands twice in the log');
  const decided = new Set<string>();
  for (const event of ofType(events, ...OUTCOMES)) {
    const id = commandOf(event);
    const request = requests.get(id);
    if (id === undefined || !request) throw new Error(`${event.type} ${event.seq} answers nothing that was asked for`);
    if (request.seq > event.seq) throw new Error(`${event.type} ${event.seq} comes before it was asked for`);
    if (decided.has(id)) throw new Error(`command ${id} has two outcomes`);
    decided.add(id);
    const follows = FOLLOWS[event.type];
    if (follows && follows !== dataOf(request).command) throw new Error(`${event.type} follows another command`);
  }
  for (const { id, status } of fold(events).commands) {
    if (status !== (decided.has(id) ? status : 'void')) throw new Error(`command ${id} is ${status} at the end`);
    if (decided.has(id) && status !== 'applied' && status !== 'refused') throw new Error(`command ${id} is ${status}`);
  }
  const late = ofType(events, 'control.overdue').map(commandOf);
  if (new Set(late).size !== late.length) throw new Error('a command is told as overdue twice');
};

/**
 * Commands are heard in the order of the log, and decided at once, but for a pause: that waits for somebody to hold, for a
 * resume that overtakes it, or for the end. Whatever else stands before one that was decided was passed over.
 */
const noneIsPassedOver: Rule = (events) => {
  const { commands } = fold(events);
  for (const [i, { id, command, status }] of commands.entries()) {
    if (status !== 'void') continue;
    const decided = commands
      .slice(i + 1)
      .find((it) => it.status !== 'void' && (command !== 'pause' || it.command === 'resume'));
    if (decided)
      throw new Error(`${command} ${id} was passed over: ${decided.command} ${decided.id} is ${decided.status}`);
  }
};

/** Cancelling is followed in the order of the log: whoever asked first has cancelled the run. */
const firstCancelWins: Rule = (events) => {
  const end = events.at(-1)!;
  if (end.type !== 'run.cancelled') return;
  const first = ofType(events, 'control.requested').find((it) => dataOf(it).command === 'cancel');
  if (!first || commandOf(first) !== commandOf(end)) throw new Error('the run was cancelled by another than the first');
};

/** Paused, resumed, paused …; only a resume that overtook a pause stands alone, directly behind the refusal of that. */
const pausesAlternate: Rule = (events) => {
  const asked = new Map(ofType(events, 'control.requested').map((it) => [commandOf(it), dataOf(it).command]));
  let paused = false;
  let before: TelltaleEvent | undefined;
  for (const event of ofType(events, ...OUTCOMES)) {
    if (event.type === 'run.paused' && paused) throw new Error(`paused twice, at ${event.seq}`);
    const overtook = before?.type === 'control.refused' && asked.get(commandOf(before)) === 'pause';
    if (event.type === 'run.resumed' && !paused && !overtook)
      throw new Error(`resumed without a pause, at ${event.seq}`);
    if (event.type !== 'control.refused') paused = event.type === 'run.paused';
    before = event;
  }
};

/** Until somebody cancels the run: an agent that tidies up then is not held. */
const nothingBeginsWhilePaused: Rule = (events) => {
  let paused = false;
  for (const event of events) {
    const { type, seq } = event;
    if (type === 'control.requested' && dataOf(event).command === 'cancel') return;
    if (type === 'run.paused' || type === 'run.resumed') paused = type === 'run.paused';
    if (paused && (type === 'tool.started' || type === 'llm.started'))
      throw new Error(`${type} while paused, at ${seq}`);
  }
};

const everyQuestionHasOneOutcome: Rule = (events) => {
  const asked = ofType(events, 'approval.requested');
  for (const { id, endSeq, status } of fold(events).approvals) {
    const outcomes = ofType(events, 'approval.resolved', 'approval.expired').filter(
      (it) => dataOf(it).approvalId === id,
    );
    if (outcomes.length > 1) throw new Error(`${id} has ${outcomes.length} outcomes`);
    const [outcome] = outcomes;
    const known = outcome ? `approval.${status}` === outcome.type && endSeq === outcome.seq : status === 'expired';
    if (!known) throw new Error(`${id} is ${status} at ${endSeq} in the fold, not in the log`);
  }
  for (const event of ofType(events, 'approval.resolved', 'approval.expired')) {
    const question = asked.find((it) => dataOf(it).approvalId === dataOf(event).approvalId);
    if (!question || question.seq > event.seq) throw new Error(`${event.type} ${event.seq} answers nothing`);
  }
};

/** One answer counts, and whoever was told of another outcome was told of the one in the log. */
const answersToQuestionsAreTrue: Rule = (events, answers) => {
  const taken = new Set<number>();
  for (const { asked, approvalId, seq = 0, decision, code, duplicate } of answers) {
    if (approvalId === undefined) continue;
    const told = code === 'approval_expired' ? 'approval.expired' : 'approval.resolved';
    const outcome = events.find((it) => it.seq === seq);
    if (outcome?.type !== told || dataOf(outcome).approvalId !== approvalId || dataOf(outcome).decision !== decision) {
      throw new Error(`${asked} was told of ${told} ${decision} at ${seq}, where something else stands`);
    }
    if (code !== undefined || duplicate) continue;
    if (taken.has(seq)) throw new Error(`${approvalId} was answered by two`);
    taken.add(seq);
  }
};

const answersAreTrue: Rule = (events, answers) => {
  const requests = new Map(ofType(events, 'control.requested').map((it) => [it.seq, it]));
  const firsts = new Set<string>();
  for (const { asked, commandId, seq, status, duplicate, approvalId } of answers) {
    if (approvalId !== undefined) continue;
    if (commandId === undefined) {
      const known = status === 'running' || events.some(({ type }) => type === `run.${status}`);
      if (!known) throw new Error(`${asked} was answered ${status}, which the run never was`);
      continue;
    }
    const request = requests.get(seq ?? 0);
    if (!request || commandOf(request) !== commandId || dataOf(request).command !== asked) {
      throw new Error(`${asked} was answered ${commandId} at ${seq}, where something else stands`);
    }
    if (!duplicate && firsts.has(commandId)) throw new Error(`${commandId} was told to two as theirs`);
    if (!duplicate) firsts.add(commandId);
  }
};

const RULES: readonly Rule[] = [
  ...[oneEnd, everyCommandHasOneOutcome, firstCancelWins, noneIsPassedOver],
  ...[pausesAlternate, nothingBeginsWhilePaused, answersAreTrue],
  ...[everyQuestionHasOneOutcome, answersToQuestionsAreTrue],
];

/** @throws {Error} what is wrong, with what happened in few words. */
export function checkRace(events: readonly TelltaleEvent[], answers: readonly Answer[]): void {
  try {
    for (const rule of RULES) rule(events, answers);
  } catch (error) {
    const story = events.map((it) => [it.seq, it.type, dataOf(it).command, commandOf(it)].filter(Boolean).join(' '));
    throw new Error(`${(error as Error).message}\n${story.join('\n')}\n${JSON.stringify(answers)}`);
  }
}
