import { getRouteApi } from '@tanstack/react-router';
import { useEffect, useRef } from 'react';
import type { RunSearch } from '../run/search.ts';

const route = getRouteApi('/runs/$runId');

/** Between two changes of the address, in milliseconds: Safari refuses more than 100 in 30 s. */
const WRITE_MS = 400;

/** The moment that the address names. */
export const useAddressedMoment = (): number | undefined => route.useSearch({ select: ({ at }) => at });

/**
 * Keeps the address at the moment that is shown, and shows the one that Back, Forward or a link lead to. However long
 * somebody drags, that is one step back; so is a jump, for which `begin` is called before.
 *
 * @param moment what is shown: a number, or `undefined` for the run as it is now.
 */
export function useAddress(moment: number | undefined, show: (at: number | undefined) => void): { begin(): void } {
  const at = useAddressedMoment();
  const navigate = route.useNavigate();
  const now = useRef({ moment, show });
  now.current = { moment, show };
  const writer = useRef<Writer>(undefined);
  writer.current ??= new Writer(at, (to, replace) =>
    navigate({ search: (before) => ({ ...before, at: to }) as RunSearch, replace, resetScroll: false }),
  );
  const it = writer.current;
  useEffect(() => {
    if (it.isElsewhere(at)) now.current.show(at);
  }, [it, at]);
  useEffect(() => it.write(moment), [it, moment]);
  useEffect(() => () => it.stop(), [it]);
  return it;
}

/** Writes one change after the other, so that each is known as its own when it comes back. */
class Writer {
  readonly #navigate: (at: number | undefined, replace: boolean) => Promise<void>;
  /** What the address says, and what it should. */
  #written: number | undefined;
  #wanted: number | undefined;
  #isWriting = false;
  #isNew = false;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(at: number | undefined, navigate: (at: number | undefined, replace: boolean) => Promise<void>) {
    this.#written = this.#wanted = at;
    this.#navigate = navigate;
  }

  /** What is written next is a step of its own in the browser's history, behind what is shown now. */
  readonly begin = (): void => {
    if (this.#timer !== undefined && !this.#isWriting) {
      clearTimeout(this.#timer);
      void this.#write();
    }
    this.#isNew = true;
  };

  write(moment: number | undefined): void {
    this.#wanted = moment;
    if (moment !== this.#written) this.#timer ??= setTimeout(() => this.#write(), WRITE_MS);
  }

  /** Somebody else changed the address to this. */
  isElsewhere(at: number | undefined): boolean {
    if (this.#isWriting || at === this.#written) return false;
    this.stop();
    this.#written = this.#wanted = at;
    return true;
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  async #write(): Promise<void> {
    const wanted = this.#wanted;
    if (wanted !== this.#written) {
      const isStep = this.#isNew || (wanted === undefined) !== (this.#written === undefined);
      this.#isNew = false;
      this.#written = wanted;
      this.#isWriting = true;
      await this.#navigate(wanted, !isStep);
      this.#isWriting = false;
    }
    this.#timer = undefined;
    this.write(this.#wanted);
  }
}
