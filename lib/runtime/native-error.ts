/**
 * Errors of the addon as the package's own classes.
 */
import {
  ArgumentError,
  DeviceError,
  DisposedError,
  FileError,
  InternalError,
  NumericError,
  OutOfMemoryError,
} from '../errors.ts';

interface NativeError extends Error {
  readonly code?: string;
  /** Where in the model the node at fault was traced. */
  readonly scope?: string;
}

const classes: Readonly<Record<string, new (message: string, options?: ErrorOptions) => Error>> = {
  'invalid-argument': ArgumentError,
  'file-invalid': FileError,
  'device-unavailable': DeviceError,
  'out-of-memory': OutOfMemoryError,
  numeric: NumericError,
  disposed: DisposedError,
};

/** Whether a run ended because its token was cancelled. */
export function isCancellation(error: unknown): boolean {
  return (error as NativeError | undefined)?.code === 'cancelled';
}

/**
 * @param error what the addon threw or rejected with
 * @param caller an Error made where the user called, whose stack the result takes over
 */
export function fromNative(error: unknown, caller?: Error): Error {
  const {message, code, scope} = error as NativeError;
  const text = scope ? `${message.replace(/\.$/, '')} (at ${scope}).` : message;
  const Class = classes[code ?? ''] ?? InternalError;
  const result = new Class(text, {cause: error});
  if (caller?.stack !== undefined) {
    const frames = caller.stack.slice(caller.stack.indexOf('\n'));
    result.stack = `${result.name}: ${result.message}${frames}`;
  }
  return result;
}

/** Calls a function of the addon; what it throws becomes an error of ours. */
export function callNative<T>(call: () => T): T {
  try {
    return call();
  } catch (error) {
    throw fromNative(error);
  }
}
