/**
 * The report's page: what it looks like in light and dark, and the order of its parts.
 */
import {type Html, html} from './html.ts';

export interface Section {
  readonly title: string;
  /** What is shown, how it was measured, and how to read it. */
  readonly text: string;
  readonly content: Html;
}

/** A whole document that loads nothing. */
export function page(title: string, intro: Html, sections: readonly Section[]): string {
  const parts = sections.map(
    section => html`<section><h2>${section.title}</h2><p>${section.text}</p>${section.content}</section>`,
  );
  const {markup} = html`<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<title>${title}</title><style>${css}</style></head>
<body><main><h1>${title}</h1>${intro}${parts}</main></body></html>`;
  return `<!doctype html>\n${markup}\n`;
}

const css = html`
:root { color-scheme: light dark; --text: #1a1a1a; --quiet: #5c5c5c; --line: #d4d4d4; --back: #fff; --code: #f3f3f3; }
@media (prefers-color-scheme: dark) {
  :root { --text: #ececec; --quiet: #a8a8a8; --line: #444; --back: #161616; --code: #242424; }
}
body { margin: 0; background: var(--back); color: var(--text); font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 1280px; margin: 0 auto; padding: 24px 20px 64px; }
h1 { font-size: 1.7rem; }
h2 { font-size: 1.25rem; margin: 2.5rem 0 .5rem; }
p { max-width: 75ch; overflow-wrap: anywhere; }
pre { background: var(--code); padding: 10px 12px; border-radius: 6px; white-space: pre-wrap; overflow-wrap: anywhere; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: 5px 8px; text-align: right; vertical-align: top; border-bottom: 1px solid var(--line); }
th[scope=row], thead th { text-align: left; }
th[scope=colgroup] { text-align: center; }
small { display: block; color: var(--quiet); font-size: .75rem; font-weight: normal; white-space: nowrap; }
.pictures small { white-space: normal; }
.pictures td { text-align: left; max-width: 320px; }
.words { min-width: 12ch; }
img { display: block; max-width: 100%; height: auto; min-width: 128px; }
figure { display: inline-block; margin: 8px 16px 8px 0; max-width: 100%; vertical-align: top; }
figcaption { color: var(--quiet); font-size: .85rem; }
svg { display: block; max-width: 100%; height: auto; }
svg text { fill: var(--quiet); font-size: 11px; }
svg .grid { stroke: var(--line); fill: none; }
.key { white-space: nowrap; margin-right: 10px; }
.key i { display: inline-block; width: 10px; height: 10px; border-radius: 50%; margin-right: 4px; }
`;
