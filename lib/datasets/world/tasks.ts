/**
 * Samples of the five tasks, by the recipes of Rowles et al. 2024, §3.4, with drawn pictures in place of found ones.
 */
import {type CaptionOptions, captionOf, tellAll} from './captions.ts';
import {Choices} from './choices.ts';
import type {Crop} from './crop-object.ts';
import {drawFactors, drawPortrait, drawScene, drawUntil} from './draw-factors.ts';
import type {Factors, Scene} from './factors.ts';
import {belongsTo} from './held-out.ts';
import {type Split, sampleSeed} from './splits.ts';
import {styleOf} from './styles.ts';
import {kindWords} from './words.ts';

/** The tasks of the drawn world: the paper's, in the order in which samples take turns. */
export const worldTasks = ['replication', 'style', 'object', 'composition', 'face'] as const;
/** One of `worldTasks`. */
export type WorldTask = (typeof worldTasks)[number];

/** A sample before it is drawn. */
export interface WorldSample {
  readonly task: WorldTask;
  readonly prompt: string;
  /** Takes the place of "object" in the instruction. */
  readonly objectName?: string;
  readonly target: Factors;
  readonly condition: {readonly factors: Factors; readonly crop?: Crop};
  /** A caption that tells all of the condition's factors; where it is the target, the prompt. */
  readonly conditionPrompt: string;
  /** A caption that tells all of the target that captions tell; none of a face, of whom they tell too little. */
  readonly targetPrompt?: string;
}

/** Of the conditions of faces (§3.4). */
const zoomedShare = 0.5;

/**
 * A sample of a task. Pictures of training and validation sets show no held-out combination; each target of a test set
 * shows one.
 *
 * @param index among the samples of the set; equal split, seed, index and task give equal samples
 * @throws ArgumentError for a seed or index that is none
 */
export function worldSample(task: WorldTask, split: Split, seed: number, index: number): WorldSample {
  const choices = new Choices(sampleSeed(split, seed, index));
  const drawn = recipes[task](choices, split);
  const {target, condition, prompt} = drawn;
  // Drawn last, so that they change nothing of the sample.
  const isTarget = condition.factors === target;
  const conditionPrompt = isTarget ? prompt : captionOf(condition.factors, choices, tellAll);
  if (task === 'face') return {...drawn, conditionPrompt};
  return {...drawn, conditionPrompt, targetPrompt: isTarget ? prompt : captionOf(target, choices, tellAll)};
}

type Recipe = (choices: Choices, split: Split) => Omit<WorldSample, 'conditionPrompt' | 'targetPrompt'>;

const recipes: Readonly<Record<WorldTask, Recipe>> = {
  /** Target and condition are one picture, the prompt is its caption. */
  replication(choices, split) {
    const target = forTarget(split, () => drawFactors(choices));
    return sample('replication', choices, tellAll, target, {factors: target});
  },

  /** Another picture in the same style; the prompt tells all but the style. */
  style(choices, split) {
    const condition = forCondition(split, () => drawFactors(choices));
    const {style} = condition;
    const target = forTarget(split, () =>
      drawUntil(
        () => (choices.chance(0.25) ? drawPortrait(choices, {style}) : drawScene(choices, {style})),
        drawn => drawn.type === 'portrait' || !isSameKind(drawn, condition),
      ),
    );
    return sample('style', choices, {...tellAll, tellsStyle: false}, target, {factors: condition});
  },

  /** The same object in a new scene and style; the prompt tells of the scene, and not how the object looks. */
  object(choices, split) {
    const condition = forCondition(split, () =>
      drawUntil(
        () => drawScene(choices),
        ({layout, style}) => isCropped.has(layout.name) && styleOf(style.name).showsColor,
      ),
    );
    const {object} = condition;
    const target = forTarget(split, () => drawScene(choices, {object}));
    return {
      ...sample('object', choices, {...tellAll, tellsLook: false}, target, {
        factors: condition,
        crop: {padding: randomColor(choices), margin: choices.between(0, 0.16)},
      }),
      objectName: kindWords[object.kind][0]![0],
    };
  },

  /** The same layout with other things in another style; the prompt tells all but the layout. */
  composition(choices, split) {
    const condition = forCondition(split, () => drawScene(choices));
    const {layout} = condition;
    const target = forTarget(split, () =>
      drawUntil(
        () => drawScene(choices, {layout}),
        drawn => !isSameKind(drawn, condition) && drawn.style.name !== condition.style.name,
      ),
    );
    return sample('composition', choices, {...tellAll, tellsLayout: false}, target, {factors: condition});
  },

  /** Another picture of the same person; half of the conditions are zoomed in on the face. */
  face(choices, split) {
    const condition = forCondition(split, () =>
      drawUntil(
        () => drawPortrait(choices),
        ({style}) => styleOf(style.name).showsColor,
      ),
    );
    const {person, pose} = condition;
    const target = forTarget(split, () => drawPortrait(choices, {person}));
    const zoom = choices.between(1.35, 1.6);
    const factors = choices.chance(zoomedShare) ? {...condition, pose: {...pose, zoom, shift: 0}} : condition;
    return sample('face', choices, {...tellAll, tellsLook: false}, target, {factors});
  },
};

/** Layouts whose object is large enough to be cut out. */
const isCropped: ReadonlySet<string> = new Set(['centre', 'left', 'right', 'closeUp']);

function sample(
  task: WorldTask,
  choices: Choices,
  tells: CaptionOptions,
  target: Factors,
  condition: WorldSample['condition'],
): ReturnType<Recipe> {
  return {task, prompt: captionOf(target, choices, tells), target, condition};
}

function forTarget<T extends Factors>(split: Split, draw: () => T): T {
  return drawUntil(draw, drawn => belongsTo(split, drawn));
}

/** What a test is about is its target; its condition may be any picture. */
function forCondition<T extends Factors>(split: Split, draw: () => T): T {
  return split === 'test' ? draw() : forTarget(split, draw);
}

function isSameKind(scene: Scene, other: Factors): boolean {
  return other.type === 'scene' && other.object.kind === scene.object.kind;
}

function randomColor(choices: Choices): string {
  return `#${choices
    .below(2 ** 24)
    .toString(16)
    .padStart(6, '0')}`;
}
