/** `-`, `*`, `•`, `1.`, `2)`, `(3)`, `#`, with a blank after it. */
export const listMark = /^\s*(?:[-*•–#>]+|\(?\d{1,4}[.):])\s+/;

/** A pair around all of a line, and not two pairs in it. */
const quotes = /^(["'“‘«„])((?:(?!\1).)*)["'”’»“]$/;

/** A line of an answer without what models put around it: marks of lists and of Markdown, double blanks, quotes. */
export function bareLine(line: string): string {
  return line
    .replace(listMark, '')
    .replace(/\*+|_{2,}|`+/g, '')
    .replace(/\s+/g, ' ')
    .trim()
    .replace(quotes, '$2')
    .trim();
}
