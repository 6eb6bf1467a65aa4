import type {RgbImage} from '../images/image.ts';

/** A picture to paint after another one. */
export interface PaintRequest {
  readonly prompt: string;
  /** What the pictures are painted after. */
  readonly image: RgbImage;
  /** What it shows, if that is known. */
  readonly imagePrompt?: string | undefined;
  /** Of the noise. */
  readonly seed: number;
}

/** Paints the targets of a training set with a model. */
export interface Painter {
  /** For the card: what is painted with, and how. */
  readonly description: string;
  /** Requests that it takes at a time. */
  readonly batchSize: number;
  /** A picture for each request, which does not depend on the others. */
  paint(requests: readonly PaintRequest[], signal: AbortSignal | undefined): Promise<readonly RgbImage[]>;
}
