import {copyFile} from 'node:fs/promises';
import {join} from 'node:path';
import test from 'ava';
import {Engine} from '../../../lib/engine/engine.ts';
import {WeightsError} from '../../../lib/errors.ts';
import {LoadedFaceNetwork} from '../../../lib/faces/loaded-face-network.ts';
import {faceLandmark68} from '../../../lib/models/face/face-landmark-68.ts';
import {faceRecognition} from '../../../lib/models/face/face-recognition.ts';
import {tinyFaceDetector} from '../../../lib/models/face/tiny-face-detector.ts';
import {openDevice} from '../../../lib/runtime/device.ts';
import {faceFixture, faceModels} from '../../_helpers/face-fixture.ts';
import {floatsOf, noiseImage} from '../../_helpers/image-fixtures.ts';
import {relativeError} from '../../_helpers/relative-error.ts';
import {tempFolder} from '../../_helpers/temp-folder.ts';

const engine = new Engine(openDevice('cpu'));

for (const network of [tinyFaceDetector, faceLandmark68, faceRecognition]) {
  const {name, side} = network;

  test(`${name} gives what face-api gives`, async t => {
    const loaded = await LoadedFaceNetwork.load(engine, network, faceModels);
    const actual = await loaded.run(noiseImage(side, side), {});
    const error = relativeError(actual, floatsOf(faceFixture.noise[name]!));
    t.true(error <= 1e-5, `relative error ${error}`);
  });
}

test('refuses the weights of another network', async t => {
  const folder = await tempFolder(t);
  const [source, target] = [faceLandmark68, tinyFaceDetector].map(({name}) => `${name}_model`);
  await copyFile(
    join(faceModels, `${source}-weights_manifest.json`),
    join(folder, `${target}-weights_manifest.json`),
  );
  await copyFile(join(faceModels, `${source}.bin`), join(folder, `${source}.bin`));
  await t.throwsAsync(LoadedFaceNetwork.load(engine, tinyFaceDetector, folder), {
    instanceOf: WeightsError,
    message: /tiny_face_detector of .*missing:\n {2}conv0\.filters \[3, 3, 3, 16\]/s,
  });
});
