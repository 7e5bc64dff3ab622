import { useEffect } from 'react';

/** What the tab is called while the component is there. */
export function useTitle(title: string): void {
  useEffect(() => {
    document.title = `${title} · Telltale`;
    return () => {
      document.title = 'Telltale';
    };
  }, [title]);
}
