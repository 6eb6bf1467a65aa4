import test from 'ava';
import {formatBytes, formatSeconds} from '../../lib/inspect/format.ts';

test('bytes have three digits and a unit of thousands', t => {
  const texts = [0, 999, 1000, 99_999, 1_234_567, 12_345_678_901, 5e15].map(formatBytes);
  t.deepEqual(texts, ['0 bytes', '999 bytes', '1.00 kB', '100.0 kB', '1.23 MB', '12.3 GB', '5000 TB']);
});

test('seconds grow to minutes and hours', t => {
  const texts = [0.04, 9.94, 10.2, 59.6, 185, 4320, 1_479_600, 35_596_800].map(formatSeconds);
  t.deepEqual(texts, ['40 ms', '9.9 s', '10 s', '1 min 0 s', '3 min 5 s', '1 h 12 min', '17 d 3 h', '412 d']);
});
