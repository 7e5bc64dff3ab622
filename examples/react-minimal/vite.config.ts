import { defineConfig } from 'vite';

// `npm start` in the repository serves the API. For the browser it is of the page's own origin, and so it is for the API:
// the Host stays as the browser sent it.
const api = { target: 'http://127.0.0.1:4747', changeOrigin: false };

export default defineConfig({ server: { proxy: { '/v1': api } } });
