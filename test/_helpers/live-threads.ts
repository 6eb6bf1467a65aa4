import type {Worker} from 'node:worker_threads';

/** Worker threads of this process that have begun since this was loaded and have not ended. */
export const liveThreads = new Set<Worker>();
process.on('worker', worker => {
  liveThreads.add(worker);
  worker.once('exit', () => liveThreads.delete(worker));
});
