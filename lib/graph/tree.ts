/**
 * Trees: nested arrays and records of leaves, the form of a traced function's arguments and results.
 */

/** A leaf, or an array or record of trees; `undefined` marks an argument left out. */
export type Tree<Leaf> = Leaf | undefined | readonly Tree<Leaf>[] | {readonly [key: string]: Tree<Leaf>};

/** The tree type `T` with each leaf `From` replaced by `To`. */
export type MapTree<T, From, To> = T extends From
  ? To
  : T extends undefined
    ? undefined
    : T extends readonly (infer Item)[]
      ? number extends T['length']
        ? readonly MapTree<Item, From, To>[]
        : {readonly [K in keyof T]: MapTree<T[K], From, To>}
      : {readonly [K in keyof T]: MapTree<T[K], From, To>};

export interface Leaf<T> {
  /** Keys and indices joined by dots; empty for a tree that is one leaf. */
  readonly path: string;
  readonly value: T;
}

/** The leaves in depth-first order of keys and indices. */
export function flattenTree<T>(tree: Tree<T>, isLeaf: (value: unknown) => value is T): Leaf<T>[] {
  const leaves: Leaf<T>[] = [];
  mapTree(tree, isLeaf, (value, path) => leaves.push({path, value}));
  return leaves;
}

/** The same tree with `map` applied to each leaf, in the order of {@link flattenTree}. */
export function mapTree<T, U>(
  tree: Tree<T>,
  isLeaf: (value: unknown) => value is T,
  map: (leaf: T, path: string) => U,
  path = '',
): Tree<U> {
  if (tree === undefined) return undefined;
  if (isLeaf(tree)) return map(tree, path);
  const below = (key: string | number) => (path === '' ? String(key) : `${path}.${key}`);
  if (Array.isArray(tree))
    return tree.map((item: Tree<T>, index) => mapTree(item, isLeaf, map, below(index)));
  return Object.fromEntries(
    Object.entries(tree as {[key: string]: Tree<T>}).map(([key, item]) => [
      key,
      mapTree(item, isLeaf, map, below(key)),
    ]),
  );
}
