import { type ChildProcess, fork } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { createFolder } from '../../test/run-cli.ts';
import { createProcessMaker } from './create-process-maker.ts';
import type { MakeOptions } from './make-options.ts';
import type { PhotoMaker } from './photo-maker.ts';

vi.mock('node:child_process', async (importOriginal) => {
  const real = await importOriginal<typeof import('node:child_process')>();
  return { ...real, fork: vi.fn(real.fork) };
});

/** The process that was started last. */
const lastProcess = (): ChildProcess => vi.mocked(fork).mock.results.at(-1)!.value as ChildProcess;

const OPTIONS: MakeOptions = { engine: {}, face: 'only', formats: ['glb'], compact: false, force: false, cwd: process.cwd() };
const WORKER = new URL('../../test/fake-worker.mjs', import.meta.url);

function createMaker(cancelGraceMs?: number): PhotoMaker {
  const maker = createProcessMaker(OPTIONS, { workerUrl: WORKER, ...(cancelGraceMs === undefined ? {} : { cancelGraceMs }) });
  onTestFinished(() => maker.close());
  return maker;
}

const job = (photo: string) => ({ photo, target: '/out' });

describe('createProcessMaker', () => {
  it('makes one photo after the other in one process', async () => {
    const maker = createMaker();
    const first = await maker.make(job('a.jpg'), {});
    const second = await maker.make(job('b.jpg'), {});
    expect(first.provider).toMatch(/^process \d+$/);
    expect(second.provider).toBe(first.provider);
    expect(first.provider).not.toBe(`process ${process.pid}`);
  });

  it('brings the error of a photo over with its code, its numbers and its stack', async () => {
    await expect(createMaker().make(job('fails.jpg'), {})).rejects.toMatchObject({
      code: 'FW_FACE_TOO_SMALL',
      exitStatus: 65,
      message: 'The face is 12 pixels wide; at least 40 are needed',
      stack: 'the stack over there',
    });
  });

  it.each([
    ['segfault.jpg', 'SIGSEGV'],
    ['exit.jpg', 'exit status 3'],
  ])('loses only the photo when the process dies (%s), and starts another', async (photo, reason) => {
    const maker = createMaker();
    const before = await maker.make(job('a.jpg'), {});
    await expect(maker.make(job(photo), {})).rejects.toMatchObject({ code: 'FW_INTERNAL', message: expect.stringContaining(reason) });
    const after = await maker.make(job('b.jpg'), {});
    expect(after.provider).not.toBe(before.provider);
  });

  it('keeps what the process wrote on stderr as the cause, for --debug', async () => {
    await expect(createMaker().make(job('exit.jpg'), {})).rejects.toMatchObject({ cause: { message: 'native trouble' } });
  });

  it('kills a process that does not stop when it is told to', async () => {
    const abort = new AbortController();
    const making = createMaker(50).make(job('hangs.jpg'), { signal: abort.signal });
    abort.abort();
    await expect(making).rejects.toMatchObject({ code: 'FW_CANCELED' });
  });

  it('does not start a process for a photo that is canceled already, and closes without one', async () => {
    const maker = createMaker();
    await expect(maker.make(job('a.jpg'), { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'FW_CANCELED' });
    await maker.close();
  });

  it('fails the photo when no process can be started, and closes without waiting for one', async () => {
    const cwd = join(createFolder(), 'gone');
    const maker = createProcessMaker({ ...OPTIONS, cwd }, { workerUrl: WORKER });
    for (const photo of ['a.jpg', 'b.jpg']) {
      await expect(maker.make(job(photo), {})).rejects.toMatchObject({
        code: 'FW_INTERNAL',
        message: expect.stringContaining('could not be started'),
      });
    }
    await maker.close();
    // Also when it closes before the failure is known.
    const making = maker.make(job('c.jpg'), {});
    await Promise.all([maker.close(), expect(making).rejects.toMatchObject({ code: 'FW_INTERNAL' })]);
  });

  it('survives an error of a process that has nothing to do, ends that process and starts another', async () => {
    const maker = createMaker();
    const before = await maker.make(job('a.jpg'), {});
    const idle = lastProcess();
    const ended = new Promise((resolve) => idle.once('exit', resolve));
    idle.emit('error', new Error('the channel is broken'));
    const after = await maker.make(job('b.jpg'), {});
    expect(after.provider).not.toBe(before.provider);
    await ended;
  });
});
