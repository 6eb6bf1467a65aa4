import test from 'ava';
import {runCli} from '../_helpers/run-cli.ts';

test('help and version are no errors', async t => {
  const help = await runCli(['--help']);
  t.is(help.exitCode, 0);
  for (const command of ['generate', 'inspect', 'doctor', 'demo', 'check-reference']) {
    t.true(help.stdout.includes(command), command);
  }
  const version = await runCli(['--version']);
  t.is(version.exitCode, 0);
  t.regex(version.stdout, /^\d+\.\d+\.\d+\n$/);
});

for (const [what, args, message] of [
  ['an unknown command', ['paint'], /unknown command 'paint'/],
  ['an unknown option', ['doctor', '--fast'], /unknown option '--fast'/],
  ['a missing prompt', ['generate', '--random', 'tiny'], /--prompt <text>' not specified/],
  ['a word in place of a number', ['generate', '--prompt', 'x', '--steps', 'many'], /Expected a number/],
  ['an unknown choice', ['generate', '--prompt', 'x', '--random', 'huge'], /tiny, sd15/],
  [
    'an unknown preprocess',
    ['generate', '--prompt', 'x', '--control-preprocess', 'depth'],
    /Expected one of none, canny, scribble/,
  ],
  ['a missing path', ['inspect'], /missing required argument 'path'/],
] as const) {
  test(`${what} is wrong usage`, async t => {
    const {exitCode, stdout, stderr} = await runCli(args);
    t.is(exitCode, 2);
    t.is(stdout, '');
    t.regex(stderr, message);
  });
}

test('wrong usage with --json is one JSON object on standard output', async t => {
  const {exitCode, stdout} = await runCli(['generate', '--prompt', 'x', '--seed', 'one', '--json']);
  t.is(exitCode, 2);
  const {error} = JSON.parse(stdout);
  t.is(error.code, 'usage');
  t.regex(error.message, /^option '--seed/);
});

test('an error has no stack unless IPAI_DEBUG asks for it', async t => {
  const args = ['inspect', '/no/such/file'];
  const plain = await runCli(args);
  t.is(plain.exitCode, 1);
  t.regex(plain.stderr, /^error: \/no\/such\/file: [^\n]+\n$/);
  const debug = await runCli(args, {env: {IPAI_DEBUG: '1'}});
  t.is(debug.exitCode, 1);
  t.regex(debug.stderr, /\n\s+at /);
});
