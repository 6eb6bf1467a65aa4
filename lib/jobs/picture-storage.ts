/**
 * Where the pictures of a worker go, whatever it is.
 */
export interface PictureStorage {
  /** The bytes of a picture; undefined where there is none. */
  read(name: string): Promise<Uint8Array | undefined>;
  /** Writes a picture that appears whole or not at all. @throws FileError where that cannot be done */
  write(name: string, bytes: Uint8Array): Promise<void>;
}
