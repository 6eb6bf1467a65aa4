import {bareLine, listMark} from './bare-line.ts';

/**
 * The items of a list that a model wrote: JSON, also in the midst of other text, or lines with numbers or bullets, and
 * then no others, or else all lines that announce nothing.
 */
export function parseList(answer: string): string[] {
  const items = jsonItems(answer) ?? lineItems(answer);
  return items.map(bareLine).filter(item => item !== '');
}

/** Undefined where the text holds no array with strings. */
function jsonItems(answer: string): string[] | undefined {
  try {
    const items = stringsIn(JSON.parse(answer.slice(answer.indexOf('['), answer.lastIndexOf(']') + 1)));
    return items.length === 0 ? undefined : items;
  } catch {
    return undefined;
  }
}

/** Items may be objects, such as `{"instruction": "…"}`. */
function stringsIn(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(stringsIn) : [];
}

/** What announces a list, and what is left of JSON or stands around it. */
const heading = /[:[\]{}][*_"'”)\s]*$|^\s*```/;

function lineItems(answer: string): string[] {
  const lines = answer.split('\n').map(line => line.replace(/,\s*$/, ''));
  const marked = lines.filter(line => listMark.test(line));
  const items = marked.length > 0 ? marked : lines;
  return items.filter(line => !heading.test(line));
}
