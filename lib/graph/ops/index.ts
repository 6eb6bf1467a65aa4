/**
 * Every op. A new family gets a line here; a new op of a family does not.
 */
export * from './attention.ts';
export * from './data.ts';
export * from './elementwise.ts';
export * from './linear.ts';
export * from './norm.ts';
export * from './optimizer.ts';
export * from './source.ts';
