/** What of a conversation is looked at, as it stands in the address. */
export interface ChatSearch {
  /** The run whose thinking is open beside the conversation. */
  readonly thinking?: string;
}

/** Whatever an address says: what makes no sense is left out. */
export function readChatSearch({ thinking }: Record<string, unknown>): ChatSearch {
  return typeof thinking === 'string' && /^[\w-]{1,32}$/.test(thinking) ? { thinking } : {};
}
