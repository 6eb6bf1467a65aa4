/**
 * Device tensors that stay the same over a generation: keys and values, time projections, control pictures.
 */
import type {RunOptions} from '../engine/compiled-function.ts';
import {flattenTree, type Tree} from '../graph/tree.ts';
import {DeviceTensor} from '../runtime/device-tensor.ts';
import type {ControlNet} from './components/control-net.ts';
import type {Denoiser} from './components/denoiser.ts';
import type {ImageAdapter} from './components/image-adapter.ts';
import {download, type HostTensor, upload} from './host-tensor.ts';

export type DeviceKeyValue = {readonly key: DeviceTensor; readonly value: DeviceTensor};

/** Frees every tensor of a tree. */
export function disposeTree(tree: Tree<DeviceTensor>): void {
  const isTensor = (value: unknown): value is DeviceTensor => value instanceof DeviceTensor;
  for (const {value} of flattenTree(tree, isTensor)) value.dispose();
}

/** A ControlNet at work: its constants, and where it is active. */
export interface ActiveControl {
  readonly net: ControlNet;
  readonly scale: number;
  /** Shares of the steps. */
  readonly start: number;
  readonly end: number;
  readonly timeProjections: HostTensor;
  readonly textKeyValues: readonly DeviceKeyValue[];
  readonly conditioning: DeviceTensor;
}

export interface StepConstants {
  /** [timesteps, channels]: a row per step. */
  readonly timeProjections: HostTensor;
  readonly textKeyValues: readonly DeviceKeyValue[];
  /** One for each slot of conditions. */
  readonly images: readonly ImageConstants[];
  readonly controls: readonly ActiveControl[];
}

/** A condition's keys, values and masks. */
export interface ImageConstants {
  readonly keyValues: readonly DeviceKeyValue[];
  readonly masks?: readonly DeviceTensor[] | undefined;
}

/** A condition's tokens [rows, tokens, C], and masks [1, pixels]. */
export interface ImageRequest {
  readonly adapter: ImageAdapter;
  readonly tokens: HostTensor;
  readonly masks: readonly HostTensor[] | undefined;
}

/** A control picture of a generation: pixels [1, 3, H, W] in 0 … 1, for all rows. */
export interface ControlRequest {
  readonly net: ControlNet;
  readonly pixels: HostTensor;
  readonly scale: number;
  readonly start: number;
  readonly end: number;
}

/** Computes all constants of rows that share calls of the UNet; {@link disposeConstants} frees them. */
export async function prepareConstants(
  denoiser: Denoiser,
  encoderHiddenStates: HostTensor,
  imageRequests: readonly ImageRequest[],
  timesteps: readonly number[],
  controls: readonly ControlRequest[],
  options: RunOptions,
): Promise<StepConstants> {
  const {device} = denoiser.engine;
  const made: DeviceTensor[] = [];
  const keep = <T extends Tree<DeviceTensor>>(tree: T): T => {
    const isTensor = (value: unknown): value is DeviceTensor => value instanceof DeviceTensor;
    made.push(...flattenTree<DeviceTensor>(tree, isTensor).map(leaf => leaf.value));
    return tree;
  };
  const text = upload(device, encoderHiddenStates);
  const steps = upload(device, {shape: [timesteps.length], data: Float32Array.from(timesteps)});
  try {
    const textKeyValues = keep(await denoiser.textKeyValues.run({encoderHiddenStates: text}, options));
    const timeProjections = await download(await denoiser.timeProjections.run({timesteps: steps}, options));
    const images: ImageConstants[] = [];
    for (const {adapter, tokens, masks} of imageRequests) {
      const keyValues = keep(await imageKeyValuesOf(adapter, tokens, options));
      images.push({keyValues, masks: masks && keep(masks.map(mask => upload(device, mask)))});
    }
    const active: ActiveControl[] = [];
    for (const {net, pixels, scale, start, end} of controls) {
      const image = upload(device, pixels);
      try {
        active.push({
          net,
          scale,
          start,
          end,
          timeProjections: await download(await net.timeProjections.run({timesteps: steps}, options)),
          textKeyValues: keep(await net.textKeyValues.run({encoderHiddenStates: text}, options)),
          conditioning: keep(await net.conditioning.run({image}, options)),
        });
      } finally {
        image.dispose();
      }
    }
    return {timeProjections, textKeyValues, images, controls: active};
  } catch (error) {
    for (const tensor of made) tensor.dispose();
    throw error;
  } finally {
    text.dispose();
    steps.dispose();
  }
}

export function disposeConstants({textKeyValues, images, controls}: StepConstants): void {
  disposeTree([textKeyValues]);
  for (const {keyValues, masks} of images) disposeTree([keyValues, masks]);
  for (const control of controls) disposeTree([control.textKeyValues, control.conditioning]);
}

async function imageKeyValuesOf(
  adapter: ImageAdapter,
  tokens: HostTensor,
  options: RunOptions,
): Promise<readonly DeviceKeyValue[]> {
  const uploaded = upload(adapter.engine.device, tokens);
  try {
    return await adapter.keyValues.run({tokens: uploaded}, options);
  } finally {
    uploaded.dispose();
  }
}
