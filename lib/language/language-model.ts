/**
 * What is asked of a language model, whoever answers: a server, a cache before it, a test.
 */
import type {RgbImage} from '../images/image.ts';

/** A question to a language model. */
export interface CompletionRequest {
  readonly prompt: string;
  /** Shown with the prompt, in this order. */
  readonly images?: readonly RgbImage[];
  /**
   * Which answer to this prompt is wanted, of several: a cache keeps each by itself. The model is not told. Default: 0.
   */
  readonly attempt?: number;
  readonly signal?: AbortSignal;
}

/** What answers questions, some of them about pictures. */
export interface LanguageModel {
  /** Differs between models whose answers differ. Caches file answers under it; it holds no secret. */
  readonly identity: string;

  /**
   * The model's answer, with no blanks around it and never empty.
   *
   * @throws LanguageModelError where no answer is to be had
   * @throws UnusableAnswerError where the model refuses to answer, or has nothing to say
   */
  complete(request: CompletionRequest): Promise<string>;
}
