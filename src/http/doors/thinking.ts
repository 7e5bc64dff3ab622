import { setImmediate as nextTurn } from 'node:timers/promises';
import { Hono } from 'hono';
import { z } from 'zod';
import { thinking as dialect } from '../../dialects/index.ts';
import { type RunSnapshot, TelltaleError, writeFrame } from '../../protocol/index.ts';
import { finished } from '../../runs/index.ts';
import { readBody } from '../body.ts';
import { IdempotencyHeaders, readIdempotencyKey } from '../idempotency-key.ts';
import { ResumeHeaders } from '../openapi/operation.ts';
import { readQuery } from '../query.ts';
import { NoQuery } from '../schemas.ts';
import { stream } from '../stream.ts';
import { toRequest } from '../stream-request.ts';
import { ASK_AGAIN_MS, agentOf, type Door, DoorQuery, streaming, threadIdOf, unlessAbsent } from './door.ts';
import { turnsOf } from './turns.ts';

const CONVERSATION = '/api/conversations/:conversationId';

/** Beside those of every stream: for caches of HTTP/1.0, and for Azure's ARR, which would bind clients to a node and hold back
 * what does not come in chunks. */
const HEADERS = { pragma: 'no-cache', expires: '0', 'x-arr-disable-session-affinity': 'true' };

/** RFC 7240 section 4.1. */
const RESPOND_ASYNC = /(?:^|,)\s*respond-async\s*(?:$|[,;])/i;

const ConversationMessage = z.strictObject({
  message: z.string().trim().min(1).max(65_536).describe('What the agent is given.'),
});
const ConversationTurn = z.object({
  conversation_id: z.string(),
  message_id: z.string().describe('The id of its run.'),
  status: z.enum(['queued', 'running', 'paused', 'completed']),
  response: z.unknown().exactOptional().describe('What the agent returned, or its last message.'),
});
const ThinkingLine = z.string().describe('`[Triage] agent invoked`, `Calling search...`, and how these finish.');
const Waiting = z.object({}).describe('Its id is where the client waits.');

/** What an agent thinks beside its answer (docs/doors/thinking.md). A turn of a conversation is a run of its thread. */
export const thinking: Door = {
  routes(context, options) {
    const { log, hub, runs, limits, access } = context;
    const app = new Hono();
    const rules = { maxBytes: limits.batchBytes, maxDepth: limits.jsonDepth };

    app.get(
      `${CONVERSATION}/thinking`,
      streaming(context, async (c) => {
        const { cursor, selection, ...request } = toRequest(c, readQuery(c, DoorQuery), dialect);
        const threadId = threadIdOf(c.req.param('conversationId') as string, 'conversationId');
        const permit = access.permit(c, 'read', { threadIds: [threadId] });
        const turns = turnsOf(log, threadId, dialect, cursor);
        // Somebody else's is awaited as one that is not there, and asked about as often as an open stream is.
        let askAgainAt = 0;
        const find = async () => {
          const isThere = performance.now() >= askAgainAt && (await log.head(threadId)) !== undefined;
          const head = isThere ? await access.thread(c, 'read', threadId).catch(unlessAbsent) : undefined;
          if (isThere && !head) askAgainAt = performance.now() + ASK_AGAIN_MS;
          const turn = await turns.find(head);
          return turn && { ...request, ...turn, permit, threadId, selection: { ...selection, runId: turn.runId } };
        };
        for (const [name, value] of Object.entries(HEADERS)) c.header(name, value);
        // A named event, which `onmessage` does not see: Firefox keeps no id of a frame without data.
        const opening = () => writeFrame({ id: turns.awaited, event: 'waiting', data: '{}' });
        const expected = { ...request, ...selection, threadId, permit: access.permit(c, 'read'), find, opening };
        return stream(c, (sink) => hub.openExpected(expected, sink), { isChunked: true });
      }),
    );

    app.post(`${CONVERSATION}/messages`, async (c) => {
      readQuery(c, NoQuery);
      const key = readIdempotencyKey(c);
      const conversationId = c.req.param('conversationId') as string;
      const threadId = threadIdOf(conversationId, 'conversationId');
      const { message } = await readBody(c, { ...rules, schema: ConversationMessage });
      const request = {
        ...{ agent: agentOf(context, options, 'thinking'), input: message, threadId, inTurn: true },
        ...access.ownerOf(c),
        ...(key !== undefined && { idempotencyKey: key }),
      };
      const { runId, status } = await runs.start(request, access.admit(c)).catch((error) => {
        throw access.explain(c, error);
      });
      const about = { conversation_id: conversationId, message_id: runId };
      const headers = { location: `/v1/runs/${runId}` };
      if (RESPOND_ASYNC.test(c.req.header('prefer') ?? '')) {
        return c.json({ ...about, status }, 202, { ...headers, 'preference-applied': 'respond-async' });
      }
      const snapshot = await finished(log, runs, runId, threadId);
      // A front end closes its stream when it has the answer, so the end of that goes first: viewers are given it in one
      // turn of the event loop, and their sockets in the next.
      for (let turns = 0; turns < 2; turns++) await nextTurn();
      return c.json({ ...about, status: 'completed', response: responseOf(snapshot) }, 200, headers);
    });

    return app;
  },

  schemas: { ConversationMessage, ConversationTurn, ThinkingLine, Waiting },

  operations: {
    'GET /api/conversations/{conversationId}/thinking': {
      id: 'streamThinking',
      group: 'Doors',
      // Whose the conversation is, it finds out itself: it may not be there yet, and its id may be spelt in two ways.
      needs: 'read',
      summary: 'Watch a turn of a conversation',
      description:
        'The turn that is under way, or the next one: open it before the message is sent. It closes with the turn; a reconnect waits for the one after it.',
      query: DoorQuery,
      headers: ResumeHeaders,
      answers: {
        200: {
          description: 'The stream, each frame a line of text.',
          frames: { message: ThinkingLine, waiting: Waiting },
        },
      },
      refuses: ['not_acceptable'],
      // An id that means nothing there is told; a stream that waits for the next turn shows nothing.
      examples: [{ path: { conversationId: 'job' }, query: { after: 'first.k3f9x0q2vd.12' } }],
    },
    'POST /api/conversations/{conversationId}/messages': {
      id: 'sendMessage',
      group: 'Doors',
      needs: 'start',
      summary: 'Say something in a conversation',
      description:
        'Starts a turn, once those before it in the conversation have ended, and answers with its result. With `Prefer: respond-async` it answers at once, for hosts that cut long requests.',
      headers: IdempotencyHeaders.extend({
        Prefer: z
          .string()
          .exactOptional()
          .describe('`respond-async`: the result is for the stream, and the run, to tell.'),
      }),
      body: { json: ConversationMessage },
      answers: {
        200: {
          description: 'The turn has ended.',
          headers: { Location: 'Its run.' },
          json: ConversationTurn,
          example: { conversation_id: 'chat', message_id: 'r1', status: 'completed', response: 'Hello Ada.' },
        },
        202: {
          description: 'It runs, or waits for its turn.',
          headers: { Location: 'Its run.', 'Preference-Applied': '`respond-async`.' },
          json: ConversationTurn,
        },
      },
      refuses: [
        ...['agent_not_found', 'run_closed', 'run_deleted', 'idempotency_conflict', 'invalid_json', 'too_deep'],
        ...['batch_too_large', 'unsupported_media_type', 'overloaded', 'storage_full', 'agent_failed', 'timed_out'],
        ...['budget_exceeded', 'executor_lost', 'thread_not_found'],
      ] as const,
      examples: [
        { path: { conversationId: 'chat' }, body: { message: 'Ada' } },
        { path: { conversationId: 'chat' }, headers: { Prefer: 'respond-async' }, body: { message: 'Ada' } },
      ],
    },
  },
};

/** Why a run failed that is as true of the request that waits for it. Other codes are the agent's own. */
const CODES = ['executor_lost', 'timed_out', 'budget_exceeded', 'log_unavailable'] as const;

/** @throws {TelltaleError} how the turn ended, where it has no result. */
function responseOf({ runId, status, output, messages, errors }: RunSnapshot): unknown {
  if (status === 'completed') return output ?? messages.findLast(({ role }) => role === 'assistant')?.text;
  if (status === 'cancelled') throw new TelltaleError('run_closed', 'The turn was cancelled.', { runId });
  const { code, message } = errors.at(-1) ?? { code: '', message: 'The agent failed.' };
  throw new TelltaleError(CODES.find((it) => it === code) ?? 'agent_failed', message, { runId });
}
