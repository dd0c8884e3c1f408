import fc from 'fast-check';

/** One malformed request: what is written to the connection. */
export interface FuzzCase {
  /** What it is made from, for the report. */
  readonly kind: 'bytes' | 'request' | 'form' | 'photo';
  readonly bytes: Buffer;
}

/** What cases are made from. */
export interface FuzzMaterial {
  readonly key: string;
  /** Good photos by format. */
  readonly photos: readonly Uint8Array[];
  /** Photos that are bad in known ways. */
  readonly badPhotos: readonly Uint8Array[];
  /** Ids of jobs that exist. */
  readonly ids: readonly string[];
}

/** How a piece of data is spoilt; positions are shares of its length. */
type Mutation =
  | { readonly kind: 'flip' | 'delete' | 'repeat'; readonly at: number; readonly length: number }
  | { readonly kind: 'insert'; readonly at: number; readonly data: Uint8Array }
  | { readonly kind: 'cut'; readonly at: number };

/** Evenly: a generator that prefers its bounds would cut nearly everything at its first byte. */
const share = fc.noBias(fc.integer({ min: 0, max: 9999 })).map((n) => n / 10_000);
const mutation: fc.Arbitrary<Mutation> = fc.oneof(
  fc.record({ kind: fc.constantFrom('flip', 'delete', 'repeat'), at: share, length: fc.integer({ min: 1, max: 64 }) }),
  fc.record({ kind: fc.constant('insert'), at: share, data: fc.uint8Array({ minLength: 1, maxLength: 64 }) }),
  fc.record({ kind: fc.constant('cut'), at: share }),
);

function mutate(data: Uint8Array, mutations: readonly Mutation[]): Buffer {
  let bytes = Buffer.from(data);
  for (const m of mutations) {
    const at = Math.floor(m.at * bytes.length);
    if (m.kind === 'cut') bytes = bytes.subarray(0, at);
    else if (m.kind === 'insert') bytes = Buffer.concat([bytes.subarray(0, at), m.data, bytes.subarray(at)]);
    else if (m.kind === 'delete') bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + m.length)]);
    else if (m.kind === 'repeat') bytes = Buffer.concat([bytes.subarray(0, at + m.length), bytes.subarray(at)]);
    else for (let i = at; i < Math.min(bytes.length, at + m.length); i += 1 + (m.length % 7)) bytes[i] = bytes[i]! ^ (1 << (i % 8));
  }
  return bytes;
}

/** Text that programs stumble over. */
const nasty = fc.oneof(
  { arbitrary: fc.string({ maxLength: 40 }), weight: 2 },
  { arbitrary: fc.string({ unit: 'binary', maxLength: 20 }), weight: 1 },
  {
    arbitrary: fc.constantFrom(
      '',
      '..',
      '../../../../etc/passwd',
      '..%2f..%2fkeys.json',
      '%00',
      '%zz',
      '%ff%fe',
      '%c0%ae%c0%ae',
      '__proto__',
      'constructor',
      'toString',
      'NaN',
      '-1',
      '1e999',
      '99999999999999999999',
      'true',
      'null',
      '[object Object]',
      '{{7*7}}',
      '<script>alert(1)</script>',
      "' OR 1=1 --",
      '\u202e\u0000\ud800',
      'a'.repeat(5000),
      '🙂'.repeat(30),
    ),
    weight: 3,
  },
);
const OPTION_NAMES = [
  'model',
  'textureSize',
  'formats',
  'compact',
  'face',
  'focal35mm',
  'keepPhoto',
  'deadlineS',
  'webhook',
  'limit',
  'after',
  'download',
];
const query = fc
  .array(fc.tuple(fc.oneof(fc.constantFrom(...OPTION_NAMES, 'tenant', 'expires', 'signature', 'session_hash'), nasty), nasty), {
    maxLength: 5,
  })
  .map((pairs) => pairs.map(([name, value]) => `${encode(name)}=${encode(value)}`).join('&'));

/** Percent-encoded so that it is one token of a request line; what is encoded already stays. */
function encode(text: string): string {
  return Buffer.from(text)
    .toString()
    .replace(/[^!-~]|[#?&]/gu, (c) => encodeURIComponent(c));
}

const HEADER_NAMES = [
  'accept',
  'authorization',
  'content-encoding',
  'content-type',
  'expect',
  'host',
  'idempotency-key',
  'if-none-match',
  'if-range',
  'last-event-id',
  'origin',
  'prefer',
  'range',
  'te',
  'traceparent',
  'x-forwarded-for',
  'x-forwarded-prefix',
  'x-request-id',
];
const HEADER_VALUES = [
  'gzip',
  '100-continue',
  'bytes=0-',
  'bytes=-1',
  'bytes=5-1,7-',
  'wait=1',
  'wait=-1',
  'respond-async',
  '*',
  'null',
  'multipart/form-data',
  'application/json',
  'image/*',
  'chunked',
  'Bearer fw_x',
];
const headerValue = fc.oneof(fc.constantFrom(...HEADER_VALUES), nasty).map((text) => text.replace(/[\r\n]/g, ' '));
const headers = fc.array(fc.tuple(fc.constantFrom(...HEADER_NAMES), headerValue), { maxLength: 4 });

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'PROPFIND', 'TRACE', 'CONNECT', 'get', 'FOO'];
const path = (ids: readonly string[]) => {
  const id = fc.oneof(fc.constantFrom(...ids), nasty.map(encode));
  return fc.oneof(
    fc.constantFrom('/', '/v1/reconstructions', '/v1/batches', '/v1/account', '/openapi.json', '/docs', '/health', '/readyz', '*', ''),
    fc.constantFrom(
      '/config',
      '/gradio_api/info',
      '/gradio_api/queue/join',
      '/gradio_api/queue/data',
      '/gradio_api/upload',
      '/gradio_api/call/predict',
      '/gradio_api/cancel',
    ),
    id.map((x) => `/v1/reconstructions/${x}`),
    fc.tuple(id, fc.constantFrom('cancel', 'files', 'x')).map(([x, y]) => `/v1/reconstructions/${x}/${y}`),
    fc.tuple(id, nasty.map(encode)).map(([x, y]) => `/v1/reconstructions/${x}/files/${y}`),
    fc.tuple(id, fc.constantFrom('', '/cancel', '/archive')).map(([x, y]) => `/v1/batches/${x}${y}`),
    fc.tuple(fc.constantFrom('file=', 'call/predict/', 'heartbeat/'), nasty.map(encode)).map(([x, y]) => `/gradio_api/${x}${y}`),
    nasty.map((text) => `/${encode(text)}`),
  );
};

/** The head of a request that ends its connection after the answer. */
function head(method: string, target: string, fields: readonly (readonly [string, string])[]): Buffer {
  const lines = [`${method} ${target} HTTP/1.1`, ...fields.map(([name, value]) => `${name}: ${value}`)];
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'utf8');
}

const isIn = (fields: readonly (readonly [string, string])[], name: string): boolean => fields.some(([n]) => n === name);

/** The generator of all kinds. Bodies have a right length unless the bytes themselves are spoilt. */
export function fuzzCases({ key, photos, badPhotos, ids }: FuzzMaterial): fc.Arbitrary<FuzzCase> {
  // fewer keys than none: most of the surface lies behind it.
  const base = (fields: readonly (readonly [string, string])[], withKey: boolean): [string, string][] => [
    ...(isIn(fields, 'host') ? [] : [['host', 'localhost'] as [string, string]]),
    ['connection', 'close'],
    ...(isIn(fields, 'authorization') || !withKey ? [] : [['authorization', `Bearer ${key}`] as [string, string]]),
    ...fields.map(([n, v]): [string, string] => [n, v]),
  ];
  const withKey = fc.integer({ min: 0, max: 9 }).map((n) => n > 0);
  const body = fc.oneof(
    fc.constant(Buffer.alloc(0)),
    fc.uint8Array({ maxLength: 300 }).map((b) => Buffer.from(b)),
    fc.json().map((text) => Buffer.from(text)),
    fc
      .record({ data: fc.jsonValue(), event_id: nasty, session_hash: nasty, fn_index: fc.integer() }, { requiredKeys: [] })
      .map((value) => Buffer.from(JSON.stringify(value))),
    fc
      .tuple(fc.constantFrom(...photos), fc.array(mutation, { maxLength: 2 }))
      .map(([photo, mutations]) => mutate(photo.subarray(0, 3000), mutations)),
  );
  const request = fc
    .record({
      method: fc.constantFrom(...METHODS),
      path: path(ids),
      query: fc.oneof(fc.constant(''), query),
      fields: headers,
      body,
      withKey,
    })
    .map(({ method, path: p, query: q, fields, body: b, withKey: w }): FuzzCase => {
      const all = base(fields, w);
      if (b.length > 0) all.push(['content-length', String(b.length)]);
      return { kind: 'request', bytes: Buffer.concat([head(method, q === '' ? p : `${p}?${q}`, all), b]) };
    });

  const partHead = fc.oneof(
    fc.constantFrom(
      'content-disposition: form-data; name="photo"; filename="a.jpg"',
      'content-disposition: form-data; name="photo"; filename=""',
      'content-disposition: form-data; name="photo"',
      'content-disposition: form-data; name="textureSize"',
      'content-disposition: form-data; name="__proto__"',
      'content-disposition: form-data',
      "content-disposition: attachment; name=photo; filename*=UTF-8''%ff",
      'content-type: multipart/mixed; boundary=c',
      'content-transfer-encoding: base64',
      '',
    ),
    nasty.map((name) => `content-disposition: form-data; name="${name.replace(/[\r\n"]/g, '')}"; filename="x"`),
  );
  const partBody = fc.oneof(
    fc.constantFrom(...photos, ...badPhotos).map((photo) => Buffer.from(photo.subarray(0, 20_000))),
    nasty.map((t) => Buffer.from(t)),
    fc.uint8Array({ maxLength: 100 }).map((b) => Buffer.from(b)),
  );
  const form = fc
    .record({
      parts: fc.array(fc.tuple(fc.array(partHead, { minLength: 1, maxLength: 2 }), partBody), { maxLength: 4 }),
      boundary: fc.constantFrom('b', '----WebKitFormBoundaryAbC', '"b"', 'b b', '', 'x'.repeat(200)),
      closing: fc.constantFrom('--', '', '--\r\njunk', '-'),
      target: fc.constantFrom(
        '/v1/reconstructions',
        '/v1/reconstructions/f1',
        '/v1/batches',
        '/gradio_api/upload',
        '/v1/reconstructions?face=1',
      ),
      fields: headers,
      mutations: fc.oneof(
        { arbitrary: fc.constant([]), weight: 1 },
        { arbitrary: fc.array(mutation, { minLength: 1, maxLength: 3 }), weight: 2 },
      ),
      withKey,
    })
    .map(({ parts, boundary, closing, target, fields, mutations, withKey: w }): FuzzCase => {
      const name = boundary.replaceAll('"', '');
      const whole = Buffer.concat([
        ...parts.flatMap(([heads, data]) => [Buffer.from(`--${name}\r\n${heads.join('\r\n')}\r\n\r\n`), data, Buffer.from('\r\n')]),
        Buffer.from(`--${name}${closing}\r\n`),
      ]);
      const spoilt = mutate(whole, mutations);
      const type: [string, string] = ['content-type', `multipart/form-data; boundary=${boundary}`];
      const all: [string, string][] = [
        ...base(
          fields.filter(([n]) => n !== 'content-type'),
          w,
        ),
        type,
        ['content-length', String(spoilt.length)],
      ];
      return { kind: 'form', bytes: Buffer.concat([head(target.includes('/f1') ? 'PUT' : 'POST', target, all), spoilt]) };
    });

  const photo = fc
    .record({
      photo: fc.oneof({ arbitrary: fc.constantFrom(...photos), weight: 4 }, { arbitrary: fc.constantFrom(...badPhotos), weight: 1 }),
      mutations: fc.array(mutation, { minLength: 1, maxLength: 4 }),
      type: fc.constantFrom('image/jpeg', 'image/png', 'application/octet-stream'),
      prefer: fc.constantFrom('wait=120', 'wait=120', 'respond-async'),
    })
    .map(({ photo: good, mutations, type, prefer }): FuzzCase => {
      const spoilt = mutate(good, mutations);
      const all: [string, string][] = [
        ...base([], true),
        ['content-type', type],
        ['prefer', prefer],
        ['content-length', String(spoilt.length)],
      ];
      return { kind: 'photo', bytes: Buffer.concat([head('POST', '/v1/reconstructions?formats=json&textureSize=512', all), spoilt]) };
    });

  const whole = fc.oneof(request, form);
  const bytes = fc.oneof(
    fc.uint8Array({ minLength: 1, maxLength: 500 }).map((b): FuzzCase => ({ kind: 'bytes', bytes: Buffer.from(b) })),
    fc
      .tuple(whole, fc.array(mutation, { minLength: 1, maxLength: 4 }))
      .map(([{ bytes: b }, mutations]): FuzzCase => ({ kind: 'bytes', bytes: mutate(b, mutations) })),
  );
  return fc.oneof(
    { arbitrary: request, weight: 5 },
    { arbitrary: form, weight: 3 },
    { arbitrary: bytes, weight: 3 },
    { arbitrary: photo, weight: 2 },
  );
}
