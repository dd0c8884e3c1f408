import { ERRORS } from '@facewright/protocol';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import { buildDocument, errorsOf } from './openapi/build-document.ts';
import type { Json, Operation } from './openapi/operation.ts';

type Document = { readonly [key: string]: Json };

/** Checks answers against the OpenAPI document: route, status, media type, code, body. Throws with what does not fit. */
export type AnswerCheck = (method: string, path: string, answer: Response) => Promise<void>;

/** A check of answers for the operations that a service has; fields that the document does not name are errors too. */
export function createAnswerCheck(operations: readonly Operation[], basePath = ''): AnswerCheck {
  const document = buildDocument({ operations, version: '0.0.0', prefix: '', strict: true }) as Document;
  const ajv = new Ajv2020({ strict: false, validateFormats: false, allErrors: true });
  ajv.addSchema({ $id: 'openapi', ...document });
  const validators = new Map<string, ValidateFunction>();
  const validate = (name: string, body: unknown, what: string): void => {
    const validator = validators.get(name) ?? ajv.compile({ $ref: `openapi#/components/schemas/${name}` });
    validators.set(name, validator);
    if (!validator(body)) throw new Error(`${what}: not a ${name}: ${ajv.errorsText(validator.errors)}\n${JSON.stringify(body)}`);
  };
  const patterns = operations.map((operation) => ({
    operation,
    pattern: new RegExp(`^${operation.path.replace(/[.*+?^$()|[\]\\]/g, '\\$&').replace(/\{[^}]+\}/g, '[^/]+')}$`),
  }));

  return async (method, path, answer) => {
    const what = `${method} ${path.split('?')[0]} → ${answer.status}`;
    const type = (answer.headers.get('content-type') ?? '').split(';')[0]!;
    const route = path.split('?')[0]!.slice(basePath.length);
    const found = patterns.find((p) => p.operation.method === method.toLowerCase() && p.pattern.test(route))?.operation;
    if (answer.headers.get('x-request-id') === null) throw new Error(`${what}: no X-Request-Id`);
    if (answer.headers.get('x-content-type-options') !== 'nosniff') throw new Error(`${what}: no nosniff`);
    const isProblem = answer.status >= 400 && !(type === 'application/json' && found?.tag === 'Health');
    // Gradio clients read `{"detail": …}`; the tests of those routes look at it.
    if (isProblem && route.startsWith('/gradio_api/') && type === 'application/json') return;
    if (isProblem) {
      if (type !== 'application/problem+json') throw new Error(`${what}: ${type} is no problem`);
      if (method === 'HEAD') return;
      const problem = (await answer.clone().json()) as {
        code: keyof typeof ERRORS;
        status: number;
        requestId: string;
        retryAfterS?: number;
      };
      validate('Problem', problem, what);
      if (problem.status !== answer.status || ERRORS[problem.code].http !== answer.status)
        throw new Error(`${what}: status of ${problem.code}`);
      if (problem.requestId !== answer.headers.get('x-request-id')) throw new Error(`${what}: two request ids`);
      const retryAfter = answer.headers.get('retry-after');
      if ((retryAfter === null ? undefined : Number(retryAfter)) !== problem.retryAfterS) throw new Error(`${what}: two retry times`);
      if ([429, 503].includes(answer.status) && retryAfter === null) throw new Error(`${what}: no Retry-After`);
      if (found !== undefined && !errorsOf(found).includes(problem.code)) throw new Error(`${what}: ${problem.code} is not documented`);
      return;
    }
    if (found === undefined) return;
    const response = found.responses[answer.status];
    if (response === undefined) throw new Error(`${what}: this status is not documented`);
    if (response.content === undefined) return;
    if (type === '') throw new Error(`${what}: no content type`);
    const [, content] = Object.entries(response.content).find(([t]) => t === type || t === '*/*') ?? [];
    if (content === undefined) throw new Error(`${what}: ${type} is not documented`);
    const name = /schemas\/(\w+)$/.exec(String((content.schema as { $ref?: string }).$ref ?? ''))?.[1];
    if (name !== undefined) validate(name, await answer.clone().json(), what);
  };
}
