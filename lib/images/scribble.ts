import {checkGrayImage, type GrayImage} from './image.ts';
import {inSlices} from './in-slices.ts';

/** A Gaussian of σ = 3 pixels in units of 1/256, from its middle outwards, as OpenCV rounds it for 8-bit pictures. */
const weights = [34, 32, 28, 20, 14, 9, 4, 3, 1];
const radius = weights.length - 1;

/** The blurred picture is white above it; 4.5 is where a rounded value begins to be more than 4. */
const threshold = 4.5 * 256 ** 2;

/**
 * Thin white lines on black, such as `cannyEdges` gives, made as thick as drawn ones: what a scribble ControlNet is
 * conditioned on. Values are 0 and 255.
 *
 * It is the last step of ControlNet's "fake scribbles" (Zhang et al. 2023, `gradio_fake_scribble2image.py`;
 * controlnet_aux, `HEDdetector(scribble=True)`), equal to OpenCV's: `cv2.GaussianBlur(edges, (0, 0), 3) > 4`. The steps
 * before it, which make thin lines out of the soft edges of a network, are Canny's here.
 *
 * @throws ArgumentError if `edges` is no grey picture
 */
export async function scribble(edges: GrayImage): Promise<GrayImage> {
  checkGrayImage('edges', edges);
  const {width, height} = edges;
  const columns = mirrored(width);
  const rows = mirrored(height);
  const blurred = new Uint16Array(width * height);
  await inSlices(height, y => {
    const row = y * width;
    for (let x = 0; x < width; x++) {
      let sum = weights[0]! * edges.data[row + x]!;
      for (let tap = 1; tap <= radius; tap++) {
        const [left, right] = [columns[x + radius - tap]!, columns[x + radius + tap]!];
        sum += weights[tap]! * (edges.data[row + left]! + edges.data[row + right]!);
      }
      blurred[row + x] = sum;
    }
  });

  const data = new Uint8Array(width * height);
  await inSlices(height, y => {
    for (let x = 0; x < width; x++) {
      let sum = weights[0]! * blurred[y * width + x]!;
      for (let tap = 1; tap <= radius; tap++) {
        const [above, below] = [rows[y + radius - tap]!, rows[y + radius + tap]!];
        sum += weights[tap]! * (blurred[above * width + x]! + blurred[below * width + x]!);
      }
      data[y * width + x] = sum >= threshold ? 255 : 0;
    }
  });
  return {width, height, channels: 1, data};
}

/** Indices from -radius to length - 1 + radius, mirrored at the first and the last pixel. */
function mirrored(length: number): Int32Array {
  const period = Math.max(2 * (length - 1), 1);
  return Int32Array.from({length: length + 2 * radius}, (_, position) => {
    const index = (((position - radius) % period) + period) % period;
    return Math.min(index, period - index);
  });
}
