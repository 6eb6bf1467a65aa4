/**
 * The reverse process: evaluations of the UNet for all rows of a step, guidance, and the scheduler's step.
 */

import type {RunOptions} from '../engine/compiled-function.ts';
import {NumericError} from '../errors.ts';
import type {Tensor} from '../graph/tensor.ts';
import type {MapTree} from '../graph/tree.ts';
import type {DeviceTensor} from '../runtime/device-tensor.ts';
import type {Scheduler} from '../schedulers/scheduler.ts';
import type {TorchGenerator} from '../schedulers/torch-generator.ts';
import {isActive} from './active-steps.ts';
import type {AdapterSchedule} from './adapter-schedule.ts';
import type {AttentionMapSums} from './attention-maps.ts';
import type {ControlNet} from './components/control-net.ts';
import type {Denoiser, StepInputs} from './components/denoiser.ts';
import {combineBranches} from './guidance.ts';
import {download, gatherRows, type HostTensor, joinChannels, upload} from './host-tensor.ts';
import {haveEqualRows, type Row, samplesIn} from './rows.ts';
import {type ActiveControl, disposeTree, type StepConstants} from './step-inputs.ts';

/** What inpainting with an ordinary checkpoint keeps: [samples, …] each. */
export interface KeptPicture {
  readonly imageLatents: HostTensor;
  readonly noise: HostTensor;
  readonly mask: HostTensor;
}

/** Whole samples whose rows go through the UNet together, with as many text tokens. */
export interface RowGroup {
  /** Where its rows are among all. */
  readonly places: readonly number[];
  readonly rows: readonly Row[];
  readonly constants: StepConstants;
}

export interface DenoiseRequest {
  readonly denoiser: Denoiser;
  readonly scheduler: Scheduler;
  readonly groups: readonly RowGroup[];
  /** One per sample: noise of stochastic schedulers. */
  readonly generators: readonly TorchGenerator[];
  /** Noisy latents [samples, C, h, w] at `beginStep`. */
  readonly latents: HostTensor;
  /** Index in `scheduler.timesteps` of the first step. */
  readonly beginStep: number;
  /** [samples, …]: channels that an inpainting checkpoint reads after the latents. */
  readonly extraChannels?: HostTensor | undefined;
  readonly kept?: KeptPicture | undefined;
  /** One for each slot of conditions. */
  readonly schedules: readonly AdapterSchedule[];
  readonly guidanceRescale: number;
  /** Where attention maps go; without it none are computed. */
  readonly attentionMaps?: AttentionMapSums | undefined;
  readonly onStep: (step: number, timestep: number, predOriginalSample: () => HostTensor) => void;
}

/** The clean latents [samples, C, h, w]. */
export async function denoise(request: DenoiseRequest, options: RunOptions): Promise<HostTensor> {
  const {scheduler, groups, schedules, kept, beginStep, onStep} = request;
  const {shape} = request.latents;
  let {data} = request.latents;
  for (let step = beginStep; step < scheduler.timesteps.length; step++) {
    options.signal?.throwIfAborted();
    const modelInput = {shape, data: scheduler.scaleModelInput(data, step)};
    const scales = schedules.map(schedule => schedule(step - beginStep));
    const noisePred = new Float32Array(data.length);
    for (const group of groups) {
      const prediction = await predict(request, group, scales, modelInput, step, options);
      combineRows(noisePred, group.rows, prediction, request.guidanceRescale);
    }
    expectFinite(noisePred, step);
    const sample = data;
    data = scheduler.step(noisePred, step, sample, () => drawNoise(request.generators, shape));
    if (kept !== undefined) data = keepUnmasked(kept, data, scheduler, step);
    onStep(step - beginStep, scheduler.timesteps[step]!, () => ({
      shape,
      data: scheduler.predOriginalSample(noisePred, step, sample),
    }));
  }
  return {shape, data};
}

/**
 * The UNet's output of every row of a group: [rows, C, h, w].
 *
 * @param allScales of each slot, by layer, then row of all groups
 */
async function predict(
  {denoiser, extraChannels, scheduler, beginStep, attentionMaps}: DenoiseRequest,
  {places, rows, constants}: RowGroup,
  allScales: readonly ReturnType<AdapterSchedule>[],
  modelInput: HostTensor,
  step: number,
  options: RunOptions,
): Promise<HostTensor> {
  const {device} = denoiser.engine;
  const sampleOf = rows.map(row => row.sample);
  const samples = extraChannels ? joinChannels(modelInput, extraChannels) : modelInput;
  const totalSteps = scheduler.timesteps.length - beginStep;
  const active = constants.controls.filter(span => isActive(step - beginStep, totalSteps, span));
  const counting = allScales.flatMap((scales, slot) =>
    scales === undefined ? [] : {slot, scales: scales.map(layer => places.map(place => layer[place]!))},
  );
  const images = counting.map(({slot, scales}) => {
    const shape = [scales.length, rows.length];
    return {
      ...constants.images[slot]!,
      scales: upload(device, {shape, data: Float32Array.from(scales.flat())}),
    };
  });
  const controls = active.map(control => ({
    timeProjections: upload(device, gatherRows(control.timeProjections, [step])),
    textKeyValues: control.textKeyValues,
    conditioning: control.conditioning,
    scale: upload(device, {shape: [1], data: Float32Array.of(control.scale)}),
  }));
  const inputs = {
    sample: upload(device, gatherRows(samples, haveEqualRows(rows) ? samplesIn(rows) : sampleOf)),
    timeProjections: upload(device, gatherRows(constants.timeProjections, [step])),
  };
  const own = [
    ...Object.values(inputs),
    ...images.map(({scales}) => scales),
    ...controls.flatMap(({timeProjections, scale}) => [timeProjections, scale]),
  ];
  try {
    const nets = active.map(({net}: ActiveControl) => net);
    const stepInputs = {
      sample: inputs.sample,
      timeProjections: inputs.timeProjections,
      textKeyValues: constants.textKeyValues,
      ...(images.length > 0 && {images}),
      ...(controls.length > 0 && {controls}),
    };
    if (attentionMaps !== undefined && images.length > 0) {
      const {prediction, maps} = await observe(denoiser, nets, stepInputs, options);
      attentionMaps.add({
        places,
        slots: counting.map(({slot}) => slot),
        scales: counting.map(({scales}) => scales),
        maps,
      });
      return prediction;
    }
    const prediction = await download(await denoiser.step(nets).run(stepInputs, options));
    // A UNet without cross-attention tells no rows apart.
    return prediction.shape[0] === rows.length ? prediction : gatherRows(prediction, sampleOf);
  } finally {
    for (const tensor of own) tensor.dispose();
  }
}

/** A step whose attention is observed; of all rows, as images are read by row. */
async function observe(
  denoiser: Denoiser,
  nets: readonly ControlNet[],
  inputs: MapTree<StepInputs, Tensor, DeviceTensor>,
  options: RunOptions,
): Promise<{readonly prediction: HostTensor; readonly maps: readonly (readonly HostTensor[])[]}> {
  const observed = await denoiser.observedStep(nets).run(inputs, options);
  try {
    const prediction = await download(observed.prediction);
    const maps: HostTensor[][] = [];
    for (const ofLayer of observed.attentionMaps) maps.push(await Promise.all(ofLayer.map(download)));
    return {prediction, maps};
  } finally {
    disposeTree(observed);
  }
}

/** Guidance: rows to their samples' part of `combined`. */
function combineRows(
  combined: Float32Array,
  rows: readonly Row[],
  prediction: HostTensor,
  guidanceRescale: number,
): void {
  const size = prediction.data.length / rows.length;
  for (const sample of samplesIn(rows)) {
    const mine = [...rows.entries()].filter(([, row]) => row.sample === sample);
    const predictions = mine.map(([index]) => prediction.data.subarray(index * size, (index + 1) * size));
    const branches = mine.map(([, row]) => row.branch);
    combined.set(combineBranches(branches, predictions, guidanceRescale), sample * size);
  }
}

function expectFinite(noisePred: Float32Array, step: number): void {
  if (noisePred.every(Number.isFinite)) return;
  throw new NumericError(
    `unet: expected finite predictions, got NaN or infinity at step ${step}. ` +
      'Use dtype float32, lower the guidance, or look for damaged weights; IPAI_CHECK_NAN=1 names the op.',
  );
}

function drawNoise(generators: readonly TorchGenerator[], shape: readonly number[]): Float32Array {
  const one = [1, ...shape.slice(1)];
  const drawn = generators.map(generator => generator.randn(one));
  const noise = new Float32Array(drawn.length * drawn[0]!.length);
  for (const [index, values] of drawn.entries()) noise.set(values, index * values.length);
  return noise;
}

/** Outside of the mask the picture is put back, as noisy as the next step expects it. */
function keepUnmasked(
  {imageLatents, noise, mask}: KeptPicture,
  latents: Float32Array,
  scheduler: Scheduler,
  step: number,
): Float32Array {
  const isLast = step + 1 >= scheduler.timesteps.length;
  const original = isLast ? imageLatents.data : scheduler.addNoise(imageLatents.data, noise.data, step + 1);
  const pixels = mask.data.length / mask.shape[0]!;
  const sampleSize = latents.length / mask.shape[0]!;
  return latents.map((value, index) => {
    const sample = Math.floor(index / sampleSize);
    const painted = mask.data[sample * pixels + (index % pixels)]!;
    return (1 - painted) * original[index]! + painted * value;
  });
}
