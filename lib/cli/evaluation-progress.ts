import {Presets, SingleBar} from 'cli-progress';
import type {EvaluationProgress} from '../evaluation/evaluate-options.ts';
import {formatSeconds} from '../inspect/format.ts';

export interface ShownEvaluation {
  readonly onProgress: (event: EvaluationProgress) => void;
  readonly stop: () => void;
}

/** Pictures and the time that is left, on standard error: a bar on a terminal, plain lines elsewhere. */
export function showEvaluation(): ShownEvaluation {
  const begin = performance.now();
  // Pictures of an earlier process come at once, and say nothing of the speed.
  let [first, start] = [0, begin];
  const describe = ({done, total}: EvaluationProgress) => {
    const now = performance.now();
    if (done === first || done === total || now - begin < 100) {
      [first, start] = [done, now];
      return '';
    }
    return ` · ${formatSeconds(((now - start) / 1000 / (done - first)) * (total - done))} left`;
  };
  if (!process.stderr.isTTY) {
    const onProgress = (event: EvaluationProgress) =>
      void process.stderr.write(`picture ${event.done}/${event.total}${describe(event)}\n`);
    return {onProgress, stop: () => undefined};
  }
  const format = '{bar} picture {value}/{total}{text}';
  const bar = new SingleBar({format, stream: process.stderr, clearOnComplete: true}, Presets.shades_classic);
  let isShown = false;
  const onProgress = (event: EvaluationProgress) => {
    const text = describe(event);
    if (isShown) bar.update(event.done, {text});
    else bar.start(event.total, event.done, {text});
    isShown = true;
  };
  return {onProgress, stop: () => bar.stop()};
}
