import {readFile} from 'node:fs/promises';
import test from 'ava';
import {fuseEpilogues} from '../../lib/graph/passes/fuse-epilogues.ts';
import {prepareWeights} from '../../lib/graph/passes/prepare-weights.ts';
import {printGraph} from '../../lib/graph/print.ts';
import type {Tensor} from '../../lib/graph/tensor.ts';
import {parameter, trace} from '../../lib/graph/trace.ts';
import {add, linear, silu} from '../../lib/nn/layers.ts';
import {type WeightSource, Weights} from '../../lib/nn/weights.ts';

test('ARCHITECTURE.md shows the graphs that its example gives', async t => {
  const source: WeightSource = {
    label: 'm',
    tensor: (name, shape) => parameter(source, name, {shape, dtype: 'float32'}),
  };
  const weights = new Weights(source);
  const block = (x: Tensor) => add(x, silu(linear(weights.at('proj'), x, 4)));
  const {graph} = trace(({x}: {x: Tensor}) => block(x), {x: {shape: [2, 4], dtype: 'float32'}});
  const page = await readFile(new URL('../../ARCHITECTURE.md', import.meta.url), 'utf8');
  for (const printed of [printGraph(graph), printGraph(prepareWeights(fuseEpilogues(graph)))]) {
    t.true(page.includes(`\n${printed}\n`), printed);
  }
});
