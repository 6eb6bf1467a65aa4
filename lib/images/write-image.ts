import {rename, rm, writeFile} from 'node:fs/promises';
import {extname} from 'node:path';
import sharp, {type Sharp} from 'sharp';
import {ArgumentError, FileError, invalidArgument} from '../errors.ts';
import {checkRgbImage, type RgbImage} from './image.ts';
import {escapeXml} from './xml.ts';

export interface WriteImageOptions {
  /**
   * How the picture came about. Kept in the file as JSON, in the XMP property `dc:description`: the one place for text
   * that PNG, JPEG and WebP share, in UTF-8. In JPEG there is room for 60 kB.
   */
  readonly parameters?: Readonly<Record<string, unknown>>;
  /** Beside `parameters`: tells the picture from others of its name. Kept in the XMP property `dc:identifier`. */
  readonly identifier?: string;
}

const encoders: ReadonlyMap<string, (picture: Sharp) => Sharp> = new Map([
  ['.png', picture => picture.png()],
  ['.jpg', encodeJpeg],
  ['.jpeg', encodeJpeg],
  ['.webp', picture => picture.webp({quality: 95})],
]);

function encodeJpeg(picture: Sharp): Sharp {
  return picture.jpeg({quality: 95, chromaSubsampling: '4:4:4'});
}

/** The largest packet that libvips puts into a JPEG segment; it leaves out larger ones without a word. */
const jpegXmpLimit = 60_000;

/** Distinguishes concurrent writes of one process. */
let partialCount = 0;

/**
 * Writes a picture as PNG, JPEG or WebP, by the ending of `path`. It is written beside the target and then renamed: at
 * every moment the target is absent, what it was before, or whole.
 *
 * @throws ArgumentError if the ending is none of `.png`, `.jpg`, `.jpeg`, `.webp`, or `parameters` are too long for JPEG
 * @throws FileError if the file cannot be written; the partial file is removed
 */
export async function writeImage(
  path: string,
  image: RgbImage,
  options: WriteImageOptions = {},
): Promise<void> {
  const bytes = await encodeImage(path, image, options);
  const partial = `${path}.partial-${process.pid}-${partialCount++}`;
  try {
    await writeFile(partial, bytes, {flush: true});
    await rename(partial, path);
  } catch (cause) {
    // Whatever fails here has the same reason as the failure that is reported.
    await rm(partial, {force: true}).catch(() => undefined);
    throw new FileError(
      `writing '${path}': expected a place to write ${bytes.length} bytes, but ${(cause as Error).message}. ` +
        'Give a path in a folder that exists, may be written to, and has room.',
      {cause},
    );
  }
}

/** The bytes of a PNG file. */
export async function encodePng({width, height, data}: RgbImage): Promise<Buffer> {
  const raw = {width, height, channels: 3} as const;
  return sharp(data, {raw, limitInputPixels: false}).png().toBuffer();
}

/** Throws an ArgumentError unless `path` ends in a format that `writeImage` writes; to be asked before long work. */
export function checkImagePath(path: string): void {
  if (typeof path !== 'string') throw invalidArgument('output', 'a path', path);
  if (!encoders.has(extname(path).toLowerCase())) {
    throw new ArgumentError(
      `output '${path}': expected a path that ends in ${[...encoders.keys()].join(', ')}, ` +
        `but it ends in '${extname(path)}'. Choose one of these formats.`,
    );
  }
}

/**
 * The bytes that `writeImage` writes at `path`.
 *
 * @throws as it does, but for what becomes of the file
 */
export async function encodeImage(
  path: string,
  image: RgbImage,
  {parameters, identifier}: WriteImageOptions,
): Promise<Buffer> {
  checkImagePath(path);
  checkRgbImage('image', image);
  const {width, height, data} = image;
  const picture = sharp(data, {raw: {width, height, channels: 3}, limitInputPixels: false});
  const encode = encoders.get(extname(path).toLowerCase())!;
  if (parameters !== undefined) {
    const xmp = describe(JSON.stringify(parameters), identifier);
    if (encode === encodeJpeg) checkJpegXmp(xmp);
    picture.withXmp(xmp);
  }
  try {
    return await encode(picture).toBuffer();
  } catch (cause) {
    throw new FileError(
      `writing '${path}': expected a picture that the format can hold, but a picture of ${width}x${height} failed: ` +
        `${(cause as Error).message}. Write PNG instead.`,
      {cause},
    );
  }
}

function checkJpegXmp(xmp: string): void {
  const bytes = Buffer.byteLength(xmp);
  if (bytes <= jpegXmpLimit) return;
  throw new ArgumentError(
    `parameters: expected at most ${jpegXmpLimit} bytes as XMP, what a JPEG file can hold, but received ${bytes}. ` +
      'Write PNG or WebP instead.',
  );
}

/** The smallest XMP packet with a description (XMP specification part 1, section 7; part 2, Dublin Core). */
function describe(text: string, identifier: string | undefined): string {
  return [
    '<x:xmpmeta xmlns:x="adobe:ns:meta/">',
    '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">',
    '<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/">',
    `<dc:description><rdf:Alt><rdf:li xml:lang="x-default">${escapeXml(text)}</rdf:li></rdf:Alt></dc:description>`,
    ...(identifier === undefined ? [] : [`<dc:identifier>${escapeXml(identifier)}</dc:identifier>`]),
    '</rdf:Description></rdf:RDF></x:xmpmeta>',
  ].join('');
}
