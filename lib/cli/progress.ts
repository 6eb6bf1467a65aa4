import {Presets, SingleBar} from 'cli-progress';
import {formatSeconds} from '../inspect/format.ts';
import type {GenerateEvent} from '../pipelines/generate-options.ts';

/** Shows how far a generation has come, on standard error. */
export interface Progress {
  readonly onProgress: (event: GenerateEvent) => void;
  /** Ends the display; a bar would otherwise keep its line. */
  readonly stop: () => void;
}

/** A bar with the time left on a terminal, plain lines elsewhere. */
export function showProgress(): Progress {
  return process.stderr.isTTY ? progressBar() : progressLines();
}

function progressBar(): Progress {
  const bar = new SingleBar(
    {
      format: '{bar} {phase} {value}/{total} · {eta_formatted} left',
      stream: process.stderr,
      clearOnComplete: true,
    },
    Presets.shades_classic,
  );
  const onProgress = (event: GenerateEvent) => {
    if (event.type === 'encode') bar.start(1, 0, {phase: 'encode'});
    if (event.type === 'step') {
      if (event.step === 0) bar.start(event.totalSteps, 0, {phase: 'step'});
      bar.update(event.step + 1);
    }
    if (event.type === 'decode') {
      if (event.image === 0) bar.start(event.totalImages, 0, {phase: 'decode'});
      bar.update(event.image, {phase: 'decode'});
    }
  };
  return {onProgress, stop: () => bar.stop()};
}

function progressLines(): Progress {
  const print = (line: string) => process.stderr.write(`${line}\n`);
  let begin = performance.now();
  const onProgress = (event: GenerateEvent) => {
    if (event.type === 'encode') print('encode');
    if (event.type === 'decode') print(`decode ${event.image + 1}/${event.totalImages}`);
    if (event.type === 'step') {
      // The first step prepares the weights, so that it says little about the others.
      const done = event.step + 1;
      const elapsed = (performance.now() - begin) / 1000;
      if (event.step === 0) begin = performance.now();
      const perStep = event.step === 0 ? elapsed : elapsed / event.step;
      const left = formatSeconds(perStep * (event.totalSteps - done));
      print(`step ${done}/${event.totalSteps} · ${left} left`);
    }
  };
  return {onProgress, stop: () => undefined};
}
