/**
 * Packages that only queues on Redis and S3 need: whoever uses neither need not have them.
 */
import type * as aws4fetch from 'aws4fetch';
import type * as bullmq from 'bullmq';
import type * as ioredis from 'ioredis';
import {ArgumentError} from '../errors.ts';

/** @throws ArgumentError where the package is not installed */
export function importBullmq(): Promise<typeof bullmq> {
  return importOptional('bullmq', () => import('bullmq'));
}

/** @throws ArgumentError where the package is not installed */
export function importIoredis(): Promise<typeof ioredis> {
  return importOptional('ioredis', () => import('ioredis'));
}

/** @throws ArgumentError where the package is not installed */
export function importAws4fetch(): Promise<typeof aws4fetch> {
  return importOptional('aws4fetch', () => import('aws4fetch'));
}

async function importOptional<Module>(name: string, load: () => Promise<Module>): Promise<Module> {
  try {
    return await load();
  } catch (cause) {
    const {code} = cause as NodeJS.ErrnoException;
    if (code !== 'ERR_MODULE_NOT_FOUND' && code !== 'MODULE_NOT_FOUND') throw cause;
    throw new ArgumentError(
      `package ${name}: expected it to be installed, for queues on Redis and for S3. ` +
        'Run: npm install bullmq ioredis aws4fetch',
      {cause},
    );
  }
}
