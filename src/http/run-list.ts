import type { Context } from 'hono';
import type { RouteContext } from './context.ts';
import { readQuery } from './query.ts';
import { ListRunsQuery } from './schemas.ts';
import { stream, tellFault } from './stream.ts';
import { prefersEventStream, StreamQuery } from './stream-request.ts';

/** A live list begins with its newest runs: there is no page before them. */
export const LiveListQuery = ListRunsQuery.omit({ before: true, details: true }).extend({
  padding: StreamQuery.shape.padding,
});

/** True where the list is asked for as a stream. */
export const wantsStream = (c: Context): boolean => prefersEventStream(c.req.header('accept'));

/** The list of runs, live (PROTOCOL.md section 7). */
export async function streamRuns(c: Context, { hub, access, onError }: RouteContext): Promise<Response> {
  const { padding, ...query } = readQuery(c, LiveListQuery);
  try {
    return await stream(c, async (sink) => {
      const permit = access.permit(c, 'read');
      const listed = { ...query, ...access.listedOf(c) };
      await hub.openRuns({ query: listed, permit, ...(padding !== undefined && { padding }) }, sink);
      return 'streaming';
    });
  } catch (error) {
    return tellFault(c, error, onError);
  }
}
