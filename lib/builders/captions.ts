import {UnusableAnswerError} from '../errors.ts';
import type {RgbImage} from '../images/image.ts';
import {captionPicture} from '../language/caption-picture.ts';
import type {LanguageModel} from '../language/language-model.ts';
import type {LeftOut} from './builder.ts';

/** What describes pictures in words. */
export interface Captioner {
  /** For the card: what describes. */
  readonly description: string;
  /** A sentence; undefined where there is none to be had, and what comes of the picture is left out. */
  describe(picture: RgbImage, signal: AbortSignal | undefined): Promise<string | undefined>;
}

export const noCaption: LeftOut = {leftOut: 'no caption'};

/** Descriptions of a captioner come before those that a source has; the other way round where `prefersSource`. */
export async function captionOf(
  picture: RgbImage,
  known: string | undefined,
  captioner: Captioner | undefined,
  signal: AbortSignal | undefined,
  {prefersSource = false} = {},
): Promise<string | undefined> {
  const text = known === undefined || known === '' ? undefined : known;
  if (captioner === undefined || (prefersSource && text !== undefined)) return text;
  return captioner.describe(picture, signal);
}

/**
 * Captions by a language model that reads pictures; a picture of which it says nothing has none.
 *
 * @param description for the card: the model's name
 */
export function languageModelCaptioner(model: LanguageModel, description: string): Captioner {
  return {
    description,
    async describe(picture, signal) {
      try {
        return await captionPicture(model, {...picture, channels: 3}, {...(signal && {signal})});
      } catch (error) {
        if (error instanceof UnusableAnswerError) return undefined;
        throw error;
      }
    },
  };
}
