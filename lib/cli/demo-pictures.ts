/**
 * What `ipai demo` shows where it is not told otherwise: two conditions of the drawn world, each under four instructions.
 */
import {exampleInstructions} from '../datasets/instructions/example-instructions.ts';
import type {Factors} from '../datasets/world/factors.ts';

export interface DemoPicture {
  readonly instruction: string;
  readonly prompt: string;
}

export interface DemoRow {
  readonly condition: Factors;
  readonly pictures: readonly DemoPicture[];
}

const {replication, style, composition, object, face} = exampleInstructions;

export const demoRows: readonly DemoRow[] = [
  {
    condition: {
      type: 'scene',
      object: {kind: 'sailingBoat', color: 'red'},
      layout: {name: 'left', horizon: 0.55, scale: 1, shift: 0, light: 0.7},
      background: 'sea',
      style: {name: 'comic', palette: 0},
    },
    pictures: [
      {instruction: replication, prompt: ''},
      {instruction: style, prompt: 'a portrait of a happy person with long hair'},
      {instruction: composition, prompt: 'a yellow house in the mountains'},
      {instruction: object, prompt: 'a sailing boat in the middle, at night, a neon sign'},
    ],
  },
  {
    condition: {
      type: 'portrait',
      person: {
        skin: 'brown',
        hair: 'curly',
        hairColor: 'black',
        face: 'oval',
        eyes: 'green',
        nose: 'small',
        glasses: 'round',
        beard: 'none',
      },
      expression: 'smiling',
      pose: {turn: 0, tilt: 0, zoom: 1, shift: 0},
      shirt: 'orange',
      background: 'hills',
      light: 0.6,
      style: {name: 'watercolour', palette: 0},
    },
    pictures: [
      {instruction: replication, prompt: ''},
      {instruction: style, prompt: 'a green cactus in the middle of the desert'},
      {instruction: composition, prompt: 'a sad person in the city, a hatched pen drawing'},
      {
        instruction: face,
        prompt: 'a surprised person in a fir forest',
      },
    ],
  },
];
