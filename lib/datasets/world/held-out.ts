/**
 * Combinations that no training picture shows, though it shows each of their parts in others: what a model makes of
 * them, it was not taught by heart.
 */
import type {Factors} from './factors.ts';
import {layoutNames} from './layouts.ts';
import {objectKinds} from './objects.ts';
import {hairForms} from './portrait/person.ts';
import type {Split} from './splits.ts';
import {styleNames} from './styles.ts';

/**
 * Of scenes, one kind and style in eight, and each kind with one layout; of portraits, one form of hair and style in
 * eight. Each kind, layout, style and form of hair is in some pair, and in others that are not held out.
 */
export function isHeldOut(factors: Factors): boolean {
  const style = styleNames.indexOf(factors.style.name);
  if (factors.type === 'portrait') return (hairForms.indexOf(factors.person.hair) + 3 * style) % 8 === 2;
  const kind = objectKinds.indexOf(factors.object.kind);
  const layout = layoutNames.indexOf(factors.layout.name);
  return (kind + 5 * style) % 8 === 0 || (3 * kind + layout) % 8 === 5;
}

/** Whether a split may ask for this picture: test sets ask for what is held out, the others for all else. */
export function belongsTo(split: Split, factors: Factors): boolean {
  return isHeldOut(factors) === (split === 'test');
}
