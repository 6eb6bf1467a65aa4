import test from 'ava';
import {escapeXml} from '../../lib/images/xml.ts';

test('markup is escaped, other text is kept', t => {
  t.is(escapeXml('<a b="c">\'&amp;'), '&#60;a b=&#34;c&#34;&#62;&#39;&#38;amp;');
  t.is(escapeXml('tab\tnew\nline é 猫 😀'), 'tab\tnew\nline é 猫 😀');
});

test('what XML cannot hold is replaced', t => {
  t.is(escapeXml('a\0b\x1Bc\uFFFEd\uD800e'), 'a\uFFFDb\uFFFDc\uFFFDd\uFFFDe');
});
