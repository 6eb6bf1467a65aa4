/**
 * Cases of the UNet and the VAE, alone.
 */
import {download, upload} from '../../../pipelines/host-tensor.ts';
import {type Measurement, measure, measureWhereGiven, moduleTolerance} from '../measurement.ts';
import type {ReferenceCase, ReferenceTensors} from '../reference-case.ts';
import type {ReferenceModels} from '../reference-models.ts';

/** One evaluation; samples may be at different timesteps. */
export async function checkUNet(
  models: ReferenceModels,
  _settings: ReferenceCase,
  tensors: ReferenceTensors,
): Promise<Measurement[]> {
  const {denoiser, engine} = (await models.pipeline()).models;
  const {device} = engine;
  const timesteps = tensors.get('timestep').data;
  const textKeyValues = await denoiser.textKeyValues.run({
    encoderHiddenStates: upload(device, tensors.get('encoder_hidden_states')),
  });
  const timeProjections = await denoiser.timeProjections.run({
    timesteps: upload(device, {shape: [timesteps.length], data: timesteps}),
  });
  const sample = upload(device, tensors.get('sample'));
  const output = await download(await denoiser.step([]).run({sample, timeProjections, textKeyValues}));
  return [measure('output', output, tensors.get('output'), moduleTolerance)];
}

/** Both ways; `latent` is before scaling. */
export async function checkVae(
  models: ReferenceModels,
  _settings: ReferenceCase,
  tensors: ReferenceTensors,
): Promise<Measurement[]> {
  const {vae} = (await models.pipeline()).models;
  const factor = vae.config.scalingFactor;
  const {mean, standardDeviation} = await vae.encode(tensors.get('image'));
  const latent = tensors.get('latent');
  const outputs = {
    mean: {...mean, data: mean.data.map(value => value / factor)},
    logvar: {...standardDeviation, data: standardDeviation.data.map(value => 2 * Math.log(value / factor))},
    decoded: await vae.decode({...latent, data: latent.data.map(value => value * factor)}),
  };
  return measureWhereGiven(outputs, tensors, moduleTolerance);
}
