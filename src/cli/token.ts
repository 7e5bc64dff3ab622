/** Who this command line is to a server with authentication: TELLTALE_TOKEN, an API key or a JSON Web Token. */
export function tokenHeaders(): Record<string, string> {
  const token = process.env.TELLTALE_TOKEN;
  return token ? { authorization: `Bearer ${token}` } : {};
}

/** `fetch` that says so. */
export const fetchAsCaller: typeof globalThis.fetch = (input, init = {}) => {
  const headers = new Headers(init.headers);
  for (const [name, value] of Object.entries(tokenHeaders())) headers.set(name, value);
  return fetch(input, { ...init, headers });
};
