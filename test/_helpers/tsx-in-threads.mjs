// tsx loads TypeScript in the main thread alone; this brings it to worker threads, which inherit --import.
import {isMainThread} from 'node:worker_threads';
import {register} from 'tsx/esm/api';

if (!isMainThread) register();
