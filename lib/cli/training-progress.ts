import {Presets, SingleBar} from 'cli-progress';
import {formatSeconds} from '../inspect/format.ts';
import type {TrainingEvent} from '../training/trainer-options.ts';

export interface TrainingProgress {
  readonly onStep: (event: TrainingEvent) => void;
  readonly stop: () => void;
}

/** Loss, speed and the time that is left, on standard error: a bar on a terminal, plain lines elsewhere. */
export function showTrainingProgress(): TrainingProgress {
  const begin = performance.now();
  let taken = 0;
  const describe = (event: TrainingEvent) => {
    const {step, totalSteps, loss, samplesPerSecond, isSkipped} = event;
    const perStep = (performance.now() - begin) / 1000 / ++taken;
    const left = formatSeconds(perStep * (totalSteps - step));
    const text = isSkipped ? 'skipped: not finite' : `loss ${loss.toFixed(4)}`;
    return `${text} · ${samplesPerSecond.toPrecision(3)} samples/s · ${left} left`;
  };
  if (!process.stderr.isTTY) {
    const onStep = (event: TrainingEvent) =>
      void process.stderr.write(`step ${event.step}/${event.totalSteps} · ${describe(event)}\n`);
    return {onStep, stop: () => undefined};
  }
  const format = '{bar} step {value}/{total} · {text}';
  const bar = new SingleBar({format, stream: process.stderr}, Presets.shades_classic);
  const onStep = (event: TrainingEvent) => {
    const text = describe(event);
    if (taken === 1) bar.start(event.totalSteps, event.step, {text});
    else bar.update(event.step, {text});
  };
  return {onStep, stop: () => bar.stop()};
}
