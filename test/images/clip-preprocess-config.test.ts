import test from 'ava';
import {ArgumentError} from '../../lib/errors.ts';
import {clipDefaults} from '../../lib/images/clip-preprocess.ts';
import {parseClipPreprocessConfig} from '../../lib/images/clip-preprocess-config.ts';

test('an empty file means CLIP’s settings', t => {
  t.deepEqual(parseClipPreprocessConfig({}), clipDefaults);
});

test('sizes are read in each form that transformers writes', t => {
  t.like(parseClipPreprocessConfig({size: 256, crop_size: 224}), {size: 256, cropSize: 224, fit: 'crop'});
  t.like(parseClipPreprocessConfig({size: {shortest_edge: 336}, crop_size: {height: 336, width: 336}}), {
    size: 336,
    cropSize: 336,
    fit: 'crop',
  });
  t.like(parseClipPreprocessConfig({size: {height: 384, width: 384}, do_center_crop: false}), {
    cropSize: 384,
    fit: 'stretch',
  });
});

test('steps that are switched off change nothing', t => {
  const {rescaleFactor, mean, std} = parseClipPreprocessConfig({do_rescale: false, do_normalize: false});
  t.deepEqual({rescaleFactor, mean, std}, {rescaleFactor: 1, mean: [0, 0, 0], std: [1, 1, 1]});
});

const refused: [config: unknown, message: RegExp][] = [
  [null, /preprocessor_config.json: .*the whole/],
  [{do_resize: false}, /do_resize: only true/],
  [{resample: 0}, /resample: only 1 .* and 3/],
  [{size: {longest_edge: 224}}, /size/],
  [{size: {height: 224, width: 112}}, /size/],
  [{size: -1}, /size/],
  [{image_std: [1, 0, 1]}, /image_std: must be over 0/],
  [{image_mean: [0.5]}, /image_mean/],
  [{crop_size: 300}, /crop_size is 300/],
  [{do_center_crop: false}, /do_center_crop is false/],
  [{size: {height: 256, width: 256}}, /crop_size to equal .*256/],
];

for (const [config, message] of refused) {
  test(`refused: ${JSON.stringify(config)}`, t => {
    t.throws(() => parseClipPreprocessConfig(config), {instanceOf: ArgumentError, message});
  });
}
