#!/usr/bin/env node
// Checks what a compiled library asks of the machine: nothing but parts of the C library, in versions up to a floor.
//
//   node scripts/packages/check-library.mjs build/Release/ip_adapter_instruct.node [--glibc 2.28]
import {execFileSync} from 'node:child_process';
import {fileURLToPath} from 'node:url';
import {parseArgs} from 'node:util';

// glibc, in the parts that it had before 2.34, and its loader; musl is one file.
const partsOfLibc =
  /^(libc\.so\.6|libm\.so\.6|libpthread\.so\.0|libdl\.so\.2|librt\.so\.1|ld-linux-.+\.so\.\d|libc\.musl-.+\.so\.1)$/;

const byNumbers = (a, b) => a.localeCompare(b, 'en', {numeric: true});

/** Libraries that an ELF file is linked with, and the newest glibc that it takes a symbol of (undefined: none). */
export function requirements(file) {
  const read = option =>
    execFileSync('readelf', ['--wide', option, file], {encoding: 'utf8', maxBuffer: 1 << 28});
  const matches = (text, pattern) => [...text.matchAll(pattern)].map(([, name]) => name);
  const libraries = matches(read('--dynamic'), /\(NEEDED\).*\[(.+)\]/g);
  const versions = matches(read('--version-info'), /Name: GLIBC_(\d[\d.]*)/g);
  return {libraries, glibc: versions.sort(byNumbers).at(-1)};
}

/** What is wrong with a file, a sentence each. `floor` is the newest glibc that it may need; undefined: any. */
export function libraryProblems({libraries, glibc}, floor) {
  const foreign = libraries.filter(name => !partsOfLibc.test(name));
  const problems = [];
  if (foreign.length > 0) problems.push(`is linked with ${foreign.join(', ')}, expected the C library alone`);
  if (floor !== undefined && glibc !== undefined && byNumbers(glibc, floor) > 0) {
    problems.push(`needs glibc ${glibc}, expected ${floor} or older: build it on an older system`);
  }
  return problems;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const {values, positionals} = parseArgs({options: {glibc: {type: 'string'}}, allowPositionals: true});
  for (const file of positionals) {
    const found = requirements(file);
    console.log(`${file}: ${found.libraries.join(', ')}; glibc ${found.glibc ?? 'none'}`);
    for (const problem of libraryProblems(found, values.glibc)) {
      console.error(`${file} ${problem}.`);
      process.exitCode = 1;
    }
  }
}
