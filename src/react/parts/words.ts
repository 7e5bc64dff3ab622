import { useContext } from 'react';
import { type Wording, WordingContext } from '../provider.ts';
import { english, type Labels } from './labels.ts';

/** The labels, each with its locale already. */
export type Words = { readonly [Name in keyof Labels]: (...args: WithoutLast<Parameters<Labels[Name]>>) => string };
type WithoutLast<T extends readonly unknown[]> = T extends [...infer Rest, unknown] ? Rest : never;

const known = new WeakMap<Wording, Words>();

/** The words of the provider above. */
export function useWords(): Words {
  const wording = useContext(WordingContext);
  let words = known.get(wording);
  if (!words) {
    words = inLocale(wording);
    known.set(wording, words);
  }
  return words;
}

function inLocale({ labels, locale = 'en' }: Wording): Words {
  const all = { ...english, ...labels } as Record<string, (...args: readonly unknown[]) => string>;
  const said = Object.keys(all).map((name) => [name, (...args: readonly unknown[]) => all[name]?.(...args, locale)]);
  return Object.fromEntries(said) as Words;
}
