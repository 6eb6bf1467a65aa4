/**
 * The two ways in which the paper's targets are painted (Rowles et al. 2024, §3.4), by a pipeline.
 */
import {ArgumentError} from '../errors.ts';
import {blockPreset} from '../pipelines/block-presets.ts';
import type {GenerateOptions} from '../pipelines/generate-options.ts';
import type {IPAdapterInstructPipeline} from '../pipelines/ip-adapter-instruct-pipeline.ts';
import type {Painter, PaintRequest} from './painter.ts';

/** What paints, and how. */
export interface PainterOptions {
  readonly pipeline: IPAdapterInstructPipeline;
  /** Of pictures, in pixels; a multiple of 8. */
  readonly size: number;
  readonly batchSize: number;
  /** Whatever else `generate` is to be told. */
  readonly generation?: Pick<
    GenerateOptions,
    | 'negativePrompt'
    | 'numInferenceSteps'
    | 'guidanceScale'
    | 'scheduler'
    | 'ipAdapterScale'
    | 'controlnetConditioningScale'
  >;
}

/**
 * InstantStyle (Wang et al. 2024): the adapter attends in the block for style alone. With a classic adapter, whose image
 * embedding shares a space with texts, what the picture shows is subtracted where it is known.
 *
 * @throws ArgumentError where the pipeline has no adapter
 */
export function instantStylePainter({pipeline, size, batchSize, generation}: PainterOptions): Painter {
  const {adapter} = pipeline.models;
  if (adapter === undefined) {
    throw new ArgumentError(
      'adapter: expected a pipeline with an IP-Adapter, which paints by style, got none. Load one.',
    );
  }
  const {kind, imageWidth} = adapter.adapter.description;
  const subtracts =
    kind === 'classic' && adapter.instructionEncoder.encoder.config.projectionDim === imageWidth;
  return {
    description: `InstantStyle${subtracts ? ', less the content of the condition,' : ''} with an adapter of the kind "${kind}"`,
    batchSize,
    paint: (requests, signal) =>
      paint(pipeline, requests, size, signal, {
        ipAdapterScale: blockPreset('instantstyle:style'),
        ipAdapterImage: requests.map(({image}) => ({...image, channels: 3 as const})),
        ...(subtracts && {negContentPrompt: requests.map(({imagePrompt}) => imagePrompt ?? '')}),
        ...generation,
      }),
  };
}

/**
 * A scribble ControlNet on Canny edges of the picture, as thick as drawn lines. Pictures come one at a time, as all of a
 * generation share its control picture.
 *
 * @throws ArgumentError unless the pipeline has one ControlNet
 */
export function scribblePainter({pipeline, size, generation}: Omit<PainterOptions, 'batchSize'>): Painter {
  const {length} = pipeline.models.controlNets;
  if (length !== 1) {
    throw new ArgumentError(
      `controlNets: expected a pipeline with one scribble ControlNet, got ${length}. Load one.`,
    );
  }
  return {
    description: 'a scribble ControlNet on Canny edges',
    batchSize: 1,
    paint: async (requests, signal) => {
      const pictures = [];
      for (const request of requests) {
        const {image} = request;
        const options = {
          controlImage: {...image, channels: 3 as const},
          controlPreprocess: 'scribble' as const,
        };
        pictures.push(...(await paint(pipeline, [request], size, signal, {...options, ...generation})));
      }
      return pictures;
    },
  };
}

async function paint(
  pipeline: IPAdapterInstructPipeline,
  requests: readonly PaintRequest[],
  size: number,
  signal: AbortSignal | undefined,
  options: Partial<GenerateOptions>,
) {
  const {images} = await pipeline.generate({
    ...options,
    prompt: requests.map(({prompt}) => prompt),
    seed: requests.map(({seed}) => seed),
    width: size,
    height: size,
    ...(signal !== undefined && {signal}),
    // Long prompts are cut, as in training.
    onWarning: () => undefined,
  });
  return images.map(({image}) => image!);
}
