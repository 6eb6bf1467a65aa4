/**
 * Steps of optimisers.
 */
import {defineOp, noSecondDerivative} from '../op.ts';
import {expectDType, expectShape, fail} from './check.ts';

/**
 * A step of AdamW (Loshchilov & Hutter 2019, algorithm 2; PyTorch's): state float32 [3, ...] is a weight, the mean of its
 * gradients and that of their squares; gradient float32 [...]; step float32 [4] is the learning rate, the bias
 * corrections 1 - beta1^t and 1 - beta2^t, and a factor for the gradient.
 */
export const adamw = defineOp({
  name: 'adamw',
  inputs: ['state', 'gradient', 'step'],
  attributes: {beta1: 'f32', beta2: 'f32', epsilon: 'f32', weight_decay: 'f32'},
  infer: ({state, gradient, step}) => {
    if (state.rank < 1 || state.dim(0) !== 3) fail('a state [3, ...]');
    expectShape('gradient', gradient, state.shape.slice(1));
    expectShape('step', step, [4]);
    for (const [role, type] of Object.entries({state, gradient, step})) expectDType(role, type, 'float32');
    return {shape: state.shape, dtype: 'float32'};
  },
  cost: ({gradient}) => ({flops: 14 * gradient.size}),
  vjp: noSecondDerivative,
});
