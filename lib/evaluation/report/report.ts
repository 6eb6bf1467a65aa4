/**
 * `report.html`: all that an evaluation found, in one file. Its pictures are JPEGs within it, so that it can be sent and put
 * anywhere by itself; the pictures in full stand in the folder.
 */
import {join} from 'node:path';
import type {Dataset} from '../../datasets/dataset.ts';
import {writeWholeFile} from '../../files/write-whole-file.ts';
import type {Evaluation} from '../evaluation.ts';
import {factorScoreNames} from '../factor-scorer.ts';
import type {PictureRecord} from '../picture-record.ts';
import {scoreCurves} from './curves.ts';
import {pictureGrids} from './grids.ts';
import {type Html, html} from './html.ts';
import {metricTitles} from './names.ts';
import {page, type Section} from './page.ts';
import {scatterPlot} from './scatter-plot.ts';
import {differenceTable, factorTable, fullTable, mainTable, rewordingTable, truthTable} from './tables.ts';

export interface ReportSource {
  readonly evaluation: Evaluation;
  readonly records: readonly PictureRecord[];
  readonly dataset: Dataset;
  /** Samples of each task in the grids. */
  readonly shownPerTask: number;
}

/**
 * Writes the report of an evaluation into its folder.
 *
 * @throws FileError where a picture cannot be read, or the file not be written
 */
export async function writeReport(folder: string, source: ReportSource): Promise<void> {
  const {evaluation} = source;
  const sections = [
    ...scoreSections(evaluation),
    ...truthSection(evaluation),
    ...curveSection(evaluation),
    ...rewordingSection(evaluation),
    ...mapSection(evaluation),
    ...(source.shownPerTask > 0 ? [await gridSection(folder, source)] : []),
    {
      title: 'All scores',
      text: 'Cosines, and CLIPScore’s 2.5 · max(cosine, 0) of those with texts.',
      content: fullTable(evaluation.scores),
    },
    provenance(evaluation),
  ];
  const text = page('Evaluation of IPAdapter-Instruct', intro(evaluation), sections);
  await writeWholeFile(join(folder, 'report.html'), [Buffer.from(text)]);
}

function intro({command, dataset, settings, leftOut, problems}: Evaluation): Html {
  const missing = Object.entries(leftOut).map(
    ([name, reason]) => html`<p>${metricTitles[name as keyof typeof leftOut]} is missing: ${reason}.</p>`,
  );
  const unread = problems.map(({place, reason}) => html`<p>Left out: ${place}: ${reason}</p>`);
  return html`<p>Every number on this page comes from this command, and it makes them again:</p><pre>${command}</pre>
<p>Held-out set: ${dataset.folder}, SHA-256 ${dataset.sha256}; the first ${settings.samplesPerTask} samples of each task,
${settings.picturesPerSample} picture${settings.picturesPerSample === 1 ? '' : 's'} each, seeds from ${settings.seed} on. A
picture’s seed gives its noise, and the instruction that is drawn from the task’s pool. All adapters had the same samples,
instructions and noise. Small numbers are 95 % intervals (percentile bootstrap over samples, ${settings.bootstrapResamples}
resamples, seed ${settings.seed}).</p>${missing}${unread}`;
}

function scoreSections({scores, targets, differences, adapters}: Evaluation): Section[] {
  const main: Section = {
    title: 'Scores',
    text:
      'As table 1 of the paper: CLIP-I is the cosine with the condition image; CLIP-T and CLIP-P are CLIPScores, ' +
      '2.5 · max(cosine, 0), with the condition’s caption and with the prompt; CLIP-S likewise of (picture − prompt) and ' +
      '(condition − caption). Identity, where it was scored, is the cosine of the faces’ descriptors, 0 for a picture that ' +
      'shows no face. Higher is better. Compare values of one CLIP model only. The targets are the held-out pictures ' +
      'themselves, brought through the autoencoder.',
    content: mainTable(scores, targets),
  };
  if (differences.length === 0) return [main];
  const text =
    `Means of the differences to ${adapters[0]!.label}, sample by sample. Bold: the interval is on one side of 0. ` +
    'Above 0, the row’s adapter is better.';
  return [main, {title: `Differences to ${adapters[0]!.label}`, text, content: differenceTable(differences)}];
}

function truthSection({scores, targets, settings}: Evaluation): Section[] {
  const isKnown = scores.some(({metrics}) => factorScoreNames.some(name => metrics[name] !== undefined));
  if (!isKnown) return [];
  const text =
    'The pictures’ conditions were drawn from factors, which a reader finds again in what was generated. Taken: of the ' +
    'factors that the task takes from the condition, those that the picture shows. Leaked: of the others, those that it ' +
    `shows though the prompt has other ones. Followed: of the prompt’s. Of the targets, which have them all, the shares say ` +
    `how often the reader is right. Reader: ${settings.factorScorer}.`;
  return [
    {
      title: 'Taken, leaked, followed',
      text,
      content: html`${truthTable([...scores, ...targets])}${factorTable([...scores, ...targets])}`,
    },
  ];
}

function curveSection({scores, history}: Evaluation): Section[] {
  const curves = scoreCurves([...history, ...scores]);
  if (curves.length === 0) return [];
  const text = 'Scores against training steps, as figure 7 of the paper, with their intervals.';
  return [{title: 'Training', text, content: html`${curves}`}];
}

function rewordingSection({rewording}: Evaluation): Section[] {
  if (rewording.length === 0) return [];
  const text =
    'As figure 8 of the paper, in numbers: mean distance (1 − cosine of CLIP embeddings) between pictures that differ in the ' +
    'wording of the instruction alone, over that between pictures that differ in the noise alone. Below 1, rewording changes ' +
    'a picture less than another noise does. The interval is over conditions.';
  return [{title: 'Rewording against noise', text, content: rewordingTable(rewording)}];
}

function mapSection({instructionMap, settings}: Evaluation): Section[] {
  if (instructionMap === undefined) return [];
  const {instructions, perplexity, neighbourAccuracy} = instructionMap;
  const text =
    'As figure 4 of the paper: t-SNE of the instructions’ embeddings, mean of the states that the adapter attends to ' +
    `(${instructions.length} instructions, perplexity ${perplexity.toFixed(1)}, seed ${settings.seed}). The nearest ` +
    `neighbour of ${(100 * neighbourAccuracy).toFixed(1)} % of the pools’ instructions is of their own task. ` +
    'Crosses are the fixed instructions.';
  return [{title: 'Instructions', text, content: scatterPlot('Instructions by task.', instructions)}];
}

async function gridSection(folder: string, {dataset, records, shownPerTask}: ReportSource): Promise<Section> {
  return {
    title: 'Pictures',
    text: `The first ${shownPerTask} samples of each task, none chosen, with the instruction that each adapter was given.`,
    content: await pictureGrids({folder, dataset, records, shownPerTask}),
  };
}

function provenance({adapters, models, clip, settings}: Evaluation): Section {
  const rows = adapters.map(
    ({
      label,
      step,
      kind,
      tasks,
      instructions,
      file,
      sha256,
    }) => html`<tr><th scope="row">${label}</th><td>${step ?? ''}</td>
<td>${kind}</td><td>${tasks?.join(', ') ?? 'all'}</td><td>${instructions}</td><td>${file}<small>${sha256}</small></td></tr>`,
  );
  const files = Object.entries(models).map(
    ([path, sha256]) => html`<tr><th scope="row">${path}</th><td>${sha256}</td></tr>`,
  );
  const {generation, fixedInstructions, dtype, device} = settings;
  return {
    title: 'What was evaluated',
    text: `Scores are of ${clip.imageEncoder}${clip.textEncoder === undefined ? '' : ` and ${clip.textEncoder}`}.`,
    content: html`<div class="wide"><table><thead><tr><th>adapter</th><th>step</th><th>kind</th><th>tasks</th>
<th>instructions</th><th>file, SHA-256</th></tr></thead><tbody>${rows}</tbody></table></div>
<div class="wide"><table><thead><tr><th>model</th><th>SHA-256</th></tr></thead><tbody>${files}</tbody></table></div>
<pre>${JSON.stringify({generation, fixedInstructions, dtype, device}, undefined, 2)}</pre>`,
  };
}
