import {isIP} from 'node:net';
import {HttpError} from './http-error.ts';

/** Ends of names that nobody can register (RFC 2606, RFC 6762, RFC 8375, and ICANN's resolution of 2024 on `internal`). */
const reserved = /\.(localhost|local|internal|home\.arpa)$/i;

/**
 * Throws where a request came by a name that anybody may have pointed here. A page of that name would be of one origin with
 * this server in the eyes of a browser (DNS rebinding), and who has no key to show is known by nothing else.
 *
 * @param hostname from the request's `Host`, without the port
 * @throws HttpError
 */
export function checkHost(hostname: string): void {
  const address = hostname.replace(/^\[(.*)\]$/, '$1');
  if (isIP(address) !== 0 || !hostname.includes('.') || reserved.test(hostname)) return;
  throw new HttpError(
    403,
    'forbidden',
    `host: expected an address or a name of the local network, got '${hostname.slice(0, 100)}'. Servers of other names ` +
      'need a key: start this one with --api-key.',
  );
}
