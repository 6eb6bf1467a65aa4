import {mkdir, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {factorClassLabels} from '../../../lib/datasets/world/factor-groups.ts';
import {renderPicture} from '../../../lib/datasets/world/render.ts';
import {worldSample} from '../../../lib/datasets/world/tasks.ts';
import {HostWeights} from '../../../lib/engine/host-weights.ts';
import {ArgumentError, FileError, WeightsError} from '../../../lib/errors.ts';
import {FactorReaderScorer} from '../../../lib/evaluation/factors/factor-reader-scorer.ts';
import {readFactors} from '../../../lib/evaluation/factors/read-factors.ts';
import {truthOutcomes} from '../../../lib/evaluation/factors/truth-outcomes.ts';
import {imageToTensor} from '../../../lib/images/latent-image.ts';
import {
  describeFactorReaderWeights,
  factorReader,
  parseFactorReaderConfig,
} from '../../../lib/models/factor-reader.ts';
import {Weights} from '../../../lib/nn/weights.ts';
import {TorchGenerator} from '../../../lib/schedulers/torch-generator.ts';
import {writeSafetensors} from '../../../lib/weights/write-safetensors.ts';
import {runModel} from '../../_helpers/run-model.ts';
import {tempFolder} from '../../_helpers/temp-folder.ts';

const json = {
  labels: factorClassLabels,
  sample_size: 32,
  block_out_channels: [8, 8],
  norm_num_groups: 4,
  hidden_size: 16,
};
const config = parseFactorReaderConfig(json);
const generator = new TorchGenerator(1);
const weights = new Map(
  [...describeFactorReaderWeights(config)].map(([name, shape]) => {
    const scale = shape.length > 1 ? 0.2 : 0.5;
    return [name, {shape, data: generator.randn(shape).map(x => x * scale), dtype: 'float32' as const}];
  }),
);

async function readerFolder(t: ExecutionContext, changes: object = {}): Promise<string> {
  const folder = join(await tempFolder(t), 'reader');
  await mkdir(folder);
  await writeFile(join(folder, 'config.json'), JSON.stringify({...json, ...changes}));
  await writeSafetensors(join(folder, 'model.safetensors'), weights);
  return folder;
}

test('outcomes are those of what the network reads of the picture', async t => {
  const scorer = await FactorReaderScorer.load(await readerFolder(t), 'cpu');
  t.regex(scorer.name, /^factor reader [0-9a-f]{12}$/);
  for (const index of [0, 1, 2]) {
    const {target, condition} = worldSample('style', 'test', 5, index);
    const picture = await renderPicture(target, 48);
    const factors = {target, condition: {factors: condition.factors}};
    const scores = await scorer.score({task: 'style', factors, picture}, {});
    const pictures = {shape: [1, 3, 32, 32], data: await imageToTensor(picture, 32, 32)};
    const source = new Weights(new HostWeights('reader', weights));
    const [logits] = await runModel(inputs => factorReader(source, config, inputs.pictures), {pictures});
    const [read] = readFactors(logits!);
    t.deepEqual(scores, truthOutcomes({task: 'style', target, condition: condition.factors, read: read!}));
  }
  const {target, condition} = worldSample('style', 'test', 5, 0);
  const other = {
    task: 'mine',
    factors: {target, condition: {factors: condition.factors}},
    picture: await renderPicture(target, 32),
  };
  await t.throwsAsync(scorer.score(other, {}), {instanceOf: ArgumentError, message: /'mine'/});
  await scorer.dispose();
});

test('what is no reader, or one of other factors, is told', async t => {
  const other = await readerFolder(t, {labels: factorClassLabels.slice(1)});
  await t.throwsAsync(FactorReaderScorer.load(other), {
    instanceOf: FileError,
    message: /Train the reader again/,
  });
  await t.throwsAsync(FactorReaderScorer.load(await tempFolder(t)), {instanceOf: FileError});
  const wrong = await readerFolder(t, {hidden_size: 24});
  await t.throwsAsync(FactorReaderScorer.load(wrong), {instanceOf: WeightsError});
});
