import {
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
  type _Object,
} from '@aws-sdk/client-s3';
import { HtmEngineError } from '../../errors.ts';
import { checkMetricId, type CheckpointName, type CheckpointStore, isMetricId } from '../checkpoint-store.ts';
import { fileName, newestFirst, parseFileName } from '../file-names.ts';

export interface S3Settings {
  readonly bucket: string;
  /** What the keys of this installation begin with; empty for a bucket of its own. */
  readonly prefix: string;
  /** Of storage other than Amazon's; empty for that. */
  readonly endpoint: string;
  readonly region: string;
  /** Null where the client finds credentials by itself (environment, files, the machine's role). */
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string } | null;
}

const CONNECTION_TIMEOUT_MS = 5_000;
const REQUEST_TIMEOUT_MS = 30_000;
/** More are not given in one answer. */
const MAX_PAGE = 1_000;
/** Comes after `/`, so that listing goes on behind all keys of a metric. */
const AFTER_SLASH = '0';

/** Checkpoints as objects of S3, or of what speaks its protocol: `<prefix><metric id>/<generation>-<rowid>-<revision>.ckpt`. */
export class S3CheckpointStore implements CheckpointStore {
  readonly #client: S3Client;
  readonly #bucket: string;
  readonly #prefix: string;

  constructor({ bucket, prefix, endpoint, region, credentials }: S3Settings) {
    this.#bucket = bucket;
    this.#prefix = prefix;
    this.#client = new S3Client({
      region,
      // Names of buckets in the host are Amazon's way; others take them in the path.
      ...(endpoint !== '' && { endpoint, forcePathStyle: true }),
      ...(credentials !== null && { credentials }),
      // A checkpoint has a checksum of its own, and not every storage takes the client's.
      requestChecksumCalculation: 'WHEN_REQUIRED',
      responseChecksumValidation: 'WHEN_REQUIRED',
      requestHandler: { connectionTimeout: CONNECTION_TIMEOUT_MS, requestTimeout: REQUEST_TIMEOUT_MS },
    });
  }

  /** Two that keep the same name at the same time keep the same bytes: models are deterministic. */
  async put(name: CheckpointName, bytes: Uint8Array): Promise<void> {
    const object = this.#object(name);
    await guarded(`write ${object.Key}`, async () => {
      const head = () => this.#client.send(new HeadObjectCommand(object));
      if ((await ifPresent(head)) !== null) return;
      await this.#client.send(new PutObjectCommand({ ...object, Body: bytes }));
    });
  }

  async list(metricId: string): Promise<CheckpointName[]> {
    const directory = this.#directory(metricId);
    return (await this.#objects(directory))
      .map(({ Key = '' }) => parseFileName(metricId, Key.slice(directory.length)))
      .filter((name) => name !== null)
      .sort(newestFirst);
  }

  async get(name: CheckpointName): Promise<Uint8Array | null> {
    const object = this.#object(name);
    return guarded(`read ${object.Key}`, async () => {
      const found = await ifPresent(() => this.#client.send(new GetObjectCommand(object)));
      if (found === null) return null;
      return (await found.Body?.transformToByteArray()) ?? new Uint8Array();
    });
  }

  async delete(name: CheckpointName): Promise<void> {
    const object = this.#object(name);
    await guarded(`delete ${object.Key}`, () => this.#client.send(new DeleteObjectCommand(object)));
  }

  async deleteAll(metricId: string): Promise<void> {
    for (const name of await this.list(metricId)) await this.delete(name);
  }

  async size(metricId: string): Promise<number> {
    const objects = await this.#objects(this.#directory(metricId));
    return objects.reduce((sum, { Size = 0 }) => sum + Size, 0);
  }

  async metricIds(afterMetricId: string, limit: number): Promise<string[]> {
    const found: string[] = [];
    for (let after = afterMetricId; ;) {
      const page = await guarded(`list ${this.#prefix}`, () =>
        this.#client.send(
          new ListObjectsV2Command({
            Bucket: this.#bucket,
            Prefix: this.#prefix,
            Delimiter: '/',
            MaxKeys: Math.min(limit, MAX_PAGE),
            ...(after !== '' && { StartAfter: `${this.#prefix}${after}${AFTER_SLASH}` }),
          }),
        ),
      );
      const names = (page.CommonPrefixes ?? []).map(({ Prefix = '' }) =>
        Prefix.slice(this.#prefix.length, -1),
      );
      found.push(...names.filter((name) => isMetricId(name) && name > afterMetricId));
      const last = names.at(-1);
      if (found.length >= limit || page.IsTruncated !== true || last === undefined)
        return found.slice(0, limit);
      after = last;
    }
  }

  async #objects(directory: string): Promise<_Object[]> {
    const objects: _Object[] = [];
    for (let token: string | undefined; ;) {
      const page = await guarded(`list ${directory}`, () =>
        this.#client.send(
          new ListObjectsV2Command({
            Bucket: this.#bucket,
            Prefix: directory,
            ...(token !== undefined && { ContinuationToken: token }),
          }),
        ),
      );
      objects.push(...(page.Contents ?? []));
      token = page.NextContinuationToken;
      if (page.IsTruncated !== true || token === undefined) return objects;
    }
  }

  #directory(metricId: string): string {
    checkMetricId(metricId);
    return `${this.#prefix}${metricId}/`;
  }

  #object(name: CheckpointName): { Bucket: string; Key: string } {
    return { Bucket: this.#bucket, Key: `${this.#directory(name.metricId)}${fileName(name)}` };
  }
}

/** What `operation` gives, or null where there is no such object. */
async function ifPresent<T>(operation: () => Promise<T>): Promise<T | null> {
  try {
    return await operation();
  } catch (error) {
    if (error instanceof Error && (error.name === 'NotFound' || error.name === 'NoSuchKey')) return null;
    throw error;
  }
}

/** Tells whatever goes wrong as a fault that may pass. */
async function guarded<T>(what: string, operation: () => Promise<T>): Promise<T> {
  try {
    return await operation();
  } catch (error) {
    const reason = error instanceof Error ? error.message || error.name : String(error);
    throw new HtmEngineError('store_unavailable', `cannot ${what}: ${reason}; it will be tried again`, {
      reason: error instanceof Error ? error.name : null,
    });
  }
}
