/** Whether a step lies wholly within [start, end] of the run's steps, as diffusers' `controlnet_keep`. */
export function isActive(
  step: number,
  totalSteps: number,
  {start, end}: {readonly start: number; readonly end: number},
): boolean {
  return step / totalSteps >= start && (step + 1) / totalSteps <= end;
}
