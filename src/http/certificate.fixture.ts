/** A certificate for this machine, made by openssl and trusted by this process alone. */
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { promisify } from 'node:util';

export interface Certificate {
  readonly key: string;
  readonly cert: string;
  /** A folder with `key.pem` and `cert.pem`. */
  readonly dir: string;
  remove(): Promise<void>;
}

export async function certificate(): Promise<Certificate> {
  const dir = await mkdtemp(join(tmpdir(), 'telltale-tls-'));
  const files = ['-keyout', join(dir, 'key.pem'), '-out', join(dir, 'cert.pem')];
  const names = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=IP:127.0.0.1,DNS:localhost'];
  const kind = ['-x509', '-nodes', '-days', '2', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256'];
  await promisify(execFile)('openssl', ['req', ...kind, ...names, ...files]);
  const [key, cert] = await Promise.all(['key.pem', 'cert.pem'].map((it) => readFile(join(dir, it), 'utf8')));
  setDefaultCACertificates([...getCACertificates('default'), cert!]);
  return { key: key!, cert: cert!, dir, remove: () => rm(dir, { recursive: true, force: true }) };
}
