/**
 * The first name that a JSON object has more than once: `JSON.parse` keeps the last of equal names and says
 * nothing. `json` has been parsed without error and is an object.
 */
export function firstRepeatedName(json: string): string | undefined {
  const seen = new Set<string>();
  let depth = 0;
  let lastString = '';
  for (let i = 0; i < json.length; i++) {
    const character = json[i]!;
    if (character === '"') {
      const end = closingQuote(json, i);
      lastString = json.slice(i, end + 1);
      i = end;
    } else if (character === '{' || character === '[') {
      depth++;
    } else if (character === '}' || character === ']') {
      depth--;
    } else if (character === ':' && depth === 1) {
      const name = JSON.parse(lastString) as string;
      if (seen.has(name)) return name;
      seen.add(name);
    }
  }
  return undefined;
}

function closingQuote(json: string, openingQuote: number): number {
  let i = openingQuote + 1;
  while (json[i] !== '"') i += json[i] === '\\' ? 2 : 1;
  return i;
}
