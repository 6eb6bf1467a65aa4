import {execFile} from 'node:child_process';
import {existsSync} from 'node:fs';
import {readFile, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {promisify} from 'node:util';
import test from 'ava';
import puppeteer, {type Browser, type Page} from 'puppeteer-core';
import sharp from 'sharp';
import {encodePng} from '../../lib/images/write-image.ts';
import {IPAdapterInstructPipeline} from '../../lib/pipelines/ip-adapter-instruct-pipeline.ts';
import {createServer} from '../../lib/server/create-server.ts';
import {noiseImage} from '../_helpers/image-fixtures.ts';
import {tempFolder} from '../_helpers/temp-folder.ts';

const execute = promisify(execFile);

const chromium = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(
  existsSync,
);
const inBrowser = chromium === undefined ? test.skip : test;
if (chromium === undefined) {
  test('the page is not tried: there is no Chromium (install the package chromium)', t => t.pass());
}

let browser: Browser;
let pipeline: IPAdapterInstructPipeline;
let end = async () => {};
let origin: string;

test.before(async () => {
  if (chromium === undefined) return;
  pipeline = await IPAdapterInstructPipeline.random({size: 'tiny'});
  const server = await createServer({pipeline, maxSide: 128});
  origin = await server.app.listen({host: '127.0.0.1', port: 0});
  const args = ['--no-sandbox', '--disable-dev-shm-usage'];
  browser = await puppeteer.launch({executablePath: chromium, args, protocolTimeout: 540_000});
  end = async () => {
    await browser.close();
    await server.drain();
    await pipeline.dispose();
  };
});

test.after.always(() => end());

async function openPage(): Promise<{page: Page; problems: string[]}> {
  const page = await browser.newPage();
  page.setDefaultTimeout(300_000);
  const problems: string[] = [];
  page.on('pageerror', error => problems.push(String(error)));
  page.on('console', message => {
    if (message.type() === 'error') problems.push(message.text());
  });
  await page.goto(origin);
  await page.waitForSelector('#tasks input');
  return {page, problems};
}

async function set(page: Page, selector: string, value: string): Promise<void> {
  await page.$eval(
    selector,
    (element, text) => {
      (element as unknown as {value: string}).value = text;
      element.dispatchEvent(new Event('input', {bubbles: true}));
    },
    value,
  );
}

inBrowser('pictures are made, shown side by side, and their call can be repeated elsewhere', async t => {
  const folder = await tempFolder(t);
  await writeFile(join(folder, 'photo "1".png'), await encodePng(noiseImage(30, 20)));
  const {page, problems} = await openPage();
  const [chooser] = await Promise.all([page.waitForFileChooser(), page.click('#file')]);
  await chooser.accept([join(folder, 'photo "1".png')]);
  await page.waitForSelector('#condition:not([hidden])');
  await page.type('#prompt', "a lighthouse, it's night");
  await page.click('#tasks label:nth-child(2) input');
  await page.type('#own', 'its light');
  await set(page, '#steps', '5');
  await set(page, '#side', '64');
  await page.click('#form details summary');
  await page.type('#seed', '7');
  await page.evaluate(`
    globalThis.sources = new Set();
    new MutationObserver(() => {
      for (const image of document.querySelectorAll('#results img[src]')) sources.add(image.src);
    }).observe(document.querySelector('#results'), {subtree: true, attributes: true, childList: true});
  `);
  await page.click('#make');
  await page.waitForFunction(`document.querySelector('#status').textContent === 'Done.'`);
  const captions = await page.$$eval('#results figcaption', all => all.map(({textContent}) => textContent));
  t.deepEqual(captions, [
    'use everything from the image · seed 7',
    'use the style · seed 7',
    'its light · seed 7',
  ]);
  const shown = await page.$$eval('#results img', all => all.map(image => image.getAttribute('src')!));
  t.true(
    Number(await page.evaluate('sources.size')) > shown.length,
    'previews were shown before the pictures',
  );

  await page.click('#call summary');
  await page.click('#copy-curl');
  const curl = await page.$eval('#snippet', snippet => (snippet as unknown as {value: string}).value);
  await execute('sh', ['-c', curl], {cwd: folder});
  const {images} = JSON.parse(await readFile(join(folder, 'pictures.json'), 'utf8'));
  t.deepEqual(
    images.map(({png}: {png: string}) => `data:image/png;base64,${png}`),
    shown,
  );
  await page.click('#copy-typescript');
  await writeFile(
    join(folder, 'call.mjs'),
    await page.$eval('#snippet', snippet => (snippet as unknown as {value: string}).value),
  );
  await execute(process.execPath, ['call.mjs'], {cwd: folder});
  t.deepEqual(await readFile(join(folder, 'picture-2.png')), Buffer.from(images[2].png, 'base64'));
  t.deepEqual(problems, []);
  await page.close();
});

inBrowser('a picture is made from the keyboard, and what goes wrong is said', async t => {
  const {page, problems} = await openPage();
  await set(page, '#steps', '1');
  await set(page, '#side', '64');
  await page.focus('#prompt');
  await page.keyboard.type('a lighthouse');
  await page.focus('#make');
  await page.keyboard.press('Enter');
  await page.waitForFunction(`document.querySelector('#status').textContent === 'Done.'`);
  const source = await page.$eval('#results img', image => image.getAttribute('src')!);
  t.is((await sharp(Buffer.from(source.split(',')[1]!, 'base64')).metadata()).width, 64);

  await set(page, '#prompt', 'x'.repeat(5000));
  await page.click('#make');
  await page.waitForSelector('#status.problem');
  t.regex(await page.$eval('#status', ({textContent}) => textContent!), /at most 4000 characters/);
  // Browsers tell of an answer that is an error.
  t.deepEqual(
    problems.filter(text => !text.includes('status of 400')),
    [],
  );
  await page.close();
});

inBrowser('each field has a name that can be read out', async t => {
  const {page} = await openPage();
  const nameless = await page.evaluate(`
    [...document.querySelectorAll('input, textarea, button')]
      .filter(field => field.labels?.length === 0 && !field.ariaLabel && field.textContent.trim() === '')
      .map(({id}) => id)
  `);
  t.deepEqual(nameless, []);
  await page.close();
});
