import {Command, Option} from '@commander-js/extra-typings';
import pc from 'picocolors';
import {ArgumentError} from '../../errors.ts';
import type {DeviceSpec} from '../../runtime/device.ts';
import {type CaseResult, checkCase} from '../check-reference/check-case.ts';
import {openReferenceFolder} from '../check-reference/reference-case.ts';
import {ReferenceModels, type ReferenceSettings} from '../check-reference/reference-models.ts';

export function checkReferenceCommand() {
  return new Command('check-reference')
    .description('replay reference cases and compare: a row for each, then how many passed')
    .argument('<folder>', 'with cases.json and cases/')
    .option('--device <device>', 'auto, cpu, cuda or cuda:N (default: cpu)', text => text as DeviceSpec)
    .addOption(
      new Option('--dtype <dtype>', "of activations and weights (default: the device's)").choices([
        'float32',
        'bfloat16',
        'float16',
      ] as const),
    )
    .action(run);
}

async function run(path: string, settings: ReferenceSettings): Promise<void> {
  const folder = await openReferenceFolder(path);
  if (folder.cases.length === 0) throw new ArgumentError(`${path}: expected at least one case, got none.`);
  const print = rowPrinter(folder.cases.map(({name, kind}) => ({name, kind})));
  const models = new ReferenceModels(folder, settings);
  let failed = 0;
  try {
    for (const settings of folder.cases) {
      const result = await checkCase(models, settings);
      if (!result.passed) failed++;
      print(result);
    }
  } finally {
    await models.dispose();
  }
  process.stdout.write(`${folder.cases.length - failed} passed, ${failed} failed\n`);
  if (failed > 0) process.exitCode = 1;
}

// Colour on a terminal only: rows are read by programs too.
const {green, red} = pc.createColors(process.stdout.isTTY === true && pc.isColorSupported);

/** Prints the head now and a row at each call, in columns as wide as the cases' names. */
function rowPrinter(cases: readonly {name: string; kind: string}[]): (result: CaseResult) => void {
  const widthOf = (values: readonly string[]) => Math.max(...values.map(value => value.length));
  const nameWidth = widthOf(['case', ...cases.map(({name}) => name)]);
  const kindWidth = widthOf(['kind', ...cases.map(({kind}) => kind)]);
  const row = (name: string, kind: string, error: string, tolerance: string, rest: string) =>
    process.stdout.write(
      `${name.padEnd(nameWidth)}  ${kind.padEnd(kindWidth)}  ${error.padStart(8)}  ${tolerance.padStart(9)}  ${rest}\n`,
    );
  row('case', 'kind', 'error', 'tolerance', 'verdict');
  return ({name, kind, worst, passed, reason}) => {
    const verdict = passed ? green('passed') : red('failed');
    const detail = passed ? '' : ` (${(reason ?? worst?.output)?.replaceAll(/\s+/g, ' ')})`;
    row(name, kind, format(worst?.error), format(worst?.tolerance), verdict + detail);
  };
}

function format(value: number | undefined): string {
  if (value === undefined) return '-';
  return value === 0 ? '0' : value.toExponential(1);
}
