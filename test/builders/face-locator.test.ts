import test from 'ava';
import {faceLocator} from '../../lib/builders/face-locator.ts';
import type {FaceAnalyzer} from '../../lib/faces/face-analyzer.ts';
import {noiseImage} from '../_helpers/image-fixtures.ts';

/** An analyzer that finds these faces in every picture. */
const finding = (...faces: object[]) => ({detect: async () => faces}) as unknown as FaceAnalyzer;

test("eyes are the means of their points, in CelebA's order; the surest face counts", async t => {
  const landmarks = Array.from({length: 68}, (_, i) => ({x: i, y: 2 * i}));
  const locate = faceLocator(finding({landmarks}, {landmarks: []}));
  const expected = [
    [38.5, 77],
    [44.5, 89],
    [30, 60],
    [48, 96],
    [54, 108],
  ] as const;
  t.deepEqual(await locate(noiseImage(8, 8), undefined), expected);
});

test('where no face is, there are no landmarks', async t => {
  t.is(await faceLocator(finding())(noiseImage(8, 8), undefined), undefined);
});
