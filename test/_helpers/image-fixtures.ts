import {readFileSync} from 'node:fs';
import type {RgbImage} from '../../lib/images/image.ts';

/** Parses `test/fixtures/images/<name>`; bytes and floats in it are base64. */
export function readImageFixture<T>(name: string): T {
  return JSON.parse(readFileSync(new URL(`../fixtures/images/${name}`, import.meta.url), 'utf8'));
}

export function bytesOf(base64: string): Uint8Array {
  return new Uint8Array(Buffer.from(base64, 'base64'));
}

export function floatsOf(base64: string): Float32Array {
  return new Float32Array(bytesOf(base64).buffer);
}

export function rgbOf([width, height]: readonly [number, number], base64: string): RgbImage {
  return {width, height, data: bytesOf(base64)};
}

/** A picture in which neighbours differ widely (Knuth's multiplicative hash of the index). */
export function noiseImage(width: number, height: number): RgbImage {
  const data = new Uint8Array(width * height * 3);
  for (let i = 0; i < data.length; i++) data[i] = Math.imul(i, 2654435761) >>> 24;
  return {width, height, data};
}
