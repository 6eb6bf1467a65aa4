import test from 'ava';
import {scoreIdentity} from '../../lib/evaluation/score-identity.ts';
import {FaceAnalyzer} from '../../lib/faces/face-analyzer.ts';
import {cropImage} from '../../lib/images/crop-image.ts';
import {faceModels, facePhotograph} from '../_helpers/face-fixture.ts';
import {noiseImage} from '../_helpers/image-fixtures.ts';

test('1 for the same picture, nearly 1 for a part of it, 0 where nobody is; unknown where nobody was', async t => {
  const faces = await FaceAnalyzer.load(faceModels, {device: 'cpu'});
  const photograph = await facePhotograph();
  const score = (condition: typeof photograph, picture: typeof photograph) =>
    scoreIdentity(faces, condition, picture, {});
  t.true(Math.abs((await score(photograph, photograph))! - 1) < 1e-9);
  const part = cropImage(photograph, {left: 0, top: 120, width: 416, height: 296});
  const [there, back] = [await score(photograph, part), await score(part, photograph)];
  t.true(there! > 0.95, `${there}`);
  t.is(there, back);
  t.is(await score(photograph, noiseImage(64, 64)), 0);
  t.is(await score(noiseImage(64, 64), photograph), undefined);
});
