import {Presets, SingleBar} from 'cli-progress';
import {formatSeconds} from '../inspect/format.ts';
import type {TrainingEvent, WatchEvent} from '../training/trainer-options.ts';
import {writeAboveBar} from './above-bar.ts';

export interface TrainingProgress {
  readonly onStep: (event: TrainingEvent) => void;
  readonly onWatch: (event: WatchEvent) => void;
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
    const onWatch = (event: WatchEvent) => void process.stderr.write(`${watchText(event)}\n`);
    return {onStep, onWatch, stop: () => undefined};
  }
  const format = '{bar} step {value}/{total} · {text}';
  const bar = new SingleBar({format, stream: process.stderr}, Presets.shades_classic);
  const onStep = (event: TrainingEvent) => {
    const text = describe(event);
    if (taken === 1) bar.start(event.totalSteps, event.step, {text});
    else bar.update(event.step, {text});
  };
  const onWatch = (event: WatchEvent) => writeAboveBar(watchText(event));
  return {onStep, onWatch, stop: () => bar.stop()};
}

function watchText(event: WatchEvent): string {
  const at = `step ${event.step}`;
  switch (event.kind) {
    case 'validation':
      return `${at} · validation loss ${event.loss.toFixed(4)} (${perTaskText(event.perTask)})`;
    case 'samples': {
      const metrics = Object.entries(event.metrics).map(
        ([name, perTask]) => `${name} ${perTaskText(perTask)}`,
      );
      return [at, event.file, ...metrics].join(' · ');
    }
    case 'failure':
      return `warning: ${at} · ${event.during} failed, training goes on: ${event.message}`;
  }
}

function perTaskText(perTask: Readonly<Record<string, number>>): string {
  return Object.entries(perTask)
    .map(([task, value]) => `${task} ${value.toFixed(4)}`)
    .join(', ');
}
