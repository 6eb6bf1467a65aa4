import {Command, Option} from '@commander-js/extra-typings';
import {type PullOptions, pullModel} from '../../hub/pull-model.ts';
import {interruptible} from '../interrupt.ts';
import {collect} from '../options/parse-values.ts';
import {showPullProgress} from '../pull-progress.ts';

interface Flags {
  readonly revision?: string | undefined;
  readonly exclude?: readonly string[] | undefined;
  readonly variant?: PullOptions['variant'];
  readonly cacheDir?: string | undefined;
  readonly offline?: true | undefined;
  readonly json?: true | undefined;
}

export function pullCommand() {
  return new Command('pull')
    .description('download a model from the Hugging Face hub and print its folder, as --model takes it')
    .argument('<repository>', "its name on the hub, such as 'stable-diffusion-v1-5/stable-diffusion-v1-5'")
    .argument('[files...]', 'files, folders or globs (default: what this package can use)')
    .option('--revision <name>', 'branch, tag or commit (default: main)')
    .option('--exclude <glob>', 'leave out what matches; may be given several times', collect)
    .addOption(
      new Option('--variant <name>', 'weights of half the size, of models that have them').choices([
        'fp16',
      ] as const),
    )
    .option('--cache-dir <folder>', 'in place of HF_HUB_CACHE, which Python uses too')
    .option('--offline', 'only look in the cache, as HF_HUB_OFFLINE=1 does')
    .option('--json', 'print one JSON object at the end')
    .addHelpText(
      'after',
      '\nHF_TOKEN opens what is private or gated; HF_ENDPOINT names another hub. The same command goes on with what ' +
        'was cut off.',
    )
    .action((repository, files, flags) => interruptible(signal => run(repository, files, flags, signal)));
}

async function run(
  repository: string,
  files: readonly string[],
  {json, cacheDir, ...flags}: Flags,
  signal: AbortSignal,
): Promise<void> {
  const {onProgress, onRetry, stop} = showPullProgress();
  try {
    const pulled = await pullModel(repository, {
      ...flags,
      files,
      cacheFolder: cacheDir,
      signal,
      onProgress,
      onRetry,
    });
    stop();
    process.stdout.write(json ? `${JSON.stringify(pulled)}\n` : `${pulled.folder}\n`);
  } finally {
    stop();
  }
}
