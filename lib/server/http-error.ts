/**
 * Errors as clients see them.
 */
import {ArgumentError, DisposedError, type ErrorCode, IPAdapterError, QueueFullError} from '../errors.ts';

/** What the protocol knows and the package does not. */
type ProtocolCode =
  | 'bad-request'
  | 'forbidden'
  | 'not-acceptable'
  | 'not-found'
  | 'timeout'
  | 'too-large'
  | 'unauthorized'
  | 'unsupported-media-type';

/** An answer that is an error. */
export class HttpError extends Error {
  readonly status: number;
  readonly code: ProtocolCode | ErrorCode;

  constructor(status: number, code: ProtocolCode | ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'HttpError';
    this.status = status;
    this.code = code;
  }
}

const protocolCodes: Readonly<Record<number, ProtocolCode>> = {
  404: 'not-found',
  408: 'timeout',
  413: 'too-large',
  415: 'unsupported-media-type',
};

/** What is told of any error: of a mistake of the server's, its kind alone. */
export function toHttpError(error: unknown): HttpError {
  if (error instanceof HttpError) return error;
  if (error instanceof IPAdapterError) {
    if (error instanceof ArgumentError) return from(400, error);
    if (error instanceof QueueFullError) return from(429, error);
    if (error instanceof DisposedError) return from(503, error);
    return failure(error.code, error);
  }
  const status = statusOf(error);
  // Fastify's own, such as a body that is no JSON.
  if (status !== undefined && status >= 400 && status < 500) {
    return new HttpError(status, protocolCodes[status] ?? 'bad-request', (error as Error).message);
  }
  return failure('internal', error);
}

function from(status: number, error: IPAdapterError): HttpError {
  return new HttpError(status, error.code, error.message);
}

function failure(code: ErrorCode, cause: unknown): HttpError {
  const message = 'The server could not make this picture. Its log says why, under the id of this request.';
  return new HttpError(500, code, message, {cause});
}

function statusOf(error: unknown): number | undefined {
  if (!(error instanceof Error && 'statusCode' in error)) return undefined;
  return typeof error.statusCode === 'number' ? error.statusCode : undefined;
}
