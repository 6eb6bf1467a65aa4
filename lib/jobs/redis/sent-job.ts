/**
 * A job on its way to a worker: plain JSON, with the hashes of its pictures in their places. A path never travels.
 */
import sharp from 'sharp';
import {z} from 'zod';
import {ArgumentError, describeValue} from '../../errors.ts';
import {readPictureFile} from '../../images/decode-image.ts';
import {checkRawImage, type RawImage} from '../../images/image.ts';
import {isUnconditionalKind} from '../../pipelines/unconditional-image.ts';
import type {JobOptions} from '../job.ts';
import {jobFields} from '../job-fields.ts';
import {type PictureFormat, pictureFormats, type ValidJob} from '../job-run.ts';
import {jobId, jobPriority, seedOf} from '../read-jobs.ts';

const reference = z.strictObject({picture: z.string().regex(/^[0-9a-f]{64}$/)});

const sentJob = z.object({
  id: jobId,
  settings: z.string().regex(/^[0-9a-f]{64}$/),
  format: z.enum(pictureFormats),
  priority: jobPriority,
  seed: z.int().nonnegative(),
  /** What the picture's file says of its making. */
  given: z.record(z.string(), z.unknown()),
  /** With references in the place of pictures. */
  options: z.record(z.string(), z.unknown()),
});

export type SentJob = z.infer<typeof sentJob>;

/** The fields of a job that are pictures, or lists of them. */
const pictureFields = ['ipAdapterImage', 'image', 'maskImage', 'controlImage'] as const;

/** What is to be known of a job beside itself. */
export interface Sending {
  readonly settings: string;
  readonly format: PictureFormat;
  /** Takes a picture's bytes where workers find them. @returns their hash */
  readonly sendPicture: (bytes: Uint8Array) => Promise<string>;
}

/**
 * @throws FileError where a picture cannot be read; ArgumentError for options that another machine cannot be told, such as
 *   functions
 */
export async function packJob(job: ValidJob, {settings, format, sendPicture}: Sending): Promise<SentJob> {
  const {id, given, options, priority = 0} = job;
  const pack = (name: string, input: unknown) =>
    eachOf(input, async one => ({picture: await sendPicture(await bytesOf(name, one))}));
  const {seed = seedOf(id), ...others} = options;
  const packed: Record<string, unknown> = {...others};
  for (const name of pictureFields) {
    if (options[name] !== undefined) packed[name] = await pack(name, options[name]);
  }
  const {unconditionalImage} = options;
  if (unconditionalImage !== undefined && !isUnconditionalKind(unconditionalImage)) {
    packed['unconditionalImage'] = await pack('unconditionalImage', unconditionalImage);
  }
  if (options.conditions !== undefined) {
    packed['conditions'] = await eachOf(options.conditions, async condition => ({
      ...condition,
      image: await pack('conditions.image', condition.image),
      ...(condition.mask !== undefined && {mask: await pack('conditions.mask', condition.mask)}),
    }));
  }
  const known = jobFields(reference as unknown as z.ZodType<Uint8Array>).safeParse(packed);
  if (!known.success) throw notSendable(id, known.error);
  return {id, settings, format, priority, seed, given, options: packed};
}

/** @throws ArgumentError where another program, or another version of this one, wrote it */
export function readSentJob(data: unknown): SentJob {
  const parsed = sentJob.safeParse(data);
  if (parsed.success) return parsed.data;
  throw new ArgumentError(
    `queue: expected a job of this version of ip-adapter-instruct, but ${problemsOf(parsed.error)}. ` +
      'Use one version on all machines.',
  );
}

/**
 * A job's options as they were, with the bytes of pictures.
 *
 * @throws ArgumentError as `readSentJob`; what `readPicture` throws
 */
export async function unpackOptions(
  {id, seed, options}: SentJob,
  readPicture: (hash: string) => Promise<Uint8Array>,
): Promise<JobOptions> {
  const picture = reference.transform(({picture: hash}) => readPicture(hash));
  const parsed = await jobFields(picture).safeParseAsync(options);
  if (parsed.success) return {...parsed.data, seed};
  throw notSendable(id, parsed.error);
}

async function eachOf<From, To>(value: From | readonly From[], map: (one: From) => Promise<To>) {
  return Array.isArray(value) ? Promise.all((value as From[]).map(map)) : map(value as From);
}

async function bytesOf(name: string, input: unknown): Promise<Uint8Array> {
  if (typeof input === 'string') return readPictureFile(input, `${name} '${input}'`);
  if (input instanceof Uint8Array) return input;
  if (input !== null && typeof input === 'object' && 'channels' in input)
    return encodeRaw(name, input as RawImage);
  throw new ArgumentError(
    `${name}: expected a path, the bytes of a picture, or {width, height, channels, data}, ` +
      `but received ${describeValue(input)}, which cannot be sent to other machines.`,
  );
}

async function encodeRaw(name: string, image: RawImage): Promise<Uint8Array> {
  checkRawImage(name, image);
  const {width, height, channels, data} = image;
  return sharp(data, {raw: {width, height, channels}, limitInputPixels: false}).png().toBuffer();
}

function notSendable(id: string, error: z.ZodError): ArgumentError {
  return new ArgumentError(
    `job '${id}': expected options that can be written as JSON, as in a file of jobs. ${problemsOf(error)}.`,
  );
}

function problemsOf({issues}: z.ZodError): string {
  return issues.map(({path, message}) => `${path.join('.') || 'job'}: ${message}`).join('; ');
}
