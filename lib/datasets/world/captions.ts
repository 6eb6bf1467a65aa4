/**
 * Captions from factors, in varied words.
 */
import type {Choices} from './choices.ts';
import type {Factors, Portrait, Scene} from './factors.ts';
import {objectCount} from './layouts.ts';
import {styleOf} from './styles.ts';
import {
  backgroundWords,
  beardWords,
  expressionWords,
  hairWords,
  kindWords,
  layoutWords,
  styleWords,
} from './words.ts';

/** What a caption may tell; what the adapter is to take from the condition must not stand in the prompt. */
export interface CaptionOptions {
  readonly tellsStyle: boolean;
  /** Where the objects stand. */
  readonly tellsLayout: boolean;
  /** Of an object: its colour; of a person: hair, glasses, beard. */
  readonly tellsLook: boolean;
}

export const tellAll: CaptionOptions = {tellsStyle: true, tellsLayout: true, tellsLook: true};

export function captionOf(factors: Factors, choices: Choices, options: CaptionOptions): string {
  const content =
    factors.type === 'scene'
      ? sceneWords(factors, choices, options)
      : portraitWords(factors, choices, options.tellsLook);
  if (!options.tellsStyle) return content;
  const {name, palette} = factors.style;
  const medium = choices.pick(styleWords[name]);
  const colors = styleOf(name).palettes[palette]!.words;
  const style = colors === '' ? medium : `${medium} ${colors}`;
  return choices.pick([
    () => `${style} of ${content}`,
    () => `${style} showing ${content}`,
    () => `${content}, ${style}`,
    () => `${content}, as ${style}`,
  ])();
}

function sceneWords(scene: Scene, choices: Choices, {tellsLayout, tellsLook}: CaptionOptions): string {
  const {object, layout, background, style} = scene;
  const count = objectCount(layout.name);
  const [one, many] = choices.pick(kindWords[object.kind]);
  const color = tellsLook && styleOf(style.name).showsColor ? `${object.color} ` : '';
  const things = subject(count, color, one, many, tellsLayout);
  const place = choices.pick(backgroundWords[background]);
  if (!tellsLayout || choices.chance(0.25)) return `${things} ${place}`;
  const where = choices.pick(layoutWords[layout.name]);
  return choices.chance(0.5) ? `${things} ${place}, ${where}` : `${things} ${where}, ${place}`;
}

function subject(count: number, color: string, one: string, many: string, tellsCount: boolean): string {
  if (count === 1) return withArticle(`${color}${one}`);
  return `${tellsCount ? ['two', 'three'][count - 2] : 'some'} ${color}${many}`;
}

function portraitWords(portrait: Portrait, choices: Choices, tellsLook: boolean): string {
  const {expression, background, shirt, style} = portrait;
  const mood = choices.pick(expressionWords[expression]);
  const who = withArticle(`${mood} ${choices.pick(['person', 'character'])}`);
  const sitter = choices.pick([`a portrait of ${who}`, who, `the face of ${who}`]);
  const look = tellsLook ? ` with ${lookWords(portrait, choices)}` : '';
  const tellsShirt = styleOf(style.name).showsColor && choices.chance(0.6);
  const dress = tellsShirt ? `, wearing ${withArticle(shirt)} shirt,` : '';
  return `${sitter}${look}${dress} ${choices.pick(backgroundWords[background])}`;
}

function lookWords({person, style}: Portrait, choices: Choices): string {
  const {hair, hairColor, glasses, beard} = person;
  const color = styleOf(style.name).showsColor ? hairColor : '';
  const features = [
    tidy(choices.pick(hairWords[hair]).replace('~', color)),
    ...(glasses === 'none' ? [] : [`${glasses} glasses`]),
    ...(beard === 'none' ? [] : [beardWords[beard]]),
  ];
  return features.length < 3 ? features.join(' and ') : `${features[0]}, ${features[1]} and ${features[2]}`;
}

/** Without the gap that a word left, and with its article. */
function tidy(text: string): string {
  return text.replace(/ +/g, ' ').trim();
}

function withArticle(text: string): string {
  return `${/^[aeiou]/.test(text) ? 'an' : 'a'} ${text}`;
}
