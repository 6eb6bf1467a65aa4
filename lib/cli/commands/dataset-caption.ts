import {Command} from '@commander-js/extra-typings';
import {captionFolder} from '../../datasets/caption-folder.ts';
import {countProgress} from '../count-progress.ts';
import {interruptible} from '../interrupt.ts';
import {
  addLanguageModelOptions,
  type LanguageModelFlags,
  openLanguageModel,
} from '../options/language-model-options.ts';
import {warn} from '../warn.ts';

interface CaptionFlags extends LanguageModelFlags {
  readonly json?: true | undefined;
}

export function captionCommand() {
  const command = new Command('caption')
    .description('caption the pictures of a folder with a language model that reads pictures')
    .argument('<folder>', 'pictures; KEY.txt is written beside each KEY.png, KEY.jpg ... that has none');
  return addLanguageModelOptions(command)
    .option('--json', 'print one JSON object at the end')
    .action((folder, flags) => interruptible(signal => writeCaptions(folder, flags, signal)));
}

async function writeCaptions(folder: string, flags: CaptionFlags, signal: AbortSignal): Promise<void> {
  const {captioned, kept, problems} = await captionFolder(openLanguageModel(flags), folder, {
    concurrency: flags.languageConcurrency,
    signal,
    onProgress: countProgress('pictures'),
  });
  for (const {place, reason} of problems) warn(`${place}: ${reason}`);
  const leftOut = problems.length;
  if (flags.json) process.stdout.write(`${JSON.stringify({folder, captioned, kept, leftOut})}\n`);
  else process.stdout.write(`${folder}: ${captioned} captioned, ${kept} had captions, ${leftOut} left out\n`);
}
