/**
 * What `make` makes of a list, made once for each: the lists of a run's snapshot stay the same objects until something in
 * them changes, while the run is shown sixty times a second.
 *
 * @example
 * const modelsOf = perList((calls: readonly LlmSpan[]) => calls.map(({ model }) => model));
 */
export function perList<Item, Made>(make: (list: readonly Item[]) => Made): (list: readonly Item[]) => Made {
  const known = new WeakMap<readonly Item[], { readonly made: Made }>();
  return (list) => {
    const found = known.get(list) ?? { made: make(list) };
    known.set(list, found);
    return found.made;
  };
}
