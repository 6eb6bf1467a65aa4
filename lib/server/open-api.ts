/**
 * The service's description (OpenAPI 3.1), from the schemas that check requests.
 */
import {z} from 'zod';
import {ownPackage} from '../runtime/own-package.ts';
import {imageRequestSchema} from './image-request.ts';
import {pictureParts} from './read-body.ts';
import type {ServerSettings} from './server-options.ts';

const picture = z.object({
  seed: z.int(),
  instruction: z.string().optional(),
  width: z.int(),
  height: z.int(),
  png: z.string().meta({contentEncoding: 'base64'}),
});
const pictures = z.object({images: z.array(picture)});
const error = z.object({error: z.object({code: z.string(), message: z.string(), requestId: z.string()})});

/** The answers of a path that are errors. */
const failures = {
  400: 'What was sent is not understood, or not allowed.',
  401: 'A key is missing.',
  413: 'The body is too large.',
  415: 'The body is neither JSON nor a form.',
  429: 'Too many jobs wait. `Retry-After` says for how long.',
  500: 'The picture could not be made.',
  503: 'The server loads its model, or ends.',
} as const;

export function openApi(settings: ServerSettings) {
  return {
    openapi: '3.1.0',
    info: {
      title: 'IPAdapter-Instruct',
      version: ownPackage()?.version ?? 'unknown',
      description:
        'Pictures from a prompt, a condition image and an instruction that says what to take from it.',
    },
    components: {
      schemas: {
        ImageRequest: jsonSchema(imageRequestSchema(settings)),
        Pictures: jsonSchema(pictures),
        Error: jsonSchema(error),
      },
      securitySchemes: {key: {type: 'http', scheme: 'bearer'}},
    },
    security: settings.apiKeys.length > 0 ? [{key: []}] : [],
    paths: {
      '/v1/images': {post: imagesOperation()},
      '/v1/info': {get: plain('The model, defaults, limits, and example instructions.', 'application/json')},
      '/healthz': {get: plain('Whether the process answers.', 'application/json', [])},
      '/readyz': {get: plain('Whether it takes jobs: 503 while it loads or ends.', 'application/json', [])},
      '/metrics': {get: plain('Measurements, for Prometheus.', 'text/plain')},
      '/openapi.json': {get: plain('This document.', 'application/json', [])},
    },
  };
}

function imagesOperation() {
  return {
    summary: 'Makes pictures.',
    description:
      'Answers when all are there; with `Accept: text/event-stream` it tells of `queued`, `start`, `step`, `preview` ' +
      'and `picture` as they come, or of an `error`. A client that leaves takes its jobs back.',
    requestBody: {
      required: true,
      content: {
        'application/json': {schema: reference('ImageRequest')},
        'multipart/form-data': {
          schema: {
            type: 'object',
            required: ['request'],
            properties: {
              request: {
                type: 'string',
                contentMediaType: 'application/json',
                contentSchema: reference('ImageRequest'),
              },
              ...Object.fromEntries(pictureParts.map(name => [name, {type: 'string', format: 'binary'}])),
            },
          },
        },
      },
    },
    responses: {
      200: {
        description: 'The pictures.',
        content: {
          'application/json': {schema: reference('Pictures')},
          'image/png': {schema: {type: 'string', format: 'binary'}},
          'text/event-stream': {schema: {type: 'string'}},
        },
      },
      ...Object.fromEntries(
        Object.entries(failures).map(([status, description]) => [
          status,
          {description, content: {'application/json': {schema: reference('Error')}}},
        ]),
      ),
    },
  };
}

function plain(summary: string, type: string, security?: readonly never[]) {
  const responses = {200: {description: summary, content: {[type]: {}}}};
  return {summary, responses, ...(security !== undefined && {security})};
}

function reference(name: string) {
  return {$ref: `#/components/schemas/${name}`};
}

/** Bytes of a form's part have no place in JSON. */
function jsonSchema(schema: z.ZodType) {
  return z.toJSONSchema(schema, {io: 'input', unrepresentable: 'any'});
}
