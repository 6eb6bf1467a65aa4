/**
 * The models of a pipeline, from wherever they come.
 */
import type {Engine} from '../engine/engine.ts';
import type {SchedulerConfig} from '../schedulers/scheduler-config.ts';
import type {Autoencoder} from './components/autoencoder.ts';
import type {ControlNet} from './components/control-net.ts';
import type {Denoiser} from './components/denoiser.ts';
import type {TextEncoder} from './components/text-encoder.ts';
import type {AdapterModels} from './conditioning.ts';

export interface PipelineModels {
  readonly engine: Engine;
  readonly textEncoder: TextEncoder;
  readonly denoiser: Denoiser;
  readonly vae: Autoencoder;
  /** The one that is taken where none is named. */
  readonly adapter?: AdapterModels | undefined;
  readonly namedAdapters?: ReadonlyMap<string, AdapterModels> | undefined;
  readonly controlNets: readonly ControlNet[];
  readonly schedulerConfig: SchedulerConfig;
}
