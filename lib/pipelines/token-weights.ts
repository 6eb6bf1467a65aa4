/**
 * Weights of a prompt's tokens, as AUTOMATIC1111's web UI and diffusers' `lpw_stable_diffusion` have them.
 */

/**
 * states · weights · mean(states) / mean(states · weights): the hidden states of tokens count by their weights, and the
 * mean of all stays what it was. States come back as they are where all weights are 1.
 *
 * @param states of one text, [tokens, C]
 * @param weights [tokens]
 */
export function weighTokens(states: Float32Array, weights: readonly number[]): Float32Array {
  if (weights.every(weight => weight === 1)) return states;
  const width = states.length / weights.length;
  const weightAt = (index: number) => weights[Math.floor(index / width)]!;
  const before = states.reduce((sum, value) => sum + value, 0);
  const after = states.reduce((sum, value, index) => sum + value * weightAt(index), 0);
  return states.map((value, index) => value * (weightAt(index) * (before / after)));
}
