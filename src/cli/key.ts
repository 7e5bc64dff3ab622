import { makeKey, SCOPES, type Scope } from '../index.ts';
import { type Command, EXIT, parse, usageError } from './command.ts';

export const key: Command = {
  help: `telltale key --user <id> --scope <scopes> [--tenant <id>]

Makes an API key for a producer. Prints the key, this once, and then what the server has to know of it: a line for the
list in its file of keys ("telltale serve --keys <file>"). The server knows a hash only.

  --user <id>       whose runs it starts; one for each producer is best
  --scope <scopes>  what it may do, separated by commas: ${SCOPES.join(', ')}
  --tenant <id>     of which tenant it is

Example:
  telltale key --user nightly-build --scope start,read
`,

  async run(args) {
    const { values, positionals } = parse(args, {
      user: { type: 'string' },
      tenant: { type: 'string' },
      scope: { type: 'string' },
    });
    if (positionals.length > 0) throw usageError('It takes no arguments but its options.');
    const userId = nameIn('--user', values.user);
    const tenant = values.tenant === undefined ? {} : { tenantId: nameIn('--tenant', values.tenant) };
    const scopes = (values.scope ?? '').split(',').map((it) => it.trim());
    const wrong = scopes.find((it) => !SCOPES.includes(it as Scope));
    if (wrong !== undefined) throw usageError(`--scope: "${wrong}" is none of ${SCOPES.join(', ')}.`);
    const made = makeKey({ userId, ...tenant, scopes: scopes as Scope[] });
    process.stdout.write(`${made.key}\n${JSON.stringify(made.entry)}\n`);
    return EXIT.done;
  },
};

function nameIn(option: string, name: string | undefined): string {
  if (name !== undefined && name.length > 0 && name.length <= 256) return name;
  throw usageError(`${option} has to be 1 to 256 characters.`);
}
