/**
 * Where and how the models of a pipeline run, from its settings.
 */
import {Engine} from '../engine/engine.ts';
import {openDevice} from '../runtime/device.ts';
import type {ComponentSettings} from './components/component.ts';
import {computeDType} from './compute-dtype.ts';
import {EncodingCache} from './encoding-cache.ts';
import {checkRange} from './generate-options.ts';
import {keepOptions, type RunSettings} from './load-options.ts';

/** @throws DeviceError for a device that cannot be had; ArgumentError */
export function componentSettings(settings: RunSettings): ComponentSettings {
  const cacheBytes = checkRange('encodingCacheBytes', settings.encodingCacheBytes ?? 0, 0);
  const device = openDevice(settings.device ?? 'auto');
  return {
    engine: new Engine(device, keepOptions(settings)),
    dtype: computeDType(settings.dtype, device),
    encodings: cacheBytes === 0 ? undefined : new EncodingCache(cacheBytes),
  };
}
