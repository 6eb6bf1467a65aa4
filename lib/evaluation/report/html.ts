/**
 * HTML in which whatever is inserted is text, unless it is HTML itself.
 */
import {escapeXml} from '../../images/xml.ts';

/** Markup that stands as it is. Only `html` makes it. */
export class Html {
  readonly markup: string;

  constructor(markup: string) {
    this.markup = markup;
  }
}

export type Insertion = string | number | Html | readonly Html[];

/** A template of markup; insertions of strings and numbers are escaped, for text as for quoted attributes. */
export function html(parts: TemplateStringsArray, ...insertions: readonly Insertion[]): Html {
  const texts = insertions.map(insertion => {
    if (insertion instanceof Html) return insertion.markup;
    if (typeof insertion === 'string' || typeof insertion === 'number') return escapeXml(`${insertion}`);
    return insertion.map(({markup}) => markup).join('');
  });
  return new Html(parts.map((part, i) => part + (texts[i] ?? '')).join(''));
}

export const nothing: Html = html``;
