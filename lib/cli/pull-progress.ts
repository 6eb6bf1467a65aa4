import {Presets, SingleBar} from 'cli-progress';
import type {PullEvent} from '../hub/pull-model.ts';
import type {RetryEvent} from '../hub/retry.ts';
import {formatBytes, formatSeconds} from '../inspect/format.ts';
import {writeAboveBar} from './above-bar.ts';
import {warn} from './warn.ts';

const secondsBetweenLines = 5;

export interface PullProgress {
  readonly onProgress: (event: PullEvent) => void;
  readonly onRetry: (event: RetryEvent) => void;
  readonly stop: () => void;
}

/** Bytes, speed and the time that is left, on standard error: a bar on a terminal, plain lines elsewhere. */
export function showPullProgress(): PullProgress {
  const begin = performance.now();
  const describe = ({doneBytes, totalBytes, receivedBytes}: PullEvent) => {
    const parts = [`${formatBytes(doneBytes)} of ${formatBytes(totalBytes)}`];
    const perSecond = (receivedBytes / (performance.now() - begin)) * 1000;
    if (receivedBytes > 0) {
      const left = formatSeconds((totalBytes - doneBytes) / perSecond);
      parts.push(`${formatBytes(perSecond)}/s`, `${left} left`);
    }
    return parts.join(' · ');
  };
  return process.stderr.isTTY ? progressBar(describe) : progressLines(describe);
}

function progressBar(describe: (event: PullEvent) => string): PullProgress {
  const format = '{bar} {percentage}% · {text}';
  const bar = new SingleBar({format, stream: process.stderr, clearOnComplete: true}, Presets.shades_classic);
  let isShown = false;
  const onProgress = (event: PullEvent) => {
    const text = describe(event);
    if (isShown) bar.update(event.doneBytes, {text});
    else bar.start(event.totalBytes, event.doneBytes, {text});
    isShown = true;
  };
  return {
    onProgress,
    onRetry: event => writeAboveBar(`warning: ${retryText(event)}`),
    stop: () => bar.stop(),
  };
}

function progressLines(describe: (event: PullEvent) => string): PullProgress {
  let next = 0;
  const onProgress = (event: PullEvent) => {
    const now = performance.now();
    if (now < next && event.doneBytes < event.totalBytes) return;
    next = now + secondsBetweenLines * 1000;
    process.stderr.write(`${describe(event)} · ${event.file}\n`);
  };
  return {onProgress, onRetry: event => warn(retryText(event)), stop: () => undefined};
}

function retryText({what, reason, waitSeconds}: RetryEvent): string {
  const when = waitSeconds === 0 ? '' : ` in ${formatSeconds(waitSeconds)}`;
  return `${what}: ${reason}; trying again${when}`;
}
