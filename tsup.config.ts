import {defineConfig} from 'tsup';

export default defineConfig({
  entry: {
    index: 'lib/index.ts',
    cli: 'lib/cli/main.ts',
    // What the threads of training load.
    'prepare-pictures': 'lib/training/batches/prepare-pictures.ts',
  },
  format: ['esm', 'cjs'],
  target: 'node20',
  dts: {entry: {index: 'lib/index.ts'}},
  shims: true,
  clean: true,
  sourcemap: true,
  splitting: true,
});
