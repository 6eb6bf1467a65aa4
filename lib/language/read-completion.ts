import {z} from 'zod';
import {UnusableAnswerError} from '../errors.ts';
import {TransientError} from '../network/retries.ts';
import {excerpt} from './excerpt.ts';

/** What is read of OpenAI's chat completion object. */
const completion = z.object({
  choices: z
    .tuple([
      z.object({
        finish_reason: z.string().nullish(),
        message: z.object({content: z.string().nullish(), refusal: z.string().nullish()}),
      }),
    ])
    .rest(z.unknown()),
});

/**
 * The text of a completion, without the reasoning before it, which some servers leave in.
 *
 * @throws TransientError where it is no completion: servers and what stands before them send such things when they fail
 * @throws UnusableAnswerError where the model refuses, was cut off or says nothing
 */
export function readCompletion(body: string, place: string): string {
  const parsed = completion.safeParse(parseJson(body));
  if (!parsed.success) {
    const came = `${body.length} characters of something else`;
    throw new TransientError(
      `${place}: expected a chat completion as JSON, but ${came} came. Check the URL, which usually ends in /v1.`,
    );
  }
  const [{finish_reason: reason, message}] = parsed.data.choices;
  if (message.refusal || reason === 'content_filter')
    throw unusable(
      place,
      `it refused${message.refusal ? `: ${excerpt(message.refusal)}` : ''}`,
      'Ask for something else.',
    );
  if (reason === 'length')
    throw unusable(place, 'its answer was cut off', "Raise the server's limit of tokens in an answer.");
  const text = (message.content ?? '').replace(/^.*<\/think>/s, '').trim();
  if (text === '') throw unusable(place, 'its answer is empty', 'Try another model.');
  return text;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function unusable(place: string, came: string, advice: string): UnusableAnswerError {
  return new UnusableAnswerError(`${place}: expected an answer of the model, but ${came}. ${advice}`);
}
