// What a native build needs of the machine.
import {accessSync, constants} from 'node:fs';
import path from 'node:path';

/** Whether one of the commands is on the PATH. */
export function hasCommand(...names) {
  const folders = (process.env.PATH ?? '').split(path.delimiter);
  return names.some(name => folders.some(folder => isExecutable(path.join(folder, name))));
}

function isExecutable(file) {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** One message that names what is missing and how to get it; undefined when all is there. */
export function missingTools() {
  const missing = [];
  if (!process.env.CXX && !hasCommand('c++', 'g++', 'clang++')) missing.push('a C++17 compiler');
  if (!hasCommand('cmake')) missing.push('CMake 3.18 or newer');
  if (!hasCommand('ninja', 'make')) missing.push('make or ninja');
  if (missing.length === 0) return undefined;
  return [
    `Building ip-adapter-instruct needs ${missing.join(', ')}, which this machine has not. Install with`,
    '  Debian, Ubuntu:  sudo apt-get install g++ cmake make',
    '  Fedora:          sudo dnf install gcc-c++ cmake make',
    '  Alpine:          apk add g++ cmake make linux-headers',
    '  macOS:           xcode-select --install && brew install cmake',
  ].join('\n');
}
