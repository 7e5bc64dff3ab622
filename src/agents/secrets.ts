/** Folders that hold keys or passwords: also `.git`, whose remotes can have a token in their URL, and our own log. */
const FOLDERS = new Set('.ssh .gnupg .aws .azure .kube .docker .git .hg .svn .telltale'.split(' '));

const FILES = new RegExp(
  [
    // Examples of `.env` are there to be read.
    '\\.env(?:\\.(?!.*(?:example|sample|template)$).*)?|.*\\.env|\\.envrc',
    'id_(?:rsa|dsa|ecdsa|ed25519)(?:_sk)?|.*\\.(?:pem|key|p8|p12|pfx|ppk|jks|keystore|kdbx|tfstate)',
    '[._]netrc|\\.npmrc|\\.pypirc|\\.pgpass|\\.htpasswd|\\.git-credentials',
    '(?:credentials|secrets?)\\.(?:json|ya?ml|toml|ini)',
  ]
    .map((it) => `^(?:${it})$`)
    .join('|'),
);

/**
 * Whether a path is, by its name, one of keys or passwords. What agents read goes to a model and into the log, and a
 * sentence in any file can ask them for it. Case does not count, as on the file systems of macOS and Windows.
 */
export function holdsSecrets(path: string): boolean {
  const parts = path.toLowerCase().split('/');
  return parts.some((part) => FOLDERS.has(part)) || FILES.test(parts.at(-1) ?? '');
}
