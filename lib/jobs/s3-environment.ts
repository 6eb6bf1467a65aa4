/**
 * Where S3 is and who asks, by the environment variables that AWS's own tools read.
 *
 * | variable                                     | meaning                                                     |
 * | -------------------------------------------- | ----------------------------------------------------------- |
 * | `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY` | credentials                                                 |
 * | `AWS_SESSION_TOKEN`                          | of temporary credentials                                    |
 * | `AWS_REGION`, `AWS_DEFAULT_REGION`           | region; default: us-east-1                                  |
 * | `AWS_ENDPOINT_URL_S3`, `AWS_ENDPOINT_URL`    | a server other than AWS's, such as http://minio.local:9000  |
 */
import {ArgumentError} from '../errors.ts';

export interface S3Environment {
  /** Without a slash at the end. */
  readonly endpoint: string;
  readonly region: string;
  /** Never to be shown or kept. */
  readonly credentials: {
    readonly accessKeyId: string;
    readonly secretAccessKey: string;
    readonly sessionToken?: string;
  };
}

/** @throws ArgumentError where credentials are missing, or the endpoint is no address */
export function s3Environment(): S3Environment {
  const region = variable('AWS_REGION') ?? variable('AWS_DEFAULT_REGION') ?? 'us-east-1';
  const endpoint = variable('AWS_ENDPOINT_URL_S3') ?? variable('AWS_ENDPOINT_URL');
  if (endpoint !== undefined && !URL.canParse(endpoint)) {
    throw new ArgumentError(
      `environment variable AWS_ENDPOINT_URL: expected an address such as http://host:9000 but received '${endpoint}'.`,
    );
  }
  const accessKeyId = variable('AWS_ACCESS_KEY_ID');
  const secretAccessKey = variable('AWS_SECRET_ACCESS_KEY');
  const sessionToken = variable('AWS_SESSION_TOKEN');
  if (accessKeyId === undefined || secretAccessKey === undefined) {
    throw new ArgumentError(
      'S3: expected credentials in AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY. Set both environment variables.',
    );
  }
  return {
    endpoint: (endpoint ?? `https://s3.${region}.amazonaws.com`).replace(/\/+$/, ''),
    region,
    credentials: {accessKeyId, secretAccessKey, ...(sessionToken !== undefined && {sessionToken})},
  };
}

/** An empty variable counts as one that is not set. */
function variable(name: string): string | undefined {
  return process.env[name] || undefined;
}
