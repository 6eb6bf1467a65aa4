import {clearLine, cursorTo} from 'node:readline';

/** A line on standard error in a bar's place; the bar draws itself anew on the line below. */
export function writeAboveBar(line: string): void {
  cursorTo(process.stderr, 0);
  clearLine(process.stderr, 0);
  process.stderr.write(`${line}\n`);
}
