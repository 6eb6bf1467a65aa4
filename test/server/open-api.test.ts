import test from 'ava';
import {createServer} from '../../lib/server/create-server.ts';
import {openApi} from '../../lib/server/open-api.ts';
import {resolveSettings} from '../../lib/server/server-options.ts';
import {HeldPipeline} from '../_helpers/held-pipeline.ts';

test('the description has the limits of the server, and whatever it refers to', async t => {
  const pipeline = await HeldPipeline.create();
  const {app, drain} = await createServer({pipeline, maxSide: 640, apiKeys: ['key']});
  const text = (await app.inject('/openapi.json')).body;
  await drain();
  const description = JSON.parse(text);
  const {ImageRequest} = description.components.schemas;
  t.deepEqual(ImageRequest.required, ['prompt']);
  t.is(ImageRequest.additionalProperties, false);
  t.is(ImageRequest.properties.width.maximum, 640);
  t.true(ImageRequest.properties.instructions.description.includes('compare'));
  t.true(JSON.stringify(ImageRequest.properties.ipAdapterImage).includes('"contentEncoding":"base64"'));
  const scale = JSON.stringify(ImageRequest.properties.ipAdapterScale);
  t.true(scale.includes('"comfyui:ease-in"'));
  t.regex(JSON.stringify(ImageRequest.properties.unconditionalImage), /"noise".*"contentEncoding":"base64"/);
  t.deepEqual(description.security, [{key: []}]);
  for (const [, name] of text.matchAll(/"#\/components\/schemas\/(\w+)"/g)) {
    t.truthy(description.components.schemas[name!], name);
  }
});

test('each path that is described is there', async t => {
  const pipeline = await HeldPipeline.create();
  const {app, drain} = await createServer({pipeline});
  const {paths} = openApi(resolveSettings({pipeline}));
  for (const [path, operations] of Object.entries(paths)) {
    for (const method of Object.keys(operations)) {
      t.true(app.hasRoute({method: method.toUpperCase() as 'GET', url: path}), `${method} ${path}`);
    }
  }
  await drain();
});
