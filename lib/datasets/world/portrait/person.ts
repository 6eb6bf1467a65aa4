/**
 * A person: what stays the same from picture to picture. Names are values of factors; colours are how they are drawn.
 */

export const skinTones = {
  porcelain: '#fbe3d2',
  light: '#f3c9a5',
  tan: '#d9a066',
  brown: '#a86b3f',
  dark: '#6b4226',
};
export const hairColors = {
  black: '#25201f',
  brown: '#6e4424',
  blond: '#e8c25a',
  red: '#c2502a',
  grey: '#b4b8bd',
  blue: '#3f7fd0',
};
export const eyeColors = {brown: '#5d3a1e', blue: '#2f7fc4', green: '#3f9a5a', black: '#1c1c24'};
export const hairForms = ['bald', 'short', 'long', 'curly', 'bun', 'mohawk', 'bob', 'braids'] as const;
export const faceShapes = ['round', 'oval', 'square', 'long'] as const;
export const noses = ['small', 'long', 'wide'] as const;
export const glassesForms = ['none', 'round', 'square'] as const;
export const beards = ['none', 'moustache', 'goatee', 'full'] as const;

export interface Person {
  readonly skin: keyof typeof skinTones;
  readonly hair: (typeof hairForms)[number];
  readonly hairColor: keyof typeof hairColors;
  readonly face: (typeof faceShapes)[number];
  readonly eyes: keyof typeof eyeColors;
  readonly nose: (typeof noses)[number];
  readonly glasses: (typeof glassesForms)[number];
  readonly beard: (typeof beards)[number];
}

/** What changes between pictures of a person. */
export const expressions = ['smiling', 'sad', 'surprised', 'calm', 'angry', 'winking'] as const;
export type Expression = (typeof expressions)[number];
