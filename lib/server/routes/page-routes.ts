/**
 * The page on which the service can be tried.
 */
import {readFile} from 'node:fs/promises';
import {join} from 'node:path';
import type {FastifyInstance} from 'fastify';
import {assetFolder} from '../../pipelines/asset-folder.ts';

/** Each file of the page by its path; there are no others. */
const files = {
  '/': ['index.html', 'text/html; charset=utf-8'],
  '/page.css': ['page.css', 'text/css; charset=utf-8'],
  '/page.js': ['page.js', 'text/javascript; charset=utf-8'],
  '/read-events.js': ['read-events.js', 'text/javascript; charset=utf-8'],
  '/snippets.js': ['snippets.js', 'text/javascript; charset=utf-8'],
} as const;

/** Nothing from elsewhere, nothing in line, in nobody's frame. */
const contentSecurityPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' blob: data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** @throws FileError where the package is not whole */
export async function pageRoutes(app: FastifyInstance): Promise<void> {
  const folder = assetFolder('page');
  for (const [path, [name, type]] of Object.entries(files)) {
    const content = await readFile(join(folder, name));
    app.get(path, async (_request, reply) =>
      reply
        .type(type)
        .headers({'cache-control': 'no-cache', 'content-security-policy': contentSecurityPolicy})
        .send(content),
    );
  }
}
