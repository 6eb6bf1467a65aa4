import sharp from 'sharp';
import {fitInto} from '../images/fit-into.ts';
import type {RgbImage} from '../images/image.ts';

/** Models see little more than this, and servers bound the size of requests. */
const longestSide = 512;

/** The picture as a `data:` URL of a JPEG file, made smaller where its longer side is above 512. */
export async function pictureUrl(image: RgbImage): Promise<string> {
  const isLarge = Math.max(image.width, image.height) > longestSide;
  const {width, height, data} = isLarge ? await fitInto(image, longestSide) : image;
  const jpeg = await sharp(data, {raw: {width, height, channels: 3}})
    .jpeg({quality: 90, chromaSubsampling: '4:4:4'})
    .toBuffer();
  return `data:image/jpeg;base64,${jpeg.toString('base64')}`;
}
