import test from 'ava';
import {ArgumentError, DisposedError, DTypeError, ShapeError} from '../../lib/errors.ts';
import {openDevice} from '../../lib/runtime/device.ts';
import {DeviceTensor} from '../../lib/runtime/device-tensor.ts';
import {memoryUsage, trimMemory} from '../../lib/runtime/memory.ts';
import type {ProgramDescription} from '../../lib/runtime/program.ts';
import {collectGarbage} from '../_helpers/collect-garbage.ts';
import {affineChain} from '../_helpers/small-programs.ts';

const device = openDevice('cpu');

function ramp(size: number): DeviceTensor {
  return DeviceTensor.from(
    device,
    Float32Array.from({length: size}, (_, index) => index),
    [size],
  );
}

test('a chain computes, and runs again with the same result', async t => {
  const program = device.compile(affineChain(3, 1000, {scale: 2, offset: 1}));
  for (let round = 0; round < 2; round++) {
    const {outputs} = await program.run({inputs: [ramp(1000)], parameters: []});
    t.deepEqual(
      await outputs[0]!.toFloat32Array(),
      Float32Array.from({length: 1000}, (_, index) => 8 * index + 7),
    );
  }
});

test('runs begun together end in order with their own results', async t => {
  const program = device.compile(affineChain(4, 50_000));
  const ended: number[] = [];
  const values = await Promise.all(
    Array.from({length: 20}, async (_, index) => {
      const {outputs} = await program.run({inputs: [ramp(50_000)], parameters: []});
      ended.push(index);
      return (await outputs[0]!.toFloat32Array())[7];
    }),
  );
  t.deepEqual(
    ended,
    [...ended].sort((a, b) => a - b),
  );
  t.true(values.every(value => value === 11));
});

test('views, outputs named twice, and outputs that are inputs', async t => {
  const description: ProgramDescription = {
    tensors: [
      {dtype: 'float32', shape: [2, 3]},
      {dtype: 'float32', shape: [6]},
      {dtype: 'float32', shape: [6]},
    ],
    nodes: [
      {op: 'reshape', inputs: [0], outputs: [1], attributes: {shape: [6]}, scope: ''},
      {op: 'affine', inputs: [1], outputs: [2], attributes: {scale: 1, offset: 10}, scope: ''},
    ],
    inputs: [0],
    parameters: [],
    outputs: [1, 2, 2, 0],
  };
  const input = DeviceTensor.from(device, new Float32Array([1, 2, 3, 4, 5, 6]), [2, 3]);
  const {outputs} = await device.compile(description).run({inputs: [input], parameters: []});
  const values = await Promise.all(outputs.map(output => output.toFloat32Array()));
  const shifted = [11, 12, 13, 14, 15, 16];
  t.deepEqual(
    values.map(array => [...array]),
    [[1, 2, 3, 4, 5, 6], shifted, shifted, [1, 2, 3, 4, 5, 6]],
  );
  t.deepEqual(
    outputs.map(output => output.shape),
    [[6], [6], [6], [2, 3]],
  );
});

test('a node without inputs and a parameter', async t => {
  const description: ProgramDescription = {
    tensors: [
      {dtype: 'bfloat16', shape: [4]},
      {dtype: 'float32', shape: [2]},
      {dtype: 'float32', shape: [2]},
    ],
    nodes: [
      {
        op: 'fill',
        inputs: [],
        outputs: [0],
        attributes: {shape: [4], value: 1.5, dtype: 'bfloat16'},
        scope: '',
      },
      {op: 'affine', inputs: [1], outputs: [2], attributes: {scale: -1, offset: 0}, scope: ''},
    ],
    inputs: [],
    parameters: [1],
    outputs: [0, 2],
  };
  const parameter = DeviceTensor.from(device, new Float32Array([1, 2]), [2]);
  const {outputs} = await device.compile(description).run({inputs: [], parameters: [parameter]});
  t.deepEqual([...(await outputs[0]!.toFloat32Array())], [1.5, 1.5, 1.5, 1.5]);
  t.deepEqual([...(await outputs[1]!.toFloat32Array())], [-1, -2]);
  t.deepEqual([...(await parameter.toFloat32Array())], [1, 2]);
});

test('a donated input becomes the output, and is no other tensor meanwhile', async t => {
  const program = device.compile({...affineChain(3, 1000, {scale: 2, offset: 1}), donated: [0]});
  const input = ramp(1000);
  const {outputs} = await program.run({inputs: [input], parameters: []});
  t.is(outputs[0], input);
  t.is((await input.toFloat32Array())[3], 8 * 3 + 7);

  const sum: ProgramDescription = {
    tensors: Array.from({length: 3}, () => ({dtype: 'float32' as const, shape: [4]})),
    nodes: [{op: 'binary', inputs: [0, 1], outputs: [2], attributes: {kind: 'add'}, scope: ''}],
    inputs: [0, 1],
    parameters: [],
    outputs: [2],
    donated: [1],
  };
  const [a, b] = [ramp(4), ramp(4)];
  t.is((await device.compile(sum).run({inputs: [a, b], parameters: []})).outputs[0], b);
  t.deepEqual([...(await a.toFloat32Array())], [0, 1, 2, 3]);
  t.deepEqual([...(await b.toFloat32Array())], [0, 2, 4, 6]);
  await t.throwsAsync(device.compile(sum).run({inputs: [a, a], parameters: []}), {
    instanceOf: ArgumentError,
    message: /outputs\[0\] shares memory with an input/,
  });
  t.throws(() => device.compile({...sum, donated: [2]}), {
    instanceOf: ArgumentError,
    message: 'program: donated names input 2 of 2.',
  });
});

test('a donated input of another shape than the output keeps its memory for it', async t => {
  const {tensors, nodes, ...chain} = affineChain(1, 6);
  const program = device.compile({
    ...chain,
    tensors: [...tensors, {dtype: 'float32', shape: [2, 3]}],
    nodes: [...nodes, {op: 'reshape', inputs: [1], outputs: [2], attributes: {shape: [2, 3]}, scope: ''}],
    outputs: [2],
    donated: [0],
  });
  t.deepEqual(program.plan().outputInputs, [0]);
  const input = ramp(6);
  const [output] = (await program.run({inputs: [input], parameters: []})).outputs;
  input.dispose();
  t.deepEqual(output!.shape, [2, 3]);
  t.deepEqual([...(await output!.toFloat32Array())], [1, 2, 3, 4, 5, 6]);
});

test('a donated input that is handed back, or has another size than all results, stays what it was', async t => {
  const {outputs: ids, ...chain} = affineChain(1, 8);
  const input = ramp(8);
  const program = device.compile({...chain, outputs: [...ids, 0], donated: [0]});
  const {outputs} = await program.run({inputs: [input], parameters: []});
  t.is(outputs[1], input);
  t.deepEqual([...(await outputs[0]!.toFloat32Array())], [1, 2, 3, 4, 5, 6, 7, 8]);
  t.deepEqual([...(await input.toFloat32Array())], [0, 1, 2, 3, 4, 5, 6, 7]);
});

test('a plan states the bytes of what is bound and of the arena', t => {
  const description: ProgramDescription = {...affineChain(2, 1000), outputs: [1, 2]};
  const plan = device.compile(description).plan();
  t.deepEqual(plan, {
    peakBytes: 0,
    lowerBoundBytes: 0,
    inputBytes: [4000],
    parameterBytes: [],
    outputBytes: [4000, 4000],
    outputInputs: [-1, -1],
    rows: [],
  });
});

test('a profile has the times of each node', async t => {
  const program = device.compile(affineChain(3, 1000));
  const before = Number(process.hrtime.bigint()) / 1000;
  const {profile} = await program.run({inputs: [ramp(1000)], parameters: [], profile: true});
  const after = Number(process.hrtime.bigint()) / 1000;
  t.deepEqual(
    profile?.map(({node}) => node),
    [0, 1, 2],
  );
  const times = profile!.flatMap(({startUs, endUs}) => [startUs, endUs]);
  t.deepEqual(
    [before, ...times, after],
    [before, ...times, after].sort((a, b) => a - b),
  );
  t.is((await program.run({inputs: [ramp(1000)], parameters: []})).profile, undefined);
});

test('tensors that do not fit are refused by name', async t => {
  const program = device.compile(affineChain(1, 4));
  const run = (inputs: DeviceTensor[]) => program.run({inputs, parameters: []});
  await t.throwsAsync(run([]), {instanceOf: ShapeError, message: 'run: expected 1 inputs, got 0.'});
  await t.throwsAsync(run([ramp(5)]), {
    instanceOf: ShapeError,
    message: 'run: inputs[0]: expected float32[4], got float32[5].',
  });
  await t.throwsAsync(run([DeviceTensor.from(device, new Int32Array(4), [4])]), {
    instanceOf: DTypeError,
    message: 'run: inputs[0]: expected float32[4], got int32[4].',
  });
  const disposed = ramp(4);
  disposed.dispose();
  await t.throwsAsync(run([disposed]), {
    instanceOf: DisposedError,
    message: 'tensor float32[4]: used after dispose().',
  });
});

test('errors of the description name op and scope', t => {
  const description = affineChain(1, 4);
  const nodes = [{...description.nodes[0]!, attributes: {scale: 1}}];
  t.throws(() => device.compile({...description, nodes}), {
    instanceOf: ArgumentError,
    message: 'affine: attribute offset is missing (at chain.0).',
  });
});

test("a run's failure has the caller's stack", async t => {
  const program = device.compile(affineChain(1, 4));
  async function callerOfRun(): Promise<void> {
    const tensor = ramp(4);
    // The addon itself refuses this one, as it does whatever gets past the checks in TypeScript.
    Object.defineProperty(tensor, 'handle', {value: {}});
    await program.run({inputs: [tensor], parameters: []});
  }
  const error = await t.throwsAsync(callerOfRun(), {instanceOf: ArgumentError});
  t.regex(error!.stack!, /callerOfRun/);
});

test('inputs may be disposed as soon as the run has begun', async t => {
  const program = device.compile(affineChain(20, 100_000));
  const inputs = Array.from({length: 5}, () => ramp(100_000));
  const runs = inputs.map(input => program.run({inputs: [input], parameters: []}));
  for (const input of inputs) input.dispose();
  for (const {outputs} of await Promise.all(runs))
    t.is((await outputs[0]!.toFloat32Array())[99_999], 100_019);
});

// Serial, as results that other tests drop are freed whenever garbage is collected.
test.serial('memory stays flat over 1,000 runs', async t => {
  const program = device.compile(affineChain(3, 4096));
  const input = ramp(4096);
  const run = async (): Promise<void> => {
    const {outputs} = await program.run({inputs: [input], parameters: []});
    outputs[0]!.dispose();
  };
  for (let i = 0; i < 50; i++) await run();
  collectGarbage();
  const before = memoryUsage().bufferBytes;
  const rss = process.memoryUsage.rss();
  for (let i = 0; i < 1000; i++) await run();
  t.is(memoryUsage().bufferBytes, before);
  // One output kept per run would be 16 MB.
  t.true(process.memoryUsage.rss() - rss < 12e6);
});

test('the arena is there after a run that needs one, and can be given back', async t => {
  const chain = affineChain(2, 100_000);
  // Tensor 1 is read twice, so that it needs a block of its own while node 1 runs.
  const description: ProgramDescription = {
    ...chain,
    tensors: [...chain.tensors, {dtype: 'float32', shape: [100_000]}],
    nodes: [...chain.nodes, {...chain.nodes[0]!, inputs: [1], outputs: [3]}],
    outputs: [2, 3],
  };
  const program = device.compile(description);
  t.true(program.plan().peakBytes <= 400_000);
  await program.run({inputs: [ramp(100_000)], parameters: []});
  trimMemory();
  while (memoryUsage().arenaBytes > 0) await new Promise(resolve => setTimeout(resolve, 5));
  t.pass();
});
