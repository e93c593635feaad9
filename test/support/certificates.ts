import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { ServerIdentity } from './own-server.ts';

const execute = promisify(execFile);
const KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-noenc', '-days', '2'];

/** Somebody who signs certificates, with the files in a directory. */
export class Authority {
  readonly #directory: string;
  readonly #name: string;

  private constructor(directory: string, name: string) {
    this.#directory = directory;
    this.#name = name;
  }

  static async create(directory: string, name: string): Promise<Authority> {
    const authority = new Authority(directory, name);
    const { certificate, key } = authority.#files(name);
    const files = ['-keyout', key, '-out', certificate];
    await execute('openssl', ['req', '-x509', ...KEY, '-subj', `/CN=${name}`, ...files]);
    return authority;
  }

  /** Its own certificate: who trusts it, trusts those that it signs. */
  get certificate(): string {
    return this.#files(this.#name).certificate;
  }

  /** A certificate for a server of these names, as in `DNS:localhost,IP:127.0.0.1`. */
  async sign(server: string, names: string): Promise<ServerIdentity> {
    const own = this.#files(this.#name);
    const files = this.#files(server);
    const request = join(this.#directory, `${server}.csr`);
    const extensions = join(this.#directory, `${server}.ext`);
    await writeFile(extensions, `subjectAltName=${names}\n`);
    await execute('openssl', [
      'req',
      ...KEY,
      '-subj',
      `/CN=${server}`,
      '-keyout',
      files.key,
      '-out',
      request,
    ]);
    const signed = ['-CA', own.certificate, '-CAkey', own.key, '-CAcreateserial', '-extfile', extensions];
    await execute('openssl', [
      'x509',
      '-req',
      '-days',
      '2',
      '-in',
      request,
      ...signed,
      '-out',
      files.certificate,
    ]);
    return files;
  }

  #files(name: string): ServerIdentity {
    return {
      certificate: join(this.#directory, `${name}.crt`),
      key: join(this.#directory, `${name}.key`),
    };
  }
}
