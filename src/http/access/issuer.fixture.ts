/** Who signs tokens: keys of several kinds, published over HTTP on loopback as an identity provider does. */
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type CryptoKey, exportJWK, generateKeyPair, type JWK, type JWTPayload, SignJWT } from 'jose';

export const ISSUER = 'https://id.example/';
export const AUDIENCE = 'telltale';

export interface Signing {
  readonly alg?: string;
  readonly kid?: string;
  readonly key?: CryptoKey | Uint8Array;
  /** Seconds since 1970; `false`: the token has none. */
  readonly exp?: number | string | false;
}

export class Issuer {
  /** How often its keys were fetched. */
  fetched = 0;
  isDown = false;
  /** Bytes that it sends beside its keys. */
  padding = 0;
  readonly #server: Server;
  readonly #keys = new Map<string, { readonly alg: string; readonly key: CryptoKey; readonly jwk: JWK }>();

  private constructor(server: Server) {
    this.#server = server;
  }

  static async start(algs: readonly string[] = ['ES256']): Promise<Issuer> {
    const server = createServer((_request, response) => {
      issuer.fetched++;
      response.statusCode = issuer.isDown ? 500 : 200;
      const padding = ' '.repeat(issuer.padding);
      response.end(JSON.stringify({ padding, keys: [...issuer.#keys.values()].map(({ jwk }) => jwk) }));
    });
    const issuer = new Issuer(server);
    for (const alg of algs) await issuer.addKey(alg, alg);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return issuer;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/jwks.json`;
  }

  async addKey(kid: string, alg: string): Promise<void> {
    const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
    this.#keys.set(kid, { alg, key: privateKey, jwk: { ...(await exportJWK(publicKey)), kid, alg, use: 'sig' } });
  }

  removeKey(kid: string): void {
    this.#keys.delete(kid);
  }

  keyOf(kid: string): CryptoKey {
    return this.#keys.get(kid)!.key;
  }

  /** A token that is good for an hour, but for what is said. */
  async token(claims: JWTPayload, { kid, key, exp = '1h', ...more }: Signing = {}): Promise<string> {
    const [first = ''] = this.#keys.keys();
    const used = this.#keys.get(kid ?? first);
    const alg = more.alg ?? used?.alg ?? 'ES256';
    const token = new SignJWT({ iss: ISSUER, aud: AUDIENCE, iat: Math.floor(Date.now() / 1000), ...claims });
    token.setProtectedHeader({ alg, kid: kid ?? first });
    if (exp !== false) token.setExpirationTime(exp);
    return token.sign(key ?? used!.key);
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }
}

export const bearer = (token: string): { authorization: string } => ({ authorization: `Bearer ${token}` });
