/**
 * The request for pictures, and the jobs that it comes to.
 */
import {randomInt} from 'node:crypto';
import {z} from 'zod';
import {ArgumentError} from '../errors.ts';
import type {JobOptions} from '../jobs/job.ts';
import {jobFields} from '../jobs/job-fields.ts';
import {defaultSteps, sizeOf} from '../pipelines/generate.ts';
import {checkMagnitudes, checkPromptLengths, checkValueCount, uploadsIn} from './request-bounds.ts';
import type {ServedPipeline, ServerSettings} from './server-options.ts';
import {checkUpload, uploadedImage} from './uploaded-image.ts';

const maxInstructions = 16;
const maxProblemText = 500;

export type ImageRequestSchema = ReturnType<typeof imageRequestSchema>;

/** The options of `generate` for one picture, and what a server adds. */
export function imageRequestSchema({maxSide, maxSteps}: Pick<ServerSettings, 'maxSide' | 'maxSteps'>) {
  return jobFields(uploadedImage).extend({
    height: z.int().min(8).max(maxSide).exactOptional(),
    width: z.int().min(8).max(maxSide).exactOptional(),
    numInferenceSteps: z.int().min(1).max(maxSteps).exactOptional(),
    seed: z.int().nonnegative().exactOptional(),
    instructions: z
      .array(z.string())
      .min(1)
      .max(maxInstructions)
      .exactOptional()
      .describe('In place of `instruction`: a picture for each, all from one seed, to compare them.'),
    previewEvery: z
      .int()
      .positive()
      .exactOptional()
      .describe('Steps from one preview to the next, for server-sent events. Default: no previews.'),
  });
}

export interface JobList {
  readonly jobs: readonly JobOptions[];
  readonly previewEvery: number | undefined;
}

/**
 * The jobs of a request's body.
 *
 * @throws ArgumentError, HttpError where it asks for something that is not allowed, or has no sense
 */
export async function readJobs(
  schema: ImageRequestSchema,
  body: unknown,
  {pipeline, settings}: {readonly pipeline: ServedPipeline; readonly settings: ServerSettings},
): Promise<JobList> {
  checkValueCount(body);
  const parsed = schema.safeParse(body);
  if (!parsed.success) throw noRequest(parsed.error);
  const {instructions, previewEvery, seed = randomInt(2 ** 32), ...options} = parsed.data;
  checkMagnitudes({...options, instructions});
  checkPromptLengths(pipeline.models.textEncoder.tokenizer, options);
  const {maxSide, maxSteps, maxPixels} = settings;
  const {height, width} = sizeOf(pipeline.models, options);
  if (Math.max(height, width) > maxSide) {
    throw new ArgumentError(
      `height, width: expected sides of at most ${maxSide} but this model's are ${height}x${width}. Give both.`,
    );
  }
  if (instructions !== undefined && options.instruction !== undefined) {
    throw new ArgumentError('instructions: expected either it or instruction but received both.');
  }
  for (const upload of uploadsIn(options)) await checkUpload(upload, maxPixels);
  const job = {numInferenceSteps: Math.min(defaultSteps, maxSteps), ...options, seed};
  const jobs = instructions?.map(instruction => ({...job, instruction})) ?? [job];
  return {jobs, previewEvery};
}

function noRequest(error: z.ZodError): ArgumentError {
  const problems = z.prettifyError(error).replaceAll('\n', ' ');
  const shown = problems.length > maxProblemText ? `${problems.slice(0, maxProblemText)} …` : problems;
  return new ArgumentError(
    `request: expected the options of a picture: ${shown}. /openapi.json describes them.`,
  );
}
