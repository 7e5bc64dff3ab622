import type { Context } from 'hono';
import type { z } from 'zod';
import { TelltaleError } from '../protocol/index.ts';
import { checkShape } from './body.ts';

/**
 * The query string, checked. A name that is not known is refused, since a filter that is silently ignored answers
 * another question; so is one that comes twice, but for the names in `lists`, whose values come as arrays.
 *
 * @throws {TelltaleError} `invalid_request`, naming the parameter.
 */
export function readQuery<T>(c: Context, schema: z.ZodType<T>, lists: readonly string[] = []): T {
  const given: Record<string, string | string[]> = Object.create(null);
  for (const [name, values] of Object.entries(c.req.queries())) {
    if (lists.includes(name)) {
      given[name] = values;
      continue;
    }
    if (values.length > 1) {
      throw new TelltaleError(
        'invalid_request',
        `query.${name.slice(0, 64)}: give it once, not ${values.length} times`,
      );
    }
    given[name] = values[0] as string;
  }
  return checkShape(schema, { ...given }, 'query');
}
