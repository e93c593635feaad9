import { hash } from 'node:crypto';
import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { HtmEngineError } from '../errors.ts';
import type { CheckpointName } from './checkpoint-store.ts';

/**
 * What a checkpoint's bytes look like, whatever store keeps them.
 *
 * Little-endian: magic "HTMC", format version (u32), the name it belongs to (metric id as 16 bytes, generation,
 * rowid and algorithm revision as u32), bytes of the state (u64), bytes of the payload (u64), SHA-256 of the
 * state; then the payload, one zstd frame. The checksum is over the *uncompressed* state, so that whatever goes
 * wrong between the two models, the decompressor included, is found out.
 */
const MAGIC = 0x434d5448; // "HTMC" read as a little-endian word
const FORMAT_VERSION = 1;
const NAME_OFFSET = 8;
const STATE_BYTES_OFFSET = 36;
const PAYLOAD_BYTES_OFFSET = 44;
const CHECKSUM_OFFSET = 52;
const HEADER_BYTES = 84;

/** Models take megabytes; with a full classifier a few hundred. More than this is a damaged header. */
const DEFAULT_MAX_STATE_BYTES = 2 ** 30;
const MAX_CHUNK_BYTES = 2 ** 22;
/** Most payloads are a few of these; zlib's own 16 KiB would be dozens, each with a call of its own. */
const PAYLOAD_CHUNK_BYTES = 2 ** 18;

/** The checkpoint named `name` of a model whose complete state is `state`. The result has a buffer of its own. */
export function encodeCheckpoint(name: CheckpointName, state: Uint8Array): Uint8Array<ArrayBuffer> {
  // Level 1: a checkpoint is written often and read seldom; higher levels cost far more time than they save bytes.
  const payload = zstdCompressSync(state, {
    params: { [constants.ZSTD_c_compressionLevel]: 1 },
    chunkSize: PAYLOAD_CHUNK_BYTES,
  });
  const bytes = new Uint8Array(HEADER_BYTES + payload.byteLength);
  const header = new DataView(bytes.buffer);
  header.setUint32(0, MAGIC, true);
  header.setUint32(4, FORMAT_VERSION, true);
  bytes.set(nameBytes(name), NAME_OFFSET);
  header.setBigUint64(STATE_BYTES_OFFSET, BigInt(state.byteLength), true);
  header.setBigUint64(PAYLOAD_BYTES_OFFSET, BigInt(payload.byteLength), true);
  bytes.set(hash('sha256', state, 'buffer'), CHECKSUM_OFFSET);
  bytes.set(payload, HEADER_BYTES);
  return bytes;
}

/**
 * The state kept in a checkpoint.
 * @param name the name it was stored under: it must be the one inside.
 * @param maxStateBytes a state that says to be larger is refused before anything is unpacked.
 * @throws HtmEngineError `checkpoint_damaged` if the bytes are not, to the last one, what was encoded under `name`.
 */
export function decodeCheckpoint(
  name: CheckpointName,
  bytes: Uint8Array,
  maxStateBytes: number = DEFAULT_MAX_STATE_BYTES,
): Uint8Array {
  if (bytes.byteLength < HEADER_BYTES) {
    throw damaged(name, `${bytes.byteLength} bytes are fewer than the ${HEADER_BYTES} of the header`);
  }
  const header = new DataView(bytes.buffer, bytes.byteOffset, HEADER_BYTES);
  if (header.getUint32(0, true) !== MAGIC) throw damaged(name, 'it does not begin with "HTMC"');
  const version = header.getUint32(4, true);
  if (version !== FORMAT_VERSION)
    throw damaged(name, `its format version is ${version}, not ${FORMAT_VERSION}`);
  if (!sameBytes(bytes.subarray(NAME_OFFSET, STATE_BYTES_OFFSET), nameBytes(name))) {
    throw damaged(name, 'it belongs to another model, row or revision');
  }
  const stateBytes = header.getBigUint64(STATE_BYTES_OFFSET, true);
  if (stateBytes > BigInt(maxStateBytes)) {
    throw damaged(
      name,
      `it claims ${stateBytes.toString()} bytes of state; at most ${maxStateBytes} are read`,
    );
  }
  const payload = bytes.subarray(HEADER_BYTES);
  if (header.getBigUint64(PAYLOAD_BYTES_OFFSET, true) !== BigInt(payload.byteLength)) {
    throw damaged(name, 'it was cut short or has bytes after its end');
  }
  const state = unpack(name, payload, Number(stateBytes));
  if (state.byteLength !== Number(stateBytes)) {
    throw damaged(name, `it holds ${state.byteLength} bytes of state instead of ${stateBytes.toString()}`);
  }
  if (!sameBytes(bytes.subarray(CHECKSUM_OFFSET, HEADER_BYTES), hash('sha256', state, 'buffer'))) {
    throw damaged(name, 'its checksum does not match');
  }
  return state;
}

function unpack(name: CheckpointName, payload: Uint8Array, stateBytes: number): Uint8Array {
  try {
    const state = zstdDecompressSync(payload, {
      maxOutputLength: Math.max(1, stateBytes),
      // One that is filled to the end makes zlib ask for another one.
      chunkSize: Math.min(Math.max(64, stateBytes + 1), MAX_CHUNK_BYTES),
    });
    // Not a Buffer, whose `slice` would not copy.
    return new Uint8Array(state.buffer, state.byteOffset, state.byteLength);
  } catch (error) {
    throw damaged(
      name,
      `its payload cannot be unpacked (${error instanceof Error ? error.message : String(error)})`,
    );
  }
}

function nameBytes(name: CheckpointName): Uint8Array {
  const bytes = Buffer.alloc(STATE_BYTES_OFFSET - NAME_OFFSET);
  if (bytes.write(name.metricId, 'hex') !== 16 || name.metricId.length !== 32) {
    throw new TypeError(`a metric id is 32 hex digits, not ${JSON.stringify(name.metricId)}`);
  }
  bytes.writeUInt32LE(name.generation, 16);
  bytes.writeUInt32LE(name.rowid, 20);
  bytes.writeUInt32LE(name.revision, 24);
  return bytes;
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}

function damaged(name: CheckpointName, reason: string): HtmEngineError {
  return new HtmEngineError(
    'checkpoint_damaged',
    `the checkpoint of metric ${name.metricId} at row ${name.rowid} (generation ${name.generation}, revision ${name.revision}) is damaged: ${reason}; an older one is used instead`,
    { metricId: name.metricId, generation: name.generation, rowid: name.rowid, revision: name.revision },
  );
}
