/**
 * Captions of pictures, for training.
 */
import {UnusableAnswerError} from '../errors.ts';
import {decodeImage, type ImageInput} from '../images/decode-image.ts';
import {bareLine} from './bare-line.ts';
import {excerpt} from './excerpt.ts';
import type {LanguageModel} from './language-model.ts';
import {isRefusal} from './refusal.ts';

/** Rowles et al. 2024 have pictures captioned (§3.4), and do not say with which words. */
const captionQuery =
  'Write a caption of this picture to train an image model with: one sentence of at most 30 words that says what it ' +
  'shows, where, and in which style. Answer with the caption alone.';

/** CLIP reads about as much: 77 tokens. */
const longestCaption = 350;

/** "Here is a caption:", "Caption:". */
const announcement =
  /^\W*(?:(?:sure|certainly|of course)\b[^:]*:|here(?:['’]s| is)\b[^:]*:|(?:\w+ )?caption\W*:)/i;

/** How the question can be taken back. */
export interface CaptionPictureOptions {
  readonly signal?: AbortSignal;
}

/**
 * A caption in one line, of at most 350 characters.
 *
 * @throws UnusableAnswerError where the model refuses or says nothing: the picture may be left out
 * @throws FileError where the picture cannot be read: likewise
 * @throws LanguageModelError where no answer is to be had
 */
export async function captionPicture(
  model: LanguageModel,
  picture: ImageInput,
  {signal}: CaptionPictureOptions = {},
): Promise<string> {
  const image = await decodeImage(picture);
  const answer = await model.complete({prompt: captionQuery, images: [image], ...(signal && {signal})});
  const caption = cleanCaption(answer);
  if (caption !== '' && !isRefusal(caption)) return caption;
  throw new UnusableAnswerError(
    `caption: expected one sentence about the picture, but the model answered '${excerpt(answer)}'. ` +
      'Leave the picture out, or try another model.',
  );
}

/** The first line that says something. */
function cleanCaption(answer: string): string {
  const lines = answer.split('\n').map(line => bareLine(line.replace(announcement, '')));
  const [caption = ''] = lines.filter(line => line !== '' && !line.endsWith(':'));
  return shorten(caption);
}

/** Cut after a sentence, else between words. */
function shorten(caption: string): string {
  if (caption.length <= longestCaption) return caption;
  const start = caption.slice(0, longestCaption);
  const [kept = start] = /^.*[.!?](?= )/.exec(start) ?? /^.*(?= )/.exec(start) ?? [];
  return kept;
}
