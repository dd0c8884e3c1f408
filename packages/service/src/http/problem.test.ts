import { ERRORS, type ErrorCode, FacewrightError } from '@facewright/protocol';
import { describe, expect, it } from 'vitest';
import { formatProblem, publicError, retryAfterOf } from './problem.ts';

const problemOf = (error: unknown) => formatProblem(publicError(error), { requestId: 'r', docsUrl: '/docs' });

describe('problems', () => {
  it('carry code, hint and what the message was made of', () => {
    expect(problemOf(new FacewrightError('FW_QUEUE_FULL', { queued: 256, retryAfterS: 41 }))).toEqual({
      type: '/docs#FW_QUEUE_FULL',
      title: 'Too Many Requests',
      status: 429,
      detail: ERRORS.FW_QUEUE_FULL.message({ queued: 256, retryAfterS: 41 }),
      code: 'FW_QUEUE_FULL',
      hint: ERRORS.FW_QUEUE_FULL.hint,
      requestId: 'r',
      params: { queued: 256, retryAfterS: 41 },
      retryAfterS: 41,
    });
  });

  it('say nothing of the machine: not by unknown errors, not by paths in known ones', () => {
    const secret = '/srv/facewright/data/jobs/x';
    const errors: unknown[] = [
      new Error(`ENOENT: no such file, open '${secret}'`),
      new TypeError('x is not a function'),
      'text',
      null,
      { code: 'ENOENT', path: secret },
      new FacewrightError('FW_PHOTO_UNREADABLE', { path: secret, reason: 'gone' }),
      new FacewrightError('FW_STORAGE_UNAVAILABLE', { reason: `EIO: ${secret} failed` }),
      new FacewrightError('FW_QUEUE_UNAVAILABLE', { reason: `file://${secret}` }),
      new FacewrightError('FW_FIT_FAILED', { reason: `at Object.<anonymous> (${secret}/fit.js:12:3)` }),
      new FacewrightError('FW_MODEL_CORRUPT', { path: secret, reason: 'x' }),
      new FacewrightError('FW_OUTPUT_DISK_FULL', { path: secret }),
      { code: 'FW_PHOTO_TRUNCATED', message: secret, params: { reason: `C:\\Users\\me\\${secret}` } },
      { code: 'FW_FACE_SEVERAL', message: 'of another version', params: {} },
    ];
    for (const error of errors) {
      const text = JSON.stringify(problemOf(error));
      expect(text).not.toContain('/srv');
      expect(text).not.toContain('Users');
      expect(text).not.toContain('ENOENT');
    }
    expect(problemOf(errors[0]).code).toBe('FW_INTERNAL');
    expect(problemOf(errors[6]).code).toBe('FW_STORAGE_UNAVAILABLE');
    expect(problemOf(errors[10]).code).toBe('FW_STORAGE_FULL');
  });

  it('leave fractions, dates and media types alone', () => {
    for (const reason of ['3/4 of it', 'image/jpeg or image/png', '2026/03/01', 'https://example.org/a/b', 'and/or']) {
      expect(publicError(new FacewrightError('FW_STORAGE_UNAVAILABLE', { reason })).message).toContain(reason);
    }
  });

  it('have a title for every status of the table', () => {
    for (const [code, { http }] of Object.entries(ERRORS)) {
      const { title } = formatProblem({ code: code as ErrorCode, message: '', hint: '', params: {} }, { requestId: 'r', docsUrl: '' });
      expect(title, String(http)).not.toBe('Error');
    }
  });

  it('ask for a bounded wait wherever waiting helps', () => {
    for (const [code, { http }] of Object.entries(ERRORS)) {
      for (const retryAfterS of [0, 0.2, 7, 1e9]) {
        const wait = retryAfterOf({ code: code as ErrorCode, message: '', hint: '', params: { retryAfterS } });
        expect(wait).toBe(Math.min(600, Math.max(1, Math.ceil(retryAfterS))));
      }
      const wait = retryAfterOf({ code: code as ErrorCode, message: '', hint: '', params: {} });
      if (http === 503 || http === 507) expect(wait, code).toBeGreaterThan(0);
    }
  });
});
