/**
 * The factors of a picture: all that it is drawn from. A plain object of JSON; equal factors give equal pictures.
 */
import {z} from 'zod';
import {backgroundNames} from './backgrounds.ts';
import {type Layout, layoutNames} from './layouts.ts';
import {objectColors, objectKinds} from './objects.ts';
import {
  beards,
  expressions,
  eyeColors,
  faceShapes,
  glassesForms,
  hairColors,
  hairForms,
  noses,
  type Person,
  skinTones,
} from './portrait/person.ts';
import {styleNames, styleOf} from './styles.ts';

const share = z.number().min(0).max(1);
const names = <T extends object>(table: T) => z.enum(Object.keys(table) as [keyof T & string]);

const style = z
  .strictObject({
    name: z.enum(styleNames),
    /** Which of the style's palettes. */
    palette: z.int().nonnegative(),
  })
  .refine(({name, palette}) => palette < styleOf(name).palettes.length, 'a palette that the style has');

const layout: z.ZodType<Layout> = z.strictObject({
  name: z.enum(layoutNames),
  horizon: share,
  scale: z.number().min(0.5).max(1.5),
  shift: z.number().min(-0.5).max(0.5),
  light: share,
});

const person: z.ZodType<Person> = z.strictObject({
  skin: names(skinTones),
  hair: z.enum(hairForms),
  hairColor: names(hairColors),
  face: z.enum(faceShapes),
  eyes: names(eyeColors),
  nose: z.enum(noses),
  glasses: z.enum(glassesForms),
  beard: z.enum(beards),
});

const scene = z.strictObject({
  type: z.literal('scene'),
  object: z.strictObject({kind: z.enum(objectKinds), color: z.enum(objectColors)}),
  layout,
  background: z.enum(backgroundNames),
  style,
});

const portrait = z.strictObject({
  type: z.literal('portrait'),
  person,
  expression: z.enum(expressions),
  pose: z.strictObject({
    /** Where the face looks, from -1 (left) to 1 (right). */
    turn: z.number().min(-1).max(1),
    /** Of the head and shoulders, in degrees. */
    tilt: z.number().min(-30).max(30),
    /** 1 shows head and shoulders; the face alone fills the sheet at about 1.6. */
    zoom: z.number().min(0.5).max(3),
    /** Moves the person sideways, as a share of the sheet. */
    shift: z.number().min(-0.5).max(0.5),
  }),
  shirt: z.enum(objectColors),
  background: z.enum(backgroundNames),
  light: share,
  style,
});

/** Checks what was read from a file. */
export const factorsSchema = z.discriminatedUnion('type', [scene, portrait]);

export type StyleChoice = z.infer<typeof style>;
/** A drawn scene: all that can be said of its picture. */
export type Scene = z.infer<typeof scene>;
/** A drawn face: all that can be said of its picture. */
export type Portrait = z.infer<typeof portrait>;
/** From which a picture is drawn, and with which a reading of it is compared. */
export type Factors = Scene | Portrait;
