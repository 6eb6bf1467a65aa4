/** A line on standard error about what does not stop the work. */
export function warn(message: string): void {
  process.stderr.write(`warning: ${message}\n`);
}
