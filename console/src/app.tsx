import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { RouterProvider } from '@tanstack/react-router';
import { type ReactElement, useCallback, useMemo } from 'react';
import { TelltaleProvider } from 'telltale/react';
import { createRouter } from './router.tsx';
import { clientFor } from './session/client.ts';
import { useRenewal, useSession } from './session/session.ts';

/**
 * Everything below belongs to one caller: signing in as another one, or out, begins it anew, so that nothing of anybody else
 * stays. The same one with a newer token goes on.
 */
export function App(): ReactElement {
  const { visit } = useSession();
  // biome-ignore lint/correctness/useExhaustiveDependencies: see above.
  const { client, queries, router } = useMemo(
    () => ({
      client: clientFor(),
      // What the server said is asked for again when it is looked at again; errors are told at once, with a way forward.
      queries: new QueryClient({ defaultOptions: { queries: { retry: false, staleTime: 10_000 } } }),
      router: createRouter(),
    }),
    [visit],
  );
  useRenewal(useCallback(() => void queries.invalidateQueries(), [queries]));
  return (
    <QueryClientProvider client={queries}>
      <TelltaleProvider client={client}>
        <RouterProvider router={router} />
      </TelltaleProvider>
    </QueryClientProvider>
  );
}
