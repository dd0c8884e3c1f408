import { ERRORS, type ErrorCode } from '@facewright/protocol';
import { reconstructionSchema } from '@facewright/protocol/api';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, it } from 'vitest';
import { startTestService } from '../test-service.test-support.ts';
import { ALL_OPERATIONS as operations } from './all-operations.ts';
import { buildDocument, errorsOf } from './build-document.ts';
import { PROBLEM_PARAMS, SUCCEEDED_EXAMPLE } from './examples.ts';
import type { Json } from './operation.ts';

type Node = { readonly [key: string]: Json };
const document = buildDocument({ operations, version: '1.2.3', prefix: '' });

describe('OpenAPI document', () => {
  it('describes exactly the routes that there are', async () => {
    const service = await startTestService({ work: null });
    const routes = new Set<string>();
    // One line per route and method: "    └── /path (GET, HEAD)" is a tree; the flat form has whole paths.
    for (const operation of operations) routes.add(`${operation.method.toUpperCase()} ${operation.path.replace(/\{(\w+)\}/g, ':$1')}`);
    for (const route of routes) {
      const [method = '', url = ''] = route.split(' ');
      expect(service.app.hasRoute({ method: method as 'GET', url }), route).toBe(true);
    }
    const printed = service.app.printRoutes({ commonPrefix: false });
    await service.close();
    const listed = [...printed.matchAll(/(\S+) \(([A-Z, ]+)\)/g)].flatMap(([, , methods = '']) => methods.split(', '));
    const undocumented = ['/openapi.json', '/docs', '/docs.css'].length * 2;
    // Gradio's routes are described by Gradio itself (/config, /info).
    const foreign = [...printed.matchAll(/gradio_api[^\n]*\(([A-Z, ]+)\)/g)].length;
    if (foreign === 0) expect(listed.length).toBe(routes.size + undocumented);
  });

  it('is valid: references lead somewhere, ids are unique, every example fits its schema', () => {
    const ajv = new Ajv2020({ strict: false, validateFormats: false });
    ajv.addSchema({ $id: 'openapi', ...document });
    const names = new Set(Object.keys((document.components as Node).schemas as Node));
    for (const [, name] of JSON.stringify(document).matchAll(/#\/components\/schemas\/(\w+)/g)) expect(names.has(name!), name).toBe(true);
    const ids: unknown[] = [];
    for (const [path, methods] of Object.entries(document.paths as Node)) {
      for (const [method, described] of Object.entries(methods as Node)) {
        const operation = described as Node & { responses: Node; parameters?: Node[] };
        ids.push(operation.operationId);
        const inPath = [...path.matchAll(/\{(\w+)\}/g)].map((m) => m[1]);
        expect(
          (operation.parameters ?? []).filter((p) => p.in === 'path').map((p) => p.name),
          path,
        ).toEqual(inPath);
        for (const [status, response] of Object.entries(operation.responses)) {
          for (const [type, content] of Object.entries(((response as Node).content ?? {}) as Node)) {
            const { schema, example, examples = {} } = content as Node & { examples?: Node };
            const samples = [...(example === undefined ? [] : [example]), ...Object.values(examples as Node).map((e) => (e as Node).value)];
            if (!/json/.test(type)) continue;
            expect(samples.length, `${method} ${path} ${status}`).toBeGreaterThan(0);
            const absolute = JSON.parse(JSON.stringify(schema).replaceAll('#/components', 'openapi#/components'));
            const validate = ajv.compile(absolute);
            for (const sample of samples)
              expect(validate(sample) || ajv.errorsText(validate.errors), `${method} ${path} ${status}`).toBe(true);
          }
        }
      }
    }
    expect(new Set(ids).size).toBe(ids.length);
  });

  it('lets later versions add fields, but only tests know which there are now', () => {
    expect(JSON.stringify((document.components as Node).schemas)).not.toContain('"additionalProperties":false');
    const strict = buildDocument({ operations, version: '', prefix: '', strict: true });
    expect(JSON.stringify((strict.components as Node).schemas)).toContain('"additionalProperties":false');
    expect(reconstructionSchema.safeParse(SUCCEEDED_EXAMPLE).success).toBe(true);
  });

  it('every code that a route answers with is in the table, with an example', () => {
    for (const operation of operations) {
      for (const code of errorsOf(operation)) {
        expect(ERRORS[code as ErrorCode], code).toBeDefined();
        expect(PROBLEM_PARAMS[code as ErrorCode], code).toBeDefined();
      }
    }
  });
});
