import type { AgentRef } from '../protocol/index.ts';

/** Longest `path` that an agent may have (its schema says so). */
const PATH = 1024;

/** The ids that Telltale makes within one run: counted, so that the same run gives the same ids. */
export class Ids {
  readonly #counts = new Map<string, number>();

  /** `message-1`, `message-2`, … */
  next(kind: string): string {
    const count = (this.#counts.get(kind) ?? 0) + 1;
    this.#counts.set(kind, count);
    return `${kind}-${count}`;
  }

  /** One more invocation of an agent, by `parent` or by the run itself. */
  agent(name: string, parent: AgentRef | undefined): AgentRef {
    const id = this.next(`@${slug(name)}`).slice(1);
    let path = parent ? `${parent.path}/${id}` : id;
    // The innermost names are what viewers group by.
    while (path.length > PATH) path = path.slice(path.indexOf('/') + 1);
    return { id, name, path };
  }
}

function slug(name: string): string {
  const words = name.toLowerCase().replace(/[^a-z0-9]+/g, '-');
  return words.slice(0, 40).replace(/^-|-$/g, '') || 'agent';
}

/** A name or an id that a caller gave, as the schemas want it: 1 to 256 characters. */
export function label(name: unknown, otherwise: string): string {
  return typeof name === 'string' && name !== '' ? name.slice(0, 256) : otherwise;
}
