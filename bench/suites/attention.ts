import * as ops from '../../lib/graph/ops/index.ts';
import type {Tensor} from '../../lib/graph/tensor.ts';
import type {BenchCase} from '../bench-case.ts';
import {tracedCase} from '../traced-case.ts';

const batch = 1;
const textTokens = 77;
const imageTokens = 16;

/** The UNet's levels at 512x512, of 8 heads. */
const levels = [
  {tokens: 4096, headSize: 40},
  {tokens: 1024, headSize: 80},
  {tokens: 256, headSize: 160},
  {tokens: 64, headSize: 160},
] as const;
const unetHeads = 8;

/**
 * Self-attention of the UNet's levels and of ViT-H/14.
 *
 * @param calls so many in a row, each with the result of the one before as its queries: GPUs take less time for one than
 *   it takes to ask them
 */
export function selfAttentionCases(calls = 1): BenchCase[] {
  return [
    ...levels.slice(0, 3).map(({tokens, headSize}) => selfAttention(tokens, unetHeads, headSize, calls)),
    selfAttention(257, 16, 80, calls),
  ];
}

function selfAttention(tokens: number, heads: number, headSize: number, calls: number): BenchCase {
  return tracedCase<{readonly q: Tensor; readonly k: Tensor; readonly v: Tensor}>({
    name: 'self-attention',
    shape: `${tokens} tokens, ${heads} heads of ${headSize}`,
    pytorch: {kind: 'selfAttention', settings: {batch, tokens, heads, headSize, calls}},
    types: dtype => {
      const type = {shape: [batch, tokens, heads * headSize], dtype};
      return {q: type, k: type, v: type};
    },
    trace: ({q, k, v}) =>
      chain(q, calls, x => ops.attention({q: x, k, v}, {heads, scale: headSize ** -0.5, causal: false})),
  });
}

type DecoupledInputs = {
  readonly q: Tensor;
  readonly k: Tensor;
  readonly v: Tensor;
  readonly image_k: Tensor;
  readonly image_v: Tensor;
  readonly image_scale: Tensor;
};

/** Decoupled cross-attention of the UNet's levels; PyTorch's side is two attentions and an addition. */
export function decoupledAttentionCases(calls = 1): BenchCase[] {
  return levels.map(({tokens, headSize}) =>
    tracedCase<DecoupledInputs>({
      name: 'decoupled attention',
      shape: `${tokens} tokens to ${textTokens} + ${imageTokens}, ${unetHeads} heads of ${headSize}`,
      pytorch: {
        kind: 'decoupledAttention',
        settings: {batch, tokens, heads: unetHeads, headSize, textTokens, imageTokens, calls},
      },
      types: dtype => {
        const type = (length: number) => ({shape: [batch, length, unetHeads * headSize], dtype});
        return {
          q: type(tokens),
          k: type(textTokens),
          v: type(textTokens),
          image_k: type(imageTokens),
          image_v: type(imageTokens),
          image_scale: {shape: [batch], dtype: 'float32'},
        };
      },
      trace: ({q, ...rest}) =>
        chain(q, calls, x =>
          ops.decoupledAttention({q: x, ...rest}, {heads: unetHeads, scale: headSize ** -0.5}),
        ),
    }),
  );
}

function chain(x: Tensor, calls: number, call: (x: Tensor) => Tensor): Tensor {
  return calls === 0 ? x : chain(call(x), calls - 1, call);
}
