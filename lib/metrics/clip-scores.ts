/**
 * How near pictures are to images and texts in CLIP's space: the metrics of IPAdapter-Instruct (Rowles et al. 2024,
 * table 1). Embeddings are those of one CLIP model, of any length other than 0.
 *
 * The paper does not say that its scores with texts carry the factor of CLIPScore, but its CLIP-S exceeds 1, as no cosine
 * does. Nor does it say which CLIP model they are of: compare values of one model only.
 */
import {cosine, difference} from './cosine.ts';

/** w of CLIPScore (Hessel et al. 2021, §3). */
const scoreWeight = 2.5;

/** CLIP-I: the cosine between the embeddings of a generated picture and of an image, from -1 to 1. */
export function clipImageSimilarity(picture: Float32Array, image: Float32Array): number {
  return cosine(picture, image);
}

/**
 * CLIPScore of a generated picture and a text, 2.5 · max(cosine, 0) (Hessel et al. 2021, eq. 1). CLIP-P where the text is
 * the prompt; CLIP-T where it is the caption of the condition image.
 */
export function clipScore(picture: Float32Array, text: Float32Array): number {
  return weightedScore(clipTextSimilarity(picture, text));
}

/** The cosine between the embeddings of a generated picture and of a text, from -1 to 1. */
export function clipTextSimilarity(picture: Float32Array, text: Float32Array): number {
  return cosine(picture, text);
}

/** A cosine as CLIPScore gives it: 2.5 · max(cosine, 0). */
export function weightedScore(similarity: number): number {
  return scoreWeight * Math.max(similarity, 0);
}

export interface StyleEmbeddings {
  readonly picture: Float32Array;
  readonly prompt: Float32Array;
  readonly condition: Float32Array;
  /** Of a caption of the condition image. */
  readonly caption: Float32Array;
}

/**
 * CLIP-S: whether a generated picture has what the condition image has, but for what their texts say:
 * 2.5 · max(cosine(picture - prompt, condition - caption), 0), of embeddings brought to length 1.
 */
export function clipStyleScore(embeddings: StyleEmbeddings): number {
  return weightedScore(clipStyleSimilarity(embeddings));
}

/** The cosine of CLIP-S alone, from -1 to 1. */
export function clipStyleSimilarity({picture, prompt, condition, caption}: StyleEmbeddings): number {
  return cosine(difference(picture, prompt), difference(condition, caption));
}
