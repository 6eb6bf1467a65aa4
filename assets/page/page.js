import {readEvents} from './read-events.js';
import {curlSnippet, typescriptSnippet} from './snippets.js';

/**
 * @template {typeof Element} Kind
 * @param {string} id
 * @param {Kind} kind
 * @returns {InstanceType<Kind>}
 */
function element(id, kind) {
  const found = document.getElementById(id);
  if (!(found instanceof kind)) throw new Error(`page: there is no ${kind.name} with the id ${id}.`);
  return /** @type {InstanceType<Kind>} */ (found);
}

const form = element('form', HTMLFormElement);
const keyField = element('key-field', HTMLDivElement);
const key = element('key', HTMLInputElement);
const drop = element('drop', HTMLDivElement);
const condition = element('condition', HTMLImageElement);
const file = element('file', HTMLInputElement);
const remove = element('remove', HTMLButtonElement);
const prompt = element('prompt', HTMLTextAreaElement);
const instructions = element('instructions', HTMLFieldSetElement);
const tasks = element('tasks', HTMLDivElement);
const own = element('own', HTMLInputElement);
const negative = element('negative', HTMLInputElement);
const seed = element('seed', HTMLInputElement);
const previews = element('previews', HTMLInputElement);
const make = element('make', HTMLButtonElement);
const stop = element('stop', HTMLButtonElement);
const status = element('status', HTMLParagraphElement);
const results = element('results', HTMLDivElement);
const snippet = element('snippet', HTMLTextAreaElement);
const sliders = {
  ipAdapterScale: element('scale', HTMLInputElement),
  guidanceScale: element('guidance', HTMLInputElement),
  numInferenceSteps: element('steps', HTMLInputElement),
  side: element('side', HTMLInputElement),
};

/** @type {File | undefined} */
let picture;
let readsInstruction = false;
/** @type {AbortController | undefined} */
let running;

/** @param {string} text */
function say(text, isProblem = false) {
  status.textContent = text;
  status.classList.toggle('problem', isProblem);
}

/** @returns {Record<string, string>} */
function headers() {
  return key.value === '' ? {} : {authorization: `Bearer ${key.value}`};
}

// The condition image

/** @param {File | undefined} chosen */
function usePicture(chosen) {
  if (condition.src !== '') URL.revokeObjectURL(condition.src);
  picture = chosen;
  condition.hidden = remove.hidden = chosen === undefined;
  if (chosen === undefined) {
    condition.removeAttribute('src');
    file.value = '';
  } else condition.src = URL.createObjectURL(chosen);
  instructions.disabled = chosen === undefined || !readsInstruction;
  showSnippet(curlSnippet);
}

/** @param {DataTransfer | null} transfer */
function pictureIn(transfer) {
  return [...(transfer?.files ?? [])].find(({type}) => type.startsWith('image/'));
}

file.addEventListener('change', () => usePicture(file.files?.[0]));
remove.addEventListener('click', () => {
  usePicture(undefined);
  file.focus();
});
drop.addEventListener('dragover', event => {
  event.preventDefault();
  drop.classList.add('over');
});
drop.addEventListener('dragleave', () => drop.classList.remove('over'));
drop.addEventListener('drop', event => {
  event.preventDefault();
  drop.classList.remove('over');
  const dropped = pictureIn(event.dataTransfer);
  if (dropped === undefined) say('That is no picture.', true);
  else usePicture(dropped);
});
document.addEventListener('paste', event => {
  const pasted = pictureIn(event.clipboardData);
  if (pasted !== undefined) usePicture(pasted);
});

// What is asked for

function chosenInstructions() {
  if (instructions.disabled) return [];
  const boxes = /** @type {NodeListOf<HTMLInputElement>} */ (tasks.querySelectorAll('input:checked'));
  const words = own.value.trim();
  return [...[...boxes].map(({value}) => value), ...(words === '' ? [] : [words])];
}

/** @returns {Record<string, unknown>} */
function requestOf() {
  const {side, ...numbers} = sliders;
  const chosen = chosenInstructions();
  const options = Object.entries(numbers).map(([name, {value}]) => [name, Number(value)]);
  return {
    prompt: prompt.value,
    ...(negative.value !== '' && {negativePrompt: negative.value}),
    ...(chosen.length > 0 && {instructions: chosen}),
    ...Object.fromEntries(options),
    height: Number(side.value),
    width: Number(side.value),
    ...(seed.value !== '' && {seed: Number(seed.value)}),
  };
}

// Pictures

/**
 * @param {string} caption
 * @returns {{image: HTMLImageElement, progress: HTMLProgressElement, caption: HTMLElement}}
 */
function addResult(caption) {
  const figure = document.createElement('figure');
  const image = document.createElement('img');
  const progress = document.createElement('progress');
  const text = document.createElement('figcaption');
  image.alt = '';
  progress.setAttribute('aria-label', `Progress: ${caption}`);
  text.textContent = caption;
  figure.append(image, progress, text);
  results.append(figure);
  return {image, progress, caption: text};
}

/** @param {string} base64 */
function pngUrl(base64) {
  return `data:image/png;base64,${base64}`;
}

/**
 * @param {Response} response
 * @returns {Promise<string>}
 */
async function problemOf(response) {
  if (response.status === 401) {
    keyField.hidden = false;
    key.focus();
  }
  const {error} = await response.json().catch(() => ({}));
  return error?.message ?? `The server answered ${response.status}.`;
}

/** @param {AbortSignal} signal */
async function makePictures(signal) {
  const request = requestOf();
  const chosen = chosenInstructions();
  const body = new FormData();
  const steps = Number(sliders.numInferenceSteps.value);
  const previewEvery = Math.max(Math.round(steps / 10), 1);
  body.set('request', JSON.stringify({...request, ...(previews.checked && {previewEvery})}));
  if (picture !== undefined) body.set('ipAdapterImage', picture);
  const accept = 'text/event-stream';
  const response = await fetch('v1/images', {method: 'POST', body, signal, headers: {...headers(), accept}});
  if (!response.ok || response.body === null) throw new Error(await problemOf(response));
  const captions = chosen.length > 0 ? chosen : [prompt.value];
  results.replaceChildren();
  const figures = captions.map(addResult);
  let missing = captions.length;
  for await (const {event, data} of readEvents(response.body)) {
    if (event === 'error') throw new Error(data.message);
    if (event === 'queued')
      say(data.waiting > data.jobs ? `Waiting: ${data.waiting} in the queue.` : 'Waiting.');
    const figure = figures[data.job];
    if (figure === undefined) continue;
    if (event === 'start') say('Painting.');
    if (event === 'step') {
      figure.progress.max = data.totalSteps;
      figure.progress.value = data.step + 1;
    }
    if (event === 'preview') figure.image.src = pngUrl(data.png);
    if (event === 'picture') {
      missing--;
      figure.image.src = pngUrl(data.png);
      figure.image.alt = figure.caption.textContent ?? '';
      figure.caption.textContent += ` · seed ${data.seed}`;
      figure.progress.remove();
    }
  }
  if (missing > 0) throw new Error('The connection ended before the pictures were there.');
  say('Done.');
}

form.addEventListener('submit', async event => {
  event.preventDefault();
  running = new AbortController();
  make.disabled = true;
  stop.disabled = false;
  say('Sending.');
  try {
    await makePictures(running.signal);
  } catch (error) {
    if (running.signal.aborted) say('Stopped.');
    else say(error instanceof Error ? error.message : String(error), true);
    for (const bar of results.querySelectorAll('progress')) bar.remove();
  } finally {
    make.disabled = false;
    stop.disabled = true;
  }
});
stop.addEventListener('click', () => running?.abort());

// The call elsewhere

/** @param {(call: import('./snippets.js').Call) => string} write */
function showSnippet(write) {
  const origin = location.origin;
  const text = write({origin, request: requestOf(), file: picture?.name, needsKey: !keyField.hidden});
  snippet.value = text;
  return text;
}

/** @param {(call: import('./snippets.js').Call) => string} write */
async function copy(write) {
  const text = showSnippet(write);
  try {
    await navigator.clipboard.writeText(text);
    say('Copied.');
  } catch {
    snippet.select();
    say('This browser does not let pages copy: the call is selected instead.');
  }
}

element('copy-curl', HTMLButtonElement).addEventListener('click', () => copy(curlSnippet));
element('copy-typescript', HTMLButtonElement).addEventListener('click', () => copy(typescriptSnippet));
form.addEventListener('input', () => showSnippet(curlSnippet));

// The server

/** @param {{task: string, instruction: string}} example */
function addTask({task, instruction}, index = 0) {
  const label = document.createElement('label');
  const box = document.createElement('input');
  box.type = 'checkbox';
  box.value = instruction;
  box.checked = index === 0;
  label.append(box, ` ${task}`);
  label.title = instruction;
  tasks.append(label);
}

async function readInfo() {
  const response = await fetch('v1/info', {headers: headers()});
  if (!response.ok) return say(await problemOf(response), true);
  const info = await response.json();
  const {maxSide, maxSteps} = info.limits;
  sliders.side.max = String(maxSide);
  sliders.side.value = String(Math.min(info.defaults.width, maxSide));
  sliders.numInferenceSteps.max = String(maxSteps);
  readsInstruction = info.adapters.readsInstruction;
  tasks.replaceChildren();
  info.tasks.forEach(addTask);
  element('about', HTMLParagraphElement).textContent =
    `A picture, and words for what to take from it. On ${info.device}, in ${info.dtype}.`;
  say('');
  showValues();
  usePicture(picture);
}

function showValues() {
  for (const slider of Object.values(sliders)) {
    const output = form.querySelector(`output[for="${slider.id}"]`);
    if (output !== null) output.textContent = slider.value;
  }
}

form.addEventListener('input', showValues);
key.addEventListener('change', readInfo);
showValues();
await readInfo();
