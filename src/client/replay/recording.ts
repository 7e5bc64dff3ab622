import { asOneChange, emptySnapshot, type RunSnapshot, reduce, type TelltaleEvent } from '../../protocol/index.ts';
import { type Checkpoint, Checkpoints } from './checkpoints.ts';
import { type Mark, markOf } from './marks.ts';
import { CHUNK, Tape } from './tape.ts';

/** A run as it was told, and as it stood at any of its events. */
export class Recording {
  readonly tape = new Tape();
  readonly marks: Mark[] = [];
  readonly #runId: string;
  readonly #checkpoints: Checkpoints;
  /** What was asked for last: who goes on from there needs no checkpoint. */
  #last: Checkpoint;
  #newest: RunSnapshot;
  #step = asOneChange(reduce);

  constructor(runId: string) {
    this.#runId = runId;
    this.#newest = emptySnapshot(runId);
    this.#last = { index: -1, snapshot: this.#newest };
    this.#checkpoints = new Checkpoints(this.#last);
  }

  /** Adds the next event. What is here already, or of another run, changes nothing. */
  add(event: TelltaleEvent): void {
    const index = this.tape.length;
    if (event.runId !== this.#runId || event.seq <= this.tape.seq(index - 1)) return;
    this.tape.add(event);
    this.#newest = this.#step(this.#newest, event);
    const mark = markOf(event);
    if (mark) this.marks.push(mark);
    if (index - this.#checkpoints.newest === CHUNK) this.#checkpoints.add({ index, snapshot: this.#finished() });
  }

  /** The run after the last event up to a number: the fold of all events up to there. */
  at(seq: number): RunSnapshot {
    const index = this.tape.find(seq);
    if (index === this.tape.length - 1) return this.#finished();
    const isNear = this.#last.index <= index && index - this.#last.index < CHUNK;
    const from = isNear ? this.#last : this.#checkpoints.before(index);
    const step = asOneChange(reduce);
    const events = this.tape.slice(from.index + 1, index + 1);
    const snapshot = events.reduce((before, event) => step(before, event), from.snapshot);
    this.#last = { index, snapshot };
    return snapshot;
  }

  /** The newest snapshot, which is seen from now on: what follows may not change it in place. */
  #finished(): RunSnapshot {
    this.#step = asOneChange(reduce);
    return this.#newest;
  }
}
