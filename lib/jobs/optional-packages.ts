/**
 * Packages that only queues on Redis and S3 need: whoever uses neither need not have them. Each import is caught where it
 * stands, since bundlers then let a package be missing too.
 */
import type * as aws4fetch from 'aws4fetch';
import type * as bullmq from 'bullmq';
import type * as ioredis from 'ioredis';
import {ArgumentError} from '../errors.ts';

/** @throws ArgumentError where the package is not installed */
export function importBullmq(): Promise<typeof bullmq> {
  return import('bullmq').catch(cause => refuse('bullmq', cause));
}

/** @throws ArgumentError where the package is not installed */
export function importIoredis(): Promise<typeof ioredis> {
  return import('ioredis').catch(cause => refuse('ioredis', cause));
}

/** @throws ArgumentError where the package is not installed */
export function importAws4fetch(): Promise<typeof aws4fetch> {
  return import('aws4fetch').catch(cause => refuse('aws4fetch', cause));
}

function refuse(name: string, cause: NodeJS.ErrnoException): never {
  if (cause.code !== 'ERR_MODULE_NOT_FOUND' && cause.code !== 'MODULE_NOT_FOUND') throw cause;
  throw new ArgumentError(
    `package ${name}: expected it to be installed, for queues on Redis and for S3. ` +
      'Run: npm install bullmq ioredis aws4fetch',
    {cause},
  );
}
