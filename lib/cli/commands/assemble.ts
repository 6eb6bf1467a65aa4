import {Command, Option} from '@commander-js/extra-typings';
import {openDataset} from '../../datasets/dataset.ts';
import {Engine} from '../../engine/engine.ts';
import {ArgumentError} from '../../errors.ts';
import {loadVae} from '../../pipelines/load-models.ts';
import {readText} from '../../pipelines/read-json.ts';
import {openDevice} from '../../runtime/device.ts';
import {parseSchedulerConfig} from '../../schedulers/scheduler-config.ts';
import {assembleModel} from '../../training/assemble/assemble-model.ts';
import {latentScale} from '../../training/assemble/latent-scale.ts';
import {parseNumber} from '../options/parse-values.ts';

export function assembleCommand() {
  return new Command('assemble')
    .description('put trained parts together to a model in diffusers’ layout; parts that are not named stay')
    .requiredOption('-o, --output <folder>', 'model to write, or to add to')
    .option('--clip <folder>', 'checkpoint of a CLIP: its towers and its tokenizer')
    .option('--autoencoder <folder>', 'checkpoint of an autoencoder; with --dataset, its scale is measured')
    .option('--unet <folder>', 'checkpoint of a UNet')
    .option('--dataset <folder>', "training set whose latents' scale is measured")
    .option('--size <pixels>', 'side of its pictures', parseNumber, 64)
    .addOption(
      new Option('--dtype <dtype>', 'of the weights (default: as they are)').choices([
        'float32',
        'float16',
      ] as const),
    )
    .option(
      '--scheduler <file>',
      "scheduler_config.json of the noise that the UNet is trained with (default: Stable Diffusion 1's)",
    )
    .action(async ({output, clip, autoencoder, unet, dataset, size, dtype, scheduler: schedulerFile}) => {
      if ((dataset === undefined) !== (autoencoder === undefined)) {
        throw new ArgumentError(
          'assemble: expected --autoencoder and --dataset together. Give both, or none.',
        );
      }
      const scalingFactor =
        autoencoder === undefined ? undefined : await measureScale(autoencoder, dataset!, size);
      const scheduler =
        schedulerFile === undefined
          ? undefined
          : parseSchedulerConfig(await readText(schedulerFile), schedulerFile);
      await assembleModel(output, {clip, autoencoder, unet}, {dtype, scalingFactor, scheduler});
      const measured = scalingFactor === undefined ? '' : `, latents scaled by ${scalingFactor.toFixed(5)}`;
      process.stdout.write(`${output}: written${measured}\n`);
    });
}

async function measureScale(autoencoder: string, dataset: string, side: number): Promise<number> {
  const engine = new Engine(openDevice('auto'), {keepsWeights: true});
  try {
    const vae = await loadVae({engine, dtype: 'float32'}, autoencoder);
    return await latentScale(vae, await openDataset(dataset), side);
  } finally {
    await engine.dispose();
  }
}
