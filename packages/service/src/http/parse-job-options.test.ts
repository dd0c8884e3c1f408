import { jobOptionsSchema } from '@facewright/protocol/api';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { computeFingerprint } from './fingerprint.ts';
import { parseJobOptions } from './parse-job-options.ts';

const MODELS = ['head', 'canonical'];
const parse = (fields: Record<string, string>) => parseJobOptions(fields, MODELS);

describe('options as text', () => {
  it('none: the defaults', () => {
    expect(parse({})).toEqual({ options: jobOptionsSchema.parse({}), webhookUrl: null });
  });

  it('all of them', () => {
    const { options, webhookUrl } = parse({
      model: 'canonical',
      textureSize: '2048',
      formats: 'glb, obj,glb',
      compact: 'true',
      face: '2',
      focal35mm: '52.5',
      keepPhoto: '1',
      deadlineS: '30',
      webhook: 'https://example.org/done',
    });
    expect(options).toEqual({
      model: 'canonical',
      textureSize: 2048,
      formats: ['glb', 'obj'],
      compact: true,
      face: 2,
      focal35mm: 52.5,
      keepPhoto: true,
      deadlineS: 30,
    });
    expect(webhookUrl).toBe('https://example.org/done');
  });

  it.each([
    [{ textureSize: '511' }, 'textureSize'],
    [{ textureSize: '0x400' }, 'textureSize'],
    [{ textureSize: '' }, 'textureSize'],
    [{ textureSize: '1e3' }, 'textureSize'],
    [{ compact: 'yes' }, 'compact'],
    [{ formats: '' }, 'formats'],
    [{ formats: 'glb,exe' }, 'formats'],
    [{ face: '0' }, 'face'],
    [{ face: 'all' }, 'face'],
    [{ focal35mm: 'NaN' }, 'focal35mm'],
    [{ deadlineS: '-5' }, 'deadlineS'],
    [{ colour: 'red' }, 'colour'],
    [{ __proto__x: '1' }, '__proto__x'],
    [{ webhook: 'javascript:alert(1)' }, 'webhook'],
    [{ webhook: 'file:///etc/passwd' }, 'webhook'],
  ])('%j is refused by name', (fields, name) => {
    expect(() => parse(fields as unknown as Record<string, string>)).toThrow(
      expect.objectContaining({ code: 'FW_REQUEST_INVALID', message: expect.stringContaining(name) }),
    );
  });

  it('an unknown model is told which there are', () => {
    expect(() => parse({ model: 'body' })).toThrow(
      expect.objectContaining({ code: 'FW_MODEL_UNKNOWN', params: { model: 'body', known: MODELS } }),
    );
  });

  it('whatever is sent, options or an error of the table come out', () => {
    const names = fc.oneof(fc.constantFrom(...Object.keys(jobOptionsSchema.shape), 'webhook', '__proto__', 'constructor'), fc.string());
    fc.assert(
      fc.property(
        fc.dictionary(names, fc.oneof(fc.string(), fc.double().map(String), fc.constantFrom('true', 'glb', 'head'))),
        (fields) => {
          try {
            expect(jobOptionsSchema.safeParse(parse(fields).options).success).toBe(true);
          } catch (error) {
            expect((error as { code?: string }).code).toMatch(/^FW_(REQUEST_INVALID|MODEL_UNKNOWN)$/);
          }
        },
      ),
      { numRuns: 500 },
    );
  });
});

describe('fingerprint', () => {
  it('is of what was asked, not of how', () => {
    const a = parse({ textureSize: '1024', compact: 'false' }).options;
    const b = parse({ compact: '0' }).options;
    expect(computeFingerprint('00', a, null)).toBe(computeFingerprint('00', b, null));
    expect(computeFingerprint('00', a, null)).not.toBe(computeFingerprint('01', a, null));
    expect(computeFingerprint('00', a, null)).not.toBe(computeFingerprint('00', { ...a, face: 1 }, null));
    expect(computeFingerprint('00', a, null)).not.toBe(computeFingerprint('00', a, 'https://example.org/'));
  });
});
