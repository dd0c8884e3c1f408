import type { FastifyInstance } from 'fastify';
import type { AppContext } from '../app-context.ts';

/** GET /openapi.json and /docs: what the API can do, for programs and for people. Made once per prefix, without a third party. */
export function documentationRoutes(app: FastifyInstance, context: AppContext): void {
  const config = { access: 'none' } as const;
  const made = new Map<string, { readonly json: string; readonly html: string }>();
  const make = async (prefix: string) => {
    const known = made.get(prefix);
    if (known !== undefined) return known;
    // Describing everything takes a tenth of the time until the service listens, so it is done when somebody asks.
    const [{ ALL_OPERATIONS: operations }, { buildDocument }, { renderDocs }] = await Promise.all([
      import('../openapi/all-operations.ts'),
      import('../openapi/build-document.ts'),
      import('../openapi/render-docs.ts'),
    ]);
    const document = buildDocument({ operations, version: context.version, prefix });
    const both = { json: JSON.stringify(document), html: renderDocs(operations, document) };
    // A proxy has one prefix; whoever makes up others must not fill the memory.
    if (made.size < 16) made.set(prefix, both);
    return both;
  };
  app.get('/openapi.json', { config }, async (request, reply) =>
    reply
      .header('content-type', 'application/json')
      .header('cache-control', 'no-cache')
      .header('access-control-allow-origin', '*')
      .send((await make(context.prefixOf(request))).json),
  );
  app.get('/docs', { config }, async (request, reply) =>
    reply
      .header('content-type', 'text/html; charset=utf-8')
      .header('cache-control', 'no-cache')
      .header(
        'content-security-policy',
        "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
      )
      .send((await make(context.prefixOf(request))).html),
  );
  app.get('/docs.css', { config }, async (_request, reply) =>
    reply
      .header('content-type', 'text/css; charset=utf-8')
      .header('cache-control', 'no-cache')
      .send((await import('../openapi/render-docs.ts')).DOCS_STYLE),
  );
}
