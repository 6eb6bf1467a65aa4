#!/usr/bin/env bash
# Everything that only a GPU can tell, in one go: what the machine is, parity of every op, memory checks, whole models
# beside the references, and times. Leaves a folder of logs, JSON and a list of steps.
#
#   bench/gpu/run.sh [--library FILE] [--reference FOLDER] [--out FOLDER]
#
# --library    libipai_cuda.so; default: build-cuda/libipai_cuda.so, which is built first where nvcc is found
# --reference  folder of reference cases for check-reference; default: none, and that step is left out
# --out        default: bench/gpu/results/<time>
#
# Needs Node.js and a C++ compiler with CMake. A step whose tool is missing is named as skipped; the exit status is 1
# where a step failed.
set -uo pipefail
cd "$(dirname "$0")/../.."

library=build-cuda/libipai_cuda.so
reference=
out=bench/gpu/results/$(date -u +%Y%m%dT%H%M%SZ)
while [ $# -gt 0 ]; do
  case "$1" in
    --library) library=$2 ;;
    --reference) reference=$2 ;;
    --out) out=$2 ;;
    *) echo "unknown option $1: expected --library, --reference or --out" >&2; exit 2 ;;
  esac
  shift 2 || { echo "$1: expected a value" >&2; exit 2; }
done
mkdir -p "$out"
steps=$out/steps.jsonl
: > "$steps"
failed=0

# note NAME STATUS SECONDS COMMAND
note() {
  node -e 'const [name, status, seconds, command] = process.argv.slice(1);
    console.log(JSON.stringify({name, status, seconds: Number(seconds), command}))' "$@" >> "$steps"
}

# step NAME COMMAND...: runs it, keeps what it prints in NAME.log, and goes on whatever comes of it.
step() {
  local name=$1 begin=$SECONDS status=passed
  shift
  echo "== $name: $*"
  "$@" > "$out/$name.log" 2>&1 || { status="failed ($?)"; failed=1; }
  tail -n 5 "$out/$name.log"
  echo "-- $name: $status"
  note "$name" "$status" $((SECONDS - begin)) "$*"
}

# skip NAME REASON COMMAND
skip() {
  echo "-- $1: skipped, $2 (would run: $3)"
  note "$1" "skipped: $2" 0 "$3"
}

have() { command -v "$1" > /dev/null 2>&1; }

if have nvidia-smi; then
  step nvidia-smi nvidia-smi
else
  skip nvidia-smi 'not installed' nvidia-smi
fi

if [ -e "$library" ]; then
  echo "library: $library"
elif have nvcc || [ -n "${CUDACXX:-}" ]; then
  step build-library node scripts/build-cuda.mjs
else
  skip build-library "no nvcc and no $library" 'node scripts/build-cuda.mjs'
fi
if [ ! -e "$library" ]; then
  echo "no $library: nothing can be run on the device" >&2
  exit 1
fi
IPAI_CUDA_LIBRARY=$(realpath "$library")
export IPAI_CUDA_LIBRARY

step build-addon node scripts/ensure-built.mjs
step build-tests bash -c 'cmake -S . -B build-test -DIPAI_BUILD_TESTS=ON && cmake --build build-test --target cuda_device_tests --parallel'
step doctor node dist/cli.js doctor --device cuda
step doctor-json bash -c "node dist/cli.js doctor --device cuda --json > '$out/doctor.json'"

# Every op against the processor's; each twice, as launches and as a graph, with equal bits.
step parity build-test/cuda_device_tests

# A small generation, attention from JavaScript, and a training step.
step javascript env IPAI_TEST_CUDA_LIBRARY="$IPAI_CUDA_LIBRARY" \
  npx ava test/pipelines/cuda.test.ts test/pipelines/standalone-cuda.test.ts test/training/cuda.test.ts

# The smallest cases are enough for it, and it is some hundred times slower.
for tool in memcheck racecheck initcheck synccheck; do
  command="compute-sanitizer --tool $tool --error-exitcode 1 build-test/cuda_device_tests"
  if have compute-sanitizer; then
    step "sanitizer-$tool" $command
  else
    skip "sanitizer-$tool" 'compute-sanitizer is not installed' "$command"
  fi
done

for dtype in float32 float16 bfloat16; do
  command="node dist/cli.js check-reference ${reference:-FOLDER} --device cuda --dtype $dtype"
  if [ -n "$reference" ]; then
    step "reference-$dtype" $command
  else
    skip "reference-$dtype" 'no --reference was given' "$command"
  fi
done

# PYTHON names an interpreter with torch; where there is none, ours alone is measured.
for case in attention projection clip vae unet unet16; do
  step "compare-$case" npx tsx bench/gpu/compare.ts --case "$case" --json "$out/compare-$case.json"
done
step compare-pipeline npx tsx bench/gpu/compare.ts --case pipeline --repeats 3 --json "$out/compare-pipeline.json"

echo "steps, logs and JSON: $out"
exit $failed
