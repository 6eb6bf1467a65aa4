import test from 'ava';
import {FileError} from '../../lib/errors.ts';
import {type Selection, selectFiles} from '../../lib/hub/select-files.ts';

function select(paths: readonly string[], selection: Selection = {}): string[] {
  return selectFiles(
    paths.map(path => ({path})),
    selection,
  ).map(({path}) => path);
}

/** As published repositories of Stable Diffusion 1.5 have them. */
const pipeline = [
  '.gitattributes',
  'README.md',
  'feature_extractor/preprocessor_config.json',
  'model_index.json',
  'safety_checker/config.json',
  'safety_checker/model.fp16.safetensors',
  'safety_checker/model.safetensors',
  'scheduler/scheduler_config.json',
  'text_encoder/config.json',
  'text_encoder/model.fp16.safetensors',
  'text_encoder/model.safetensors',
  'text_encoder/pytorch_model.bin',
  'tokenizer/merges.txt',
  'tokenizer/special_tokens_map.json',
  'tokenizer/tokenizer_config.json',
  'tokenizer/vocab.json',
  'unet/config.json',
  'unet/diffusion_pytorch_model.bin',
  'unet/diffusion_pytorch_model.fp16.bin',
  'unet/diffusion_pytorch_model.fp16.safetensors',
  'unet/diffusion_pytorch_model.non_ema.safetensors',
  'unet/diffusion_pytorch_model.safetensors',
  'v1-5-pruned-emaonly.ckpt',
  'v1-5-pruned-emaonly.safetensors',
  'v1-inference.yaml',
  'vae/config.json',
  'vae/diffusion_pytorch_model.bin',
  'vae/diffusion_pytorch_model.safetensors',
];

const configs = [
  'model_index.json',
  'scheduler/scheduler_config.json',
  'text_encoder/config.json',
  'tokenizer/merges.txt',
  'tokenizer/special_tokens_map.json',
  'tokenizer/tokenizer_config.json',
  'tokenizer/vocab.json',
  'unet/config.json',
  'vae/config.json',
];

test('of a diffusers folder: what a pipeline loads, each model once', t => {
  t.deepEqual(
    select(pipeline),
    [
      ...configs,
      'text_encoder/model.safetensors',
      'unet/diffusion_pytorch_model.safetensors',
      'vae/diffusion_pytorch_model.safetensors',
    ].sort(),
  );
});

test('weights of half the size, of the models that have them', t => {
  t.deepEqual(
    select(pipeline, {variant: 'fp16'}),
    [
      ...configs,
      'text_encoder/model.fp16.safetensors',
      'unet/diffusion_pytorch_model.fp16.safetensors',
      'vae/diffusion_pytorch_model.safetensors',
    ].sort(),
  );
});

test("torch's files, where there are no others", t => {
  const paths = pipeline.filter(path => !path.endsWith('.safetensors'));
  const bins = [
    'text_encoder/pytorch_model.bin',
    'unet/diffusion_pytorch_model.bin',
    'vae/diffusion_pytorch_model.bin',
  ];
  t.deepEqual(select(paths), [...configs, ...bins].sort());
  t.true(select(paths, {variant: 'fp16'}).includes('unet/diffusion_pytorch_model.fp16.bin'));
});

test('an index and its shards', t => {
  const shards = [
    'unet/diffusion_pytorch_model-00001-of-00002.safetensors',
    'unet/diffusion_pytorch_model-00002-of-00002.safetensors',
    'unet/diffusion_pytorch_model.safetensors.index.json',
  ];
  const torch = ['unet/pytorch_model-00001-of-00001.bin', 'unet/pytorch_model.bin.index.json'];
  t.deepEqual(select([...shards, ...torch]), shards);
});

/** As repositories of adapters have them. */
const adapters = [
  'README.md',
  'models/image_encoder/config.json',
  'models/image_encoder/model.safetensors',
  'models/image_encoder/pytorch_model.bin',
  'models/ip-adapter_sd15.bin',
  'models/ip-adapter_sd15.safetensors',
  'models/ip-adapter_sd15_vit-G.bin',
];

test('of adapters: single files, and the folders of models', t => {
  t.deepEqual(select(adapters), [
    'models/image_encoder/config.json',
    'models/image_encoder/model.safetensors',
    'models/ip-adapter_sd15.safetensors',
    'models/ip-adapter_sd15_vit-G.bin',
  ]);
});

test("of a model alone, the form that would be loaded, and no other tool's", t => {
  const paths = [
    'config.json',
    'flax_model.msgpack',
    'merges.txt',
    'model.safetensors',
    'open_clip_model.safetensors',
    'preprocessor_config.json',
    'pytorch_model.bin',
    'tf_model.h5',
  ];
  t.deepEqual(select(paths), ['config.json', 'merges.txt', 'model.safetensors', 'preprocessor_config.json']);
});

for (const [what, selection, expected] of [
  ['a file', {files: ['models/ip-adapter_sd15.bin']}, ['models/ip-adapter_sd15.bin']],
  [
    'a folder',
    {files: ['models/image_encoder']},
    ['models/image_encoder/config.json', 'models/image_encoder/model.safetensors'],
  ],
  ['a glob', {files: ['models/image_encoder/*.???']}, ['models/image_encoder/pytorch_model.bin']],
  ['a glob whose star matches slashes', {files: ['*.json']}, ['models/image_encoder/config.json']],
  [
    'several, in the order of the repository',
    {files: ['models/ip-adapter_sd15.safetensors', 'README.md']},
    ['README.md', 'models/ip-adapter_sd15.safetensors'],
  ],
  ['all but', {exclude: ['*.bin', 'models/image_encoder/*']}, ['models/ip-adapter_sd15.safetensors']],
] as const) {
  test(`by name: ${what}`, t => {
    t.deepEqual(select(adapters, selection), [...expected]);
  });
}

test('a folder that a pipeline does not read can be had by its name', t => {
  t.deepEqual(select(pipeline, {files: ['safety_checker/']}), [
    'safety_checker/config.json',
    'safety_checker/model.safetensors',
  ]);
  t.deepEqual(select(['images/a.png', 'images/b.png'], {files: ['images']}), [
    'images/a.png',
    'images/b.png',
  ]);
});

test('a name may have the signs of regular expressions', t => {
  t.deepEqual(select(['a+b (1).json', 'aab 1.json'], {files: ['a+b (?).*']}), ['a+b (1).json']);
});

test('a name that the repository has nothing for is an error that tells what it has', t => {
  t.throws(() => select(adapters, {files: ['README.md', 'models/ip-adapter.bin']}), {
    instanceOf: FileError,
    message:
      "files: expected a file, folder or glob of the repository, got 'models/ip-adapter.bin'; there is README.md, models/image_encoder/config.json, models/image_encoder/model.safetensors, models/image_encoder/pytorch_model.bin, models/ip-adapter_sd15.bin, models/ip-adapter_sd15.safetensors, models/ip-adapter_sd15_vit-G.bin.",
  });
  t.throws(() => select(pipeline, {files: ['x']}), {message: /safetensors and 18 more\.$/});
});

test('nothing to download is an error', t => {
  t.throws(() => select(['README.md', '.gitattributes']), {
    instanceOf: FileError,
    message: /expected some that this package can use.*there is README\.md/,
  });
  t.throws(() => select(adapters, {exclude: ['*']}), {instanceOf: FileError});
  t.throws(() => select([]), {instanceOf: FileError, message: /there is nothing/});
});
