import {FileError} from '../../errors.ts';
import {checkUNet, checkVae} from './checks/diffusion.ts';
import {checkClipText, checkClipVision, checkInstructionEncoder} from './checks/encoders.ts';
import {checkImageToImage, checkPipeline} from './checks/pipeline.ts';
import {checkProjections} from './checks/projections.ts';
import {checkTorchRandn} from './checks/random.ts';
import {checkScheduler} from './checks/scheduler.ts';
import {coarse, type Measurement, passes, worstOf} from './measurement.ts';
import {type ReferenceCase, ReferenceTensors} from './reference-case.ts';
import type {ReferenceModels} from './reference-models.ts';

type Check = (
  models: ReferenceModels,
  settings: ReferenceCase,
  tensors: ReferenceTensors,
) => Promise<Measurement[]>;

const checks: ReadonlyMap<string, Check> = new Map(
  Object.entries({
    clip_text: checkClipText,
    clip_vision: checkClipVision,
    instruction_encoder: checkInstructionEncoder,
    unet: checkUNet,
    vae: checkVae,
    projections: checkProjections,
    scheduler: checkScheduler,
    pipeline: checkPipeline,
    img2img: checkImageToImage,
    torch_randn: checkTorchRandn,
  }),
);

export interface CaseResult {
  readonly name: string;
  readonly kind: string;
  /** The measurement that decides; undefined where there was none. */
  readonly worst?: Measurement | undefined;
  readonly passed: boolean;
  /** Why a case failed, where it is not a matter of numbers. */
  readonly reason?: string;
}

/** What runs on no device, and is exact to float32 whatever the models' dtype. */
const hostKinds: ReadonlySet<string> = new Set(['scheduler', 'torch_randn']);

/** Replays one case. Never rejects: what goes wrong is the result. */
export async function checkCase(models: ReferenceModels, settings: ReferenceCase): Promise<CaseResult> {
  const {name, kind} = settings;
  try {
    const measurements = await measureCase(models, settings);
    const worst = worstOf(measurements);
    if (worst === undefined) throw new FileError('expected an output to compare, got none.');
    return {name, kind, worst, passed: measurements.every(passes)};
  } catch (error) {
    return {name, kind, passed: false, reason: error instanceof Error ? error.message : String(error)};
  }
}

async function measureCase(models: ReferenceModels, settings: ReferenceCase): Promise<Measurement[]> {
  const check = checks.get(settings.kind);
  if (check === undefined) {
    throw new FileError(`kind: expected one of ${[...checks.keys()].join(', ')}, got '${settings.kind}'.`);
  }
  const file = models.path('cases', `${settings.name}.safetensors`);
  const measurements = await check(models, settings, await ReferenceTensors.read(file));
  const isExact = hostKinds.has(settings.kind) || models.dtype === 'float32';
  return isExact ? measurements : measurements.map(coarse);
}
