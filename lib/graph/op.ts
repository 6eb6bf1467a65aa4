/**
 * `defineOp`: one value holds all that TypeScript knows of an op. The native half, of the same name, is
 * `native/ops/<name>/`.
 */
import {DTypeError, InternalError, IPAdapterError, ShapeError} from '../errors.ts';
import {dtypeBytes} from '../runtime/dtype.ts';
import type {AttributeValue} from '../runtime/program.ts';
import {
  type AttributeKinds,
  type Cost,
  formatType,
  type Op,
  type OpNode,
  sizeOf,
  type Tensor,
  type TensorType,
} from './tensor.ts';
import {currentScope, emit} from './trace.ts';

type AttributeOf<Kind> = Kind extends 'bool'
  ? boolean
  : Kind extends 'i32[]'
    ? readonly number[]
    : Kind extends readonly (infer Name)[]
      ? Name
      : number;
export type AttributesOf<Kinds> = {readonly [K in keyof Kinds]: AttributeOf<Kinds[K]>};

/** Role names: `'x'` required, `'bias?'` optional, `'parts...'` one or more (only as the last). */
type RequiredRoles<Role extends string> = Role extends `${string}?` | `${string}...` ? never : Role;
type OptionalRoles<Role extends string> = Role extends `${infer Name}?` ? Name : never;
type VariadicRoles<Role extends string> = Role extends `${infer Name}...` ? Name : never;
export type InputsOf<Role extends string> = {readonly [K in RequiredRoles<Role>]: Tensor} & {
  readonly [K in OptionalRoles<Role>]?: Tensor | undefined;
} & {readonly [K in VariadicRoles<Role>]: readonly Tensor[]};

/** What a vector-Jacobian product is made from: a node, and the gradient of a loss with respect to its output. */
export interface VjpContext<Role extends string, Kinds extends AttributeKinds> {
  readonly inputs: InputsOf<Role>;
  readonly attributes: AttributesOf<Kinds>;
  readonly output: Tensor;
  /** Of the output's shape and dtype. */
  readonly gradient: Tensor;
}

/** Gradients of inputs, recorded when they are called for; an input that is not named has none. */
export type InputGradients<Role extends string> = {
  readonly [K in RequiredRoles<Role> | OptionalRoles<Role>]?: () => Tensor;
} & {readonly [K in VariadicRoles<Role>]?: () => readonly Tensor[]};

export interface OpDefinition<Role extends string, Kinds extends AttributeKinds> {
  readonly name: string;
  readonly inputs: readonly Role[];
  readonly attributes: Kinds;
  /** The type of the result; throws by way of `fail` what does not fit. */
  infer(inputs: InputsOf<Role>, attributes: AttributesOf<Kinds>): TensorType;
  cost(inputs: InputsOf<Role>, attributes: AttributesOf<Kinds>, output: TensorType): Cost;
  /** The gradient with respect to each input; of a packed weight, in the dense layout of what was packed. */
  vjp(context: VjpContext<Role, Kinds>): InputGradients<Role>;
}

/** `vjp` of ops whose inputs have no gradient. */
export const noGradients = () => ({});

/** `vjp` of the ops that gradients are made of. */
export function noSecondDerivative(): never {
  throw new InternalError('a gradient of a gradient was asked for.');
}

export type OpFunction<Role extends string, Kinds extends AttributeKinds> = Op &
  (keyof Kinds extends never
    ? (inputs: InputsOf<Role>) => Tensor
    : (inputs: InputsOf<Role>, attributes: AttributesOf<Kinds>) => Tensor);

const variadic = (role: string) => role.endsWith('...');
const optional = (role: string) => role.endsWith('?');
const bare = (role: string) => role.replace(/\?$|\.\.\.$/, '');

/**
 * Defines an op and returns the function that records it.
 *
 * @throws ShapeError, DTypeError from the returned function: the message names op, operand types and scope
 */
export function defineOp<const Role extends string, const Kinds extends AttributeKinds>(
  definition: OpDefinition<Role, Kinds>,
): OpFunction<Role, Kinds> {
  const roles: readonly string[] = definition.inputs;
  const named = (inputs: readonly (Tensor | undefined)[]) => {
    const entries = roles.map((role, index) => [
      bare(role),
      variadic(role) ? inputs.slice(index) : inputs[index],
    ]);
    return Object.fromEntries(entries) as InputsOf<Role>;
  };
  const flat = (inputs: InputsOf<Role>): (Tensor | undefined)[] => {
    const byName = inputs as Readonly<Record<string, Tensor | readonly Tensor[] | undefined>>;
    return roles.flatMap(role => {
      const value = byName[bare(role)];
      if (value === undefined && !optional(role)) {
        throw new ShapeError(`${definition.name}: input ${bare(role)} is missing${at()}.`);
      }
      return value as Tensor | Tensor[] | undefined;
    });
  };
  const apply: Op['apply'] = (inputs, attributes) => {
    const typed = attributes as AttributesOf<Kinds>;
    let type: TensorType;
    try {
      type = definition.infer(named(inputs), typed);
    } catch (error) {
      throw located(error, definition.name, inputs);
    }
    return emit(type, {kind: 'op', op, inputs, attributes, scope: currentScope()});
  };
  const costOf: Op['costOf'] = ({inputs, attributes, output}) => {
    const cost = definition.cost(named(inputs), attributes as AttributesOf<Kinds>, output);
    const operands = [...inputs, output].filter(operand => operand !== undefined);
    return {
      flops: cost.flops,
      bytes: cost.bytes ?? operands.reduce((sum, type) => sum + byteLengthOf(type), 0),
    };
  };
  const gradientsOf: Op['gradientsOf'] = (output, gradient, wanted) => {
    const {inputs, attributes} = output.node as OpNode;
    const byRole = definition.vjp({
      inputs: named(inputs),
      attributes: attributes as AttributesOf<Kinds>,
      output,
      gradient,
    }) as Readonly<Record<string, (() => Tensor | readonly Tensor[]) | undefined>>;
    return roles.flatMap((role, index) => {
      const isWanted = variadic(role) ? wanted.slice(index).includes(true) : wanted[index];
      const made = isWanted ? byRole[bare(role)]?.() : undefined;
      return made ?? (variadic(role) ? wanted.slice(index).map(() => undefined) : undefined);
    }) as (Tensor | undefined)[];
  };
  const call = (inputs: InputsOf<Role>, attributes: Readonly<Record<string, AttributeValue>> = {}) =>
    apply(flat(inputs), attributes);
  const op: Op = Object.defineProperty(
    Object.assign(call, {roles, attributeKinds: definition.attributes, apply, costOf, gradientsOf}),
    'name',
    {value: definition.name},
  );
  return op as OpFunction<Role, Kinds>;
}

function byteLengthOf(type: TensorType): number {
  return sizeOf(type.shape) * dtypeBytes[type.dtype];
}

function at(): string {
  const scope = currentScope();
  return scope === '' ? '' : ` (traced at ${scope})`;
}

/** Adds the op, its operands and the scope to what `infer` complained about. */
function located(error: unknown, name: string, inputs: readonly (Tensor | undefined)[]): unknown {
  if (!(error instanceof IPAdapterError)) return error;
  const operands = inputs.map(input => (input === undefined ? '–' : formatType(input))).join(', ');
  const message = `${name}(${operands}): ${error.message}${at()}`;
  const Class = error instanceof DTypeError ? DTypeError : ShapeError;
  return new Class(message, {cause: error});
}
