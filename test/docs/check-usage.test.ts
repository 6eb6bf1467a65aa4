import test from 'ava';
import {checkUsage, ipaiCommands} from '../_helpers/check-usage.ts';

test('commands are found in scripts, with their arguments', t => {
  const script = `
    ipai pull a/b 'c d' # ipai is not here
    ln -s "$(ipai pull a/b)/c" d && mpirun -n 2 npx ipai train \\
      --config recipe.yaml
    ipai serve --random tiny > log.txt &
    docker build . -t ipai
  `;
  t.deepEqual(ipaiCommands(script), [
    ['pull', 'a/b', 'c d'],
    ['pull', 'a/b'],
    ['train', '--config', 'recipe.yaml'],
    ['serve', '--random', 'tiny'],
  ]);
});

test('what the program would refuse is refused, and nothing is run', t => {
  t.notThrows(() => checkUsage(['pull', 'no/such-repository', '--offline']));
  t.notThrows(() => checkUsage(['inspect', 'no-such-file']));
  t.notThrows(() => checkUsage(['dataset', 'world', '-o', 'no/such/folder', '--count', '3']));
  for (const [args, message] of [
    [['paint'], /unknown command/],
    [['pull', 'a/b', '--fast'], /unknown option/],
    [['pull'], /missing required argument/],
    [['dataset', 'world', '--count', '3'], /required option/],
    [['serve', '--random', 'huge'], /Allowed choices/],
    [['serve', '--port', 'first'], /Expected a number/],
  ] as const) {
    t.throws(() => checkUsage(args), {message});
  }
});
