/**
 * Pictures with captions, in whatever layout they lie.
 */

export interface LoadedPicture {
  readonly bytes: Uint8Array;
  readonly caption?: string | undefined;
  readonly license?: string | undefined;
}

/** A picture that is not read yet. */
export interface SourcePicture {
  /** Of its own in its source; for credits and messages. */
  readonly name: string;
  /** @throws FileError where it cannot be read */
  load(): Promise<LoadedPicture>;
}

export interface PictureSource {
  /** For the card. */
  readonly description: string;
  readonly count: number;
  /** Each picture once, in an order that is the same for the same seed. */
  shuffled(seed: number): Iterable<SourcePicture>;
}
