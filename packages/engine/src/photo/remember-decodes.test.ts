import { describe, expect, it } from 'vitest';
import type { Photo, PhotoView } from './photo.ts';
import { rememberDecodes } from './remember-decodes.ts';

/** A photo that counts how often it is decoded; `fail` makes the next decode fail. */
function createPhoto() {
  const calls: unknown[] = [];
  const state: { calls: unknown[]; fail: boolean; wait: Promise<void> } = { calls, fail: false, wait: Promise.resolve() };
  const photo: Photo = {
    width: 100,
    height: 80,
    format: 'jpeg',
    bytes: 1000,
    orientation: 6,
    exifFocalPx: 120,
    isGrey: false,
    warnings: [],
    async decode(options) {
      calls.push(options);
      await state.wait;
      if (state.fail) throw new Error('damaged');
      const raster = { width: 1, height: 1, rgb: new Uint8Array(3) };
      return { raster, x: 0, y: 0, scaleX: 1, scaleY: 1 } satisfies PhotoView;
    },
  };
  return { photo, state };
}

describe('rememberDecodes', () => {
  it('decodes the whole photo once per size, and parts each time', async () => {
    const { photo, state } = createPhoto();
    const remembering = rememberDecodes(photo);
    const [first, second] = await Promise.all([remembering.decode({ longSidePx: 50 }), remembering.decode({ longSidePx: 50 })]);
    expect(second).toBe(first);
    expect(await remembering.decode({ longSidePx: 50, signal: new AbortController().signal })).toBe(first);
    expect(await remembering.decode({ longSidePx: 25 })).not.toBe(first);
    const region = { x: 0, y: 0, width: 10, height: 10 };
    await remembering.decode({ region, longSidePx: 50 });
    await remembering.decode({ region, longSidePx: 50 });
    expect(state.calls).toEqual([{ longSidePx: 50 }, { longSidePx: 25 }, { region, longSidePx: 50 }, { region, longSidePx: 50 }]);
  });

  it('keeps what the header told', () => {
    const { photo } = createPhoto();
    const { decode: _, ...told } = photo;
    expect(rememberDecodes(photo)).toMatchObject(told);
  });

  it('tries again what failed', async () => {
    const { photo, state } = createPhoto();
    const remembering = rememberDecodes(photo);
    state.fail = true;
    await expect(remembering.decode({ longSidePx: 50 })).rejects.toThrow('damaged');
    state.fail = false;
    await expect(remembering.decode({ longSidePx: 50 })).resolves.toMatchObject({ scaleX: 1 });
  });

  it('lets one caller go and the next have the view', async () => {
    const { photo, state } = createPhoto();
    let release = (): void => {};
    state.wait = new Promise((resolve) => {
      release = resolve;
    });
    const remembering = rememberDecodes(photo);
    const abort = new AbortController();
    const canceled = remembering.decode({ longSidePx: 50, signal: abort.signal });
    abort.abort();
    await expect(canceled).rejects.toMatchObject({ code: 'FW_CANCELED' });
    await expect(remembering.decode({ longSidePx: 50, signal: abort.signal })).rejects.toMatchObject({ code: 'FW_CANCELED' });
    release();
    await expect(remembering.decode({ longSidePx: 50 })).resolves.toMatchObject({ scaleX: 1 });
    expect(state.calls).toHaveLength(1);
  });
});
