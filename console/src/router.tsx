import { createRouter as create, createRootRoute, createRoute, redirect } from '@tanstack/react-router';
import { newRunId } from 'telltale/protocol';
import { readChatSearch } from './chat/search.ts';
import { readRunSearch } from './run/search.ts';
import { RunsScreen } from './runs/screen.tsx';
import { readRunsSearch } from './runs/search.ts';
import { Broken } from './shell/broken.tsx';
import { Frame } from './shell/frame.tsx';
import { NotFound } from './shell/not-found.tsx';

const rootRoute = createRootRoute({ component: Frame, notFoundComponent: NotFound, errorComponent: Broken });

const runsRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/',
  validateSearch: readRunsSearch,
  component: RunsScreen,
});
const runRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/runs/$runId',
  validateSearch: readRunSearch,
}).lazy(() => import('./run/route.tsx').then((it) => it.route));
const chatRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/chat',
  // A new conversation has its address before anything is asked.
  beforeLoad: () => {
    throw redirect({ to: '/chat/$threadId', params: { threadId: newRunId() }, replace: true });
  },
});
const threadRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/chat/$threadId',
  validateSearch: readChatSearch,
}).lazy(() => import('./chat/route.tsx').then((it) => it.route));

/** The console's addresses, below wherever the server is mounted. */
export function createRouter() {
  return create({
    routeTree: rootRoute.addChildren([runsRoute, runRoute, chatRoute, threadRoute]),
    basepath: new URL(document.baseURI).pathname,
    // Plain words in the address bar: people read and send them.
    parseSearch: (search) => Object.fromEntries(new URLSearchParams(search)),
    stringifySearch: (search) => {
      const given = Object.entries(search).filter(([, value]) => value !== undefined && value !== '');
      const text = new URLSearchParams(given.map(([name, value]) => [name, String(value)])).toString();
      return text === '' ? '' : `?${text}`;
    },
    defaultPreload: 'intent',
    scrollRestoration: true,
  });
}

declare module '@tanstack/react-router' {
  interface Register {
    router: ReturnType<typeof createRouter>;
  }
}
