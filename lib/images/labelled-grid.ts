import sharp, {type OverlayOptions} from 'sharp';
import {ArgumentError} from '../errors.ts';
import {checkRgbImage, type RgbImage} from './image.ts';
import {escapeXml} from './xml.ts';

const gap = 8;
const lineHeight = 28;
const largestFont = 16;
const smallestFont = 8;
/** Mean width of a letter of a sans-serif font, in font sizes; on the wide side. */
const letterWidth = 0.6;

/**
 * Sets pictures out in rows on white, each centred in its cell with its caption below. Captions are drawn smaller, and
 * then cut, so that they fit under their picture; they need a font on the machine.
 *
 * @param labels captions, their lines apart by line feeds
 * @param columns pictures in a row; default: the square of pictures nearest to a square grid
 * @throws ArgumentError if there is no picture, or not one label for each
 */
export async function labelledGrid(
  images: readonly RgbImage[],
  labels: readonly string[],
  columns = Math.ceil(Math.sqrt(images.length)),
): Promise<RgbImage> {
  checkArguments(images, labels, columns);
  const cell = {
    width: Math.max(...images.map(image => image.width)),
    height: Math.max(...images.map(image => image.height)),
  };
  const lines = labels.map(label => label.split('\n'));
  const captionHeight = lineHeight * Math.max(...lines.map(({length}) => length));
  const overlays = images.flatMap((image, index): OverlayOptions[] => {
    const left = gap + (index % columns) * (cell.width + gap);
    const top = gap + Math.floor(index / columns) * (cell.height + captionHeight + gap);
    const {width, height, data} = image;
    return [
      {
        input: Buffer.from(data.buffer, data.byteOffset, data.byteLength),
        raw: {width, height, channels: 3},
        left: left + ((cell.width - width) >> 1),
        top: top + ((cell.height - height) >> 1),
      },
      ...lines[index]!.map((line, row) => ({
        input: lineSvg(line, cell.width),
        left,
        top: top + cell.height + row * lineHeight,
      })),
    ];
  });
  const {data, info} = await sharp({
    create: {
      width: gap + columns * (cell.width + gap),
      height: gap + Math.ceil(images.length / columns) * (cell.height + captionHeight + gap),
      channels: 3,
      background: 'white',
    },
  })
    .composite(overlays)
    .removeAlpha()
    .raw()
    .toBuffer({resolveWithObject: true});
  return {width: info.width, height: info.height, data};
}

function checkArguments(images: readonly RgbImage[], labels: readonly string[], columns: number): void {
  for (const [index, image] of images.entries()) checkRgbImage(`images[${index}]`, image);
  if (images.length === 0 || images.length !== labels.length) {
    throw new ArgumentError(
      `labelledGrid: expected at least one picture and a label for each but received ${images.length} pictures ` +
        `and ${labels.length} labels.`,
    );
  }
  if (!Number.isInteger(columns) || columns < 1) {
    throw new ArgumentError(`columns: expected an integer > 0 but received ${columns}.`);
  }
}

function lineSvg(line: string, width: number): Buffer {
  const room = Math.max(Math.floor(width / (letterWidth * smallestFont)), 1);
  const letters = [...line];
  const shown = letters.length > room ? [...letters.slice(0, room - 1), '…'] : letters;
  const size = Math.min(width / (letterWidth * shown.length), largestFont);
  return Buffer.from(
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${lineHeight}">` +
      `<text x="50%" y="${lineHeight / 2 + size / 3}" text-anchor="middle" font-family="sans-serif" ` +
      `font-size="${size}">${escapeXml(shown.join(''))}</text></svg>`,
  );
}
