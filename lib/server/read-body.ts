/**
 * Bodies of requests: JSON, or a form whose part `request` is JSON and whose other parts are pictures.
 */
import type {FastifyInstance} from 'fastify';
import {HttpError} from './http-error.ts';

/** The parts of a form that may be pictures, by the options they stand for; of `controlImage` there may be several. */
export const pictureParts = [
  'ipAdapterImage',
  'unconditionalImage',
  'image',
  'maskImage',
  'controlImage',
] as const;

const maxParts = 16;

type FormPart = ReturnType<FormData['getAll']>[number];

/** Forms are read whole: the limit of all bodies is theirs too. */
export function acceptForms(app: FastifyInstance): void {
  app.addContentTypeParser(
    'multipart/form-data',
    {parseAs: 'buffer'},
    async (request: unknown, body: unknown) =>
      readForm((request as {headers: Record<string, string>}).headers['content-type']!, body as Buffer),
  );
}

/** The JSON of the part `request`, with bytes where pictures belong. */
async function readForm(contentType: string, body: Buffer): Promise<unknown> {
  const boundary = /boundary=(?:"([^"]+)"|([^;\s]+))/i.exec(contentType);
  if (boundary === null || countOf(`--${boundary[1] ?? boundary[2]}`, body) > maxParts + 1) {
    throw badForm(`at most ${maxParts} parts and a boundary`);
  }
  let form: FormData;
  try {
    form = await new Response(body, {headers: {'content-type': contentType}}).formData();
  } catch (cause) {
    throw badForm('a whole form', cause);
  }
  const request = parseRequest(form.getAll('request'));
  for (const name of new Set(form.keys())) {
    if (name === 'request') continue;
    const key = pictureParts.find(part => part === name);
    if (key === undefined || Object.hasOwn(request, key)) {
      throw badForm(`pictures as parts ${pictureParts.join(', ')}, and in one place only`);
    }
    const pictures = await Promise.all(form.getAll(name).map(bytesOf));
    request[key] = key === 'controlImage' && pictures.length > 1 ? pictures : only(pictures);
  }
  return request;
}

function countOf(text: string, body: Buffer): number {
  let count = 0;
  for (let at = body.indexOf(text); at >= 0; at = body.indexOf(text, at + text.length)) count++;
  return count;
}

function parseRequest(parts: readonly FormPart[]): Record<string, unknown> {
  const [text] = parts;
  if (parts.length !== 1 || typeof text !== 'string') throw badForm('one part `request` with JSON');
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw badForm('JSON as its part `request`', cause);
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return {...value};
  throw badForm('a JSON object as its part `request`');
}

async function bytesOf(part: FormPart): Promise<Uint8Array> {
  if (typeof part === 'string') throw badForm('pictures as files');
  return new Uint8Array(await part.arrayBuffer());
}

function only(pictures: readonly Uint8Array[]): Uint8Array {
  if (pictures.length === 1) return pictures[0]!;
  throw badForm('one picture of each name');
}

function badForm(expected: string, cause?: unknown): HttpError {
  return new HttpError(400, 'bad-request', `form: expected ${expected}.`, {cause});
}
