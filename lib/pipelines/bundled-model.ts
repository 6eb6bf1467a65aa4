import {join} from 'node:path';
import {FileError} from '../errors.ts';
import {ownPackage} from '../runtime/own-package.ts';
import type {LoadOptions} from './load-options.ts';

/**
 * The small model that comes with this package, for `IPAdapterInstructPipeline.load`: five tasks in pictures of 64x64 of a
 * drawn world. Its card, `assets/world/README.md`, says what it was trained on and what it cannot do.
 *
 * @throws FileError where this package's code was bundled into another program, away from its files
 */
export function bundledModel(): Required<Pick<LoadOptions, 'model' | 'adapter' | 'imageEncoder'>> {
  const found = ownPackage();
  if (found === undefined) {
    throw new FileError(
      'bundledModel: expected the files of ip-adapter-instruct beside its code, which was bundled into another program. ' +
        "Copy the package's assets/world, and give `load` the paths.",
    );
  }
  const model = join(found.folder, 'assets', 'world');
  return {
    model,
    adapter: join(model, 'instruct.safetensors'),
    imageEncoder: join(model, 'image_encoder'),
  };
}
