import type {RunOptions} from '../../engine/compiled-function.ts';
import {WeightsError} from '../../errors.ts';
import type {HostTensor} from '../host-tensor.ts';
import type {TextEncoder} from './text-encoder.ts';

/** How an instruction is given to the adapter: the tokens' last hidden states, or the one pooled embedding. */
export type InstructionForm = 'tokens' | 'pooled';

/**
 * Instructions as the adapter attends to them: by the base model's text encoder (the released weights) or by the image
 * encoder's own text tower, in the image's space (the paper, §3.2).
 */
export class InstructionEncoder {
  readonly encoder: TextEncoder;
  readonly form: InstructionForm;

  constructor(encoder: TextEncoder, form: InstructionForm) {
    this.encoder = encoder;
    this.form = form;
  }

  /**
   * The form whose width is the adapter's; where both are, the pooled one of a tower that has a projection.
   *
   * @throws WeightsError where neither is
   */
  static forWidth(encoder: TextEncoder, textWidth: number): InstructionEncoder {
    const {hiddenSize, projectionDim} = encoder.config;
    if (projectionDim === textWidth) return new InstructionEncoder(encoder, 'pooled');
    if (hiddenSize === textWidth) return new InstructionEncoder(encoder, 'tokens');
    throw new WeightsError(
      `${encoder.label}: expected a text encoder of ${textWidth} channels for the adapter's instruction, got ` +
        `${hiddenSize}${projectionDim === undefined ? '' : ` (pooled ${projectionDim})`}. ` +
        'Give the encoder that the adapter was trained with as instructionEncoder.',
    );
  }

  /** Whether instructions are encoded as prompts are, and by the same model. */
  readsLastStatesOf(encoder: TextEncoder): boolean {
    return this.form === 'tokens' && this.encoder === encoder;
  }

  encode(instructions: readonly string[], options?: RunOptions): Promise<HostTensor> {
    return this.form === 'pooled'
      ? this.encoder.embed(instructions, options)
      : this.encoder.encode(instructions, 0, options);
  }
}
