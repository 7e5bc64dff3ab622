/** What somebody typed as an input: text, or JSON where it begins as such. */
export function readInput(text: string): { readonly value?: unknown; readonly problem?: string } {
  if (!/^\s*[{[]/.test(text)) return { value: text };
  try {
    return { value: JSON.parse(text) };
  } catch (error) {
    return { problem: `The input begins as JSON, and is none: ${(error as Error).message}.` };
  }
}
