// Lets one process at a time build into a folder, so that two test runs do not write the same objects.
import {readFileSync, rmSync, writeFileSync} from 'node:fs';

const pollMs = 200;

/** Whether a process with this id exists. */
function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}

/** Takes the lock file, or returns false while a living process holds it. */
function tryLock(file) {
  try {
    writeFileSync(file, String(process.pid), {flag: 'wx'});
    return true;
  } catch (error) {
    if (error.code !== 'EEXIST') throw error;
  }
  let holder = Number.NaN;
  try {
    holder = Number(readFileSync(file, 'utf8'));
  } catch {
    return false;
  }
  // A file that is still empty belongs to a process that is about to write its id.
  if (holder > 0 && !isAlive(holder)) rmSync(file, {force: true});
  return false;
}

/** Runs `work` while holding the lock `file`; waits for another holder first. */
export function withBuildLock(file, work) {
  const sleeper = new Int32Array(new SharedArrayBuffer(4));
  for (let waited = 0; !tryLock(file); waited += pollMs) {
    if (waited === 0) console.error('Waiting for another build to end...');
    Atomics.wait(sleeper, 0, 0, pollMs);
  }
  try {
    return work();
  } finally {
    rmSync(file, {force: true});
  }
}
