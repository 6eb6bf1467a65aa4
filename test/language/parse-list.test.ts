import {fc, testProp} from '@fast-check/ava';
import test from 'ava';
import {parseList} from '../../lib/language/parse-list.ts';

const items = ['Use the style', 'Take "only" the style of the image.'];

const answers: Readonly<Record<string, string>> = {
  numbers: `Sure! Here are some ways:\n\n1. ${items[0]}\n2. ${items[1]}\n\nLet me know if you need more.`,
  'numbers in brackets': `1) ${items[0]}\n  (2) ${items[1]}`,
  bullets: `**Short**\n- ${items[0]}\n**Long**\n• ${items[1]}`,
  'quotes and bold': `1. **"${items[0]}"**\n2. “${items[1]}”`,
  'plain lines': `Here you go:\n${items[0]}\n\n  ${items[1]}\n`,
  'carriage returns': `1. ${items[0]}\r\n2. ${items[1]}\r\n`,
  JSON: JSON.stringify(items),
  'JSON in an object': JSON.stringify({instructions: items}),
  'JSON of objects': JSON.stringify(items.map(instruction => ({instruction}))),
  'JSON in a fence': `Of course:\n\`\`\`json\n${JSON.stringify(items, null, 2)}\n\`\`\`\nDone.`,
};

for (const [name, answer] of Object.entries(answers)) {
  test(`a list of ${name}`, t => t.deepEqual(parseList(answer), items));
}

test('of JSON that was cut off, the whole items', t => {
  t.deepEqual(parseList('[\n  "Use the style",\n  "Keep the style",\n'), ['Use the style', 'Keep the style']);
});

test('headings among numbered items are none', t => {
  t.deepEqual(parseList('1. Short ones:\n2. Use the style'), ['Use the style']);
});

test('nothing gives nothing', t => {
  for (const answer of ['', '\n \n', '[]', '```\n```', 'Here they are:']) t.deepEqual(parseList(answer), []);
});

test('a megabyte of nonsense takes but a moment', t => {
  const begin = performance.now();
  for (const nonsense of ['[', '[]', ':', ',', ' ', '"', '-', '*', '1. ', '[":,', '\n[']) {
    const text = nonsense.repeat(2 ** 20 / nonsense.length);
    t.true(Array.isArray(parseList(`${text}x`)));
  }
  t.true(performance.now() - begin < 30_000);
});

testProp(
  'whatever comes, items are lines with something in them',
  [fc.string({unit: 'grapheme'})],
  (t, text) => {
    t.true(parseList(text).every(item => item === item.trim() && /^[^\n\r]+$/.test(item)));
  },
);

testProp(
  'plain items come back from a numbered list',
  [fc.array(fc.stringMatching(/^[a-z]+( [a-z]+){0,9}$/))],
  (t, list) => {
    t.deepEqual(parseList(list.map((item, i) => `${i + 1}. ${item}`).join('\n')), list);
  },
);
