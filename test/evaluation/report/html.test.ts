import {fc, testProp} from '@fast-check/ava';
import test from 'ava';
import {html, nothing} from '../../../lib/evaluation/report/html.ts';

testProp('a text that is inserted holds no markup', [fc.string()], (t, text) => {
  const {markup} = html`<p title="${text}">${text}</p>`;
  const [, attribute, content] = /^<p title="([^"<>]*)">([^"<>]*)<\/p>$/s.exec(markup)!;
  t.is(attribute, content);
});

test('markup stays, also in lists; numbers are written', t => {
  const item = (text: string) => html`<li>${text}</li>`;
  t.is(
    html`<ul>${['a', '<b>'].map(item)}</ul>${nothing}${1.5}`.markup,
    '<ul><li>a</li><li>&#60;b&#62;</li></ul>1.5',
  );
});
