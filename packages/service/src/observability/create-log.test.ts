import { describe, expect, it } from 'vitest';
import { createLog } from './create-log.ts';

function collect(level: 'debug' | 'info' = 'info') {
  const lines: string[] = [];
  const log = createLog(level, 'api', { write: (line) => lines.push(line) });
  return { log, read: () => lines.map((line) => JSON.parse(line) as Record<string, unknown>), lines };
}

describe('createLog', () => {
  it('writes one JSON object per line, with the fields of its parents', () => {
    const { log, read } = collect();
    const child = log.child({ requestId: 'r1', jobId: 'j1', tenant: 'acme' });
    child.info({ ms: 5 }, 'Job ended');
    child.debug({}, 'not at this level');
    expect(read()).toMatchObject([{ level: 'info', role: 'api', requestId: 'r1', jobId: 'j1', tenant: 'acme', ms: 5, msg: 'Job ended' }]);
    expect(new Date(String(read()[0].time)).toISOString()).toBe(read()[0].time);
  });

  it('takes out what must not be in a line, wherever it got in', () => {
    const { log, lines } = collect();
    const secret = 'fw_secret_value';
    log.info({ authorization: secret, req: { headers: secret, url: secret }, fileName: secret, apiKey: secret, photo: secret }, 'x');
    expect(lines.join()).not.toContain(secret);
  });

  it('writes errors with code, stack and cause', () => {
    const { log, read } = collect();
    log.error({ error: Object.assign(new Error('outer', { cause: new Error('inner') }), { code: 'FW_X' }) }, 'x');
    expect(read()[0].error).toMatchObject({ message: 'outer', code: 'FW_X', cause: { message: 'inner' } });
    log.error({ error: 'text' }, 'x');
    expect(read()[1].error).toEqual({ message: 'text' });
  });
});
