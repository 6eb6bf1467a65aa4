/**
 * How the server is: for load balancers, for Prometheus, and for whoever is to send jobs.
 */
import type {FastifyInstance} from 'fastify';
import {exampleInstructions} from '../../datasets/instructions/example-instructions.ts';
import {sizeOf} from '../../pipelines/generate.ts';
import type {ImageService} from '../image-service.ts';

export function statusRoutes(app: FastifyInstance, service: ImageService): void {
  app.get('/healthz', async () => ({status: 'ok'}));

  app.get('/readyz', async (_request, reply) => {
    const {phase} = service;
    return reply.status(phase === 'ready' ? 200 : 503).send({status: phase});
  });

  app.get('/metrics', async (_request, reply) => {
    const {registry} = service.metrics;
    return reply.type(registry.contentType).send(await registry.metrics());
  });

  app.get('/v1/info', async () => infoOf(service));
}

/** What clients need to know: the model, what is taken where nothing is said, how much may be asked for. */
function infoOf({pipeline, settings, waiting}: ImageService) {
  const {models} = pipeline;
  const {engine, denoiser, adapter, namedAdapters, controlNets} = models;
  const {height, width} = sizeOf(models, {prompt: ''});
  const {maxSide, maxSteps, maxUpload, maxPixels, maxWaiting, batchSize} = settings;
  return {
    device: engine.device.name,
    dtype: denoiser.dtype,
    adapters: {
      hasDefault: adapter !== undefined,
      readsInstruction: adapter?.adapter.readsInstruction ?? false,
      named: [...(namedAdapters?.keys() ?? [])],
    },
    controlNets: controlNets.length,
    defaults: {height, width},
    limits: {maxSide, maxSteps, maxUpload, maxPixels, maxWaiting, batchSize},
    waiting,
    tasks: Object.entries(exampleInstructions).map(([task, instruction]) => ({task, instruction})),
  };
}
