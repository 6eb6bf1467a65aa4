/**
 * Every error class of the package, each with a machine-readable `code`.
 * A message says, in this order: where; what was expected; what came; what to do.
 */

/** The codes a caller may switch on. */
export type ErrorCode =
  | 'invalid-argument'
  | 'shape-mismatch'
  | 'dtype-mismatch'
  | 'weights-invalid'
  | 'file-invalid'
  | 'device-unavailable'
  | 'out-of-memory'
  | 'numeric'
  | 'disposed'
  | 'queue-full'
  | 'queue'
  | 'no-binary'
  | 'language-model'
  | 'answer-unusable'
  | 'internal';

/** Base class: everything that this package throws on purpose. */
export class IPAdapterError extends Error {
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    this.name = new.target.name;
  }
}

/** An option or argument at the public face is not acceptable. */
export class ArgumentError extends IPAdapterError {
  constructor(message: string, options?: ErrorOptions) {
    super('invalid-argument', message, options);
  }
}

/** Tensor shapes do not fit an op. */
export class ShapeError extends IPAdapterError {
  constructor(message: string, options?: ErrorOptions) {
    super('shape-mismatch', message, options);
  }
}

/** Tensor dtypes do not fit an op. */
export class DTypeError extends IPAdapterError {
  constructor(message: string, options?: ErrorOptions) {
    super('dtype-mismatch', message, options);
  }
}

/** Tensors of a weight file are missing, superfluous or misshapen, or belong to another model. */
export class WeightsError extends IPAdapterError {
  constructor(message: string, options?: ErrorOptions) {
    super('weights-invalid', message, options);
  }
}

/** A file cannot be read, or is not what its name or header says. */
export class FileError extends IPAdapterError {
  constructor(message: string, options?: ErrorOptions) {
    super('file-invalid', message, options);
  }
}

/** A device that was asked for by name cannot be had. */
export class DeviceError extends IPAdapterError {
  constructor(message: string, options?: ErrorOptions) {
    super('device-unavailable', message, options);
  }
}

/** A plan needs more memory than there is. */
export class OutOfMemoryError extends IPAdapterError {
  constructor(message: string, options?: ErrorOptions) {
    super('out-of-memory', message, options);
  }
}

/** Values are NaN or infinite where they must not be. */
export class NumericError extends IPAdapterError {
  constructor(message: string, options?: ErrorOptions) {
    super('numeric', message, options);
  }
}

/** An object was used after `dispose()`. */
export class DisposedError extends IPAdapterError {
  constructor(message: string, options?: ErrorOptions) {
    super('disposed', message, options);
  }
}

/** So many jobs wait already that no more are taken. The same job may be given again later. */
export class QueueFullError extends IPAdapterError {
  constructor(message: string, options?: ErrorOptions) {
    super('queue-full', message, options);
  }
}

/** A queue of jobs in Redis cannot be reached, was lost, or no longer has what was put into it. */
export class QueueError extends IPAdapterError {
  constructor(message: string, options?: ErrorOptions) {
    super('queue', message, options);
  }
}

/** No compiled addon was found for this machine. */
export class NoBinaryError extends IPAdapterError {
  constructor(message: string, options?: ErrorOptions) {
    super('no-binary', message, options);
  }
}

/** The server of a language model cannot be reached, refuses, or sends what is no completion. */
export class LanguageModelError extends IPAdapterError {
  constructor(message: string, options?: ErrorOptions) {
    super('language-model', message, options);
  }
}

/** A language model answered, but not with what it was asked for. What it was asked about may be left out. */
export class UnusableAnswerError extends IPAdapterError {
  constructor(message: string, options?: ErrorOptions) {
    super('answer-unusable', message, options);
  }
}

/** A mistake of ours: please report it. */
export class InternalError extends IPAdapterError {
  constructor(message: string, options?: ErrorOptions) {
    super(
      'internal',
      `internal: ${message} This is a mistake in ip-adapter-instruct; please report it.`,
      options,
    );
  }
}

/** Writes a value for an error message: its type, and itself where that is short. */
export function describeValue(value: unknown): string {
  if (typeof value === 'string')
    return value.length > 60 ? `a string of ${value.length} characters` : `'${value}'`;
  if (Array.isArray(value)) return `an array of length ${value.length}`;
  if (value === null || typeof value !== 'object') return `${String(value)} (${typeof value})`;
  return `an object of type ${value.constructor?.name ?? 'Object'}`;
}

/** Sharp's wording for a bad argument: "name: expected E but received V". */
export function invalidArgument(name: string, expected: string, value: unknown): ArgumentError {
  return new ArgumentError(`${name}: expected ${expected} but received ${describeValue(value)}.`);
}
