import {posix, win32} from 'node:path';
import {fc, testProp} from '@fast-check/ava';
import test from 'ava';
import {isSafePath} from '../../lib/hub/hub-names.ts';

const part = fc.oneof(
  fc.constantFrom('..', '.', '', 'a', 'C:', '\\', '..\\', '\0', 'con', '...'),
  fc.string({maxLength: 5}),
);
const path = fc.array(part, {maxLength: 6}).map(parts => parts.join('/'));

testProp('a path that is accepted stays in its folder, on every system', [path], (t, path) => {
  fc.pre(isSafePath(path));
  t.true(posix.join('/root', path).startsWith('/root/'));
  t.is(posix.normalize(path), path);
  t.true(win32.join('D:\\root', path).startsWith('D:\\root\\'));
  t.false(win32.isAbsolute(path));
});

test('names of published files are accepted', t => {
  for (const name of ['model_index.json', 'unet/config.json', '.gitattributes', 'a b/ä (1)..json', '...']) {
    t.true(isSafePath(name), name);
  }
});
