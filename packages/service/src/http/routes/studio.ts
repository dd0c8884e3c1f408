import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { extname, join, sep } from 'node:path';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';

/** A file of the built page, and its compressed forms: those that the build made, else our own. */
interface StudioFile {
  readonly content: Buffer;
  readonly contentType: string;
  readonly etag: string;
  readonly encodings: ReadonlyMap<'br' | 'gzip', Buffer>;
}

const CONTENT_TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json',
  '.webmanifest': 'application/manifest+json',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.jpg': 'image/jpeg',
  '.webp': 'image/webp',
  '.avif': 'image/avif',
  '.ico': 'image/x-icon',
  '.woff2': 'font/woff2',
  '.wasm': 'application/wasm',
  '.txt': 'text/plain; charset=utf-8',
  '.hdr': 'application/octet-stream',
  '.glb': 'model/gltf-binary',
};
/** What is worth compressing where the build has not. */
const COMPRESSIBLE = /^(text\/|application\/(json|manifest|wasm)|image\/svg)/;
/** Build tools name these by their content. */
const HASHED = /^assets\/.*-[A-Za-z0-9_-]{8,}\.[a-z0-9]+$/;
/** The page loads from here and talks to here, nothing else. Its own `<meta>` policy may be stricter. */
const PAGE_POLICY = [
  "default-src 'self'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' blob: data:",
  "media-src 'self' blob:",
  "connect-src 'self'",
  "worker-src 'self' blob:",
  "object-src 'none'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/**
 * Serves the built page below the prefix of `app`: files with a hash in their name for ever, the rest asked for anew each time. All
 * files are read once, into memory (2 MB): the page stays whole while another is built in its place, until the service is started
 * again, and no path of a request reaches the file system.
 */
export async function studioRoutes(app: FastifyInstance, folder: string): Promise<void> {
  const files = await readFiles(folder);
  const config = { access: 'none' } as const;
  const send = (request: FastifyRequest, reply: FastifyReply, name: string, file: StudioFile) => {
    reply
      .header('cache-control', HASHED.test(name) ? 'public, max-age=31536000, immutable' : 'no-cache')
      .header('content-type', file.contentType)
      .header('vary', 'accept-encoding')
      .header('referrer-policy', 'no-referrer')
      .header('cross-origin-opener-policy', 'same-origin')
      .header('permissions-policy', 'camera=(self), microphone=(), geolocation=()');
    if (name === 'index.html') reply.header('content-security-policy', PAGE_POLICY);
    const encoding = chooseEncoding(request.headers['accept-encoding'], file);
    const etag = encoding === null ? file.etag : file.etag.replace(/"$/, `-${encoding}"`);
    reply.header('etag', etag);
    if ((request.headers['if-none-match'] ?? '').split(',').some((tag) => tag.trim().replace(/^W\//, '') === etag))
      return reply.code(304).send();
    if (encoding !== null) reply.header('content-encoding', encoding);
    const content = encoding === null ? file.content : file.encodings.get(encoding)!;
    reply.header('content-length', String(content.length));
    return request.method === 'HEAD' ? reply.send() : reply.send(content);
  };
  for (const [name, file] of files) {
    const url = name === 'index.html' ? '/' : `/${name}`;
    app.route({
      method: ['GET', 'HEAD'],
      url,
      exposeHeadRoute: false,
      prefixTrailingSlash: 'slash',
      config,
      handler: (request, reply) => send(request, reply, name, file),
    });
  }
  // Links of the page are relative: without the slash they would lead beside it.
  if (app.prefix !== '') {
    const last = app.prefix.split('/').at(-1)!;
    app.get('/', { config, prefixTrailingSlash: 'no-slash' }, (_request, reply) => reply.code(308).header('location', `${last}/`).send());
  }
}

async function readFiles(folder: string): Promise<ReadonlyMap<string, StudioFile>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const names = entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length).split(sep).join('/').replace(/^\//, ''));
  const files = new Map<string, StudioFile>();
  for (const name of names) {
    const contentType = CONTENT_TYPES[extname(name)];
    // Compressed forms, source maps and whatever else a build leaves are no files of their own.
    if (contentType === undefined) continue;
    const content = await readFile(join(folder, name));
    const encodings = new Map<'br' | 'gzip', Buffer>();
    for (const [encoding, ending] of [
      ['br', '.br'],
      ['gzip', '.gz'],
    ] as const) {
      if (names.includes(name + ending)) encodings.set(encoding, await readFile(join(folder, name + ending)));
    }
    if (encodings.size === 0 && COMPRESSIBLE.test(contentType) && content.length > 1024) {
      encodings.set('gzip', await promisify(gzip)(content));
    }
    const etag = `"${createHash('sha256').update(content).digest('base64url').slice(0, 22)}"`;
    files.set(name, { content, contentType, etag, encodings });
  }
  return files;
}

function chooseEncoding(header: string | string[] | undefined, file: StudioFile): 'br' | 'gzip' | null {
  const accepted = [header ?? []]
    .flat()
    .join(',')
    .split(',')
    .map((part) => part.trim());
  const takes = (encoding: string) =>
    accepted.some((part) => part === encoding || (part.startsWith(`${encoding};`) && !/;\s*q=0(\.0*)?$/.test(part)));
  return (['br', 'gzip'] as const).find((encoding) => file.encodings.has(encoding) && takes(encoding)) ?? null;
}
