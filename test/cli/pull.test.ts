import {readdir, readFile} from 'node:fs/promises';
import {join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {pullSnapshot} from '../../lib/hub/pull-model.ts';
import {RepositoryCache} from '../../lib/hub/repository-cache.ts';
import {IPAdapterInstructPipeline} from '../../lib/pipelines/ip-adapter-instruct-pipeline.ts';
import {
  commit,
  fileUrl,
  type HubServer,
  type Misbehaviour,
  quickClient,
  type RepositoryContents,
  repository,
  startHub,
} from '../_helpers/hub-server.ts';
import {conditionImage, inReference, instructModel} from '../_helpers/reference-paths.ts';
import {type CliOptions, runCli} from '../_helpers/run-cli.ts';
import {tempFolder} from '../_helpers/temp-folder.ts';

const unet = 'model/unet/diffusion_pytorch_model.safetensors';

/** The tiny model and its adapters, as one repository. */
async function referenceRepository(): Promise<RepositoryContents> {
  const contents: Record<string, Buffer> = {};
  for (const folder of ['model', 'image_encoder', '.']) {
    const recursive = folder !== '.';
    const entries = await readdir(inReference(folder), {recursive, withFileTypes: true});
    for (const entry of entries.filter(entry => entry.isFile())) {
      const path = join(entry.parentPath, entry.name);
      contents[path.slice(inReference().length + 1)] = await readFile(path);
    }
  }
  return contents;
}

interface Setting {
  readonly hub: HubServer;
  /** Where the hub's home is. */
  readonly home: string;
  readonly pull: (args: readonly string[], options?: CliOptions) => ReturnType<typeof runCli>;
}

async function prepare(t: ExecutionContext, misbehave?: Misbehaviour): Promise<Setting> {
  const hub = await startHub(t, await referenceRepository(), misbehave);
  const home = await tempFolder(t);
  const env = {
    HF_ENDPOINT: hub.endpoint,
    HF_HOME: home,
    HF_HUB_CACHE: '',
    HF_HUB_OFFLINE: '',
    HF_HUB_DOWNLOAD_TIMEOUT: '60',
  };
  const pull: Setting['pull'] = (args, options) => runCli(['pull', repository, ...args], {...options, env});
  return {hub, home, pull};
}

const snapshot = (home: string) => join(home, 'hub', 'models--owner--model', 'snapshots', commit);

/** Whether a snapshot has a file as it is. Ava would take minutes to compare them. */
async function isReference(path: string, folder: string): Promise<boolean> {
  const [got, expected] = await Promise.all([readFile(join(folder, path)), readFile(inReference(path))]);
  return got.equals(expected);
}

async function blobs(home: string): Promise<string[]> {
  return readdir(join(home, 'hub', 'models--owner--model', 'blobs'));
}

test('a pipeline loads what was pulled, and generates what it does from the same files elsewhere', async t => {
  const {hub, home, pull} = await prepare(t);
  const args = ['model', 'image_encoder', 'ip-adapter-instruct.safetensors'];
  const {exitCode, stdout, stderr} = await pull(args);
  t.is(exitCode, 0, stderr);
  t.is(stdout, `${snapshot(home)}\n`);
  t.regex(stderr, /^0 bytes of 20\.2 MB · .+\n/);
  t.regex(stderr, /20\.2 MB of 20\.2 MB · [\d.]+ \wB\/s · 0 ms left · .+\n$/);

  const inSnapshot = (path: string) => join(snapshot(home), path);
  const pulled = {
    ...instructModel,
    model: inSnapshot('model'),
    adapter: inSnapshot('ip-adapter-instruct.safetensors'),
    imageEncoder: inSnapshot('image_encoder'),
  };
  const [expected, got] = await Promise.all(
    [instructModel, pulled].map(async options => {
      await using pipeline = await IPAdapterInstructPipeline.load(options);
      const {images} = await pipeline.generate({
        prompt: 'a lighthouse',
        instruction: 'use the style',
        ipAdapterImage: conditionImage,
        numInferenceSteps: 1,
        height: 64,
        width: 64,
        seed: 7,
      });
      return images[0]!.latents.data;
    }),
  );
  t.deepEqual(got, expected);

  const asked = hub.requests.length;
  const offline = await pull([...args, '--offline', '--json']);
  t.is(offline.stderr, '');
  const {folder, commit: found, files} = JSON.parse(offline.stdout);
  t.deepEqual([folder, found], [snapshot(home), commit]);
  t.true(files.includes(unet) && !files.includes('ip-adapter.bin'));
  t.is(hub.requests.length, asked);
});

test('a cut connection is told of and taken up', async t => {
  const {hub, home, pull} = await prepare(t, (request, response, proceed) => {
    if (request.url !== fileUrl(unet) || request.headers.range !== undefined) return proceed();
    response.writeHead(200, {'content-length': 8_610_368});
    readFile(inReference(unet)).then(content =>
      response.write(content.subarray(0, 3_000_000), () => response.destroy()),
    );
  });
  const {exitCode, stderr} = await pull(['model/unet']);
  t.is(exitCode, 0, stderr);
  t.regex(stderr, /^warning: model\/unet\/.*: terminated \(.+\); trying again in [\d.]+ m?s$/m);
  t.true(await isReference(unet, snapshot(home)));
  t.is(hub.rangesOf(unet).length, 2);
});

// EFBIG, of a limit on files, stands for ENOSPC, of a disk: both come from a write, the last of which was short.
(process.platform === 'win32' ? test.skip : test)('what a full disk has taken is gone on with', async t => {
  const {hub, home, pull} = await prepare(t);
  const full = await pull(['model/unet', '--json'], {maxFileBytes: 4_000_000});
  t.is(full.exitCode, 1);
  const {error} = JSON.parse(full.stdout);
  t.is(error.code, 'file-invalid');
  t.regex(
    error.message,
    /expected room for [\d.]+ MB more, but .* are free \(EFBIG.*what has been downloaded is kept/,
  );
  const left = (await blobs(home)).filter(name => name.endsWith('.incomplete'));
  t.is(left.length, 1);

  t.is((await pull(['model/unet'])).exitCode, 0);
  t.true(await isReference(unet, snapshot(home)));
  const [, range] = hub.rangesOf(unet);
  const from = Number(/\d+/.exec(range!));
  t.true(from > 3_900_000 && from < 4_000_000);
  t.false((await blobs(home)).some(name => name.endsWith('.incomplete')));
});

test('an interrupted pull leaves no file under its own name', async t => {
  const {home, pull} = await prepare(t, (request, response, proceed) => {
    if (request.url !== fileUrl(unet)) return proceed();
    response.writeHead(200, {'content-length': 8_610_368});
    response.write(Buffer.alloc(1_000_000));
  });
  let sent = false;
  const {exitCode, stdout} = await pull([unet, '--json'], {
    onStderr: (text, child) => {
      if (!sent && text.includes(' of 8.61 MB')) sent = child.kill('SIGINT');
    },
  });
  t.is(exitCode, 130);
  t.deepEqual(JSON.parse(stdout), {error: {code: 'interrupted', message: 'Interrupted.'}});
  t.true((await blobs(home)).every(name => name.endsWith('.incomplete')));
});

test('two processes that pull the same file at once both have it whole', async t => {
  // Neither gets the file before both have asked for it.
  const waiting: (() => void)[] = [];
  const {hub, home, pull} = await prepare(t, (request, _response, proceed) => {
    if (request.url !== fileUrl(unet)) return proceed();
    waiting.push(proceed);
    if (waiting.length === 2) for (const go of waiting) go();
  });
  const cache = new RepositoryCache(join(home, 'hub'), repository);
  const [ours, theirs] = await Promise.all([
    pullSnapshot(quickClient(hub.endpoint), cache, {files: [unet]}),
    pull([unet]),
  ]);
  t.is(theirs.exitCode, 0, theirs.stderr);
  t.is(theirs.stdout, `${ours.folder}\n`);
  t.true(await isReference(unet, ours.folder));
  t.is((await blobs(home)).length, 1);
});

test('what cannot be had is one sentence', async t => {
  const {pull} = await prepare(t);
  const {exitCode, stdout, stderr} = await pull(['model', '--revision', 'v2']);
  t.is(exitCode, 1);
  t.is(stdout, '');
  t.is(
    stderr,
    "error: owner/model: expected a branch, a tag or a commit 'v2', but there is none. Check the revision.\n",
  );
});
