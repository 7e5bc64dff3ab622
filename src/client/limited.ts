/**
 * Whether the browser opens but six connections to a server, for all pages of it: over HTTP/1.1, which is assumed where the
 * page has not seen better. Programs open as many as they need.
 */
export function isLimited({ origin }: URL): boolean {
  if (typeof document === 'undefined') return false;
  const seen = ['navigation', 'resource'].flatMap((it) => performance.getEntriesByType(it));
  return !(seen as PerformanceResourceTiming[]).some(
    ({ name, nextHopProtocol }) => name.startsWith(`${origin}/`) && /^h[23]/.test(nextHopProtocol),
  );
}
