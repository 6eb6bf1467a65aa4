/**
 * What is known of a face. Lengths are pixels of the picture, from its upper left corner.
 */

/** A rectangle; parts of it may lie outside of the picture. */
export interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** A place in a picture, in pixels from its upper left corner. */
export interface Point {
  readonly x: number;
  readonly y: number;
}

export interface Detection {
  readonly box: Box;
  /** How sure the detector is, from 0 to 1. */
  readonly score: number;
}

/** A face that was found, with its landmarks. */
export interface Face extends Detection {
  /** 68 points in dlib's order: jaw 17, eyebrows 5 each, nose 9, eyes 6 each, mouth 20. */
  readonly landmarks: readonly Point[];
}
