import test from 'ava';
import * as ops from '../../lib/graph/ops/index.ts';
import type {Op} from '../../lib/graph/tensor.ts';
import type {NativeOp} from '../../lib/runtime/addon.ts';
import {openDevice} from '../../lib/runtime/device.ts';

interface Contract {
  readonly inputs: readonly string[];
  readonly attributes: readonly string[];
}

function ofTypeScript({roles, attributeKinds}: Op): Contract {
  const attributes = Object.entries(attributeKinds).map(([name, kind]) =>
    typeof kind === 'string' ? `${name}: ${kind}` : `${name}: ${kind.join(' | ')}`,
  );
  return {inputs: roles, attributes};
}

function ofNative({inputs, attributes}: NativeOp): Contract {
  const suffix = {required: '', optional: '?', variadic: '...'};
  return {
    inputs: inputs.map(({name, kind}) => name + suffix[kind]),
    attributes: attributes.map(({name, type, options}) =>
      type === 'enum' ? `${name}: ${options.join(' | ')}` : `${name}: ${type}`,
    ),
  };
}

test('TypeScript and C++ name the same ops, inputs and attributes, in the same order', t => {
  const isOp = (value: unknown): value is Op => typeof value === 'function' && 'attributeKinds' in value;
  const typescript = Object.values<unknown>(ops)
    .filter(isOp)
    .map(op => [op.name, ofTypeScript(op)]);
  const native = openDevice('cpu')
    .addon.describeOps()
    .map(op => [op.name, ofNative(op)]);
  const sorted = (entries: unknown[][]) =>
    Object.fromEntries(entries.sort(([a], [b]) => String(a).localeCompare(String(b))));
  t.deepEqual(sorted(native), sorted(typescript));
});
