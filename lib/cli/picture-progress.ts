import {Presets, SingleBar} from 'cli-progress';
import {formatSeconds} from '../inspect/format.ts';

interface PictureCount {
  readonly done: number;
  readonly total: number;
}

export interface PictureProgress {
  readonly onProgress: (count: PictureCount) => void;
  readonly stop: () => void;
}

/** How many of many pictures are made, how fast, and the time that is left: a bar on a terminal, plain lines elsewhere. */
export function showPictures(): PictureProgress {
  const begin = performance.now();
  // Pictures of an earlier process come at once, and say nothing of the speed.
  let [first, start] = [0, begin];
  const describe = ({done, total}: PictureCount) => {
    const now = performance.now();
    if (done === first || done === total || now - begin < 100) {
      [first, start] = [done, now];
      return '';
    }
    const perSecond = ((done - first) / (now - start)) * 1000;
    return ` · ${perSecond.toPrecision(2)}/s · ${formatSeconds((total - done) / perSecond)} left`;
  };
  if (!process.stderr.isTTY) {
    const onProgress = (event: PictureCount) =>
      void process.stderr.write(`picture ${event.done}/${event.total}${describe(event)}\n`);
    return {onProgress, stop: () => undefined};
  }
  const format = '{bar} picture {value}/{total}{text}';
  const bar = new SingleBar({format, stream: process.stderr, clearOnComplete: true}, Presets.shades_classic);
  let isShown = false;
  const onProgress = (event: PictureCount) => {
    const text = describe(event);
    if (isShown) bar.update(event.done, {text});
    else bar.start(event.total, event.done, {text});
    isShown = true;
  };
  return {onProgress, stop: () => bar.stop()};
}
