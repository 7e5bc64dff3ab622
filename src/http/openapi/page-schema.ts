/** A JSON Schema for people: its members, types and words. */
import { html } from 'hono/html';
import type { Schema } from './document.ts';

/** What `html` makes: everything that is put into it is escaped. */
export type Html = ReturnType<typeof html>;

/** Text with code in backticks. */
export const prose = (text: string): readonly (string | Html)[] =>
  text.split('`').map((part, i) => (i % 2 ? html`<code>${part}</code>` : part));

/** The members of an object, or the type of anything else. */
export function schemaView(schema: Schema): Html {
  const { description, properties } = schema as { description?: string; properties?: Record<string, Schema> };
  const told = description !== undefined && html`<p>${prose(description)}</p>`;
  if (!properties) return html`${told}<span class="type">${typeOf(schema)}</span>`;
  const required = (schema.required ?? []) as readonly string[];
  return html`${told}<dl>${Object.entries(properties).map(([name, member]) => memberView(name, member, required.includes(name)))}</dl>
${Array.isArray(schema.allOf) && html`<p class="type"><code>data</code> as the <code>type</code> has it: ${schema.allOf.map(caseView)}</p>`}`;
}

function memberView(name: string, member: Schema, required: boolean): Html {
  const inner = 'items' in member ? (member.items as Schema) : member;
  return html`<dt><code>${name}</code> <span class="type">${typeOf(member)}</span>
${!required && html`<span class="kind">optional</span>`}</dt>
<dd>${typeof member.description === 'string' && prose(member.description)}
${inner.properties !== undefined && schemaView({ ...inner, description: undefined })}</dd>`;
}

function caseView({ then }: { then?: { properties?: { data?: Schema } } }): Html | '' {
  return then?.properties?.data ? html`${typeOf(then.properties.data)} ` : '';
}

/** In few words: `string`, `array of Event`, `"on" or "off"`. */
function typeOf(schema: Schema): string | Html | readonly (string | Html)[] {
  if (typeof schema.$ref === 'string') {
    const name = schema.$ref.slice(schema.$ref.lastIndexOf('/') + 1);
    return html`<a href="#schema-${name}">${name}</a>`;
  }
  if (Array.isArray(schema.enum)) return schema.enum.map((it) => JSON.stringify(it)).join(' or ');
  if ('const' in schema) return JSON.stringify(schema.const);
  const choices = schema.anyOf ?? schema.oneOf;
  if (Array.isArray(choices)) {
    return choices.map((choice: Schema, i) => html`${i > 0 ? ' or ' : ''}${typeOf(choice)}`);
  }
  if (schema.type === 'array') return html`array of ${typeOf((schema.items ?? {}) as Schema)}`;
  const type = typeof schema.type === 'string' ? schema.type : 'any JSON value';
  const { minimum, maximum, default: standard } = schema;
  const range = minimum !== undefined && maximum !== undefined && maximum !== Number.MAX_SAFE_INTEGER;
  return [type, range ? `, ${minimum} to ${maximum}` : '', standard === undefined ? '' : `, ${standard} by default`];
}
