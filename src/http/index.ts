export {
  type ApiKey,
  Auth,
  type AuthOptions,
  type AuthorizeRequest,
  byOf,
  type JwtOptions,
  makeKey,
  type Principal,
  principalOf,
  type Revoked,
  SCOPES,
  type Scope,
} from './access/index.ts';
export { listenApart, type OpenApp, openApp } from './apart.ts';
export { createApp } from './app.ts';
export type { AppContext, ErrorPlace, ErrorReport } from './context.ts';
export { type DoorOptions, threadIdOf } from './doors/door.ts';
export { type DoorChoices, type DoorName, openDoors } from './doors/index.ts';
export { type Listening, type ListenOptions, listen } from './listen.ts';
export { type NodeRequest, type NodeResponse, serveFetch, serveNode } from './serve.ts';
