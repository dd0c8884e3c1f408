import { afterEach, describe, expect, it } from 'vitest';
import {
  fakeJpeg,
  photoForm,
  RESULT_BYTES,
  readJson,
  refuse,
  startTestService,
  type TestService,
  type TestServiceOptions,
} from './test-service.test-support.ts';

let service: TestService;
const start = async (options: TestServiceOptions = {}) => {
  service = await startTestService(options);
  return service;
};
afterEach(async () => await service?.close());

describe('creating', () => {
  it('answers 201 with the result, and its file', async () => {
    await start();
    const answer = await service.fetch('v1/reconstructions', { method: 'POST', body: photoForm(fakeJpeg(), { textureSize: '512' }) });
    const view = await readJson(answer);
    expect(answer.status, JSON.stringify(view)).toBe(201);
    expect(view.options.textureSize).toBe(512);
    expect(answer.headers.get('location')).toBe(`/v1/reconstructions/${view.id}`);
    const file = await service.fetch(view.result.files[0].url);
    expect(Buffer.from(await file.arrayBuffer())).toEqual(RESULT_BYTES);
  });

  it('takes a raw image with options in the query', async () => {
    await start();
    const answer = await service.fetch('v1/reconstructions?textureSize=512&formats=glb,obj', {
      method: 'POST',
      headers: { 'content-type': 'image/jpeg' },
      body: fakeJpeg() as never,
    });
    const view = await readJson(answer);
    expect(answer.status, JSON.stringify(view)).toBe(201);
    expect(view.options.formats).toEqual(['glb', 'obj']);
  });

  it('answers a job that failed with the status of its error', async () => {
    await start({ work: refuse });
    const answer = await service.fetch('v1/reconstructions', { method: 'POST', body: photoForm(fakeJpeg()) });
    const problem = await readJson(answer);
    expect(answer.status, JSON.stringify(problem)).toBe(422);
    expect(answer.headers.get('content-type')).toBe('application/problem+json');
    expect(problem.code).toBe('FW_FACE_NOT_FOUND');
    expect((await service.fetch(`v1/reconstructions/${problem.reconstruction}`)).status).toBe(200);
  });

  it('refuses what is no image without a job or a stored byte', async () => {
    await start();
    const answer = await service.fetch('v1/reconstructions', { method: 'POST', body: photoForm(Buffer.from('%PDF-1.7 not a photo')) });
    expect(answer.status, JSON.stringify(await readJson(answer))).toBe(415);
    expect(await service.storedKeys()).toEqual([]);
    expect((await readJson(await service.fetch('v1/reconstructions'))).reconstructions).toEqual([]);
  });
});
