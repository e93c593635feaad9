/** The saved form of section `index` in what `Arena.bytes` gave: a copy. */
export function savedSection(bytes: Uint8Array, index: number): Uint8Array {
  const { start, byteLength } = sectionsOf(bytes)[index];
  return bytes.slice(start, start + byteLength);
}

/** Saved bytes in which the packed form of section `index` is another. */
export function withSavedSection(bytes: Uint8Array, index: number, packed: Uint8Array): Uint8Array {
  const { start, byteLength, entry } = sectionsOf(bytes)[index];
  const padded = new Uint8Array(aligned(packed.length));
  padded.set(packed);
  const changed = Uint8Array.from([
    ...bytes.subarray(0, start),
    ...padded,
    ...bytes.subarray(start + aligned(byteLength)),
  ]);
  const header = new DataView(changed.buffer);
  header.setUint32(entry + 4, packed.length, true);
  const moved = padded.length - aligned(byteLength);
  for (let later = entry + 12; later < 16 + 12 * header.getUint32(12, true); later += 12)
    header.setUint32(later + 8, header.getUint32(later + 8, true) + moved, true);
  return changed;
}

function sectionsOf(bytes: Uint8Array): { entry: number; start: number; byteLength: number }[] {
  const header = new DataView(bytes.buffer, bytes.byteOffset);
  return Array.from({ length: header.getUint32(12, true) }, (_, index) => {
    const entry = 16 + 12 * index;
    const [type, length, start] = [0, 4, 8].map((field) => header.getUint32(entry + field, true));
    return { entry, start, byteLength: length * ELEMENT_BYTES[type] };
  });
}

function aligned(bytes: number): number {
  return Math.ceil(bytes / 8) * 8;
}

/** By type code. */
const ELEMENT_BYTES = [0, 1, 1, 2, 2, 4, 4, 4, 8];
