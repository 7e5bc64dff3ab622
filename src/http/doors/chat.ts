import { type Context, Hono } from 'hono';
import { z } from 'zod';
import { chat as dialect, parseRunCursor } from '../../dialects/index.ts';
import type { Sink } from '../../hub/index.ts';
import type { Log, RunRecord } from '../../log/index.ts';
import { TelltaleError } from '../../protocol/index.ts';
import type { Started } from '../../runs/index.ts';
import { readBody } from '../body.ts';
import { IdempotencyHeaders, readIdempotencyKey } from '../idempotency-key.ts';
import { runNotFound } from '../lookup.ts';
import { ResumeHeaders } from '../openapi/operation.ts';
import { readQuery } from '../query.ts';
import { stream } from '../stream.ts';
import { prefersEventStream, toRequest } from '../stream-request.ts';
import { askerOf, keyOf, newAskerOf } from './asker.ts';
import { agentOf, type Door, DoorQuery, streaming } from './door.ts';
import { Questions } from './questions.ts';

const message = z.string().trim().min(1).max(65_536).describe('What the agent is asked.');
const ChatRequest = z.strictObject({ message });
const ChatQuery = DoorQuery.extend({ message });

const ChatConnected = z.object({
  status: z.literal('connected'),
  reset: z.string().exactOptional().describe('What was received is void, and all of it follows again.'),
});
const ChatMessage = z.object({
  type: z.enum(['text', 'tool_call', 'specialist_update']),
  timestamp: z.iso.datetime(),
  content: z.string().exactOptional(),
  tool: z.string().exactOptional(),
  arguments: z.unknown().exactOptional(),
  specialist: z.string().exactOptional(),
  status: z.string().exactOptional(),
});
const ChatDone = z.object({ status: z.literal('complete') });
const ChatError = z.object({ error: z.string(), code: z.string() });
const frames = { connected: ChatConnected, message: ChatMessage, done: ChatDone, error: ChatError };

/** By it a run is known as one of this door's. */
const METADATA = { door: 'chat' };

/** Where an answer goes on, and where the stream of it comes to its end. */
interface Going {
  readonly cursor?: string;
  readonly onEnd?: () => Promise<void>;
}

/** A question, and the answer as it is written (docs/doors/chat.md). Each question is a run. */
export const chat: Door = {
  routes(context, options) {
    const { log, hub, runs, limits, access } = context;
    const app = new Hono();
    const questions = new Questions(log);

    async function start(c: Context, input: string, key: string | undefined): Promise<Started> {
      const request = {
        ...{ agent: agentOf(context, options, 'chat'), input, metadata: METADATA },
        ...access.ownerOf(c),
        ...(key !== undefined && { idempotencyKey: key }),
      };
      return runs.start(request, access.admit(c)).catch((error) => {
        throw access.explain(c, error);
      });
    }

    /** @throws {TelltaleError} `invalid_cursor`, `run_not_found`, `run_deleted`: no run is started for an id that is none. */
    async function find(c: Context, id: string): Promise<RunRecord> {
      const { runId } = parseRunCursor(id) ?? {};
      if (runId === undefined) {
        throw new TelltaleError('invalid_cursor', 'The id is none of this door. Ask without it to begin anew.');
      }
      const run = await access.run(c, 'start', runId);
      if (await isAsked(log, run)) return run;
      throw runNotFound(runId);
    }

    const answer = (
      c: Context,
      { runId, threadId }: Pick<RunRecord, 'runId' | 'threadId'>,
      { selection, cursor: _, ...request }: ReturnType<typeof toRequest>,
      { cursor, onEnd }: Going = {},
    ): Promise<Response> => {
      // Who may ask hears the answer.
      const permit = access.permit(c, 'start', { runIds: [runId] });
      const ofRun = { ...request, permit, threadId, selection: { ...selection, runId }, ...(cursor && { cursor }) };
      return stream(c, (sink) => hub.open(ofRun, onEnd ? told(sink, onEnd) : sink));
    };

    app.get(
      '/api/chat/stream',
      streaming(context, async (c) => {
        const { message, ...query } = readQuery(c, ChatQuery);
        const request = toRequest(c, query, dialect);
        const id = request.cursor;
        if (id !== undefined) {
          const run = await find(c, id);
          const asker = await askerOf(c);
          const going = { cursor: parseRunCursor(id)!.cursor };
          if (asker === undefined) return answer(c, run, request, going);
          const key = keyOf(asker, message);
          const response = await answer(c, run, request, { ...going, onEnd: () => questions.sent(key, run.runId) });
          if (response.status === 204 && run.status !== 'completed') await questions.heardFailure(key, run.runId);
          return response;
        }
        // What browsers ask for by themselves, for an image, a link or a page, is no question.
        if (!prefersEventStream(c.req.header('accept'))) {
          throw new TelltaleError('not_acceptable', 'This starts a run. Ask for it with Accept: text/event-stream.');
        }
        if (c.req.method === 'HEAD') return stream(c, async () => 'over');
        const key = keyOf(await newAskerOf(c), message);
        const run = await questions.ask(key, (idempotencyKey) => start(c, message, idempotencyKey));
        if (!run) return c.body(null, 204);
        return answer(c, run, request, { onEnd: () => questions.sent(key, run.runId) });
      }),
    );

    app.post('/api/chat/message', async (c) => {
      const request = toRequest(c, readQuery(c, DoorQuery), dialect);
      const idempotencyKey = readIdempotencyKey(c);
      const rules = { maxBytes: limits.batchBytes, maxDepth: limits.jsonDepth };
      const { message } = await readBody(c, { ...rules, schema: ChatRequest });
      if (request.cursor === undefined) return answer(c, await start(c, message, idempotencyKey), request);
      return answer(c, await find(c, request.cursor), request, { cursor: parseRunCursor(request.cursor)!.cursor });
    });

    return app;
  },

  // Its front end is a Vite one, which shows it there.
  cors: { path: '/api/chat/', origins: ['http://localhost:5173'], headers: '*', exposed: '*' },

  schemas: { ChatRequest, ChatConnected, ChatMessage, ChatDone, ChatError },

  operations: {
    'GET /api/chat/stream': {
      id: 'streamChat',
      group: 'Doors',
      needs: 'start',
      summary: 'Ask, and hear the answer',
      description:
        'Starts a run and streams its answer. It has to be asked for as `text/event-stream`. With an id of it, and where whoever asked asks the same again before the answer was sent, it goes on with the run there is.',
      query: ChatQuery,
      headers: ResumeHeaders,
      answers: {
        200: { description: 'The answer.', frames },
        204: { description: 'There is no more: the id is that of the end, or its failure was heard just now.' },
      },
      refuses: [
        ...['not_acceptable', 'agent_not_found', 'run_not_found', 'run_deleted', 'invalid_cursor'],
        ...['idempotency_conflict', 'overloaded', 'storage_full'],
      ] as const,
      examples: [{ query: { message: 'Ada' }, headers: { accept: 'text/event-stream' } }],
    },
    'POST /api/chat/message': {
      id: 'sendChatMessage',
      group: 'Doors',
      needs: 'start',
      summary: 'Ask with a body, and hear the answer',
      description: 'The same without the question in the address. With an `Idempotency-Key` it is safe to send again.',
      query: DoorQuery,
      headers: ResumeHeaders.extend(IdempotencyHeaders.shape),
      body: { json: ChatRequest },
      answers: {
        200: { description: 'The answer.', frames },
        204: { description: 'The id is that of the end.' },
      },
      refuses: [
        ...['not_acceptable', 'agent_not_found', 'run_not_found', 'run_deleted', 'invalid_cursor', 'invalid_json'],
        ...['too_deep', 'batch_too_large', 'unsupported_media_type', 'idempotency_conflict'],
        ...['overloaded', 'storage_full'],
      ] as const,
      examples: [{ body: { message: 'Ada' } }],
    },
  },
};

/** Whether a run was asked for here; of one whose beginning the log has let go of that cannot be said any more. */
async function isAsked(log: Log, { threadId, first }: Pick<RunRecord, 'threadId' | 'first'>): Promise<boolean> {
  const { blocks, head } = await log.read(threadId, first - 1, 1);
  if (head.first > first) return true;
  const [event] = blocks.flatMap((block) => (block.first <= first && first <= block.last ? block.event(first) : []));
  return (event?.data.metadata as Record<string, unknown> | undefined)?.door === METADATA.door;
}

/** The sink, telling when a stream has come to an end that is its own. */
const told = (sink: Sink, onEnd: () => Promise<void>): Sink => ({
  get closed() {
    return sink.closed;
  },
  open: (listener, stalledMs) => sink.open(listener, stalledMs),
  write: (bytes) => sink.write(bytes),
  end() {
    sink.end();
    // Where the log cannot say whether the run has ended, the question stays open for a while.
    onEnd().catch(() => undefined);
  },
  abort: () => sink.abort(),
});
