/** The command that this process was started with, as a shell takes it. */
export function commandLine(): string {
  return ['ipai', ...process.argv.slice(2).map(quote)].join(' ');
}

function quote(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
