/**
 * The call of the page in other languages.
 *
 * @typedef {object} Call
 * @property {string} origin
 * @property {Record<string, unknown>} request
 * @property {string | undefined} file name of the condition image
 * @property {boolean} needsKey
 */

/**
 * @param {Call} call
 * @returns {string} for a shell
 */
export function curlSnippet({origin, request, file, needsKey}) {
  const isSeveral = Array.isArray(request.instructions) && request.instructions.length > 1;
  const words = [
    `curl --fail-with-body ${quote(`${origin}/v1/images`)}`,
    ...(needsKey ? ['--header "Authorization: Bearer $IPAI_API_KEY"'] : []),
    ...(isSeveral ? [] : ["--header 'Accept: image/png'"]),
    `--form-string request=${quote(JSON.stringify(request))}`,
    ...(file === undefined ? [] : [`--form ${quote(`ipAdapterImage=@"${file.replace(/["\\]/g, '\\$&')}"`)}`]),
    `--output ${isSeveral ? 'pictures.json' : 'picture.png'}`,
  ];
  return words.join(' \\\n  ');
}

/** @param {string} word */
function quote(word) {
  return `'${word.replaceAll("'", "'\\''")}'`;
}

/**
 * @param {Call} call
 * @returns {string} a module for Node.js
 */
export function typescriptSnippet({origin, request, file, needsKey}) {
  const lines = [
    ...(file === undefined ? [] : ["import {openAsBlob} from 'node:fs';"]),
    "import {writeFile} from 'node:fs/promises';",
    '',
    'const form = new FormData();',
    `form.set('request', JSON.stringify(${JSON.stringify(request, null, 2)}));`,
    ...(file === undefined ? [] : [`form.set('ipAdapterImage', await openAsBlob(${JSON.stringify(file)}));`]),
    `const response = await fetch(${JSON.stringify(`${origin}/v1/images`)}, {`,
    "  method: 'POST',",
    '  body: form,',
    // biome-ignore lint/suspicious/noTemplateCurlyInString: of the module that is written
    ...(needsKey ? ['  headers: {authorization: `Bearer ${process.env.IPAI_API_KEY}`},'] : []),
    '});',
    'if (!response.ok) throw new Error(await response.text());',
    'const {images} = await response.json();',
    'for (const [index, {png}] of images.entries()) {',
    // biome-ignore lint/suspicious/noTemplateCurlyInString: of the module that is written
    "  await writeFile(`picture-${index}.png`, Buffer.from(png, 'base64'));",
    '}',
  ];
  return `${lines.join('\n')}\n`;
}
