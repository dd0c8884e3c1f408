import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';
import { defineConfig, type Plugin } from 'vite';

/**
 * What the page may load and run: only what comes from the service itself. The service sends the same as a header; this one holds
 * wherever the files are served from. `blob:` pictures are photos that never leave the browser.
 */
const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' blob:",
  "media-src 'self' blob:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
].join('; ');

/** Not while developing: the hot-reloading client of Vite adds styles inline. */
function contentSecurityPolicy(): Plugin {
  return {
    name: 'content-security-policy',
    apply: 'build',
    transformIndexHtml: () => [
      {
        tag: 'meta',
        attrs: { 'http-equiv': 'Content-Security-Policy', content: CONTENT_SECURITY_POLICY },
        injectTo: 'head-prepend',
      },
    ],
  };
}

/** Files that compress get a .br and a .gz beside them, so that the service only has to choose. */
function precompress(): Plugin {
  const toBrotli = promisify(brotliCompress);
  const toGzip = promisify(gzip);
  return {
    name: 'precompress',
    apply: 'build',
    // From the files as they were written: until then other plugins change them.
    async writeBundle({ dir }, bundle) {
      const names = Object.keys(bundle).filter((name) => /\.(html|js|css|svg|json)$/.test(name));
      await Promise.all(
        names.map(async (name) => {
          const path = join(dir ?? '', name);
          const source = await readFile(path);
          const [br, gz] = await Promise.all([
            toBrotli(source, { params: { [constants.BROTLI_PARAM_QUALITY]: 10, [constants.BROTLI_PARAM_SIZE_HINT]: source.length } }),
            toGzip(source, { level: 9 }),
          ]);
          await Promise.all([writeFile(`${path}.br`, br), writeFile(`${path}.gz`, gz)]);
        }),
      );
    },
  };
}

/** The service that a page under development talks to. */
const SERVICE = process.env.FACEWRIGHT_URL ?? 'http://127.0.0.1:8080';

export default defineConfig({
  // Relative, so that the page works under any path prefix.
  base: './',
  plugins: [contentSecurityPolicy(), precompress()],
  resolve: { conditions: ['@facewright/source', 'module', 'browser', 'development|production'] },
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  build: {
    target: 'es2022',
    // No data: addresses, which the policy above does not allow.
    assetsInlineLimit: 0,
    // The viewer is large on purpose and loaded late.
    chunkSizeWarningLimit: 900,
  },
  // The service takes requests only from its own page: the address of the page must reach it as it is.
  server: { proxy: { '/v1': { target: SERVICE, changeOrigin: false }, '/health': { target: SERVICE, changeOrigin: false } } },
});
