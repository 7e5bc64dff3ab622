import { useContext, useMemo } from 'react';
import { WordingContext } from '../provider.ts';
import { english, type Labels } from './labels.ts';

/** The words of the provider above, and the locale they are given. */
export function useWords(): { readonly labels: Labels; readonly locale: string } {
  const { labels, locale = 'en' } = useContext(WordingContext);
  return useMemo(() => ({ labels: { ...english, ...labels }, locale }), [labels, locale]);
}
