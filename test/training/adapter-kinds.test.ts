// Each kind of adapter is trained, and what is saved loads as an adapter of that kind and makes pictures.
import {join} from 'node:path';
import test from 'ava';
import {openDataset} from '../../lib/datasets/dataset.ts';
import {newAdapterKinds} from '../../lib/pipelines/describe-new-adapter.ts';
import {IPAdapterInstructPipeline} from '../../lib/pipelines/ip-adapter-instruct-pipeline.ts';
import {loadTrainingModels} from '../../lib/training/recipes/load-training-models.ts';
import {Trainer} from '../../lib/training/trainer.ts';
import {conditionImage, instructModel} from '../_helpers/reference-paths.ts';
import {tempFolder} from '../_helpers/temp-folder.ts';
import {writeTrainingSet} from '../_helpers/training-set.ts';

const {adapter: _, ...files} = instructModel;

for (const kind of newAdapterKinds) {
  test.serial(`${kind}: trained, saved, loaded, used`, async t => {
    const folder = await tempFolder(t);
    const {models, initial} = await loadTrainingModels(files, {kind});
    const dataset = await openDataset(await writeTrainingSet(t));
    const trainer = await Trainer.create({
      ...{models, initial, dataset, folder, dtype: 'float32'},
      ...{steps: 2, resolution: 64, learningRate: 1e-3, seed: 1},
    });
    await trainer.train();
    const weights = await trainer.weights();
    const moved = [...weights].filter(([name, {data}]) =>
      data.some((x, i) => x !== initial.get(name)!.data[i]),
    );
    // All of them: also those that begin at zero, and those behind them, after the first step.
    t.deepEqual(
      [...weights.keys()].filter(name => !moved.some(([other]) => other === name)),
      [],
    );
    trainer.dispose();
    await models.engine.dispose();

    const {adapterHeads, ...options} = files;
    const pipeline = await IPAdapterInstructPipeline.load({
      ...options,
      adapter: join(folder, 'checkpoint-00000002', 'adapter.safetensors'),
    });
    t.is(pipeline.models.adapter!.adapter.description.kind, kind);
    const {images} = await pipeline.generate({
      ...{prompt: 'a fox', ipAdapterImage: conditionImage, seed: 1},
      ...(kind.startsWith('instruct') && {instruction: 'use the style'}),
      ...{height: 64, width: 64, numInferenceSteps: 2},
    });
    t.is(images.length, 1);
    await pipeline.dispose();
  });
}
