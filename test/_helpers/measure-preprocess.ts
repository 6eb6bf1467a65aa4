/**
 * Run as a process: prepares a picture of 12 megapixels for CLIP and prints, in milliseconds of processor time, how
 * long that took (`whole`) and the longest time between two turns of a timer of 10 ms (`longestTurn`).
 */
import {preprocessForClip} from '../../lib/images/clip-preprocess.ts';
import {noiseImage} from './image-fixtures.ts';

const image = noiseImage(4000, 3000);
const begin = process.cpuUsage();
let turn = begin;
let longestTurn = 0;

const timer = setInterval(endTurn, 10);
await preprocessForClip(image);
endTurn();
clearInterval(timer);
process.stdout.write(JSON.stringify({whole: millisecondsSince(begin), longestTurn}));

function endTurn(): void {
  longestTurn = Math.max(longestTurn, millisecondsSince(turn));
  turn = process.cpuUsage();
}

function millisecondsSince(start: NodeJS.CpuUsage): number {
  const {user, system} = process.cpuUsage(start);
  return (user + system) / 1000;
}
