/**
 * Whatever is passed to the addon, it answers with an error: this file passes when its process lives on.
 */
import test from 'ava';
import fc from 'fast-check';
import type {Addon, BufferHandle, ProgramHandle, TokenHandle} from '../../lib/runtime/addon.ts';
import {openDevice} from '../../lib/runtime/device.ts';
import type {ProgramDescription, ProgramNode} from '../../lib/runtime/program.ts';
import {affineChain} from '../_helpers/small-programs.ts';

const {addon} = openDevice('cpu');

const functionNames = Object.keys(addon) as (keyof Addon)[];

test('the addon has exactly the functions of its interface', t => {
  t.deepEqual([...functionNames].sort(), [
    'allocate',
    'byteLength',
    'cancel',
    'closeMpi',
    'compile',
    'configure',
    'copy',
    'countCudaDevices',
    'createGroup',
    'createToken',
    'cudaInfo',
    'describeOps',
    'joinGroup',
    'leaveGroup',
    'mapFile',
    'memoryUsage',
    'mpiPlace',
    'nameGroup',
    'ncclVersion',
    'openCuda',
    'openMpi',
    'plan',
    'read',
    'release',
    'run',
    'sumDoubles',
    'sumFloats',
    'sumOverGroup',
    'systemInfo',
    'trimMemory',
    'view',
    'write',
  ]);
});

test('any arguments to any function', async t => {
  const handles = () => [
    addon.allocate(64),
    addon.compile(affineChain(1, 4)),
    addon.createToken(),
    new Float32Array(8),
    new Proxy({}, {}),
    new Proxy([], {}),
  ];
  const value = fc.oneof(
    {weight: 2, arbitrary: fc.integer({min: 0, max: 5}).map(index => handles()[index])},
    fc.anything(),
    fc.constantFrom(-1, 0, 16, 2 ** 31, 2 ** 32, 2 ** 53, Number.NaN, Number.POSITIVE_INFINITY, 1e300),
  );
  const run = async (name: keyof Addon, args: unknown[]): Promise<void> => {
    try {
      await (addon[name] as (...list: unknown[]) => unknown)(...args);
    } catch (error) {
      t.true(error instanceof Error, `${name} threw something else`);
    }
  };
  await fc.assert(fc.asyncProperty(fc.constantFrom(...functionNames), fc.array(value, {maxLength: 4}), run), {
    numRuns: 3000,
  });
});

test('handles of the wrong kind, and released buffers', t => {
  const buffer = addon.allocate(16);
  const token = addon.createToken();
  const wrong = {code: 'invalid-argument'};
  t.throws(() => addon.byteLength(token as unknown as BufferHandle), wrong);
  t.throws(() => addon.cancel(buffer as unknown as TokenHandle), wrong);
  t.throws(() => addon.plan(buffer as unknown as ProgramHandle), wrong);
  t.throws(() => addon.byteLength({} as BufferHandle), wrong);
  addon.release(buffer);
  addon.release(buffer);
  t.throws(() => addon.byteLength(buffer), {
    code: 'disposed',
    message: 'byteLength: buffer: was used after it had been released.',
  });
  t.throws(() => addon.view(buffer, 0, 1), {code: 'disposed'});
  t.throws(() => addon.write(buffer, 0, new Uint8Array(1)), {code: 'disposed'});
});

test('ranges outside a buffer', t => {
  const buffer = addon.allocate(16);
  for (const [offset, size] of [
    [0, 17],
    [16, 1],
    [17, 0],
    [2 ** 52, 1],
  ] as const) {
    t.throws(() => addon.read(buffer, offset, new Uint8Array(size)), {code: 'invalid-argument'});
    t.throws(() => addon.write(buffer, offset, new Uint8Array(size)), {code: 'invalid-argument'});
    t.throws(() => addon.view(buffer, offset, size), {code: 'invalid-argument'});
  }
  t.notThrows(() => addon.read(buffer, 16, new Uint8Array(0)));
});

const chain = affineChain(3, 6);
const base: ProgramDescription = {
  ...chain,
  tensors: [...chain.tensors, {dtype: 'float32', shape: [2, 3]}, {dtype: 'bfloat16', shape: [6]}],
  nodes: [
    ...chain.nodes,
    {op: 'reshape', inputs: [3], outputs: [4], attributes: {shape: [2, 3]}, scope: 'view'},
    {
      op: 'fill',
      inputs: [],
      outputs: [5],
      attributes: {shape: [6], value: 1, dtype: 'bfloat16'},
      scope: 'fill',
    },
  ],
  outputs: [3, 4, 5],
};

const number = fc.oneof(
  fc.integer({min: -2, max: 8}),
  fc.constantFrom(1.5, 1e3, 2 ** 31, -(2 ** 31), 2 ** 40, 2 ** 53, Number.NaN, Number.NEGATIVE_INFINITY),
);
const leaf = fc.oneof(
  number,
  fc.array(number, {maxLength: 8}),
  fc.constantFrom('float32', 'float16', 'int32', 'uint8', 'silu', 'none', '', true, null, undefined, {}, []),
);

/** A description with one thing at a random place replaced. */
const mutated = fc
  .array(fc.record({path: fc.array(fc.nat({max: 30}), {minLength: 1, maxLength: 5}), value: leaf}), {
    minLength: 1,
    maxLength: 4,
  })
  .map(changes => {
    const copy = structuredClone(base) as unknown;
    for (const {path, value} of changes) mutate(copy, path, value);
    return copy as ProgramDescription;
  });

function mutate(target: unknown, [head, ...rest]: readonly number[], value: unknown): void {
  if (typeof target !== 'object' || target === null) return;
  const record = target as Record<string, unknown>;
  const keys = Object.keys(record);
  const key = keys[head! % keys.length];
  if (key === undefined) return;
  const inner = record[key];
  if (rest.length > 0 && typeof inner === 'object' && inner !== null) mutate(inner, rest, value);
  else record[key] = value;
}

/** Compiles, and runs when that went well, with zeros everywhere. */
async function compileAndRun(description: ProgramDescription): Promise<void> {
  const program = addon.compile(description);
  const {inputBytes, parameterBytes, outputBytes, peakBytes} = addon.plan(program);
  const total = [...inputBytes, ...parameterBytes, ...outputBytes].reduce(
    (sum, bytes) => sum + bytes,
    peakBytes,
  );
  if (total > 1e7) return;
  const zeros = (sizes: readonly number[]) =>
    sizes.map(bytes => {
      const buffer = addon.allocate(bytes);
      addon.write(buffer, 0, new Uint8Array(bytes));
      return buffer;
    });
  const bindings = {
    inputs: zeros(inputBytes),
    parameters: zeros(parameterBytes),
    outputs: zeros(outputBytes),
  };
  await addon.run(program, bindings, addon.createToken());
}

async function ignoreErrors(
  t: {true: (value: boolean) => boolean},
  work: () => Promise<void>,
): Promise<void> {
  try {
    await work();
  } catch (error) {
    t.true(error instanceof Error);
  }
}

test('mutations of a valid description', async t => {
  await t.notThrowsAsync(compileAndRun(base));
  await fc.assert(
    fc.asyncProperty(mutated, description => ignoreErrors(t, () => compileAndRun(description))),
    {numRuns: 5000},
  );
});

test('every op with random tensors and attributes', async t => {
  const ops = addon.describeOps();
  const dtype = fc.constantFrom('float32', 'bfloat16', 'float16', 'int32', 'uint8');
  const shape = fc.array(fc.integer({min: 1, max: 5}), {maxLength: 5});
  const tensor = fc.record({dtype, shape});
  const attributeValue = (
    type: string,
    options: readonly string[],
  ): fc.Arbitrary<number | boolean | string | number[]> => {
    if (type === 'enum') return fc.constantFrom(...options);
    if (type === 'bool') return fc.boolean();
    if (type === 'i32[]') return fc.array(fc.integer({min: -2, max: 6}), {maxLength: 6});
    return fc.oneof(fc.integer({min: 0, max: 6}), fc.constantFrom(-1, 0.5, 2 ** 31 - 1, 2 ** 32 - 1));
  };
  const oneOp = fc.constantFrom(...ops).chain(op =>
    fc.record({
      op: fc.constant(op.name),
      tensors: fc.array(tensor, {minLength: 1, maxLength: op.inputs.length + 2}),
      absent: fc.array(fc.boolean(), {minLength: 9, maxLength: 9}),
      attributes: fc.record(
        Object.fromEntries(
          op.attributes.map(({name, type, options}) => [name, attributeValue(type, options)]),
        ),
      ),
    }),
  );
  await fc.assert(
    fc.asyncProperty(oneOp, ({op, tensors, absent, attributes}) => {
      const inputs = tensors.slice(1).map((_, index) => index + 1);
      const node: ProgramNode = {
        op,
        inputs: inputs.map((id, index) => (absent[index] && index > 0 ? -1 : id)),
        outputs: [0],
        attributes,
        scope: op,
      };
      const description = {tensors, nodes: [node], inputs, parameters: [], outputs: [0]};
      return ignoreErrors(t, () => compileAndRun(description as ProgramDescription));
    }),
    {numRuns: 5000},
  );
});
