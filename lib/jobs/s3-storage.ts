/**
 * Pictures in a bucket of S3, or of a server that speaks its protocol.
 */
import {extname} from 'node:path';
import type {AwsClient} from 'aws4fetch';
import {ArgumentError, FileError} from '../errors.ts';
import {hashOfBytes} from '../files/hash-of.ts';
import {type RetryPolicy, TransientError, withRetries} from '../network/retries.ts';
import {importAws4fetch} from './optional-packages.ts';
import type {PictureStorage} from './picture-storage.ts';
import {s3Environment} from './s3-environment.ts';

const requestMilliseconds = 60_000;
const policy: RetryPolicy = {
  tries: 5,
  firstWaitSeconds: 0.2,
  longestWaitSeconds: 5,
  longestRetryAfterSeconds: 30,
};
const contentTypes: Readonly<Record<string, string>> = {
  '.png': 'image/png',
  '.jpg': 'image/jpeg',
  '.webp': 'image/webp',
};

/**
 * @param place `s3://BUCKET/PREFIX`: pictures are named `PREFIX/NAME`
 * @throws ArgumentError where the bucket is not named, credentials are missing or aws4fetch is not installed
 */
export async function openS3Storage(place: string): Promise<PictureStorage> {
  const [, bucket, prefix = ''] = /^s3:\/\/([a-z0-9][a-z0-9.-]+)(?:\/(.*))?$/.exec(place) ?? [];
  if (bucket === undefined) {
    throw new ArgumentError(`output: expected s3://BUCKET/PREFIX but received '${place}'.`);
  }
  const {endpoint, region, credentials} = s3Environment();
  const {AwsClient} = await importAws4fetch();
  const client = new AwsClient({...credentials, region, service: 's3'});
  const folder = prefix.split('/').filter(Boolean).map(encodeURIComponent).join('/');
  return new S3Storage(client, [endpoint, bucket, folder].filter(Boolean).join('/'));
}

class S3Storage implements PictureStorage {
  readonly #client: AwsClient;
  readonly #address: string;

  constructor(client: AwsClient, address: string) {
    this.#client = client;
    this.#address = address;
  }

  async read(name: string): Promise<Uint8Array | undefined> {
    const response = await this.#request('GET', name);
    if (response.ok) return new Uint8Array(await response.arrayBuffer());
    await response.body?.cancel();
    // 403 is also the answer of a bucket that may not be listed where there is nothing.
    if (response.status === 404 || response.status === 403) return undefined;
    throw refused(response);
  }

  async write(name: string, bytes: Uint8Array): Promise<void> {
    const response = await this.#request('PUT', name, bytes);
    await response.body?.cancel();
    if (!response.ok) throw refused(response);
  }

  async #request(method: 'GET' | 'PUT', name: string, body?: Uint8Array): Promise<Response> {
    const url = `${this.#address}/${encodeURIComponent(name)}`;
    const headers = {
      'x-amz-content-sha256': hashOfBytes(body ?? new Uint8Array()),
      ...(body !== undefined && {'content-type': contentTypes[extname(name)]!}),
    };
    const giveUp = ({last, tries}: {last: Error; tries: number}) =>
      new FileError(
        `${url}: expected S3 to answer, but ${last.message}, ${tries} times. Check AWS_ENDPOINT_URL and the network.`,
        {cause: last},
      );
    return withRetries({policy, giveUp}, async () => {
      const request = await this.#client.sign(url, {method, headers, ...(body && {body})});
      const response = await fetch(request, {signal: AbortSignal.timeout(requestMilliseconds)}).catch(
        (cause: Error) => {
          throw new TransientError(`${(cause.cause as Error | undefined)?.message ?? cause.message}`, {
            cause,
          });
        },
      );
      if (response.status < 500 && response.status !== 429) return response;
      await response.body?.cancel();
      throw new TransientError(`it answered ${response.status}`);
    });
  }
}

function refused({url, status, statusText}: Response): FileError {
  return new FileError(
    `${url}: expected S3 to take a picture, but it answered ${status} ${statusText}. ` +
      'Check the bucket, the credentials in AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, and AWS_REGION.',
  );
}
