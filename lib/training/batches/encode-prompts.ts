import type {RunOptions} from '../../engine/compiled-function.ts';
import type {TextEncoder} from '../../pipelines/components/text-encoder.ts';
import type {HostRows} from '../../pipelines/host-tensor.ts';
import type {TextCache} from './text-cache.ts';

interface PromptedSample {
  readonly prompt: string;
  readonly choices: {readonly keepsText: boolean};
}

/** Hidden states of the samples' prompts, [B, N, hiddenSize]; of the empty text where one is dropped. */
export function encodePrompts(
  textEncoder: TextEncoder,
  samples: readonly PromptedSample[],
  {texts, ...options}: RunOptions & {readonly texts: TextCache},
): Promise<HostRows> {
  const prompts = samples.map(({prompt, choices}) => (choices.keepsText ? prompt : ''));
  return texts.encode('prompt', prompts, missing => textEncoder.encode(missing, 0, options));
}
