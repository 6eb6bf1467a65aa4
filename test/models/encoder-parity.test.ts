import {readFileSync} from 'node:fs';
import test from 'ava';
import {parseAutoencoderKLConfig, vaeDecode, vaeEncode} from '../../lib/models/autoencoder-kl.ts';
import {clipText, clipTextEmbeds, endOfTextIndices, parseClipTextConfig} from '../../lib/models/clip-text.ts';
import {
  clipVisionEmbeds,
  clipVisionPenultimate,
  parseClipVisionConfig,
} from '../../lib/models/clip-vision.ts';
import {CLIPTokenizer} from '../../lib/tokenizer/clip-tokenizer.ts';
import {readTokenizerFiles} from '../../lib/tokenizer/tokenizer-files.ts';
import {canonicalVaeTensors} from '../../lib/weights/component-names.ts';
import {openWeights} from '../../lib/weights/open-weights.ts';
import {assertParity, computeDTypes} from '../_helpers/parity.ts';
import {type FixtureTensor, readSafetensors} from '../_helpers/read-safetensors.ts';
import {type HostInput, runModel, weightsOf} from '../_helpers/run-model.ts';

const fixtures = new URL('../fixtures/', import.meta.url);
const pathOf = (name: string) => new URL(name, fixtures).pathname;
const readJson = (name: string) => JSON.parse(readFileSync(new URL(name, fixtures), 'utf8'));
const openModel = async (path: string) => weightsOf(path, (await openWeights(pathOf(path))).tensors);

function idsOf({shape, data}: FixtureTensor): HostInput {
  return {shape, data: Int32Array.from(data)};
}

/** Rows of a matrix of ids. */
function rowsOf({shape, data}: HostInput): Int32Array[] {
  const length = shape[1]!;
  return Array.from({length: shape[0]!}, (_, row) =>
    Int32Array.from(data.subarray(row * length, (row + 1) * length)),
  );
}

for (const compute of computeDTypes) {
  const {dtype} = compute;

  test(`text tower: transformers' hidden states in ${dtype}`, async t => {
    const config = parseClipTextConfig(readJson('reference/model/text_encoder/config.json'));
    const weights = await openModel('reference/model/text_encoder');
    const expected = readSafetensors(pathOf('reference/cases/clip_text.safetensors'));
    const inputs = {inputIds: idsOf(expected['input_ids']!)};
    const [states] = await runModel(symbols => clipText(weights, config, symbols, dtype), inputs);
    assertParity(t, 'last_hidden_state', states, expected['last_hidden_state'], compute);
  });

  test(`instruction tower: transformers' hidden states and embeddings in ${dtype}`, async t => {
    const config = parseClipTextConfig(readJson('reference/instruction_encoder/config.json'));
    const weights = await openModel('reference/instruction_encoder');
    const expected = readSafetensors(pathOf('reference/cases/instruction_encoder.safetensors'));
    const {texts} = readJson('reference/cases.json').cases.find(
      ({name}: {name: string}) => name === 'instruction_encoder',
    );
    const tokenizer = new CLIPTokenizer(await readTokenizerFiles(pathOf('reference/model/tokenizer')));
    const rows: Int32Array[] = texts.map((text: string) => tokenizer.encode(text).inputIds);
    const inputs = {
      inputIds: {shape: [rows.length, 77], data: Int32Array.from(rows.flatMap(row => [...row]))},
      endIndices: {shape: [rows.length], data: endOfTextIndices(config, rows)},
    };
    const [states, embeds] = await runModel(
      symbols => [clipText(weights, config, symbols, dtype), clipTextEmbeds(weights, config, symbols, dtype)],
      inputs,
    );
    assertParity(t, 'last_hidden_state', states, expected['last_hidden_state'], compute);
    assertParity(t, 'text_embeds', embeds, expected['text_embeds'], compute);
  });

  test(`text tower of other sizes, with an old config: clip skip and embeddings in ${dtype}`, async t => {
    const config = parseClipTextConfig(readJson('models/clip-text-odd/config.json'));
    const weights = await openModel('models/clip-text-odd/weights.safetensors');
    const expected = readSafetensors(pathOf('models/clip-text-odd/case.safetensors'));
    const inputIds = idsOf(expected['input_ids']!);
    const endIndices = {shape: [3], data: endOfTextIndices(config, rowsOf(inputIds))};
    const results = await runModel(
      symbols => [
        ...[0, 1, 2].map(clipSkip => clipText(weights, config, symbols, dtype, clipSkip)),
        clipTextEmbeds(weights, config, symbols, dtype),
      ],
      {inputIds, endIndices},
    );
    for (const [index, name] of [
      'last_hidden_state',
      'clip_skip_1',
      'clip_skip_2',
      'text_embeds',
    ].entries()) {
      assertParity(t, name, results[index], expected[name], compute);
    }
  });

  for (const [title, folder, weightFile, caseFile] of [
    ['vision tower', 'reference/image_encoder', '', 'reference/cases/clip_vision.safetensors'],
    [
      'vision tower of other sizes',
      'models/clip-vision-odd',
      '/weights.safetensors',
      'models/clip-vision-odd/case.safetensors',
    ],
  ] as const) {
    test(`${title}: transformers' hidden states and embeddings in ${dtype}`, async t => {
      const config = parseClipVisionConfig(readJson(`${folder}/config.json`));
      const weights = await openModel(`${folder}${weightFile}`);
      const expected = readSafetensors(pathOf(caseFile));
      const pixelValues = expected['pixel_values']!;
      const [penultimate, embeds] = await runModel(
        symbols => [
          clipVisionPenultimate(weights, config, symbols, dtype),
          clipVisionEmbeds(weights, config, symbols, dtype),
        ],
        {pixelValues},
      );
      assertParity(t, 'penultimate', penultimate, expected['penultimate'], compute);
      assertParity(t, 'image_embeds', embeds, expected['image_embeds'], compute);
    });
  }

  test(`vision tower: the all-zero image in ${dtype}`, async t => {
    const config = parseClipVisionConfig(readJson('reference/image_encoder/config.json'));
    const weights = await openModel('reference/image_encoder');
    const expected = readSafetensors(pathOf('reference/cases/clip_vision.safetensors'));
    const pixelValues = {shape: [1, 3, 224, 224], data: new Float32Array(3 * 224 * 224)};
    const [penultimate] = await runModel(symbols => clipVisionPenultimate(weights, config, symbols, dtype), {
      pixelValues,
    });
    assertParity(t, 'penultimate_zero', penultimate, expected['penultimate_zero'], compute);
  });

  for (const [title, folder, weightFile, caseFile, latents] of [
    ['autoencoder', 'reference/model/vae', '', 'reference/cases/vae.safetensors', 'latent'],
    [
      'autoencoder of other sizes',
      'models/autoencoder-odd',
      '/weights.safetensors',
      'models/autoencoder-odd/case.safetensors',
      'latents',
    ],
  ] as const) {
    test(`${title}: diffusers' latents and pictures in ${dtype}`, async t => {
      const config = parseAutoencoderKLConfig(readJson(`${folder}/config.json`));
      const {tensors} = await openWeights(pathOf(`${folder}${weightFile}`));
      const weights = weightsOf('vae', canonicalVaeTensors(tensors));
      const expected = readSafetensors(pathOf(caseFile));
      const [mean, logvar, decoded] = await runModel(
        ({image, latents}) => {
          const distribution = vaeEncode(weights, config, {image}, dtype);
          return [distribution.mean, distribution.logvar, vaeDecode(weights, config, {latents}, dtype)];
        },
        {image: expected['image']!, latents: expected[latents]!},
      );
      assertParity(t, 'mean', mean, expected['mean'], compute);
      assertParity(t, 'logvar', logvar, expected['logvar'], compute);
      assertParity(t, 'decoded', decoded, expected['decoded'], compute);
    });
  }
}
