import {createHash, timingSafeEqual} from 'node:crypto';
import {HttpError} from './http-error.ts';

/** Throws where a request's `Authorization` has none of the keys. How long that takes says nothing about them. */
export type KeyCheck = (authorization: string | undefined) => void;

export function keyCheck(keys: readonly string[]): KeyCheck {
  const known = keys.map(digest);
  return authorization => {
    if (known.length === 0) return;
    const given = digest(/^Bearer (.+)$/i.exec(authorization ?? '')?.[1] ?? '');
    // All are compared, whichever it is.
    const matches = known.filter(key => timingSafeEqual(key, given));
    if (matches.length > 0) return;
    throw new HttpError(
      401,
      'unauthorized',
      'authorization: expected one of the keys of this server. Send the header `Authorization: Bearer <key>`.',
    );
  };
}

/** Of one length, as `timingSafeEqual` needs it. */
function digest(key: string): Buffer {
  return createHash('sha256').update(key).digest();
}
