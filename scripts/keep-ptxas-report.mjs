// Compiler launcher of the CUDA build: runs the command it is given, and keeps what ptxas reports of each kernel's
// registers and spills in <object>.ptxas, out of the build's output.
import {spawnSync} from 'node:child_process';
import {writeFileSync} from 'node:fs';

const [command, ...args] = process.argv.slice(2);
const {status, stderr, error} = spawnSync(command, args, {
  stdio: ['inherit', 'inherit', 'pipe'],
  encoding: 'utf8',
  maxBuffer: 1 << 28,
});
if (error) throw error;
const isReport = line => /^ptxas info|^\s+\d+ bytes (stack frame|cumulative)/.test(line);
const lines = stderr.split('\n');
process.stderr.write(lines.filter(line => !isReport(line)).join('\n'));
const object = args[args.indexOf('-o') + 1];
if (args.includes('-o')) writeFileSync(`${object}.ptxas`, lines.filter(isReport).join('\n'));
process.exitCode = status ?? 1;
