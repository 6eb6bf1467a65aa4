import {testProp} from '@fast-check/ava';
import test from 'ava';
import fc from 'fast-check';
import type {Builder, BuiltSample} from '../../../lib/builders/builder.ts';
import type {Painter, PaintRequest} from '../../../lib/builders/painter.ts';
import type {FacePicture} from '../../../lib/builders/sources/celeba.ts';
import {findCoco, readCoco} from '../../../lib/builders/sources/coco.ts';
import {openPictures} from '../../../lib/builders/sources/open-pictures.ts';
import {faceBox, faceBuilder} from '../../../lib/builders/tasks/face.ts';
import {objectBuilder} from '../../../lib/builders/tasks/object.ts';
import {compositionBuilder, styleBuilder} from '../../../lib/builders/tasks/painted.ts';
import {noiseImage} from '../../_helpers/image-fixtures.ts';
import {coco, commonCatalog, jpeg} from '../../_helpers/source-trees.ts';

async function samplesOf<Draft>(builder: Builder<Draft>, count: number): Promise<BuiltSample[]> {
  const samples: BuiltSample[] = [];
  for (const draft of builder.drafts()) {
    if (samples.length === count) break;
    const [outcome] = await builder.make([{draft, seed: samples.length}], undefined);
    samples.push(outcome as BuiltSample);
  }
  return samples;
}

test('object: the box, padded with a colour that differs from sample to sample', async t => {
  const [set] = await findCoco(await coco(t));
  const builder = objectBuilder({pictures: await readCoco(set!), crop: 'box', size: 256, seed: 1});
  const samples = await samplesOf(builder, 4);
  for (const {condition, target, fields} of samples) {
    t.deepEqual([condition.width, condition.height], [61, 61]);
    t.deepEqual([target.width, target.height], [96, 96]);
    t.true(['teapot', 'sailing boat'].includes(fields.objectName!));
    // Below the padding of ten rows, the box's first row.
    const [below, above] = [condition.data.subarray(3 * 61 * 10), target.data.subarray(3 * (96 * 20 + 10))];
    t.deepEqual([...below.subarray(0, 3 * 61)], [...above.subarray(0, 3 * 61)]);
  }
  const colors = samples.map(({condition}) => condition.data.slice(0, 3).join());
  t.is(new Set(colors).size, 4);
});

test('face: half of the conditions are zoomed on the face', async t => {
  const bytes = await jpeg(noiseImage(120, 100));
  const pictures = Array.from(
    {length: 40},
    (_, i): FacePicture => ({
      name: `${i}`,
      person: `${i % 20}`,
      landmarks: [
        [50, 40],
        [70, 40],
        [60, 50],
        [52, 60],
        [68, 60],
      ],
      load: async () => ({bytes, caption: 'a face'}),
    }),
  );
  const samples = await samplesOf(faceBuilder({pictures, size: 512, seed: 2}), 40);
  const widths = samples.map(({condition}) => condition.width);
  t.true(widths.every(width => width === 120 || width === 60));
  const zoomed = widths.filter(width => width === 60).length;
  t.true(zoomed >= 12 && zoomed <= 28, `${zoomed} of 40`);
});

test('face: without landmarks a locator is asked, and what it does not find is left out', async t => {
  const bytes = await jpeg(noiseImage(100, 100));
  const pictures = ['a', 'b'].map(
    (name): FacePicture => ({name, person: '1', load: async () => ({bytes, caption: 'x'})}),
  );
  const outcomesOf = (builder: Builder<unknown>) =>
    Promise.all(
      Array.from(
        {length: 20},
        async (_, seed) =>
          (await builder.make([{draft: {target: pictures[0], condition: pictures[1]}, seed}], undefined))[0]!,
      ),
    );
  const blind = faceBuilder({
    pictures,
    size: 64,
    seed: 0,
    locator: async () => undefined,
  }) as Builder<unknown>;
  const outcomes = await outcomesOf(blind);
  t.true(outcomes.some(outcome => 'leftOut' in outcome && outcome.leftOut === 'no face found'));
  t.true(outcomes.some(outcome => 'target' in outcome));
  const without = await outcomesOf(faceBuilder({pictures, size: 64, seed: 0}) as Builder<unknown>);
  t.true(without.every(outcome => 'target' in outcome && outcome.condition.width === 64));
});

testProp(
  "a face's square lies in its picture",
  [
    fc.array(
      fc.tuple(fc.double({min: -50, max: 300, noNaN: true}), fc.double({min: -50, max: 300, noNaN: true})),
      {minLength: 5, maxLength: 5},
    ),
    fc.integer({min: 1, max: 200}),
    fc.integer({min: 1, max: 200}),
  ],
  (t, landmarks, width, height) => {
    const box = faceBox(landmarks, {width, height});
    t.is(box.width, box.height);
    t.true(box.width >= 1 && box.left >= 0 && box.top >= 0);
    t.true(box.left + box.width <= width && box.top + box.height <= height);
  },
);

class Recorder implements Painter {
  readonly description = 'nothing';
  readonly batchSize = 3;
  readonly requests: PaintRequest[] = [];

  async paint(requests: readonly PaintRequest[]) {
    this.requests.push(...requests);
    return requests.map(({image}) => ({...image, data: image.data.map(value => 255 - value)}));
  }
}

test('style: the painter is given the condition and another prompt; all pairings differ', async t => {
  const [painter, source] = [new Recorder(), await openPictures(await commonCatalog(t, 2))];
  const prompts = ['one', 'two', 'three'];
  const builder = styleBuilder({source, painter, prompts, size: 64, seed: 0});
  const drafts = [...builder.drafts()];
  t.is(drafts.length, 12);
  t.is(new Set(drafts.map(({picture, prompt}) => `${picture.name} ${prompt}`)).size, 12);
  const [first] = (await builder.make(
    drafts.slice(0, 1).map(draft => ({draft, seed: 5})),
    undefined,
  )) as BuiltSample[];
  t.like(painter.requests[0], {
    prompt: drafts[0]!.prompt,
    seed: 5,
    imagePrompt: first!.fields.conditionPrompt,
  });
  t.deepEqual(painter.requests[0]!.image, first!.condition);
  t.is(first!.target.data[0], 255 - first!.condition.data[0]!);
  t.is(first!.fields.prompt, drafts[0]!.prompt);
});

test('composition: a picture without a prompt is left out, and the others of its batch are painted', async t => {
  const bytes = await jpeg(noiseImage(80, 70));
  const pictures = ['a', undefined, 'c'].map((caption, i) => ({
    name: `${i}`,
    load: async () => ({bytes, caption}),
  }));
  const source = {description: 'three', count: 3, shuffled: () => pictures};
  const painter = new Recorder();
  const builder = compositionBuilder({source, painter, size: 64, seed: 0});
  const outcomes = await builder.make(
    pictures.map((draft, seed) => ({draft, seed})),
    undefined,
  );
  t.deepEqual(
    outcomes.map(outcome => ('leftOut' in outcome ? outcome.leftOut : outcome.fields.prompt)),
    ['a', 'no caption', 'c'],
  );
  t.deepEqual(
    painter.requests.map(({seed}) => seed),
    [0, 2],
  );
});
