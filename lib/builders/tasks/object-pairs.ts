/**
 * Object, of a user's own pictures: two of one object, of which one, padded to a square with a random colour, is the condition.
 */
import {TorchGenerator} from '../../schedulers/torch-generator.ts';
import type {Builder, BuiltSample, LeftOut} from '../builder.ts';
import {type Captioner, captionOf, noCaption} from '../captions.ts';
import {type Pair, pairs} from '../pairs.ts';
import {isPicture, loadPicture, padToSquare, pictureFilters, shrinkTo} from '../pictures.ts';
import {randomColor} from '../random-color.ts';
import type {SourcePicture} from '../sources/picture-source.ts';

export interface ObjectPairsOptions {
  readonly objects: readonly {readonly name: string; readonly pictures: readonly SourcePicture[]}[];
  readonly size: number;
  readonly seed: number;
  readonly captioner?: Captioner | undefined;
}

interface ObjectPicture {
  readonly objectName: string;
  readonly picture: SourcePicture;
}

export function objectPairsBuilder({
  objects,
  size,
  seed,
  captioner,
}: ObjectPairsOptions): Builder<Pair<ObjectPicture>> {
  const groups = objects.map(({name, pictures}) => pictures.map(picture => ({objectName: name, picture})));
  return {
    task: 'object',
    description:
      'Of folders with pictures of one object each: of two pictures of an object one, padded to a square with a random ' +
      'colour, is the condition, the other the target; the folder\'s name takes the place of "object" in instructions.',
    filters: [...pictureFilters, 'objects with a single picture', 'pictures without a caption'],
    batchSize: 1,
    drafts: () => pairs(groups, seed),
    make: (batch, signal) => Promise.all(batch.map(item => make(item.draft, item.seed, signal))),
  };

  async function make(
    {target, condition}: Pair<ObjectPicture>,
    sampleSeed: number,
    signal: AbortSignal | undefined,
  ): Promise<BuiltSample | LeftOut> {
    const loaded = await Promise.all([loadPicture(target.picture), loadPicture(condition.picture)]);
    const [shown, cut] = loaded;
    if (!isPicture(shown)) return shown;
    if (!isPicture(cut)) return cut;
    const picture = await shrinkTo(shown.image, size);
    const prompt = await captionOf(picture, shown.caption, captioner, signal);
    if (prompt === undefined) return noCaption;
    const color = randomColor(new TorchGenerator(sampleSeed));
    return {
      fields: {
        prompt,
        objectName: target.objectName,
        conditionPrompt: cut.caption ?? `a ${target.objectName}`,
      },
      target: picture,
      condition: padToSquare(await shrinkTo(cut.image, size), color),
      sources: [shown.credit, cut.credit],
    };
  }
}
