import {Command} from '@commander-js/extra-typings';
import {Engine} from '../../engine/engine.ts';
import {probeImageEncoder} from '../../evaluation/probe/probe-image-encoder.ts';
import {table} from '../../inspect/table.ts';
import {loadImageEncoder} from '../../pipelines/load-encoders.ts';
import {openDevice} from '../../runtime/device.ts';
import {parseNumber} from '../options/parse-values.ts';

export function probeCommand() {
  return new Command('probe')
    .description(
      'say which factors of drawn pictures a linear probe tells from what an image encoder makes of them',
    )
    .argument('<image-encoder>', 'folder of a CLIP vision model, or checkpoint of a CLIP')
    .requiredOption('--dataset <folder>', 'set drawn by `ipai dataset world`')
    .option(
      '--samples <n>',
      'of its samples, from the first; a quarter of them is held out',
      parseNumber,
      2000,
    )
    .option('--json', 'print one JSON object')
    .action(async (folder, {dataset, samples, json}) => {
      const engine = new Engine(openDevice('auto'), {keepsWeights: true});
      try {
        const encoder = await loadImageEncoder({engine, dtype: 'float32'}, folder);
        const factors = await probeImageEncoder(encoder, dataset, samples);
        const rows = factors.map(({name, classToken, allTokens}) => [
          name,
          ...[classToken.accuracy, allTokens.accuracy, allTokens.chance].map(percent),
          String(allTokens.count),
        ]);
        const head = ['factor', 'class token, %', 'all tokens, %', 'chance, %', 'pictures'];
        process.stdout.write(json ? `${JSON.stringify({factors})}\n` : `${table(head, rows)}\n`);
      } finally {
        await engine.dispose();
      }
    });
}

function percent(share: number): string {
  return (100 * share).toFixed(0);
}
