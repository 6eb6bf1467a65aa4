/**
 * The tasks whose targets no source has: a model paints them (Rowles et al. 2024, §3.4).
 */
import type {Builder, BuiltSample, LeftOut, SeededDraft} from '../builder.ts';
import {type Captioner, captionOf, noCaption} from '../captions.ts';
import {shuffled} from '../in-rounds.ts';
import type {Painter, PaintRequest} from '../painter.ts';
import {centerSquare, isPicture, loadPicture, pictureFilters} from '../pictures.ts';
import type {PictureSource, SourcePicture} from '../sources/picture-source.ts';

export interface PaintedOptions {
  readonly source: PictureSource;
  readonly painter: Painter;
  /** Of conditions and targets, which are square. */
  readonly size: number;
  readonly seed: number;
  readonly captioner?: Captioner | undefined;
}

interface StyleDraft {
  readonly picture: SourcePicture;
  readonly prompt: string;
}

/** Style: a target shows what its prompt says, in the manner of its condition. */
export function styleBuilder(
  options: PaintedOptions & {readonly prompts: readonly string[]},
): Builder<StyleDraft> {
  const {source, prompts, painter, seed} = options;
  return {
    task: 'style',
    description: `Of ${source.description}: each is the condition, and the target is painted by another prompt (${painter.description}).`,
    filters: pictureFilters,
    batchSize: painter.batchSize,
    *drafts() {
      // Each pairing once; pictures, and prompts, as often as each other.
      const order = shuffled(prompts, seed);
      for (let round = 0; round < order.length; round++) {
        let place = round;
        for (const picture of source.shuffled(seed)) yield {picture, prompt: order[place++ % order.length]!};
      }
    },
    make: (batch, signal) =>
      paintAll(batch, options, signal, async ({picture, prompt}) => {
        const opened = await openSquare(picture, options, signal);
        if ('leftOut' in opened) return opened;
        return {...opened, prompt};
      }),
  };
}

/** Composition: a target has the layout of its condition, and its prompt. */
export function compositionBuilder(options: PaintedOptions): Builder<SourcePicture> {
  const {source, painter, seed} = options;
  return {
    task: 'composition',
    description: `Of ${source.description}: each is the condition, and the target is painted after its edges, by its own prompt (${painter.description}).`,
    filters: [...pictureFilters, 'pictures without a prompt'],
    batchSize: painter.batchSize,
    drafts: () => source.shuffled(seed),
    make: (batch, signal) =>
      paintAll(batch, options, signal, async picture => {
        const opened = await openSquare(picture, options, signal);
        if ('leftOut' in opened) return opened;
        return opened.imagePrompt === undefined ? noCaption : {...opened, prompt: opened.imagePrompt};
      }),
  };
}

type Sketch = Omit<PaintRequest, 'seed'> & Pick<BuiltSample, 'sources'>;

async function openSquare(
  picture: SourcePicture,
  {size, captioner}: PaintedOptions,
  signal: AbortSignal | undefined,
): Promise<Omit<Sketch, 'prompt'> | LeftOut> {
  const loaded = await loadPicture(picture);
  if (!isPicture(loaded)) return loaded;
  const image = await centerSquare(loaded.image, size);
  const imagePrompt = await captionOf(image, loaded.caption, captioner, signal, {prefersSource: true});
  return {image, imagePrompt, sources: [loaded.credit]};
}

/** Paints those of a batch that can be painted, as one batch. */
async function paintAll<Draft>(
  batch: readonly SeededDraft<Draft>[],
  {painter}: PaintedOptions,
  signal: AbortSignal | undefined,
  sketch: (draft: Draft) => Promise<Sketch | LeftOut>,
): Promise<(BuiltSample | LeftOut)[]> {
  const sketches = await Promise.all(batch.map(async ({draft, seed}) => ({...(await sketch(draft)), seed})));
  const requests = sketches.filter(item => 'image' in item);
  const painted = requests.length === 0 ? [] : await painter.paint(requests, signal);
  return sketches.map(item => {
    if (!('image' in item)) return item;
    const {prompt, image, imagePrompt, sources} = item;
    return {
      fields: {prompt, ...(imagePrompt !== undefined && {conditionPrompt: imagePrompt})},
      target: painted[requests.indexOf(item)]!,
      condition: image,
      sources,
    };
  });
}
