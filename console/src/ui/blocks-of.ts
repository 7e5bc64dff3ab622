/** Opens or closes code that is fenced (CommonMark 0.31, 4.5). */
const FENCE = /^ {0,3}(`{3,}|~{3,})(.*)$/;
/** What belongs to the list item above it, or goes on with its list, after an empty line. */
const CONTINUES = /^(?: {2,}|\t| ?(?:[-*+]|\d{1,9}[.)])(?: |$))/;
const LIST = /^ {0,3}(?:[-*+]|\d{1,9}[.)])(?: |$)/;
const DEFINITION = /^ {0,3}\[[^\]]+\]:\s*\S/;

/**
 * Cuts Markdown where one block ends and another begins, so that while a text grows at its end only the last piece
 * changes. Put together they are the text, but for the empty lines between them; definitions of links come with each piece.
 */
export function blocksOf(text: string): readonly string[] {
  const blocks: string[] = [];
  const definitions: string[] = [];
  let block: string[] = [];
  let fence: string | undefined;
  let isList = false;
  let isAfterGap = false;

  const end = (): void => {
    if (block.length > 0) blocks.push(block.join('\n'));
    block = [];
  };
  for (const line of text.split('\n')) {
    if (fence === undefined && line.trim() === '') {
      isAfterGap = true;
      if (!isList) end();
      continue;
    }
    if (fence === undefined && isAfterGap) {
      if (isList && CONTINUES.test(line)) block.push('');
      else end();
    }
    isAfterGap = false;
    if (block.length === 0) isList = LIST.test(line);
    if (fence === undefined && DEFINITION.test(line)) definitions.push(line);
    block.push(line);
    const [, mark, rest = ''] = FENCE.exec(line) ?? [];
    if (mark === undefined) continue;
    if (fence === undefined) fence = mark;
    else if (mark.startsWith(fence) && rest.trim() === '') fence = undefined;
  }
  end();
  const known = definitions.join('\n');
  return known === '' ? blocks : blocks.map((it) => (it.includes('[') ? `${it}\n\n${known}` : it));
}
