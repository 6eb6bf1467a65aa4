/**
 * The text of an answer.
 *
 * @param tooLong makes the error to throw where there are more than `maxBytes`
 */
export async function readText(
  chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  maxBytes: number,
  tooLong: () => Error,
): Promise<string> {
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of chunks) {
    bytes += chunk.length;
    if (bytes > maxBytes) throw tooLong();
    parts.push(chunk);
  }
  return Buffer.concat(parts).toString('utf8');
}
