import type {Palette} from './palettes.ts';

/** A picture in the making: its palette, and the patterns that its shapes are filled with. */
export class Sheet {
  readonly palette: Palette;
  /** Definitions by what they hold. */
  readonly #patterns = new Map<string, {readonly id: string; readonly svg: string}>();

  constructor(palette: Palette) {
    this.palette = palette;
  }

  /** A reference for `fill`, to tiles of `side` by `side` units, turned by `angle` degrees; equal ones are defined once. */
  pattern(side: number, angle: number, content: string): string {
    const key = `${side} ${angle} ${content}`;
    const known = this.#patterns.get(key);
    if (known !== undefined) return `url(#${known.id})`;
    const id = `p${this.#patterns.size}`;
    const turned = angle === 0 ? '' : ` patternTransform="rotate(${angle})"`;
    const svg = `<pattern id="${id}" width="${side}" height="${side}" patternUnits="userSpaceOnUse"${turned}>${content}</pattern>`;
    this.#patterns.set(key, {id, svg});
    return `url(#${id})`;
  }

  /** What the drawn shapes refer to. */
  get definitions(): string {
    return [...this.#patterns.values()].map(({svg}) => svg).join('');
  }
}
