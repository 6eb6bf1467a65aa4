import test from 'ava';
import {InvalidArgumentError} from 'commander';
import {collectLoras, parseAdapterScale} from '../../lib/cli/options/parse-values.ts';
import {blockPreset} from '../../lib/pipelines/block-presets.ts';

test('--lora takes a file, and a weight after its last colon', t => {
  const files = ['a.safetensors', 'b.safetensors:0.5', 'C:\\loras\\c.safetensors', 'D:/d:e.bin:-1'];
  const loras = files.reduce<ReturnType<typeof collectLoras>>((all, file) => collectLoras(file, all), []);
  t.deepEqual(loras, [
    {path: 'a.safetensors'},
    {path: 'b.safetensors', weight: 0.5},
    {path: 'C:\\loras\\c.safetensors'},
    {path: 'D:/d:e.bin', weight: -1},
  ]);
  for (const text of ['a.safetensors:', 'a.safetensors:much']) {
    t.throws(() => collectLoras(text, undefined), {instanceOf: InvalidArgumentError});
  }
});

test('--ip-adapter-scale takes numbers, JSON by block and by layer, and presets with a scale', t => {
  for (const [text, scale] of [
    ['0.6', 0.6],
    [' -1 ', -1],
    ['[1, 0.5, 0]', [1, 0.5, 0]],
    ['{"mid": 1, "up": {"block_1": [0, 0, 1]}}', {mid: 1, up: {block_1: [0, 0, 1]}}],
    ['instantstyle:style', blockPreset('instantstyle:style')],
    ['comfyui:ease-in:0.8', blockPreset('comfyui:ease-in', 0.8)],
    ['invokeai:composition:-0.5', blockPreset('invokeai:composition', -0.5)],
  ] as const) {
    t.deepEqual(parseAdapterScale(text), scale, text);
  }
  for (const [text, message] of [
    ['', /Expected a number/],
    ['style', /a preset, NAME or NAME:SCALE, of instantstyle:style, .*comfyui:ease-in/],
    ['comfyui:ease-in:much', /a preset/],
    ['comfyui:ease-in:', /a preset/],
    ['{"middle": 1}', /numbers in JSON/],
    ['["1"]', /numbers in JSON/],
    ['{"mid": 1', /or JSON: /],
  ] as const) {
    t.throws(() => parseAdapterScale(text), {instanceOf: InvalidArgumentError, message}, text);
  }
});
