/**
 * The server, put together.
 */
import {randomUUID} from 'node:crypto';
import Fastify, {type FastifyInstance, type FastifyReply, type FastifyRequest} from 'fastify';
import {keyCheck} from './api-keys.ts';
import {checkHost} from './host-check.ts';
import {HttpError, toHttpError} from './http-error.ts';
import {ImageService} from './image-service.ts';
import {openApi} from './open-api.ts';
import {acceptForms} from './read-body.ts';
import {imageRoutes} from './routes/image-routes.ts';
import {pageRoutes} from './routes/page-routes.ts';
import {statusRoutes} from './routes/status-routes.ts';
import {
  type ImageServer,
  resolveSettings,
  type ServerOptions,
  type ServerSettings,
} from './server-options.ts';

/** What anyone may read: the page, which asks for a key, and what load balancers look at. */
const openPaths = /^\/(healthz|readyz|openapi\.json|[\w-]+\.(js|css))?$/;

/** For the last answers to arrive, in milliseconds. */
const closingTime = 5000;

const defaultDrainTimeout = 30_000;

export async function buildServer(options: ServerOptions): Promise<ImageServer> {
  const settings = resolveSettings(options);
  const service = new ImageService(options.pipeline, settings);
  const app = newApp(options, settings);
  acceptForms(app);
  refuseStrangers(app, settings);
  answerErrors(app, service);
  measureRequests(app, service);
  statusRoutes(app, service);
  imageRoutes(app, service);
  const description = openApi(settings);
  app.get('/openapi.json', async () => description);
  await pageRoutes(app);
  const drain = async (timeout = defaultDrainTimeout) => {
    await service.drain(timeout);
    const closed = app.close();
    const timer = setTimeout(() => app.server.closeAllConnections(), closingTime);
    await closed;
    clearTimeout(timer);
  };
  return {app, drain};
}

function newApp({log}: ServerOptions, {maxUpload, requestTimeout}: ServerSettings): FastifyInstance {
  const app = Fastify({
    logger: log === undefined ? false : {stream: log},
    genReqId: () => randomUUID(),
    bodyLimit: maxUpload,
    requestTimeout,
    // How often Node looks for requests that take too long.
    http: {connectionsCheckingInterval: Math.min(requestTimeout, 10_000), headersTimeout: requestTimeout},
  });
  app.addHook('onRequest', async (request, reply) => {
    reply.headers({
      'x-request-id': request.id,
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      'cross-origin-resource-policy': 'same-origin',
    });
  });
  return app;
}

/**
 * Those without a key, and pages of other sites, whatever their name: a form there could otherwise keep a server on this
 * machine busy.
 */
function refuseStrangers(app: FastifyInstance, {apiKeys}: ServerSettings): void {
  const checkKey = keyCheck(apiKeys);
  app.addHook('onRequest', async ({url, method, headers, hostname}: FastifyRequest) => {
    const site = headers['sec-fetch-site'];
    if (method !== 'GET' && site !== undefined && site !== 'same-origin' && site !== 'none') {
      throw new HttpError(
        403,
        'forbidden',
        'request: expected this server’s own page, but it is another site’s.',
      );
    }
    if (method === 'GET' && openPaths.test(url.split('?')[0]!)) return;
    if (apiKeys.length === 0) checkHost(hostname);
    checkKey(headers.authorization);
  });
}

function answerErrors(app: FastifyInstance, service: ImageService): void {
  const answer = (error: unknown, request: FastifyRequest, reply: FastifyReply) => {
    const {status, code, message} = toHttpError(error);
    if (status === 500) request.log.error(error);
    if (status === 401) reply.header('www-authenticate', 'Bearer');
    if (status === 429 || status === 503) reply.header('retry-after', service.metrics.secondsToRoom);
    return reply.status(status).send({error: {code, message, requestId: request.id}});
  };
  app.setErrorHandler(answer);
  app.setNotFoundHandler((request, reply) => {
    const error = new HttpError(
      404,
      'not-found',
      `${request.method} ${request.url.slice(0, 100)}: there is no such path.`,
    );
    return answer(error, request, reply);
  });
}

function measureRequests(app: FastifyInstance, {metrics}: ImageService): void {
  app.addHook('onResponse', async (request, reply) => {
    const route = request.routeOptions.url ?? 'none';
    metrics.requests.inc({route, status: reply.statusCode});
    metrics.requestSeconds.observe({route}, reply.elapsedTime / 1000);
  });
}
