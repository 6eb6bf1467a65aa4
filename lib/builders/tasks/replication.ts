/**
 * Replication: a picture is condition and target in one, and its own prompt the prompt (Rowles et al. 2024, §3.4).
 */
import type {Builder} from '../builder.ts';
import {type Captioner, captionOf, noCaption} from '../captions.ts';
import {isPicture, loadPicture, pictureFilters, shrinkTo} from '../pictures.ts';
import type {PictureSource, SourcePicture} from '../sources/picture-source.ts';

export interface ReplicationOptions {
  readonly source: PictureSource;
  readonly size: number;
  readonly seed: number;
  readonly captioner?: Captioner | undefined;
}

export function replicationBuilder({
  source,
  size,
  seed,
  captioner,
}: ReplicationOptions): Builder<SourcePicture> {
  return {
    task: 'replication',
    description: `Of ${source.description}: each picture is condition and target, and its prompt the prompt.`,
    filters: [...pictureFilters, 'pictures without a prompt'],
    batchSize: 1,
    drafts: () => source.shuffled(seed),
    async make(batch, signal) {
      return Promise.all(
        batch.map(async ({draft}) => {
          const loaded = await loadPicture(draft);
          if (!isPicture(loaded)) return loaded;
          const {image, caption, credit} = loaded;
          const picture = await shrinkTo(image, size);
          const prompt = await captionOf(picture, caption, captioner, signal, {prefersSource: true});
          if (prompt === undefined) return noCaption;
          const fields = {prompt, conditionPrompt: prompt};
          return {fields, target: picture, condition: picture, sources: [credit]};
        }),
      );
    },
  };
}
