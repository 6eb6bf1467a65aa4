/**
 * Pictures: as JSON, as a PNG, or with all that happens on the way as server-sent events.
 */
import type {FastifyBaseLogger, FastifyInstance, FastifyReply} from 'fastify';
import {encodePng} from '../../images/write-image.ts';
import type {JobEvent} from '../../jobs/generation-queue.ts';
import type {JobOptions} from '../../jobs/job.ts';
import type {GeneratedImage} from '../../pipelines/generate.ts';
import {EventStream} from '../event-stream.ts';
import {HttpError, toHttpError} from '../http-error.ts';
import {imageRequestSchema, type JobList, readJobs} from '../image-request.ts';
import type {ImageService} from '../image-service.ts';
import {Previews} from '../previews.ts';

export function imageRoutes(app: FastifyInstance, service: ImageService): void {
  const schema = imageRequestSchema(service.settings);

  app.post(
    '/v1/images',
    {
      onRequest: async (_request, reply) => {
        reply.raw.once('close', service.admit());
      },
    },
    async (request, reply) => {
      const left = leaving(reply, service);
      const list = await readJobs(schema, request.body, service);
      const kind = answerKind(request.headers.accept, list.jobs.length);
      if (kind === 'events') {
        service.checkRoom(list.jobs.length);
        return reply
          .type('text/event-stream')
          .headers({'cache-control': 'no-store', 'x-accel-buffering': 'no'})
          .send(stream(service, list, left, request.log));
      }
      const pictures = await service.make(list.jobs, {
        signal: left,
        onEvent: () => undefined,
        finish: (job, picture) => encode(list.jobs[job]!, picture),
      });
      if (kind === 'json') return {images: pictures.map(({png, ...rest}) => ({...rest, png: base64(png)}))};
      const {png, seed} = pictures[0]!;
      return reply.type('image/png').header('x-seed', seed).send(png);
    },
  );
}

/** Aborted when the client leaves before it has its answer. */
function leaving(reply: FastifyReply, service: ImageService): AbortSignal {
  const controller = new AbortController();
  reply.raw.once('close', () => {
    if (reply.raw.writableEnded) return;
    service.metrics.cancelled.inc();
    controller.abort(new HttpError(499, 'bad-request', 'The client has left.'));
  });
  return controller.signal;
}

type AnswerKind = 'events' | 'json' | 'png';

/** @throws HttpError for several pictures as one */
function answerKind(accept: string | undefined, pictures: number): AnswerKind {
  const types = (accept ?? '').toLowerCase();
  if (types.includes('text/event-stream')) return 'events';
  // Browsers ask for pictures among other things; those who want one alone ask for nothing else.
  if (!/^\s*image\/png\s*(;|$)/.test(types)) return 'json';
  if (pictures === 1) return 'png';
  throw new HttpError(
    406,
    'not-acceptable',
    `accept: expected application/json for ${pictures} pictures, since a PNG holds one.`,
  );
}

interface EncodedPicture {
  readonly seed: number;
  readonly instruction?: string;
  readonly width: number;
  readonly height: number;
  readonly png: Buffer;
}

async function encode({instruction}: JobOptions, {image, seed}: GeneratedImage): Promise<EncodedPicture> {
  const {width, height} = image!;
  return {seed, ...(instruction !== undefined && {instruction}), width, height, png: await encodePng(image!)};
}

function base64(bytes: Buffer): string {
  return bytes.toString('base64');
}

/** The events `queued`, and of each job `start`, `step`, `preview` and `picture`; or `error`. Then it ends. */
function stream(
  service: ImageService,
  {jobs, previewEvery}: JobList,
  signal: AbortSignal,
  log: FastifyBaseLogger,
) {
  const events = new EventStream();
  const previews = new Previews(service.pipeline.models.vae, events, previewEvery);
  const onEvent = (job: number, event: JobEvent) => {
    if (event.type === 'start') events.send('start', {job, batchSize: event.batchSize});
    else {
      const {step, totalSteps} = event;
      events.send('step', {job, step, totalSteps});
      previews.show(job, event);
    }
  };
  const finish = async (job: number, picture: GeneratedImage) => {
    const {png, ...rest} = await encode(jobs[job]!, picture);
    previews.end(job);
    events.send('picture', {job, ...rest, png: base64(png)});
  };
  const made = service.make(jobs, {signal, onEvent, finish});
  events.send('queued', {jobs: jobs.length, waiting: service.waiting});
  made
    .catch(error => {
      const {status, code, message} = toHttpError(error);
      if (status >= 500) log.error(error);
      events.send('error', {code, message});
    })
    .finally(() => events.end());
  return events.body;
}
