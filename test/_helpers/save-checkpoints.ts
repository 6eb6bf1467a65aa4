// Saves one checkpoint after the other, from the newest of a folder on, until it is killed. Each has its step for numbers.
import {loadNewestCheckpoint, saveCheckpoint} from '../../lib/training/checkpoint.ts';

const folder = process.argv[2]!;
const files = {weights: 'adapter.safetensors', companions: new Map<string, string>()};
const shapes = {matrix: [3, 64, 512], vector: [3, 40]};

const newest = await loadNewestCheckpoint(folder, files);
for (let step = (newest?.progress.step ?? 0) + 1; ; step++) {
  const state = new Map(
    Object.entries(shapes).map(([name, shape]) => {
      const data = new Float32Array(shape.reduce((a, b) => a * b)).fill(step);
      return [name, {shape, data}];
    }),
  );
  const progress = {step, optimizerSteps: step, sampler: {draws: step, taken: {}, waiting: []}};
  await saveCheckpoint(folder, files, {progress, state}, 2);
  process.stdout.write(`${step}\n`);
}
