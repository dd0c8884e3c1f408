/** @module Every way to hand in a photo, and every way to take hold of the face: hands on a mouse, a keyboard or a screen. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page, Route } from 'playwright-core';
import sharp from 'sharp';
import { afterAll, describe, expect, it } from 'vitest';
import {
  chooseFile,
  compare,
  expectAccessible,
  expectChange,
  expectFocus,
  portrait,
  readCanvas,
  STEP_MS,
  setUpPage,
  shoot,
  TEST_MS,
  waitForFace,
} from './page-harness.ts';
import { startPrefixProxy } from './start-prefix-proxy.ts';

let folder = '';
/** What the camera sees: the head and shoulders of the example, 4 : 3. */
const cameraPicture = sharp(portrait).extract({ left: 0, top: 330, width: 1600, height: 1200 }).resize(960, 720);
const harness = setUpPage({
  async createCameraFile() {
    folder = await mkdtemp(join(tmpdir(), 'facewright-camera-'));
    const file = join(folder, 'portrait.mjpeg');
    const frame = await cameraPicture.jpeg({ quality: 90 }).toBuffer();
    // Motion JPEG is one picture after another; Chromium plays it again and again.
    await writeFile(file, Buffer.concat([frame, frame]));
    await writeFile(join(folder, 'portrait.jpg'), await sharp(portrait).resize(640).jpeg().toBuffer());
    return file;
  },
});
const { open } = harness;
afterAll(async () => {
  if (folder !== '') await rm(folder, { recursive: true, force: true });
});

const small = () => sharp(portrait).resize(640).jpeg().toBuffer();
/** The photo was taken, sent and measured. */
async function expectMeasured(page: Page): Promise<void> {
  await page.waitForURL(/#\/face\//);
  await page.locator('[data-points="478"]').waitFor();
}
/** Presses Tab until something that matches has the focus. */
async function tabTo(page: Page, selector: string): Promise<void> {
  for (let i = 0; i < 60; i++) {
    await page.keyboard.press('Tab');
    if (await page.evaluate((wanted) => document.activeElement?.matches(wanted) ?? false, selector)) return;
  }
  throw new Error(`Tab does not lead to ${selector}`);
}

describe('a photo comes', () => {
  it(
    'by being dropped anywhere in the window',
    async () => {
      const page = await open();
      await page.getByText('Drop a portrait here').waitFor();
      const protocol = await harness.openProtocol(page);
      const drag = (type: 'dragEnter' | 'dragOver' | 'drop') =>
        protocol.send('Input.dispatchDragEvent', {
          type,
          x: 500,
          y: 500,
          data: { items: [], files: [join(folder, 'portrait.jpg')], dragOperationsMask: 1 },
        });
      await drag('dragEnter');
      await drag('dragOver');
      await page.getByText('Let go to make a face').waitFor();
      await shoot(page, 'drop');
      await drag('drop');
      await expectMeasured(page);
      await expect.poll(() => page.getByText('Let go to make a face').count()).toBe(0);
      expect(harness.offences).toEqual([]);
    },
    TEST_MS,
  );

  it(
    'by being pasted, but not where text is typed',
    async () => {
      const page = await open({ permissions: ['clipboard-read', 'clipboard-write'] });
      await page.getByText('Drop a portrait here').waitFor();
      const base64 = (await sharp(portrait).resize(480).png().toBuffer()).toString('base64');
      await page.evaluate(async (data) => {
        const bytes = Uint8Array.from(atob(data), (c) => c.charCodeAt(0));
        await navigator.clipboard.write([new ClipboardItem({ 'image/png': new Blob([bytes], { type: 'image/png' }) })]);
      }, base64);
      await page.locator('.options summary').click();
      await page.getByLabel('Focal length').press('Control+V');
      await page.locator('.options summary').press('Control+V');
      await expectMeasured(page);
      // One job: the field took nothing.
      await page.goto(`${harness.service.url}#/history`);
      await expect.poll(() => page.locator('.card').count(), { timeout: STEP_MS }).toBeGreaterThan(0);
      expect(harness.offences).toEqual([]);
    },
    TEST_MS,
  );

  it(
    'from the camera, with consent, a mirror and a look at the picture',
    async () => {
      const page = await open();
      await page.getByRole('button', { name: 'Use the camera' }).click();
      const dialog = page.getByRole('dialog');
      await expectAccessible(page, 'consent');
      expect(await dialog.locator('video').count()).toBe(0);
      await dialog.getByRole('button', { name: 'Turn the camera on' }).click();
      await dialog.getByText('The light is good').waitFor();
      const take = dialog.getByRole('button', { name: 'Take the picture' });
      // In sight without scrolling: nobody looks for a button while posing.
      await expect.poll(() => take.evaluate((button) => button.getBoundingClientRect().bottom <= innerHeight)).toBe(true);
      await shoot(page, 'camera');
      await expectAccessible(page, 'mirror');
      await take.click();
      const taken = dialog.getByAltText('The picture that was taken');
      await taken.waitFor();
      const pixelsOf = (image: ReturnType<typeof sharp>) => image.resize(48, 36, { fit: 'fill' }).removeAlpha().raw().toBuffer();
      const encoded = await taken.evaluate(async (image: HTMLImageElement) => {
        await image.decode();
        const canvas = document.createElement('canvas');
        canvas.width = 48;
        canvas.height = 36;
        canvas.getContext('2d')!.drawImage(image, 0, 0, 48, 36);
        return canvas.toDataURL('image/png').split(',')[1]!;
      });
      const [seen, shown] = [await pixelsOf(sharp(Buffer.from(encoded, 'base64'))), await pixelsOf(cameraPicture.clone())];
      const mirrored = await pixelsOf(sharp(await cameraPicture.clone().flop().png().toBuffer()));
      // The mirror is for the eyes only: the photo itself has left and right as they are.
      expect(compare(seen, shown)).toBeLessThan(0.5 * compare(seen, mirrored));
      await dialog.getByRole('button', { name: 'Make a face of it' }).click();
      await expectMeasured(page);
      expect(harness.offences).toEqual([]);
    },
    TEST_MS,
  );

  it('not as HEIC where the browser cannot read it: the page says what to do', async () => {
    const page = await open();
    const heic = Buffer.concat([Buffer.from([0, 0, 0, 24]), Buffer.from('ftypheic\0\0\0\0mif1heic'), Buffer.alloc(200)]);
    await chooseFile(page, heic, 'IMG_0001.HEIC', 'image/heic');
    await page.getByRole('alert').getByText('This browser cannot read HEIC photos').waitFor();
    await page.getByText(/Save it as JPEG/).waitFor();
    await shoot(page, 'heic');
    await expectAccessible(page, 'HEIC');
    expect(page.url()).not.toContain('#/face/');
  });
});

describe('the face is turned', () => {
  it(
    'by one finger and enlarged by two',
    async () => {
      const page = await open({ path: `#/face/${harness.faceId}`, hasTouch: true, viewport: { width: 390, height: 780 } });
      await waitForFace(page);
      const protocol = await harness.openProtocol(page);
      const box = (await page.locator('canvas.face-canvas').boundingBox())!;
      const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
      const touch = async (path: readonly (readonly (readonly [number, number])[])[]) => {
        for (const [i, points] of path.entries()) {
          const touchPoints = points.map(([dx, dy], id) => ({ x: x + dx, y: y + dy, id }));
          await protocol.send('Input.dispatchTouchEvent', { type: i === 0 ? 'touchStart' : 'touchMove', touchPoints });
        }
        await protocol.send('Input.dispatchTouchEvent', { type: 'touchEnd', touchPoints: [] });
      };
      const front = await readCanvas(page);
      await touch([[[-60, 0]], [[-20, 0]], [[30, 0]], [[70, 0]]]);
      await expectChange(page, front);
      await page.getByRole('button', { name: 'From the front' }).click();
      // But for the button under the mouse.
      await expect.poll(async () => compare(await readCanvas(page), front), { timeout: STEP_MS }).toBeLessThan(0.5);
      const skin = (picture: Buffer) => {
        let count = 0;
        for (let i = 0; i < picture.length; i += 3) if (picture[i]! > picture[i + 2]! + 30) count++;
        return count;
      };
      // biome-ignore format: one line of two fingers for each moment
      await touch([[[-30, 0], [30, 0]], [[-50, 0], [50, 0]], [[-75, 0], [75, 0]], [[-100, 0], [100, 0]]]);
      // Fingers three times as far apart: the face covers much more of the picture.
      await expect.poll(async () => skin(await readCanvas(page)), { timeout: STEP_MS }).toBeGreaterThan(1.3 * skin(front));
      // The page itself stays as large as it was.
      expect(await page.evaluate(() => visualViewport?.scale)).toBe(1);
      expect(harness.offences).toEqual([]);
    },
    TEST_MS,
  );

  it(
    'on the full screen, and back',
    async () => {
      const page = await open({ path: `#/face/${harness.faceId}` });
      await waitForFace(page);
      const name = () => page.evaluate(() => document.fullscreenElement?.className ?? null);
      await page.getByRole('button', { name: 'Full screen' }).click();
      await expect.poll(name, { timeout: STEP_MS }).toContain('stage-area');
      await waitForFace(page);
      await page.getByRole('button', { name: 'Full screen' }).click();
      await expect.poll(name, { timeout: STEP_MS }).toBeNull();
    },
    TEST_MS,
  );

  it(
    'by keys alone, from the first view to the download',
    async () => {
      const page = await open();
      await page.getByText('Drop a portrait here').waitFor();
      await tabTo(page, '.example-button');
      await page.keyboard.press('Enter');
      await waitForFace(page);
      let picture = await readCanvas(page);
      await tabTo(page, 'canvas.face-canvas');
      await page.keyboard.press('ArrowRight');
      picture = await expectChange(page, picture);
      await page.keyboard.press('+');
      picture = await expectChange(page, picture);
      await tabTo(page, 'input[value="textured"]');
      await page.keyboard.press('ArrowRight');
      picture = await expectChange(page, picture);
      await tabTo(page, '[role=tab]');
      await page.keyboard.press('ArrowRight');
      await expectFocus(page, 'Expression');
      await tabTo(page, '.slider input');
      await page.keyboard.press('End');
      await expectChange(page, picture);
      await page.locator('[role=tab][aria-selected=true]').focus();
      await page.keyboard.press('End');
      await expectFocus(page, 'Files');
      await tabTo(page, 'a[download="face.glb"]');
      const download = page.waitForEvent('download');
      await page.keyboard.press('Enter');
      expect((await download).suggestedFilename()).toBe('face.glb');
      expect(harness.offences).toEqual([]);
    },
    TEST_MS,
  );
});

describe('whatever is around', () => {
  it(
    'works under a path of a proxy',
    async () => {
      const proxy = await startPrefixProxy(harness.service.url, '/faces/');
      try {
        const page = await open({ baseUrl: proxy.url });
        await chooseFile(page, await small(), 'portrait.jpg', 'image/jpeg');
        await waitForFace(page);
        await page.getByRole('tab', { name: 'Measures' }).click();
        await page.getByRole('heading', { name: 'Size of the face' }).waitFor();
        const download = page.waitForEvent('download');
        await page.getByRole('tab', { name: 'Files' }).click();
        await page.getByRole('link', { name: 'Download GLB' }).click();
        expect((await download).url()).toContain('/faces/v1/');
        await page.getByRole('link', { name: 'Your faces' }).click();
        const picture = page.locator('.card-picture').first();
        await expect.poll(() => picture.evaluate((image: HTMLImageElement) => image.naturalWidth), { timeout: STEP_MS }).toBeGreaterThan(0);
        // Nothing went past the prefix.
        expect(harness.offences).toEqual([]);
      } finally {
        await proxy.stop();
      }
    },
    TEST_MS,
  );

  it(
    'tells of a connection that is lost on the way, and goes on when it is back',
    async () => {
      const page = await open();
      const held: Route[] = [];
      await page.route('**/events*', (route) => void held.push(route));
      await chooseFile(page, await small(), 'portrait.jpg', 'image/jpeg');
      await expect.poll(() => held.length, { timeout: STEP_MS }).toBeGreaterThan(0);
      await harness.context.setOffline(true);
      for (const route of held) await route.abort('internetdisconnected');
      await page.getByText('The connection was lost. The work goes on').waitFor();
      await page.getByText('You are offline').waitFor();
      await shoot(page, 'reconnecting');
      await expectAccessible(page, 'reconnecting');
      await page.unroute('**/events*');
      await harness.context.setOffline(false);
      await waitForFace(page);
      expect(await page.getByText('You are offline').count()).toBe(0);
    },
    TEST_MS,
  );

  it('moves nothing by itself where motion is unwelcome', async () => {
    const durationOf = async (reducedMotion: 'reduce' | 'no-preference') => {
      const page = await open({ reducedMotion });
      await page.route('**/events*', () => undefined);
      await chooseFile(page, await small(), 'portrait.jpg', 'image/jpeg');
      await page.locator('.photo-working').waitFor();
      const duration = await page
        .locator('.photo-working')
        .evaluate((frame) => Number.parseFloat(getComputedStyle(frame, '::after').animationDuration));
      await harness.context.close();
      return duration;
    };
    expect(await durationOf('no-preference')).toBeGreaterThan(1);
    expect(await durationOf('reduce')).toBeLessThan(0.01);
  });
});
