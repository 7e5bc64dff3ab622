import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { RouterProvider } from '@tanstack/react-router';
import { type ReactElement, useMemo } from 'react';
import { TelltaleProvider } from 'telltale/react';
import { createRouter } from './router.tsx';
import { clientFor } from './session/client.ts';
import { useSession } from './session/session.ts';

/** Everything below belongs to one caller: signing in or out begins it anew, so that nothing of another one stays. */
export function App(): ReactElement {
  const { token } = useSession();
  const { client, queries, router } = useMemo(
    () => ({
      client: clientFor(token),
      // What the server said is asked for again when it is looked at again; errors are told at once, with a way forward.
      queries: new QueryClient({ defaultOptions: { queries: { retry: false, staleTime: 10_000 } } }),
      router: createRouter(),
    }),
    [token],
  );
  return (
    <QueryClientProvider client={queries}>
      <TelltaleProvider client={client}>
        <RouterProvider router={router} />
      </TelltaleProvider>
    </QueryClientProvider>
  );
}
