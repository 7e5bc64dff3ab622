/**
 * Decompresses Snappy's block format. The input has passed its checksum, so it is what a compressor wrote.
 *
 * @see https://github.com/google/snappy/blob/main/format_description.txt
 */
export function decompress(input: Buffer): Buffer {
  let at = 0;
  let length = 0;
  for (let shift = 0; ; shift += 7) {
    const byte = input[at++]!;
    length |= (byte & 0x7f) << shift;
    if (byte < 0x80) break;
  }
  const output = Buffer.alloc(length);
  let end = 0;
  while (at < input.length) {
    const tag = input[at++]!;
    if ((tag & 3) === 0) {
      let size = tag >> 2;
      if (size >= 60) {
        const bytes = size - 59;
        size = input.readUIntLE(at, bytes);
        at += bytes;
      }
      end += input.copy(output, end, at, at + size + 1);
      at += size + 1;
      continue;
    }
    const offsetBytes = tag & 3;
    const [size, offset] =
      offsetBytes === 1
        ? [((tag >> 2) & 7) + 4, ((tag >> 5) << 8) | input[at]!]
        : [(tag >> 2) + 1, input.readUIntLE(at, offsetBytes === 2 ? 2 : 4)];
    at += offsetBytes === 3 ? 4 : offsetBytes;
    // Byte by byte: a copy may overlap what it makes.
    for (let i = 0; i < size; i++, end++) output[end] = output[end - offset]!;
  }
  return output;
}
