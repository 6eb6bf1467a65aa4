/**
 * Links within the documents lead somewhere: to a file, and to a heading of it.
 */
import {existsSync, readFileSync, statSync} from 'node:fs';
import path from 'node:path';
import test from 'ava';
import {readPages, repository} from '../_helpers/doc-samples.ts';

for (const page of readPages()) {
  test(`links of ${page.path}`, t => {
    const prose = page.text.replaceAll(/^```[\s\S]*?^```$/gm, '');
    for (const [, target] of prose.matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^https?:/.test(target!)) continue;
      const [file, heading] = target!.split('#') as [string, string?];
      const linked = path.join(
        repository,
        file === '' ? page.path : path.join(path.dirname(page.path), file),
      );
      t.true(existsSync(linked), `${target}: there is no such file`);
      if (heading === undefined || statSync(linked).isDirectory()) continue;
      t.true(headingsOf(linked).includes(heading), `${target}: there is no such heading`);
    }
    t.pass();
  });
}

/** As GitHub names them in addresses. */
function headingsOf(file: string): string[] {
  const headings = readFileSync(file, 'utf8').matchAll(/^#+ (.+)$/gm);
  return [...headings].map(([, text]) =>
    text!
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(' ', '-'),
  );
}
