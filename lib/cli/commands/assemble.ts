import {Command, Option} from '@commander-js/extra-typings';
import {openDataset} from '../../datasets/dataset.ts';
import {Engine} from '../../engine/engine.ts';
import {ArgumentError} from '../../errors.ts';
import {loadVae} from '../../pipelines/load-models.ts';
import {openDevice} from '../../runtime/device.ts';
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
    .addOption(
      new Option(
        '--prediction-type <type>',
        'what the UNet predicts, or is to predict (default: epsilon)',
      ).choices(['epsilon', 'v_prediction'] as const),
    )
    .action(async ({output, clip, autoencoder, unet, dataset, size, dtype, predictionType}) => {
      if ((dataset === undefined) !== (autoencoder === undefined)) {
        throw new ArgumentError(
          'assemble: expected --autoencoder and --dataset together. Give both, or none.',
        );
      }
      const scalingFactor =
        autoencoder === undefined ? undefined : await measureScale(autoencoder, dataset!, size);
      await assembleModel(output, {clip, autoencoder, unet}, {dtype, scalingFactor, predictionType});
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
