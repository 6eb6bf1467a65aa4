/**
 * Words for the values of factors, for captions. The first is the plainest.
 */
import type {BackgroundName} from './backgrounds.ts';
import type {LayoutName} from './layouts.ts';
import type {ObjectKind} from './objects.ts';
import type {Expression, Person} from './portrait/person.ts';
import type {StyleName} from './styles.ts';

/** Singular and plural. */
export const kindWords: Readonly<Record<ObjectKind, readonly (readonly [one: string, many: string])[]>> = {
  balloon: [
    ['hot-air balloon', 'hot-air balloons'],
    ['balloon with a basket', 'balloons with baskets'],
  ],
  bicycle: [
    ['bicycle', 'bicycles'],
    ['bike', 'bikes'],
  ],
  cactus: [
    ['cactus', 'cacti'],
    ['potted cactus', 'potted cacti'],
  ],
  car: [
    ['car', 'cars'],
    ['automobile', 'automobiles'],
  ],
  cat: [
    ['cat', 'cats'],
    ['sitting cat', 'sitting cats'],
  ],
  cup: [
    ['cup', 'cups'],
    ['cup of coffee', 'cups of coffee'],
    ['steaming cup', 'steaming cups'],
  ],
  duck: [
    ['duck', 'ducks'],
    ['rubber duck', 'rubber ducks'],
  ],
  fish: [
    ['fish', 'fish'],
    ['striped fish', 'striped fish'],
  ],
  guitar: [
    ['guitar', 'guitars'],
    ['acoustic guitar', 'acoustic guitars'],
  ],
  house: [
    ['house', 'houses'],
    ['cottage', 'cottages'],
    ['little house', 'little houses'],
  ],
  lamp: [
    ['lamp', 'lamps'],
    ['table lamp', 'table lamps'],
  ],
  lighthouse: [
    ['lighthouse', 'lighthouses'],
    ['striped lighthouse', 'striped lighthouses'],
  ],
  mushroom: [
    ['mushroom', 'mushrooms'],
    ['toadstool', 'toadstools'],
  ],
  rocket: [
    ['rocket', 'rockets'],
    ['space rocket', 'space rockets'],
  ],
  sailingBoat: [
    ['sailing boat', 'sailing boats'],
    ['sailboat', 'sailboats'],
    ['yacht', 'yachts'],
  ],
  teapot: [
    ['teapot', 'teapots'],
    ['round teapot', 'round teapots'],
  ],
  tent: [
    ['tent', 'tents'],
    ['camping tent', 'camping tents'],
  ],
  tree: [
    ['tree', 'trees'],
    ['leafy tree', 'leafy trees'],
  ],
  umbrella: [
    ['umbrella', 'umbrellas'],
    ['open umbrella', 'open umbrellas'],
  ],
};

/** As a thing that has a picture on it, with its article. */
export const styleWords: Readonly<Record<StyleName, readonly string[]>> = {
  blueprint: ['a blueprint', 'a technical blueprint', 'a blueprint drawing'],
  chalk: ['a chalk drawing', 'a coloured chalk sketch', 'a drawing in chalk'],
  comic: ['a comic panel', 'a pop art comic', 'a bold comic drawing'],
  flat: ['a flat illustration', 'a flat poster', 'a flat vector graphic'],
  hatching: ['a hatched pen drawing', 'a pen and ink hatching', 'an ink drawing with hatching'],
  neon: ['a neon sign', 'a glowing neon drawing', 'a neon light picture'],
  papercut: ['a papercut', 'a layered papercut collage', 'a papercut illustration'],
  pixelArt: ['pixel art', 'a pixel art picture', 'a retro pixel game screen'],
  pointillist: ['a pointillist painting', 'a painting of dots', 'a pointillist picture'],
  stainedGlass: ['a stained glass window', 'stained glass', 'a stained glass picture'],
  watercolour: ['a watercolour', 'a watercolour painting', 'a watercolour wash'],
  woodcut: ['a woodcut', 'a woodcut print', 'a carved woodcut'],
};

export const backgroundWords: Readonly<Record<BackgroundName, readonly string[]>> = {
  sea: ['by the sea', 'in front of the sea', 'on the water'],
  desert: ['in the desert', 'in a sandy desert', 'among desert dunes'],
  hills: ['in green hills', 'in front of rolling hills', 'among the hills'],
  city: ['in the city', 'on a city street', 'in front of city houses'],
  room: ['in a room', 'in a room with a window', 'inside a room'],
  night: ['at night', 'under the night sky', 'on a night with stars'],
  forest: ['in the forest', 'in a forest clearing', 'in front of a fir forest'],
  mountains: ['in the mountains', 'in front of snowy mountains', 'below the mountains'],
};

export const layoutWords: Readonly<Record<LayoutName, readonly string[]>> = {
  centre: ['in the middle', 'in the centre'],
  left: ['on the left', 'on the left side'],
  right: ['on the right', 'on the right side'],
  closeUp: ['seen up close', 'in close-up'],
  distance: ['in the distance', 'far away'],
  pair: ['side by side', 'next to each other'],
  row: ['in a row', 'lined up'],
  nearAndFar: ['one near and one far', 'one close and one further away'],
};

export const expressionWords: Readonly<Record<Expression, readonly string[]>> = {
  smiling: ['smiling', 'happy', 'laughing'],
  sad: ['sad', 'unhappy'],
  surprised: ['surprised', 'astonished'],
  calm: ['calm', 'serious'],
  angry: ['angry', 'furious'],
  winking: ['winking', 'cheekily winking'],
};

/** With the colour where the `~` stands, if it is told. */
export const hairWords: Readonly<Record<Person['hair'], readonly string[]>> = {
  bald: ['a bald head', 'no hair'],
  short: ['short ~ hair', '~ hair cut short'],
  long: ['long ~ hair', '~ hair worn long'],
  curly: ['curly ~ hair', 'big ~ curls'],
  bun: ['a ~ bun', '~ hair in a bun'],
  mohawk: ['a ~ mohawk', 'a spiky ~ mohawk'],
  bob: ['a ~ bob', 'a ~ bob with a fringe'],
  braids: ['~ braids', 'two ~ braids'],
};

export const beardWords: Readonly<Record<Exclude<Person['beard'], 'none'>, string>> = {
  moustache: 'a moustache',
  goatee: 'a goatee',
  full: 'a full beard',
};
