import { type EventData, type EventDraft, parseDraft } from '../protocol/index.ts';
import type { PriceFunction } from './prices.ts';

type Told = Partial<EventData<'llm.started'> & EventData<'llm.completed'>>;

/**
 * Adds the cost to a run's model calls that bring usage and no cost. What the provider has told is left as it is; a cost
 * that is not known stays absent.
 *
 * @param onFailed told each time that `price` throws, or answers with what is no cost.
 */
export function pricedCalls(
  price: PriceFunction,
  onFailed: (thrown: unknown) => void,
): (draft: EventDraft) => EventDraft {
  /** Only the start of a call may name its model. */
  const started = new Map<string, Pick<Told, 'model' | 'provider'>>();

  return (draft) => {
    if (!draft.type.startsWith('llm.')) return draft;
    const { callId, usage, cost, ...about } = draft.data as Told;
    const key = JSON.stringify([draft.agent?.id, callId]);
    if (draft.type === 'llm.started') {
      started.set(key, about);
      return draft;
    }
    const { model, provider } = { ...started.get(key), ...about };
    started.delete(key);
    if (draft.type !== 'llm.completed' || !usage || cost || model === undefined) return draft;
    try {
      const priced = price({ model, usage, ...(provider !== undefined && { provider }) });
      return priced ? parseDraft({ ...draft, data: { ...draft.data, cost: priced } }) : draft;
    } catch (thrown) {
      onFailed(thrown);
      return draft;
    }
  };
}
