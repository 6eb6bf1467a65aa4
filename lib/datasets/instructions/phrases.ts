/**
 * Alternatives that templates of all tasks share.
 */

export const image =
  '{the image|this image|the picture|this picture|the reference|the given picture|the input image|the condition image}';
export const take = '{use|take|keep|copy|reuse|extract|borrow|apply}';
export const polite = '{|please }';
