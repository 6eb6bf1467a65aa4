import test from 'ava';
import {Engine} from '../../lib/engine/engine.ts';
import {RandomWeights} from '../../lib/engine/random-weights.ts';
import {parseAutoencoderKLConfig, vaeDecode, vaeEncode} from '../../lib/models/autoencoder-kl.ts';
import {Weights} from '../../lib/nn/weights.ts';
import {openDevice} from '../../lib/runtime/device.ts';
import {DeviceTensor} from '../../lib/runtime/device-tensor.ts';
import {TorchGenerator} from '../../lib/schedulers/torch-generator.ts';
import {type AutoencoderBatch, autoencoderLoss} from '../../lib/training/autoencoder-loss.ts';

test('squared errors and the divergence of the posterior, over the values of a picture', async t => {
  const engine = new Engine(openDevice('cpu'));
  const weights = new Weights(new RandomWeights('vae'));
  const config = parseAutoencoderKLConfig({block_out_channels: [8], norm_num_groups: 4});
  const generator = new TorchGenerator(1);
  const random = (shape: number[]) => ({shape, data: generator.randn(shape)});
  const [image, noise] = [random([2, 3, 8, 8]), random([2, 4, 8, 8])];
  const on = ({shape, data}: {shape: number[]; data: Float32Array}) =>
    DeviceTensor.from(engine.device, data, shape);

  const encode = engine.compile('encode', (inputs: {image: AutoencoderBatch['image']}) => {
    const {mean, logvar} = vaeEncode(weights, config, inputs, 'float32');
    return {mean, logvar};
  });
  const posterior = await encode.run({image: on(image)});
  const [mean, logvar] = [await posterior.mean.toFloat32Array(), await posterior.logvar.toFloat32Array()];
  const latents = mean.map((value, i) => value + Math.exp(logvar[i]! / 2) * noise.data[i]!);
  const decode = engine.compile('decode', (inputs: {latents: AutoencoderBatch['noise']}) =>
    vaeDecode(weights, config, inputs, 'float32'),
  );
  const decoded = await (
    await decode.run({latents: on({shape: noise.shape, data: latents})})
  ).toFloat32Array();
  const errors = decoded.reduce((sum, value, i) => sum + (value - image.data[i]!) ** 2, 0);
  const divergence = mean.reduce(
    (sum, value, i) => sum + (value ** 2 + Math.exp(logvar[i]!) - 1 - logvar[i]!) / 2,
    0,
  );

  for (const klWeight of [0, 0.5]) {
    const compiled = engine.compile('loss', (batch: AutoencoderBatch) =>
      autoencoderLoss({encoder: weights, decoder: weights}, config, batch, {klWeight, dtype: 'float32'}),
    );
    const {loss} = await compiled.run({image: on(image), noise: on(noise)});
    const [value] = await loss.toFloat32Array();
    const expected = (errors + klWeight * divergence) / image.data.length;
    t.true(Math.abs(value! / expected - 1) < 1e-4, `${value} ${expected}`);
  }
  await engine.dispose();
});
