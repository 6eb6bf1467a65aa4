import type {ImageServer, ServerOptions} from './server-options.ts';

/**
 * A server of pictures, with the page on which to try it; `/openapi.json` describes it. It takes jobs as soon as its
 * pipeline is there.
 *
 * @throws ArgumentError for limits that make no sense
 */
export async function createServer(options: ServerOptions): Promise<ImageServer> {
  // A failure to load is its giver's to hear of, and the server's once it is put together.
  Promise.resolve(options.pipeline).catch(() => undefined);
  // Only those who serve wait for what it takes.
  const {buildServer} = await import('./build-server.ts');
  return buildServer(options);
}
