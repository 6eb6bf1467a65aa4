/**
 * Finds faces, their landmarks and who they are of, with the networks of face-api (npm's `@vladmandic/face-api`, MIT).
 */
import type {RunOptions} from '../engine/compiled-function.ts';
import {Engine} from '../engine/engine.ts';
import {ArgumentError} from '../errors.ts';
import type {Region} from '../images/crop-image.ts';
import {cropImage} from '../images/crop-image.ts';
import {checkRgbImage, type RgbImage} from '../images/image.ts';
import {faceLandmark68, landmarkCount} from '../models/face/face-landmark-68.ts';
import {faceRecognition} from '../models/face/face-recognition.ts';
import {tinyFaceDetector} from '../models/face/tiny-face-detector.ts';
import {type DeviceSpec, openDevice} from '../runtime/device.ts';
import {decodeDetections} from './decode-detections.ts';
import type {Face, Point} from './face.ts';
import {alignedSquare, visiblePart} from './face-region.ts';
import {LoadedFaceNetwork} from './loaded-face-network.ts';
import {paddedSquare} from './padded-square.ts';
import {suppressOverlaps} from './suppress-overlaps.ts';

/** Where faces are looked for. */
export interface FaceAnalyzerOptions {
  /** Default: the first CUDA device, else the CPU. */
  readonly device?: DeviceSpec | undefined;
}

/** How a call can be ended. */
export type FaceCallOptions = Pick<RunOptions, 'signal'>;

interface Networks {
  readonly detector: LoadedFaceNetwork;
  readonly landmarks: LoadedFaceNetwork;
  readonly recognition: LoadedFaceNetwork;
}

/** Finds faces and compares whose they are, with face-api's weights. Made by `load`; freed by `dispose`. */
export class FaceAnalyzer {
  readonly #engine: Engine;
  readonly #networks: Networks;

  private constructor(engine: Engine, networks: Networks) {
    this.#engine = engine;
    this.#networks = networks;
  }

  /**
   * @param folder with face-api's weights, `node_modules/@vladmandic/face-api/model` where npm puts them
   * @throws FileError, WeightsError where the folder does not have `tiny_face_detector_model`, `face_landmark_68_model` and
   *   `face_recognition_model`; DeviceError
   */
  static async load(folder: string, {device = 'auto'}: FaceAnalyzerOptions = {}): Promise<FaceAnalyzer> {
    const engine = new Engine(openDevice(device));
    const [detector, landmarks, recognition] = await Promise.all([
      LoadedFaceNetwork.load(engine, tinyFaceDetector, folder),
      LoadedFaceNetwork.load(engine, faceLandmark68, folder),
      LoadedFaceNetwork.load(engine, faceRecognition, folder),
    ]);
    return new FaceAnalyzer(engine, {detector, landmarks, recognition});
  }

  /**
   * All faces of a picture, the surest first. Those smaller than about a tenth of its longer side are missed.
   *
   * @throws ArgumentError for what is no decoded picture; the signal's reason on abort
   */
  async detect(image: RgbImage, options: FaceCallOptions = {}): Promise<Face[]> {
    checkRgbImage('image', image);
    const grid = await this.#networks.detector.run(image, options);
    const faces: Face[] = [];
    for (const detection of suppressOverlaps(decodeDetections(grid, paddedSquare(image)))) {
      const region = visiblePart(detection.box, image);
      if (region === undefined) continue;
      faces.push({...detection, landmarks: await this.#landmarks(image, region, options)});
    }
    return faces;
  }

  /**
   * 128 numbers that tell whose face it is. Those of one person lie less than about 0.6 apart in Euclidean distance, those of
   * different persons farther (dlib's threshold). The face is found by its landmarks alone.
   *
   * @throws ArgumentError for what is no decoded picture, or landmarks that are not 68 or lie outside of it; the signal's
   *   reason on abort
   */
  async identity(
    image: RgbImage,
    {landmarks}: Pick<Face, 'landmarks'>,
    options: FaceCallOptions = {},
  ): Promise<Float32Array> {
    checkRgbImage('image', image);
    if (landmarks.length !== landmarkCount) {
      throw new ArgumentError(
        `face.landmarks: expected ${landmarkCount} points, got ${landmarks.length}. Give a face that detect has found.`,
      );
    }
    const region = visiblePart(alignedSquare(landmarks), image);
    if (region === undefined) {
      throw new ArgumentError(
        `face.landmarks: expected points of a face in a picture of ${image.width}x${image.height} pixels, but there is ` +
          'no pixel of it where they lie. Is it a face of this picture?',
      );
    }
    return this.#networks.recognition.run(cropImage(image, region), options);
  }

  /** Frees the weights; calls in flight finish first. */
  dispose(): Promise<void> {
    return this.#engine.dispose();
  }

  async #landmarks(image: RgbImage, region: Region, options: FaceCallOptions): Promise<Point[]> {
    const shares = await this.#networks.landmarks.run(cropImage(image, region), options);
    const {toPicture} = paddedSquare(region);
    return Array.from({length: landmarkCount}, (_, index) => {
      const {x, y} = toPicture({x: shares[2 * index]!, y: shares[2 * index + 1]!});
      return {x: region.left + x, y: region.top + y};
    });
  }
}
